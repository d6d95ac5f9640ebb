package ring

import (
	"math"
	"slices"
	"testing"
)

func TestArc(t *testing.T) {
	const top = math.MaxUint64
	for _, c := range []struct {
		arc   Arc
		in    []uint64
		out   []uint64
		share float64
	}{
		{Arc{0, 1}, []uint64{1}, []uint64{0, 2, top}, math.Exp2(-64)},
		{Arc{10, 20}, []uint64{11, 20}, []uint64{10, 21, 0, top}, 10 * math.Exp2(-64)},
		{Arc{top, 0}, []uint64{0}, []uint64{top, 1}, math.Exp2(-64)},
		{Arc{top - 1, 1}, []uint64{top, 0, 1}, []uint64{top - 1, 2}, 3 * math.Exp2(-64)},
		{Arc{1 << 62, 3 << 62}, []uint64{1 << 63}, []uint64{1 << 62, 0}, 0.5},
		{Arc{5, 5}, []uint64{5, 6, 4, 0, top}, nil, 1},
		{Arc{5, 4}, []uint64{4, 6, 0, top}, []uint64{5}, 1},
	} {
		for _, at := range c.in {
			if !c.arc.Contains(at) {
				t.Errorf("%x does not contain %x", c.arc, at)
			}
		}
		for _, at := range c.out {
			if c.arc.Contains(at) {
				t.Errorf("%x contains %x", c.arc, at)
			}
		}
		if got := c.arc.Share(); math.Abs(got-c.share) > c.share*1e-12 {
			t.Errorf("%x is %v of the ring, not %v", c.arc, got, c.share)
		}
	}
}

// TestRanges: a key is in exactly one range of each of its owners, which names them, and in none of other nodes.
func TestRanges(t *testing.T) {
	for _, n := range []int{1, 2, 3, 4, 12} {
		all := nodes(n)
		r := New(all)
		keys := keysOf(all, uint64(n))
		for _, copies := range []int{1, 2, 3, 20} {
			for _, node := range all {
				ranges := r.Ranges(node, copies)
				for _, part := range ranges[:min(len(ranges), 8)] {
					keys = append(keys, part.From, part.From+1, part.To, part.To+1)
				}
				checkRanges(t, all, node, copies, ranges, keys)
				keys = keys[:5+4*16]
			}
		}
	}
}

func checkRanges(t *testing.T, all [][16]byte, node [16]byte, copies int, ranges []Range, keys []uint64) {
	t.Helper()
	for _, key := range keys {
		want := plainOwners(all, key, copies)
		var found []Range
		for _, part := range ranges {
			if part.Contains(key) {
				found = append(found, part)
			}
		}
		switch owns := slices.Contains(want, node); {
		case !owns && len(found) != 0:
			t.Fatalf("%d of %d: %x is said to own %x", copies, len(all), node[:4], key)
		case owns && (len(found) != 1 || !slices.Equal(found[0].Owners, want)):
			t.Fatalf("%d of %d: %x finds %x in %x, the owners are %x", copies, len(all), node[:4], key, found, want)
		}
	}
	for i, part := range ranges[:max(len(ranges)-1, 0)] {
		if next := ranges[i+1]; part.To >= next.To || part.To == next.From && slices.Equal(part.Owners, next.Owners) {
			t.Fatalf("%d of %d: %x and %x are not in order, or one", copies, len(all), part, next)
		}
	}
	if k := len(ranges) - 1; k > 0 && ranges[k].To == ranges[0].From && slices.Equal(ranges[k].Owners, ranges[0].Owners) {
		t.Fatalf("%d of %d: the last range %x and the first %x are one", copies, len(all), ranges[k], ranges[0])
	}
}

// TestOneNode owns the whole ring, as one arc.
func TestOneNode(t *testing.T) {
	one := nodes(1)
	for _, n := range []int{1, 3} {
		if got := New(one).Ranges(one[0], n); len(got) != 1 || got[0].Share() != 1 || !slices.Equal(got[0].Owners, one) {
			t.Errorf("the ranges are %v", got)
		}
	}
	if s := New(one).Shares(); math.Abs(s[one[0]]-1) > 1e-9 {
		t.Errorf("the share is %v", s)
	}
	if arc, some := build(one, []place{{at: 5}}).arc(0); !some || arc.Share() != 1 {
		t.Errorf("all of the ring's one position is %v", arc)
	}
	if New(one).Ranges(one[0], 0) != nil {
		t.Error("there are ranges that nobody owns")
	}
}

// TestArcs: a node's arcs end at its positions, and all nodes' are the ring.
func TestArcs(t *testing.T) {
	all := nodes(9)
	r := New(all)
	sum := 0.0
	for _, node := range all {
		ends := plainPlaces(node)
		arcs := r.Arcs(node)
		for _, arc := range arcs {
			if !slices.Contains(ends, arc.To) || slices.Contains(ends, arc.From) {
				t.Errorf("%x of %x does not go from another's position to its own", arc, node[:4])
			}
			if p, _ := r.Predecessor(arc.From + 1); p.At != arc.From {
				t.Errorf("nobody is at %x", arc.From)
			}
			sum += arc.Share()
		}
	}
	if math.Abs(sum-1) > 1e-9 {
		t.Errorf("the arcs add up to %v", sum)
	}
}

func TestShares(t *testing.T) {
	sum := 0.0
	for n, s := range New(nodes(20)).Shares() {
		if s < 0.02 || s > 0.09 { // 0.05 with a deviation of 0.05/√64
			t.Errorf("%x owns %v", n[:4], s)
		}
		sum += s
	}
	if math.Abs(sum-1) > 1e-9 {
		t.Errorf("shares add up to %v", sum)
	}
}
