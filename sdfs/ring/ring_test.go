package ring

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/zeebo/xxh3"
)

func nodes(n int) [][16]byte {
	list := make([][16]byte, n)
	for i := range list {
		binary.BigEndian.PutUint32(list[i][:], uint32(i+1))
	}
	return list
}

var worked = map[[16]byte][]uint64{}

// plainPlaces is where a node is, worked out anew, once.
func plainPlaces(node [16]byte) []uint64 {
	if list := worked[node]; list != nil {
		return list
	}
	var list []uint64
	for i := range uint64(64) {
		list = append(list, xxh3.Hash(binary.LittleEndian.AppendUint64(bytes.Clone(node[:]), i)))
	}
	worked[node] = list
	return list
}

// plainOwners orders all nodes by how far behind the key their first position is, and knows of no ring.
func plainOwners(all [][16]byte, key uint64, n int) [][16]byte {
	type far struct {
		node [16]byte
		way  uint64
	}
	var list []far
	for _, node := range all {
		f := far{node, math.MaxUint64}
		for _, at := range plainPlaces(node) {
			f.way = min(f.way, at-key)
		}
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b far) int { return cmp.Or(cmp.Compare(a.way, b.way), bytes.Compare(a.node[:], b.node[:])) })
	var first [][16]byte
	for _, f := range slices.CompactFunc(list, func(a, b far) bool { return a.node == b.node }) {
		if len(first) < n {
			first = append(first, f.node)
		}
	}
	return first
}

// keysOf are those at which mistakes show: about the ends of the numbers and each position, and some in between.
func keysOf(all [][16]byte, seed uint64) []uint64 {
	keys := []uint64{0, 1, math.MaxUint64, math.MaxUint64 - 1, 1 << 63}
	rnd := rand.New(rand.NewPCG(seed, 0))
	for _, node := range all[:min(len(all), 4)] {
		for _, at := range plainPlaces(node)[:16] {
			keys = append(keys, at-1, at, at+1, rnd.Uint64())
		}
	}
	return keys
}

func TestOwners(t *testing.T) {
	for _, n := range []int{1, 2, 3, 7, 40} {
		all := nodes(n)
		r := New(all)
		for _, key := range keysOf(all, uint64(n)) {
			for _, copies := range []int{0, 1, 3, 50} {
				if got, want := r.Owners(key, copies), plainOwners(all, key, copies); !slices.Equal(got, want) {
					t.Fatalf("%d nodes, %d owners of %x: %x, not %x", n, copies, key, got, want)
				}
			}
			if got, want := slices.Collect(r.Walk(key)), plainOwners(all, key, n); !slices.Equal(got, want) {
				t.Fatalf("%d nodes from %x on: %x, not %x", n, key, got, want)
			}
		}
	}
}

// TestNoNodes: the ring of nobody has nothing, and nothing fails on it.
func TestNoNodes(t *testing.T) {
	for name, r := range map[string]*Ring{"none": New(nil), "zero": {}} {
		for _, at := range []uint64{0, 5, math.MaxUint64} {
			if len(r.Owners(at, 3)) != 0 || len(slices.Collect(r.Walk(at))) != 0 || len(r.Successors(at, 3)) != 0 {
				t.Errorf("%s: there are nodes from %x on", name, at)
			}
			_, one := r.Successor(at)
			if _, other := r.Predecessor(at); one || other {
				t.Errorf("%s: %x has a neighbour", name, at)
			}
		}
		if len(r.Shares()) != 0 || len(r.Ranges(nodes(1)[0], 3)) != 0 || r.Has(nodes(1)[0]) {
			t.Errorf("%s: a node has a part", name)
		}
	}
}

// TestMembers: neither their order nor that one is named twice makes another ring, and what was given is not changed.
func TestMembers(t *testing.T) {
	all := nodes(10)
	mixed := append(slices.Clone(all), all[3], all[0])
	rand.New(rand.NewPCG(1, 2)).Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	given := slices.Clone(mixed)
	a, b := New(all), New(mixed)
	if !slices.Equal(a.places, b.places) || !slices.Equal(a.Nodes(), b.Nodes()) || len(a.places) != 10*Positions {
		t.Error("the ring depends on how its members are listed")
	}
	if !slices.Equal(given, mixed) {
		t.Error("the list of members was changed")
	}
	if !a.Has(all[9]) || a.Has(nodes(11)[10]) {
		t.Error("who is in the ring is not who was put in")
	}
}

// TestOrder: sorting by buckets sorts, also when many positions begin alike.
func TestOrder(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, alike := range []int{0, 8, 40, 60, 64} {
		places := make([]place, 5000)
		for i := range places {
			places[i] = place{at: rnd.Uint64() >> alike, node: rnd.Uint32N(3)}
		}
		r := build(nodes(3), places)
		want := slices.Clone(places)
		slices.SortFunc(want, func(a, b place) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.node, b.node)) })
		if !slices.Equal(r.places, want) {
			t.Errorf("not in order when %d bits are alike", alike)
		}
		for range 1000 {
			at := rnd.Uint64() >> (alike / 2)
			i := slices.IndexFunc(want, func(p place) bool { return p.at >= at })
			if got := r.search(at); got != max(i, 0) {
				t.Fatalf("the first from %x on is %d, not %d", at, got, i)
			}
		}
	}
}

// TestEnds: positions at both ends of the numbers, and two nodes at one position.
func TestEnds(t *testing.T) {
	all := nodes(3)
	r := build(all, []place{{at: math.MaxUint64, node: 2}, {at: 100, node: 1}, {at: 0, node: 0}, {at: 100, node: 0}})
	for _, c := range []struct {
		at                     uint64
		owners                 []int
		successor, predecessor uint64
	}{
		{0, []int{0, 1, 2}, 0, math.MaxUint64},
		{1, []int{0, 1, 2}, 100, 0},
		{100, []int{0, 1, 2}, 100, 0},
		{101, []int{2, 0, 1}, math.MaxUint64, 100},
		{math.MaxUint64, []int{2, 0, 1}, math.MaxUint64, 100},
	} {
		for k, node := range r.Owners(c.at, 3) {
			if node != all[c.owners[k]] {
				t.Errorf("owner %d of %x is %x", k, c.at, node[:4])
			}
		}
		if p, _ := r.Successor(c.at); p.At != c.successor {
			t.Errorf("the successor of %x is at %x", c.at, p.At)
		}
		if p, _ := r.Predecessor(c.at); p.At != c.predecessor {
			t.Errorf("the predecessor of %x is at %x", c.at, p.At)
		}
	}
	if got := r.Successors(100, 2); len(got) != 2 || got[0] != (Position{math.MaxUint64, all[2]}) || got[1] != (Position{0, all[0]}) {
		t.Errorf("the successors of 100 are %x", got)
	}
	if got := r.Successors(math.MaxUint64, 9); len(got) != 4 {
		t.Errorf("of 4 positions there are %d successors", len(got))
	}
	// Node 1 owns nothing: node 0 is at its position and comes first.
	for i, want := range [][]Arc{{{math.MaxUint64, 0}, {0, 100}}, nil, {{100, math.MaxUint64}}} {
		var got []Arc
		for k := range r.places {
			if arc, some := r.arc(k); some && int(r.places[k].node) == i {
				got = append(got, arc)
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("node %d owns %x, not %x", i, got, want)
		}
	}
	if s := r.Shares(); s[all[1]] != 0 || math.Abs(s[all[0]]+s[all[2]]-1) > 1e-9 {
		t.Errorf("the shares are %v", s)
	}
}

// TestWalkStops: a walk may be left anywhere, and done again.
func TestWalkStops(t *testing.T) {
	r := New(nodes(100))
	walk, want := r.Walk(7), slices.Collect(r.Walk(7))
	for _, n := range []int{1, 15, 16, 17, 18, 99, 100} {
		var got [][16]byte
		for node := range walk {
			if got = append(got, node); len(got) == n {
				break
			}
		}
		if !slices.Equal(got, want[:n]) {
			t.Errorf("the first %d are others than of the whole walk", n)
		}
	}
	k := 0
	for i := range r.WalkIndex(7) {
		if r.Nodes()[i] != want[k] {
			t.Fatalf("the walk of indices differs at %d", k)
		}
		k++
	}
}

func TestOwnersAllocateTheirAnswer(t *testing.T) {
	r := New(nodes(200))
	key := uint64(0)
	if n := testing.AllocsPerRun(100, func() { key += 1 << 57; r.Owners(key, 3) }); n != 1 {
		t.Errorf("the owners cost %v allocations", n)
	}
	if n := testing.AllocsPerRun(100, func() {
		key += 1 << 57
		k := 0
		for range r.Walk(key) {
			if k++; k == 6 {
				break
			}
		}
	}); n != 0 {
		t.Errorf("a short walk costs %v allocations", n)
	}
}
