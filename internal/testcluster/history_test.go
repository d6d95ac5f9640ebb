package testcluster

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/rainsql/rainsql/cluster/files"
	"github.com/rainsql/rainsql/internal/testcluster/history"
)

// histories is how many TestLinearizable makes, each with faults of its own; make chaos asks for many.
var histories = flag.Uint64("histories", 1, "how many histories to check")

// TestLinearizable: clients create, replace, remove and look at a few files through any server, while servers are
// killed and links are cut at random. What they saw must fit one order of events.
func TestLinearizable(t *testing.T) {
	for seed := range *histories {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) { linearizable(t, seed) })
	}
}

func linearizable(t *testing.T, seed uint64) {
	five(t, func(t *testing.T, c *Cluster) {
		ctx, cancel := context.WithCancel(t.Context())
		var h history.History
		var work sync.WaitGroup
		for id := range 4 {
			cl := c.Client(id, (id+1)%5)
			work.Go(func() { h.Work(ctx, cl, id, seed) })
		}
		hurt(c, seed)
		cancel()
		work.Wait()
		all, unknown := h.Count()
		t.Logf("%d operations, %d of unknown outcome", all, unknown)
		if all < 300 {
			t.Errorf("only %d operations", all)
		}
		if err := h.Check(); err != nil {
			t.Error(err)
		}
	})
}

// hurt kills servers and cuts links at random, and mends it all again, for a minute or two.
func hurt(c *Cluster, seed uint64) {
	rnd := rand.New(rand.NewPCG(seed, 2))
	for range 12 {
		a, b := rnd.IntN(5), rnd.IntN(5)
		switch rnd.IntN(3) {
		case 0:
			c.Servers[a].Kill()
			if b != a {
				c.Servers[b].Kill()
			}
		case 1:
			var x, y []int
			for i := range 5 {
				if i == a || i == b {
					x = append(x, i)
				} else {
					y = append(y, i)
				}
			}
			c.Net.Partition(c.Hosts(x...), c.Hosts(y...))
		case 2:
			if l := c.Leader(); l != nil {
				l.Kill()
			}
		}
		time.Sleep(time.Duration(1+rnd.IntN(8)) * time.Second)
		c.Net.Heal()
		for _, s := range c.Servers {
			if s.Node() == nil {
				s.Start()
			}
		}
		time.Sleep(time.Duration(1+rnd.IntN(5)) * time.Second)
	}
}

// TestLinearizableAppends: clients append to files and read them through any server, likewise.
func TestLinearizableAppends(t *testing.T) {
	for seed := range *histories {
		t.Run(fmt.Sprint("seed=", seed), func(t *testing.T) {
			five(t, func(t *testing.T, c *Cluster) {
				ctx, cancel := context.WithCancel(t.Context())
				var h history.Appends
				var work sync.WaitGroup
				for id := range 4 {
					s := files.Open(c.Client(id, (id+1)%5))
					work.Go(func() {
						defer s.Close()
						h.Work(ctx, s, id, seed)
					})
				}
				hurt(c, seed)
				cancel()
				work.Wait()
				all, unknown := h.Count()
				t.Logf("%d operations, %d of unknown outcome", all, unknown)
				if all < 200 {
					t.Errorf("only %d operations", all)
				}
				c.Settle()
				s := files.Open(c.Client())
				defer s.Close()
				final, err := h.Finish(t.Context(), s)
				if err != nil {
					t.Fatal(err)
				}
				if err := h.Check(final); err != nil {
					t.Error(err)
				}
			})
		})
	}
}
