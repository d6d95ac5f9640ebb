package jobs

import "math/bits"

// counters says which server counts which splits of a scan ahead of those who read them: where splits are not handed out in turn, readers that are
// ahead would wait long for the counts of what they have passed by. Each split of the window is counted by one of the servers near it; all are
// busy with as many.
type counters struct {
	order *order
	of    []int // by split: the server
	upto  []int // by server: what it has been told of
}

// countedTogether is how many splits in a row that are near the same servers are counted by the same: as many as a block has.
const countedTogether = 64

func newCounters(o *order) *counters {
	c := &counters{order: o, of: make([]int, len(o.near)), upto: make([]int, len(o.behind))}
	busy := make([]int, len(o.behind))
	for i, n := range o.near {
		if i%countedTogether > 0 && n == o.near[i-1] {
			c.of[i] = c.of[i-1]
		} else {
			c.of[i] = leastBusy(busy, n)
		}
		busy[c.of[i]]++
	}
	return c
}

// leastBusy is the one with the least to do of some servers.
func leastBusy(busy []int, near uint64) int {
	best := -1
	for n := near; n != 0; n &= n - 1 {
		if at := bits.TrailingZeros64(n); at < len(busy) && (best < 0 || busy[at] < busy[best]) {
			best = at
		}
	}
	return max(best, 0)
}

// take gives what a server is to count now: its share of the window, as far as it has not been told and nobody reads it.
func (c *counters) take(server int) []int {
	var list []int
	end := c.order.end()
	for i := max(c.upto[server], c.order.first); i < end; i++ {
		if c.of[i] == server && !c.order.taken[i] {
			list = append(list, i)
		}
	}
	c.upto[server] = max(c.upto[server], end)
	return list
}
