package testcluster

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rainsql/rainsql/cluster/blocks"
	"github.com/rainsql/rainsql/cluster/files"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/internal/vfs/simdisk"
)

// sectors has a disk give an error for what it holds of blocks now: of small ones all, of large ones their data, and of every
// other one what stands behind it, too. A file that is moved away takes its bad sectors with it.
func (s *Server) sectors(t *testing.T, why error) {
	t.Helper()
	const footer = 4096 // longer than any
	least := map[string]int{}
	for _, name := range s.Disk().Files() {
		switch {
		case strings.HasPrefix(name, "segments/"):
			least[name] = 1
		case strings.HasPrefix(name, "blocks/"):
			least[name] = footer * ((len(least) + 1) % 2)
		}
	}
	s.Disk().SetHook(func(op simdisk.Op) simdisk.Fault {
		most, bad := least[op.Path]
		switch {
		case bad && op.Kind == "rename":
			delete(least, op.Path)
		case bad && op.Kind == "read" && op.Len > most:
			return simdisk.Fault{Err: why}
		}
		return simdisk.Fault{}
	})
}

func (c *Cluster) threeEach(t *testing.T) {
	t.Helper()
	c.Until("three whole copies of each", time.Minute, func() bool {
		least, most, _ := c.copies(t)
		return least == 3 && most == 3
	})
}

// TestBadSectors: the disks of one and of two of five servers cannot read what they hold: what is read is what was written, and
// within a minute three copies are good again.
func TestBadSectors(t *testing.T) {
	for _, bad := range []int{1, 2} {
		t.Run(fmt.Sprint("bad=", bad), func(t *testing.T) {
			five(t, func(t *testing.T, c *Cluster) {
				s := files.Open(c.Client())
				defer s.Close()
				want := filesOf(t, s, 21, 12)
				for _, server := range c.Servers[:bad] {
					server.sectors(t, syscall.EIO)
				}
				for i := range c.Servers { // by way of each: it reads its own copies first
					one := files.Open(c.Client(i))
					readsAll(t, one, want)
					if err := one.Close(); err != nil {
						t.Error(err)
					}
				}
				c.threeEach(t)
				readsAll(t, s, want)
			})
		})
	}
}

// TestScrubBadSectors: that a disk cannot read what it holds is found and mended though nobody reads it.
func TestScrubBadSectors(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		r := files.Connect(c.Client())
		defer r.Close()
		bad, _ := badHolder(t, c, r, syscall.EIO)
		time.Sleep(3 * time.Minute) // what came after the start is read first after a minute
		if least, most, _ := c.copies(t); least != 3 || most != 3 {
			t.Errorf("%d to %d whole copies", least, most)
		}
		if kept := kept(bad); len(kept) == 0 {
			t.Error("no copy was taken out of use")
		}
	})
}

// kept is what a server keeps of what it found damaged.
func kept(s *Server) []string {
	return slices.DeleteFunc(s.Disk().Files(), func(name string) bool { return !strings.HasPrefix(name, "bad/") })
}

// badHolder puts a large and a small file, and has one of the servers that have the large one fail to read what it holds.
func badHolder(t *testing.T, c *Cluster, r *files.Remote, why error) (bad *Server, others []*Server) {
	t.Helper()
	put(t, r.Store, "big", random(1, 2<<20))
	put(t, r.Store, "small", random(2, 5000))
	list, err := r.Locate(t.Context(), "big")
	if err != nil {
		t.Fatal(err)
	}
	have := holders(c, list[0])
	have[0].sectors(t, why)
	return have[0], have[1:]
}

// TestCheckBadSectors: a check finds what a disk cannot read, and mends it.
func TestCheckBadSectors(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		r := files.Connect(c.Client(0))
		defer r.Close()
		bad, _ := badHolder(t, c, r, syscall.EIO)
		faults, _ := checked(t, r, true)
		found := false
		for _, f := range faults {
			if !f.GetRepaired() {
				t.Errorf("not mended: %v", f)
			}
			found = found || f.GetNode() == bad.Name && f.GetFile() == "big" && strings.Contains(f.GetPath(), "blocks/") &&
				strings.Contains(f.GetReason(), "the disk cannot read it: input/output error")
		}
		if !found {
			t.Errorf("it is not said of %s: %v", bad.Name, faults)
		}
		if least, _, _ := c.copies(t); least < 3 {
			t.Errorf("mended, and there are %d whole copies", least)
		}
		if faults, report := checked(t, r, false); len(faults) > 0 || report.GetCopies() != 6 {
			t.Errorf("after the repair: %v, %v", faults, report)
		}
	})
}

// TestCheckUnreadableDisk: a disk takes what a repair writes and cannot read it either: that is no repair, and another server stands in.
func TestCheckUnreadableDisk(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		r := files.Connect(c.Client(0))
		defer r.Close()
		bad, _ := badHolder(t, c, r, syscall.EIO)
		bad.Disk().SetHook(func(op simdisk.Op) simdisk.Fault {
			if op.Kind == "read" && strings.HasPrefix(op.Path, "blocks/") && op.Len > 4096 {
				return simdisk.Fault{Err: syscall.EIO}
			}
			return simdisk.Fault{}
		})
		faults, _ := checked(t, r, true)
		if len(faults) == 0 {
			t.Error("nothing is said of it")
		}
		if least, _, _ := c.copies(t); least < 3 {
			t.Errorf("%d whole copies after a repair that says %v", least, faults)
		}
	})
}

// TestNoSuccessUnread: of a copy that cannot be examined nobody says that it is there.
func TestNoSuccessUnread(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		r := files.Connect(c.Client(0))
		defer r.Close()
		bad, _ := badHolder(t, c, r, syscall.ENOMEM)
		n := 0
		for _, f := range bad.Node().Coordinator().State().Files().Files("") {
			for _, b := range f.Blocks.All() {
				if local := bad.Node().Blocks().Local(); !local.Has(b) {
					continue
				}
				n++
				if err := bad.Node().Blocks().Fetch(t.Context(), blocks.Head{}, b, nil); !errors.Is(err, syscall.ENOMEM) || !strings.Contains(err.Error(), "cannot be examined") {
					t.Errorf("block of %d bytes: %v", b.Length, err)
				}
				if !bad.Node().Blocks().Local().Has(b) {
					t.Errorf("block of %d bytes: it was taken out of use", b.Length)
				}
			}
		}
		if n == 0 {
			t.Error("nothing is there")
		}
		if faults, _ := checked(t, r, true); len(faults) == 0 {
			t.Error("nothing is said of it")
		}
		if least, _, _ := c.copies(t); least < 3 { // another server stands in
			t.Errorf("after the repair there are %d whole copies", least)
		}
		bad.Disk().SetHook(nil)
		c.threeEach(t)
	})
}

// TestLeaveWithBadSectors: a server leaves though another that has the same block cannot read it, and then its own disk fails to.
func TestLeaveWithBadSectors(t *testing.T) {
	for _, own := range []bool{false, true} {
		t.Run(fmt.Sprint("own=", own), func(t *testing.T) {
			five(t, func(t *testing.T, c *Cluster) {
				cl := c.Client()
				r := files.Connect(cl)
				defer r.Close()
				leaves, others := badHolder(t, c, r, syscall.EIO)
				if !own {
					leaves = others[0]
				}
				id := leaves.Node().ID()
				if o, err := cl.Propose(t.Context(), state.Entry{Kind: state.Leave, Node: id}); err != nil || o.Err != nil {
					t.Fatal(err, o.Err)
				}
				c.Until("it has left", 5*time.Minute, func() bool {
					l := c.Leader()
					if l == nil {
						return false
					}
					n, _ := l.Node().Coordinator().State().Node(id)
					return n.Status == state.Evicted
				})
				c.threeEach(t)
				if got := get(t, r.Store, "big"); !slices.Equal(got, random(1, 2<<20)) {
					t.Error("other content")
				}
			})
		})
	}
}

// TestStartWithBadSectors: a server starts though its disk cannot read what it holds, and gets it from others.
func TestStartWithBadSectors(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		s := files.Open(c.Client())
		defer s.Close()
		want := filesOf(t, s, 22, 12)
		bad := c.Servers[1]
		bad.Kill()
		bad.sectors(t, syscall.EIO)
		bad.Start()
		c.threeEach(t)
		readsAll(t, s, want)
		if !slices.ContainsFunc(kept(bad), func(name string) bool { return strings.HasSuffix(name, ".open") }) {
			t.Errorf("of what it cannot read it keeps %v", kept(bad))
		}
	})
}
