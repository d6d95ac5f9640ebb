package jobs

import "slices"

// order is in which order the splits of a scan are handed out to several servers: each gets them in the order of the source, but those that
// are near it, whose bytes it has, before others. It is pure, and used by one goroutine at a time.
//
// A server passes by no split that is near it, it takes it, and every split is near somebody. So while all servers ask for more there is always
// one that may still take the first split that nobody has.
type order struct {
	near   []uint64 // by split: the servers to which it is near, as bits
	window int
	behind []int // by server: the last split it took
	taken  []bool
	first  int // that nobody has
	left   int // that nobody has
}

// Servers prefer a split that is near within a window behind the first one that nobody has. It narrows to the end, so that nobody has much left to
// do that others have passed by.
const (
	windowSplits = 1024
	windowBytes  = 16 << 26 // of the largest blocks
)

// newOrder is the order for so many servers, 64 at most. What is near none is as near to all of them.
func newOrder(servers int, near []uint64, window int) *order {
	o := &order{near: near, window: window, behind: make([]int, servers), taken: make([]bool, len(near)), left: len(near)}
	for i, n := range near {
		if n == 0 {
			near[i] = ^uint64(0)
		}
	}
	if o.everywhere() {
		o.window = 0
	}
	return o
}

// everywhere tells that all splits are near all servers, so that there is nothing to prefer.
func (o *order) everywhere() bool {
	all := uint64(1)<<len(o.behind) - 1
	return !slices.ContainsFunc(o.near, func(n uint64) bool { return n&all != all })
}

// take gives a server the next split, -1 if there is none for it any more.
func (o *order) take(server int) int {
	mine := uint64(1) << server
	end := o.end()
	other := -1
	for i := max(o.first, o.behind[server]); i < len(o.near) && (i < end || other < 0); i++ {
		switch {
		case o.taken[i]:
		case o.near[i]&mine != 0:
			return o.give(server, i)
		case other < 0:
			other = i
		}
	}
	if other < 0 {
		return -1
	}
	return o.give(server, other)
}

// end is where the window does.
func (o *order) end() int { return min(len(o.near), o.first+1+min(o.window, o.left*3/4)) }

func (o *order) give(server, at int) int {
	o.taken[at], o.behind[server] = true, at+1
	o.left--
	for o.first < len(o.taken) && o.taken[o.first] {
		o.first++
	}
	return at
}
