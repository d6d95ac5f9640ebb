package jobs

import (
	"container/heap"
	"math/rand/v2"
	"slices"
	"testing"
)

// turns are when servers are ready for their next split.
type turns []turn

type turn struct {
	at     float64
	server int
}

func (q turns) Len() int           { return len(q) }
func (q turns) Less(i, j int) bool { return q[i].at < q[j].at }
func (q turns) Swap(i, j int)      { q[i], q[j] = q[j], q[i] }
func (q *turns) Push(x any)        { *q = append(*q, x.(turn)) }
func (q *turns) Pop() any {
	x := (*q)[len(*q)-1]
	*q = (*q)[:len(*q)-1]
	return x
}

// scanned is a scan whose blocks lie on some of the servers that there are, at random.
type scanned struct {
	splits, block, copies int
	servers, of           int // as many of them read
	window                int
	slow                  float64 // how much slower the first server is
}

// nearTo is the servers to which each split is near.
func (s scanned) nearTo(rnd *rand.Rand) []uint64 {
	near := make([]uint64, s.splits)
	for i := range near {
		if i%s.block > 0 {
			near[i] = near[i-1]
			continue
		}
		for _, on := range rnd.Perm(s.of)[:s.copies] {
			if on < s.servers {
				near[i] |= 1 << on
			}
		}
	}
	return near
}

// run hands the splits out to servers of which each takes as long for one as for any other, more or less. It tells how many of them were near
// those that read them, how much longer it took than it had to, and how far ahead of the first that nobody had a split was taken.
func (s scanned) run(t *testing.T, rnd *rand.Rand) (local, length float64, lead int) {
	t.Helper()
	near := s.nearTo(rnd)
	o := newOrder(s.servers, append([]uint64{}, near...), s.window)
	var q turns
	for on := range s.servers {
		heap.Push(&q, turn{rnd.Float64(), on})
	}
	taken, here, end := make([]bool, s.splits), 0, 0.0
	last, n := make([]int, s.servers), 0
	for q.Len() > 0 {
		e := heap.Pop(&q).(turn)
		at := o.take(e.server)
		if at < 0 {
			continue
		}
		if at+1 <= last[e.server] || taken[at] {
			t.Fatalf("server %d gets split %d after %d", e.server, at, last[e.server]-1)
		}
		taken[at], last[e.server] = true, at+1
		n++
		lead = max(lead, at-o.first)
		if near[at]>>e.server&1 == 1 {
			here++
		}
		takes := 1 + 0.2*rnd.NormFloat64()
		if e.server == 0 && s.slow > 0 {
			takes *= s.slow
		}
		end = max(end, e.at+takes)
		heap.Push(&q, turn{e.at + takes, e.server})
	}
	if n != s.splits {
		t.Fatalf("%d splits of %d were handed out", n, s.splits)
	}
	power := float64(s.servers)
	if s.slow > 0 {
		power += 1/s.slow - 1
	}
	return float64(here) / float64(s.splits), end / (float64(s.splits) / power), lead
}

// TestOrder: most splits are read where their bytes are; every server gets its splits in order, and everybody has something to do to the end.
func TestOrder(t *testing.T) {
	for _, c := range []struct {
		name    string
		scanned scanned
		local   float64 // at least
		length  float64 // at most
	}{
		{"in order", scanned{1000, 64, 3, 10, 10, 0, 0}, 0.25, 1.03},
		{"ten servers", scanned{1000, 64, 3, 10, 10, windowSplits, 0}, 0.8, 1.05},
		{"ten servers, a longer file", scanned{10000, 64, 3, 10, 10, windowSplits, 0}, 0.95, 1.01},
		{"ten servers, blocks of clients", scanned{1000, 16, 3, 10, 10, windowSplits, 0}, 0.9, 1.05},
		{"five servers", scanned{1000, 64, 3, 5, 5, windowSplits, 0}, 0.93, 1.03},
		{"three servers", scanned{1000, 64, 3, 3, 3, windowSplits, 0}, 0.999, 1.02},
		{"four of ten, at most 0.83", scanned{1000, 64, 3, 4, 10, windowSplits, 0}, 0.7, 1.05},
		{"thirty servers", scanned{10000, 64, 3, 30, 30, windowSplits, 0}, 0.75, 1.03},
		{"a slow server", scanned{1000, 64, 3, 10, 10, windowSplits, 10}, 0.8, 1.2},
		{"a block each", scanned{1000, 1, 3, 10, 10, windowSplits, 0}, 0.95, 1.05},
	} {
		t.Run(c.name, func(t *testing.T) {
			const rounds = 30
			var local, length float64
			far := 0
			for seed := range uint64(rounds) {
				a, b, lead := c.scanned.run(t, rand.New(rand.NewPCG(seed, 1)))
				local += a / rounds
				length += b / rounds
				far = max(far, lead)
			}
			t.Logf("%.2f are near, in %.3f of the least time, at most %d ahead", local, length, far)
			if local < c.local || length > c.length {
				t.Errorf("want %.2f near, and %.2f of the time", c.local, c.length)
			}
			if most := c.scanned.window + c.scanned.block; far > most && c.scanned.window > 0 {
				t.Errorf("want %d ahead at most", most)
			}
		})
	}
}

// TestOrderLeavesNothing: whatever servers stop asking, at whatever time, the others get all that is not near to those alone.
func TestOrderLeavesNothing(t *testing.T) {
	rnd := rand.New(rand.NewPCG(7, 7))
	for range 300 {
		s := scanned{splits: rnd.IntN(300), block: 1 + rnd.IntN(20), copies: 1 + rnd.IntN(3), of: 3 + rnd.IntN(8), window: rnd.IntN(100)}
		s.servers = 1 + rnd.IntN(s.of)
		near := s.nearTo(rnd)
		o := newOrder(s.servers, near, s.window)
		ends := make([]int, s.servers) // after how many splits they stop; the first never does
		for i := range ends {
			ends[i] = rnd.IntN(200)
		}
		for busy := true; busy; {
			busy = false
			for _, on := range rnd.Perm(s.servers) {
				if on == 0 || ends[on] > 0 {
					ends[on]--
					busy = o.take(on) >= 0 || busy
				}
			}
		}
		for i, taken := range o.taken {
			if !taken && near[i]&1 == 1 {
				t.Fatalf("split %d is left, which is near a server that asks", i)
			}
		}
	}
}

// TestCounters: every split of the window is counted by one server that is near it, unless it is read by then, and all have as much to do.
func TestCounters(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	s := scanned{splits: 5000, block: 64, copies: 3, servers: 10, of: 10}
	near := s.nearTo(rnd)
	o := newOrder(s.servers, near, 1000)
	c := newCounters(o)
	counts, load := make([]int, s.splits), make([]int, s.servers)
	count := func(server int) {
		for _, at := range c.take(server) {
			if near[at]>>server&1 == 0 || o.taken[at] || at >= o.end() {
				t.Fatalf("server %d counts split %d", server, at)
			}
			counts[at]++
			load[server]++
		}
	}
	for server := range s.servers {
		count(server)
	}
	for i, n := range counts[:o.end()] {
		if n != 1 {
			t.Fatalf("split %d is counted %d times", i, n)
		}
	}
	for left := s.splits; left > 0; {
		for _, server := range rnd.Perm(s.servers) {
			for range 8 {
				if at := o.take(server); at >= 0 {
					left--
					if counts[at] == 0 {
						counts[at]++ // by its reader
					}
				}
			}
			count(server)
		}
	}
	for i, n := range counts {
		if n != 1 {
			t.Fatalf("split %d is counted %d times", i, n)
		}
	}
	t.Log(load)
	if slices.Max(load) > 2*slices.Min(load) {
		t.Errorf("unequal shares: %v", load)
	}
}
