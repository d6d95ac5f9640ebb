package testcluster

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rainsql/rainsql/cluster/files"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/internal/testcluster/history"
	"github.com/rainsql/rainsql/internal/vfs/simdisk"
	"github.com/rainsql/rainsql/sdfs"
)

// TestAppends: four writers append a hundred lines to one file while servers are killed and cut off: each line is there
// once, and in its writer's order.
func TestAppends(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		l := history.NewLines()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		defer cancel()
		var writers sync.WaitGroup
		for w := range 4 {
			s := files.Open(c.Client(w, (w+1)%5))
			writers.Go(func() {
				defer s.Close()
				if err := l.Write(ctx, s, "log", w, 25, func() { time.Sleep(rand.N(3 * time.Second)) }); err != nil {
					t.Error(err)
				}
			})
		}
		for i := range 3 {
			a, b := c.Servers[i], c.Servers[(i+2)%5]
			a.Kill()
			b.Kill()
			time.Sleep(4 * time.Second)
			a.Start()
			b.Start()
			time.Sleep(4 * time.Second)
			c.Net.Partition(c.Hosts(i, i+1), c.Hosts((i+2)%5, (i+3)%5, (i+4)%5))
			time.Sleep(4 * time.Second)
			c.Net.Heal()
		}
		writers.Wait()
		s := files.Open(c.Client())
		defer s.Close()
		if err := l.Check(string(get(t, s, "log"))); err != nil {
			t.Error(err)
		}
		done, unknown := l.Count()
		t.Logf("%d acknowledged, %d of unknown outcome", done, unknown)
	})
}

// filesOf writes some files, large and small, and gives what they hold.
func filesOf(t *testing.T, s *sdfs.Store, seed uint64, count int) map[string][]byte {
	t.Helper()
	want := map[string][]byte{}
	rnd := rand.New(rand.NewPCG(seed, 1))
	for i := range count {
		name := fmt.Sprintf("f/%d-%d", seed, i)
		size := rnd.IntN(50_000)
		if i%4 == 0 {
			size = 300_000 + rnd.IntN(1_000_000)
		}
		want[name] = random(seed*1000+uint64(i), 1+size)
		put(t, s, name, want[name])
	}
	return want
}

func readsAll(t *testing.T, s *sdfs.Store, want map[string][]byte) {
	t.Helper()
	for name, data := range want {
		if got := get(t, s, name); !bytes.Equal(got, data) {
			t.Errorf("%s: other content", name)
		}
	}
}

// copies counts the whole copies of each block of all files on the servers that run, as their disks have it.
func (c *Cluster) copies(t *testing.T) (least, most, blocks int) {
	t.Helper()
	leader := c.Leader().Node().Coordinator().State()
	least = 99
	for _, f := range leader.Files().Files("") {
		for _, b := range f.Blocks.All() {
			blocks++
			n := 0
			for _, s := range c.Servers {
				node := s.Node()
				if node == nil {
					continue
				}
				if me, _ := leader.Node(node.ID()); me.Status == state.Evicted {
					continue // it may not know yet that it has left
				}
				if node.Blocks().Local().Has(b) && node.Blocks().Local().Verify(t.Context(), b) == nil {
					n++
				}
			}
			least, most = min(least, n), max(most, n)
		}
	}
	return least, most, blocks
}

// TestAllKilled: all servers are killed, or lose power, and nothing acknowledged is lost.
func TestAllKilled(t *testing.T) {
	for _, power := range []bool{false, true} {
		t.Run(fmt.Sprint("power=", power), func(t *testing.T) {
			five(t, func(t *testing.T, c *Cluster) {
				s := files.Open(c.Client())
				defer s.Close()
				want := filesOf(t, s, 1, 12)
				for i, server := range c.Servers {
					if power {
						server.PowerOff(uint64(i + 1))
					} else {
						server.Kill()
					}
				}
				for _, server := range c.Servers {
					server.Start()
				}
				took := c.Until("all are ready", time.Minute, func() bool {
					for _, server := range c.Servers {
						if ready, _ := server.Node().Ready(); !ready {
							return false
						}
					}
					return true
				})
				t.Logf("ready after %v", took)
				readsAll(t, s, want)
				c.Until("three copies of each", time.Minute, func() bool {
					least, most, _ := c.copies(t)
					return least == 3 && most == 3
				})
			})
		})
	}
}

// TestFlippedBits: one bit is flipped, or the file cut, in one and in two of three copies of every block: what is
// read is what was written, and within a minute three copies are good again.
func TestFlippedBits(t *testing.T) {
	for _, bad := range []int{1, 2} {
		t.Run(fmt.Sprint("bad=", bad), func(t *testing.T) {
			five(t, func(t *testing.T, c *Cluster) {
				s := files.Open(c.Client())
				defer s.Close()
				want := filesOf(t, s, 2, 12)
				rnd := rand.New(rand.NewPCG(3, uint64(bad)))
				for _, server := range c.Servers[:bad] {
					for _, name := range server.Disk().Files() {
						e, err := server.Disk().Stat(name)
						if err == nil && strings.HasPrefix(name, "blocks/") && e.Size > 0 {
							if rnd.IntN(2) == 0 {
								err = server.Disk().FlipBit(name, rnd.Int64N(e.Size*8))
							} else {
								err = cut(server.Disk(), name, rnd.Int64N(e.Size))
							}
						}
						if err == nil && strings.HasPrefix(name, "segments/") && e.Size > 100 {
							for off := int64(40); off < e.Size; off += 500 {
								err = errors.Join(err, server.Disk().FlipBit(name, off*8))
							}
						}
						if err != nil {
							t.Fatal(name, err)
						}
					}
				}
				for i := range c.Servers { // by way of each: it reads its own copies first
					one := files.Open(c.Client(i))
					readsAll(t, one, want)
					if err := one.Close(); err != nil {
						t.Error(err)
					}
				}
				c.Until("three good copies of each", time.Minute, func() bool {
					least, most, _ := c.copies(t)
					return least == 3 && most == 3
				})
				readsAll(t, s, want)
			})
		})
	}
}

func cut(disk *simdisk.Disk, name string, size int64) error {
	f, err := disk.OpenWrite(name)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(size), f.Close())
}

// TestWiped: a server whose disk is empty comes back as a new one and gets what belongs to it, and the old one is
// forgotten.
func TestWiped(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		s := files.Open(c.Client())
		defer s.Close()
		want := filesOf(t, s, 4, 12)
		old := c.Servers[4].Node().ID()
		c.Servers[4].Kill()
		c.Until("it is down", time.Minute, func() bool {
			n, ok := c.Leader().Node().Coordinator().State().Node(old)
			return ok && n.Status == state.Down
		})
		c.Servers[4].Wipe()
		c.Servers[4].Start()
		c.Settle()
		if c.Servers[4].Node().ID() == old {
			t.Fatal("it came back as the one that it was")
		}
		readsAll(t, s, want)
		c.Until("the old one is evicted", 20*time.Minute, func() bool {
			n, ok := c.Leader().Node().Coordinator().State().Node(old)
			return ok && n.Status == state.Evicted
		})
		c.Until("three copies of each, and no more", 2*time.Minute, func() bool {
			least, most, _ := c.copies(t)
			return least == 3 && most == 3
		})
		readsAll(t, s, want)
	})
}

// TestFullDisk: the disk of one server has no room. What is written goes to others, what is read is read, and with room again it
// gets what belongs to it.
func TestFullDisk(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		s := files.Open(c.Client())
		defer s.Close()
		want := filesOf(t, s, 6, 8)
		full := c.Servers[2]
		full.Disk().SetCapacity(full.Disk().Used() + 1000)
		for name, data := range filesOf(t, s, 7, 12) {
			want[name] = data
		}
		for i := range 20 {
			if err := s.Append(t.Context(), "log", []byte{byte('a' + i)}); err != nil {
				t.Fatal(err)
			}
		}
		want["log"] = []byte("abcdefghijklmnopqrst")
		readsAll(t, s, want)
		through := files.Open(c.Client(2)) // by way of the one that is full
		defer through.Close()
		put(t, through, "through", []byte("it"))
		readsAll(t, through, want)
		if least, _, _ := c.copies(t); least < 3 {
			t.Errorf("%d copies of a block that was acknowledged", least)
		}
		full.Disk().SetCapacity(0)
		c.Until("every owner has its blocks, and nobody else", 5*time.Minute, func() bool {
			least, most, _ := c.copies(t)
			return least == 3 && most == 3
		})
		readsAll(t, s, want)
	})
}

// TestFailingDisk: a server whose disk fails to sync blocks ends itself, and what is written meanwhile goes to others.
func TestFailingDisk(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		s := files.Open(c.Client())
		defer s.Close()
		bad := c.Servers[3]
		bad.Disk().SetHook(func(op simdisk.Op) simdisk.Fault {
			if op.Kind == "sync" && (strings.HasPrefix(op.Path, "blocks/") || strings.HasPrefix(op.Path, "segments/")) {
				return simdisk.Fault{Err: errors.New("I/O error")}
			}
			return simdisk.Fault{}
		})
		want := filesOf(t, s, 8, 12)
		readsAll(t, s, want)
		c.Until("it has ended itself", 2*time.Minute, func() bool { return bad.Died() != nil })
		if !strings.Contains(bad.Died().Error(), "I/O error") {
			t.Error(bad.Died())
		}
		bad.Disk().SetHook(nil)
		bad.Start()
		c.Until("every owner has its blocks", 5*time.Minute, func() bool {
			least, _, _ := c.copies(t)
			return least == 3
		})
		readsAll(t, s, want)
	})
}
