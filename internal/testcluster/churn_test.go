package testcluster

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/files"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/internal/testcluster/history"
	"github.com/rainsql/rainsql/sdfs"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// leave has a server leave, and waits until it is gone.
func (c *Cluster) leave(ctx context.Context, cl *client.Client, s *Server) error {
	id := s.Node().ID()
	o, err := cl.Propose(ctx, state.Entry{Kind: state.Leave, Node: id})
	if err == nil {
		err = o.Err
	}
	if err != nil {
		return err
	}
	for {
		resp, err := cl.Read(ctx, &api.ReadRequest{What: &api.ReadRequest_Nodes{Nodes: &api.Nothing{}}})
		if err != nil {
			return err
		}
		for _, n := range resp.GetNodes() {
			if state.ID(n.GetId()) == id && n.GetStatus() == state.Evicted.String() {
				return nil
			}
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// TestChurn: servers join and leave all the time while files are written, appended to and read. No file is ever
// unreadable, and at the end there are as many copies of each block as should be, and no others.
func TestChurn(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		cl := c.Client(0, 1) // the two that stay
		s := files.Open(cl)
		defer s.Close()
		want := filesOf(t, s, 5, 12)
		ctx, cancel := context.WithCancel(t.Context())
		var work sync.WaitGroup
		l := history.NewLines()
		for w := range 2 {
			work.Go(func() {
				one := files.Open(c.Client(0, 1))
				defer one.Close()
				if err := l.Write(context.Background(), one, "log", w, 60, func() { time.Sleep(rand.N(time.Second)) }); err != nil {
					t.Error(err)
				}
			})
		}
		var mu sync.Mutex
		work.Go(func() { // puts and reads
			one := files.Open(c.Client(0, 1))
			defer one.Close()
			for i := 0; ctx.Err() == nil; i++ {
				name := fmt.Sprint("churn/", i)
				data := random(uint64(7000+i), 300_000)
				w, err := one.Create(context.Background(), name, sdfs.MustNotExist)
				if err == nil {
					_, err = w.Write(data)
				}
				if err == nil {
					err = w.Commit(context.Background())
				}
				if err != nil {
					t.Errorf("%s: %v", name, err)
					continue
				}
				mu.Lock()
				want[name] = data
				mu.Unlock()
				readsAll(t, one, map[string][]byte{name: data, "f/5-0": want["f/5-0"], "f/5-1": want["f/5-1"]})
				time.Sleep(time.Second)
			}
		})
		var moved float64
		var ideal float64 // bytes that must move: what a newcomer has to have, and what one that leaves had
		share := func() float64 {
			_, bytes := c.Leader().Node().Coordinator().State().Files().Size()
			return float64(bytes) * 3
		}
		for i := range 6 {
			extra := c.Add(fmt.Sprint("x", i))
			extra.Start()
			c.Until("it is active", 2*time.Minute, func() bool { ready, _ := extra.Node().Ready(); return ready })
			ideal += share() / 6
			time.Sleep(2 * time.Second)
			gone := c.Servers[2+i] // the oldest but two
			if err := c.leave(ctx, cl, gone); err != nil {
				t.Fatal(err)
			}
			ideal += share() / 6
			moved += float64(gone.Node().Upkeep().Standing().Got)
			gone.Kill()
			time.Sleep(2 * time.Second)
		}
		cancel()
		work.Wait()
		readsAll(t, s, want)
		if err := l.Check(string(get(t, s, "log"))); err != nil {
			t.Error(err)
		}
		c.Until("three copies of each, and no more", 3*time.Minute, func() bool {
			least, most, _ := c.copies(t)
			return least == 3 && most == 3
		})
		for _, server := range c.Servers {
			if n := server.Node(); n != nil {
				moved += float64(n.Upkeep().Standing().Got)
			}
		}
		t.Logf("%.1f MB moved, %.2f of what must", moved/1e6, moved/ideal)
		if moved > 1.5*ideal {
			t.Errorf("%.1f MB moved, and %.1f had to", moved/1e6, ideal/1e6)
		}
		c.Until("no block without an owner", 3*time.Hour, func() bool { return c.strays() == 0 })
	})
}

// strays counts the copies that no entry names.
func (c *Cluster) strays() int {
	named := map[namespace.BlockID]bool{}
	for _, f := range c.Leader().Node().Coordinator().State().Files().Files("") {
		for _, b := range f.Blocks.All() {
			named[b.ID] = true
		}
	}
	n := 0
	for _, s := range c.Servers {
		if node := s.Node(); node != nil {
			for id := range node.Blocks().Local().IDs() {
				if !named[id] {
					n++
				}
			}
		}
	}
	return n
}
