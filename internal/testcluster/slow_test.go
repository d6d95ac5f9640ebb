package testcluster

import (
	"bytes"
	"runtime/pprof"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rainsql/rainsql/cluster/files"
)

// TestSlowStart: a server that takes minutes to open its blocks keeps nobody waiting, were it the first to be started after a loss of
// power of all.
func TestSlowStart(t *testing.T) {
	for range 3 { // who is elected is a matter of chance
		five(t, func(t *testing.T, c *Cluster) {
			s := files.Open(c.Client())
			defer s.Close()
			put(t, s, "a", []byte("x"))
			for _, server := range c.Servers {
				server.Kill()
			}
			c.Servers[0].SlowList(90 * time.Second)
			var starts sync.WaitGroup
			starts.Go(c.Servers[0].Start)
			time.Sleep(300 * time.Millisecond)
			for _, server := range c.Servers[1:] {
				starts.Go(server.Start)
			}
			began := time.Now()
			if err := s.Append(t.Context(), "b", []byte("y")); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > 30*time.Second {
				t.Errorf("four of five servers are up, and the first append takes %v", took)
			}
			starts.Wait()
		})
	}
}

// onTheWay is how many groups of small blocks are on their way to a server.
func onTheWay() int {
	var b bytes.Buffer
	_ = pprof.Lookup("goroutine").WriteTo(&b, 2)
	return strings.Count(b.String(), "blocks.(*Placed).putMessages(")
}

// TestSlowDisk: one server of five takes 20 seconds for an fsync of small blocks. Those who append go on at once but for a few, nothing piles
// up at the healthy servers, and once the disk is fast again all that belongs there is there.
func TestSlowDisk(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		const writers, long = 8, 45 * time.Second
		c.Servers[4].SlowSync(20 * time.Second)
		var work sync.WaitGroup
		var all, waited atomic.Int64
		end := time.Now().Add(long)
		for w := range writers {
			s := files.Open(c.Client(w % 4))
			work.Go(func() {
				defer s.Close()
				data := random(uint64(w), 8<<10)
				for ; time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
					began := time.Now()
					if err := s.Append(t.Context(), "log", data); err != nil {
						t.Error(err)
					}
					all.Add(1)
					if time.Since(began) > time.Second {
						waited.Add(1)
					}
				}
			})
		}
		most := 0
		for time.Now().Before(end) {
			time.Sleep(time.Second)
			most = max(most, onTheWay())
		}
		t.Logf("%d appends, %d of them waited; %d groups on their way at most", all.Load(), waited.Load(), most)
		if most > 6*4 { // those that each healthy server had sent before it knew, and what is not late
			t.Errorf("%d groups are on their way", most)
		}
		if n := waited.Load(); n > all.Load()/10 {
			t.Errorf("%d of %d appends had to wait", n, all.Load())
		}
		c.Servers[4].SlowSync(0)
		work.Wait()
		c.Until("every owner has its blocks, and nobody else", 5*time.Minute, func() bool {
			least, most, _ := c.copies(t)
			return least == 3 && most == 3
		})
	})
}
