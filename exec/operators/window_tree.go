package operators

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/vec"
)

// leafRows is how many rows a leaf of the tree sums up.
const leafRows = 32

// tree computes aggregates whose states can be merged. Over each partition lies
// a tree of states: a leaf is that of 32 rows, a node that of two below it. A
// frame is some rows at its ends and few nodes between them.
func (a *windowAggregate) tree() (arrow.Array, error) {
	acc, err := expr.NewAccumulator(a.call, a.w.env.Alloc)
	if err != nil {
		return nil, err
	}
	defer acc.Release()
	acc.Resize(len(a.from))
	if err := a.feedEnds(acc); err != nil {
		return nil, err
	}
	level, held, err := a.leaves()
	if err != nil {
		return nil, err
	}
	defer func() {
		vec.ReleaseAll(level.states)
		_ = a.w.account.Add(-held)
	}()
	// What is left of each frame, in nodes of the level at hand.
	lo, hi := make([]int32, len(a.from)), make([]int32, len(a.from))
	any := false
	for i := range lo {
		lo[i], hi[i] = a.whole(i)
		any = any || lo[i] < hi[i]
	}
	for any {
		var nodes []int32
		var groups []uint32
		any = false
		for i := range lo {
			if lo[i] >= hi[i] {
				continue
			}
			base := level.start[a.inPart[i]]
			if lo[i]&1 == 1 {
				nodes, groups = append(nodes, base+lo[i]), append(groups, uint32(i))
				lo[i]++
			}
			if hi[i]&1 == 1 && lo[i] < hi[i] {
				hi[i]--
				nodes, groups = append(nodes, base+hi[i]), append(groups, uint32(i))
			}
			lo[i], hi[i] = lo[i]/2, hi[i]/2
			any = any || lo[i] < hi[i]
		}
		if err := a.mergeNodes(acc, level.states, nodes, groups); err != nil {
			return nil, err
		}
		if !any {
			break
		}
		next, err := a.above(level)
		if err != nil {
			return nil, err
		}
		vec.ReleaseAll(level.states)
		level = next
	}
	return acc.Result()
}

// whole are the leaves that lie in a frame entirely, counted from the
// partition's first; none where it is better to read all rows.
func (a *windowAggregate) whole(frame int) (lo, hi int32) {
	base := a.parts[a.inPart[frame]]
	lo = (a.from[frame] - base + leafRows - 1) / leafRows
	hi = (a.to[frame] - base) / leafRows
	if lo >= hi {
		return 0, 0
	}
	return lo, hi
}

// feedEnds gives the aggregate those rows of the frames that are in no whole leaf.
func (a *windowAggregate) feedEnds(acc expr.Accumulator) error {
	f := &feeder{a: a, acc: acc}
	for i := range a.from {
		lo, hi := a.whole(i)
		if lo >= hi {
			if err := f.add(uint32(i), a.from[i], a.to[i]); err != nil {
				return err
			}
			continue
		}
		base := a.parts[a.inPart[i]]
		if err := f.add(uint32(i), a.from[i], base+lo*leafRows); err != nil {
			return err
		}
		if err := f.add(uint32(i), base+hi*leafRows, a.to[i]); err != nil {
			return err
		}
	}
	return f.flush()
}

// treeLevel is the states of all nodes of a height, partition by partition.
type treeLevel struct {
	states []arrow.Array
	start  []int32 // of each partition: its first node, and behind the last their number
}

// leaves sums up the rows, and returns the memory that this takes too.
func (a *windowAggregate) leaves() (*treeLevel, int64, error) {
	l := &treeLevel{start: make([]int32, len(a.parts))}
	for p := range len(a.parts) - 1 {
		l.start[p+1] = l.start[p] + (a.parts[p+1]-a.parts[p]+leafRows-1)/leafRows
	}
	acc, err := expr.NewAccumulator(a.call, a.w.env.Alloc)
	if err != nil {
		return nil, 0, err
	}
	defer acc.Release()
	acc.Resize(int(l.start[len(l.start)-1]))
	f := &feeder{a: a, acc: acc}
	for p := range len(a.parts) - 1 {
		for from := a.parts[p]; from < a.parts[p+1]; from += leafRows {
			leaf := l.start[p] + (from-a.parts[p])/leafRows
			if err := f.add(uint32(leaf), from, min(from+leafRows, a.parts[p+1])); err != nil {
				return nil, 0, err
			}
		}
	}
	if err := f.flush(); err != nil {
		return nil, 0, err
	}
	held := 2 * acc.Bytes()
	if err := a.w.account.Add(held); err != nil {
		return nil, 0, err
	}
	l.states, err = acc.State()
	return l, held, err
}

// above merges the nodes of a level two by two.
func (a *windowAggregate) above(l *treeLevel) (*treeLevel, error) {
	up := &treeLevel{start: make([]int32, len(l.start))}
	var groups []uint32
	for p := range len(l.start) - 1 {
		n := l.start[p+1] - l.start[p]
		up.start[p+1] = up.start[p] + (n+1)/2
		for i := range n {
			groups = append(groups, uint32(up.start[p]+i/2))
		}
	}
	acc, err := expr.NewAccumulator(a.call, a.w.env.Alloc)
	if err != nil {
		return nil, err
	}
	defer acc.Release()
	acc.Resize(int(up.start[len(up.start)-1]))
	if err := acc.Merge(groups, l.states); err != nil {
		return nil, err
	}
	up.states, err = acc.State()
	return up, err
}

// mergeNodes gives nodes to the frames that are made of them, some at a time.
func (a *windowAggregate) mergeNodes(acc expr.Accumulator, states []arrow.Array, nodes []int32, groups []uint32) error {
	for from := 0; from < len(nodes); from += directRows {
		if err := a.stopped(0); err != nil {
			return err
		}
		to := min(from+directRows, len(nodes))
		taken := make([]arrow.Array, 0, len(states))
		var err error
		for _, s := range states {
			var t arrow.Array
			if t, err = vec.Take(a.w.env.Alloc, s, nodes[from:to]); err != nil {
				break
			}
			taken = append(taken, t)
		}
		if err == nil {
			err = acc.Merge(groups[from:to], taken)
		}
		vec.ReleaseAll(taken)
		if err != nil {
			return err
		}
	}
	return nil
}
