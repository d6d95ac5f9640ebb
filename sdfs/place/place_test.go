package place

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/zeebo/xxh3"
)

func id(n int) (id [16]byte) {
	binary.BigEndian.PutUint64(id[8:], uint64(n))
	return id
}

// plainOrder is all nodes in the order in which the ring comes to them, worked out from how far behind the key the
// first position of each is.
func plainOrder(nodes []Member, key uint64) []Member {
	way := map[[16]byte]uint64{}
	for _, n := range nodes {
		way[n.ID] = math.MaxUint64
		for i := range uint64(64) {
			way[n.ID] = min(way[n.ID], xxh3.Hash(binary.LittleEndian.AppendUint64(bytes.Clone(n.ID[:]), i))-key)
		}
	}
	list := slices.Clone(nodes)
	slices.SortFunc(list, func(a, b Member) int { return cmp.Compare(way[a.ID], way[b.ID]) })
	return list
}

// ids are those of the first n members that are as asked.
func ids(list []Member, n int, as func(Member) bool) [][16]byte {
	var found [][16]byte
	for _, m := range list {
		if as(m) && len(found) < n {
			found = append(found, m.ID)
		}
	}
	return found
}

// anyCluster makes a cluster of n nodes of all kinds that the log can bring about.
func anyCluster(rnd *rand.Rand, n int) []Member {
	kinds := []Member{
		{Status: Active, Ring: true}, {Status: Active, Ring: true}, {Status: Active, Ring: true},
		{Status: Pending}, {Status: Pending, Ring: true}, {Status: Pending, Ring: true, Leaves: true},
		{Status: Leaving, Ring: true, Leaves: true}, {Status: Leaving, Leaves: true},
		{Status: Down, Ring: true}, {Status: Down}, {Status: Down, Ring: true, Leaves: true},
		{Status: Evicted}, {Status: Evicted, Leaves: true},
	}
	list := make([]Member, n)
	for i := range list {
		list[i] = kinds[rnd.IntN(len(kinds))]
		list[i].ID, list[i].Incarnation = id(i+1), uint64(1+rnd.IntN(9))
	}
	rnd.Shuffle(n, func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// TestAnyCluster holds every function against what it is to say, in clusters of all kinds of nodes.
func TestAnyCluster(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 1))
	for round := range 400 {
		members, copies := anyCluster(rnd, rnd.IntN(24)), 1+rnd.IntN(4)
		m := New(uint64(round), members, copies)
		if m.Epoch() != uint64(round) || m.Copies() != copies {
			t.Fatalf("epoch %d, %d copies", m.Epoch(), m.Copies())
		}
		for _, n := range members {
			if got, found := m.Member(n.ID); !found || got != n {
				t.Fatalf("%v is found as %v", n, got)
			}
		}
		for _, pos := range []uint64{0, math.MaxUint64, rnd.Uint64(), rnd.Uint64()} {
			checkPlace(t, m, plainOrder(members, pos), pos)
		}
	}
}

func checkPlace(t *testing.T, m *Map, order []Member, pos uint64) {
	t.Helper()
	same := func(what string, got, want [][16]byte) {
		t.Helper()
		if !slices.Equal(got, want) {
			t.Fatalf("%s of %x: %x, not %x, of %+v", what, pos, got, want, order)
		}
	}
	inRing := func(n Member) bool { return n.Ring }
	// Who will be there once all have joined or left, down ones that come back included.
	stays := func(n Member) bool { return !n.Leaves && (n.Ring || n.Status == Pending) }
	same("owners", m.Owners(pos), ids(order, m.Copies(), inRing))
	same("targets", slices.Collect(m.Targets(pos)), ids(order, 99, func(n Member) bool { return n.Status == Active }))
	same("future owners", m.Future(pos), ids(order, m.Copies(), stays))
	checkReaders(t, m, ids(order, 99, inRing), pos)
}

// checkReaders does without the order in which they are made: it looks at what each pair must be like.
func checkReaders(t *testing.T, m *Map, order [][16]byte, pos uint64) {
	t.Helper()
	status := func(id [16]byte) Status {
		n, _ := m.Member(id)
		return n.Status
	}
	for _, self := range append(slices.Clone(order), id(99)) {
		got := m.Readers(pos, self)
		active, others := 0, 0
		for i, a := range got {
			if at := slices.Index(order, a); at < 0 || slices.Contains(got[:i], a) {
				t.Fatalf("%x is asked, which is not in the ring or was asked", a)
			}
			if status(a) == Active {
				active++
			} else {
				others++
			}
			for _, b := range got[i+1:] { // a is asked before b
				owns := func(id [16]byte) bool { return slices.Index(order, id) < m.Copies() }
				good := func(id [16]byte) bool { return owns(id) && status(id) == Active }
				switch {
				case b == self:
					t.Fatalf("%x is asked before %x itself", a, b)
				case a == self:
				case good(b) && !good(a):
					t.Fatalf("%x is asked before the active owner %x", a, b)
				case status(a) == Down && status(b) != Down:
					t.Fatalf("%x, which is down, is asked before %x", a, b)
				case status(a) == status(b) && owns(a) == owns(b) && slices.Index(order, a) > slices.Index(order, b):
					t.Fatalf("%x is asked before %x, and is like it, but behind", a, b)
				}
			}
		}
		all := len(ids(m.members, 99, func(n Member) bool { return n.Status == Active }))
		if active != min(all, 2*m.Copies()) || others > 2*m.Copies() {
			t.Fatalf("%d active and %d other nodes are asked, of %d active ones", active, others, all)
		}
	}
}

// TestReaders by example.
func TestReaders(t *testing.T) {
	const pos = 12345
	var order []Member
	for i := range 12 {
		order = append(order, Member{ID: id(i + 1), Status: Active, Ring: true})
	}
	order = plainOrder(order, pos)
	for _, c := range []struct {
		name   string
		status map[int]Status // by the place in the order; Active where nothing is said
		self   int
		want   []int
	}{
		{"all active", nil, 11, []int{0, 1, 2, 3, 4, 5}},
		{"oneself an owner", nil, 2, []int{2, 0, 1, 3, 4, 5}},
		{"oneself behind the owners", nil, 4, []int{4, 0, 1, 2, 3, 5}},
		{"an owner leaves", map[int]Status{0: Leaving}, 11, []int{1, 2, 0, 3, 4, 5, 6}},
		{"an owner starts anew", map[int]Status{1: Pending}, 11, []int{0, 2, 3, 4, 5, 6, 1}},
		{"an owner is down", map[int]Status{1: Down}, 11, []int{0, 2, 3, 4, 5, 6, 1}},
		{"one is said to be down oneself", map[int]Status{1: Down}, 1, []int{1, 0, 2, 3, 4, 5, 6}},
		{"the first seven are down", map[int]Status{0: Down, 1: Down, 2: Down, 3: Down, 4: Down, 5: Down, 6: Down}, 11,
			[]int{11, 7, 8, 9, 10, 0, 1, 2, 3, 4, 5}},
	} {
		members := slices.Clone(order)
		for i, s := range c.status {
			members[i].Status, members[i].Leaves = s, s == Leaving
		}
		var want [][16]byte
		for _, i := range c.want {
			want = append(want, order[i].ID)
		}
		if got := New(1, members, 3).Readers(pos, order[c.self].ID); !slices.Equal(got, want) {
			t.Errorf("%s: %x, not %x", c.name, got, want)
		}
	}
}

// TestWrittenIsFound: who reads asks all who were written to, while the cluster is as it was, and also once up to R nodes
// that were down are back.
func TestWrittenIsFound(t *testing.T) {
	rnd := rand.New(rand.NewPCG(2, 2))
	for range 2000 {
		members := anyCluster(rnd, 4+rnd.IntN(30))
		m := New(1, members, 3)
		back := slices.Clone(members)
		n := 0
		for i := range back {
			if back[i].Status == Down && back[i].Ring && !back[i].Leaves && n < 3 {
				back[i].Status = Active
				n++
			}
		}
		after := m.Next(1, back)
		pos := rnd.Uint64()
		written := first(m.Targets(pos), m.Copies())
		for _, readers := range [][][16]byte{m.Readers(pos, id(99)), after.Readers(pos, id(99))} {
			for _, n := range written {
				if !slices.Contains(readers, n) {
					t.Fatalf("written to %x, asked are %x", written, readers)
				}
			}
		}
	}
}

func first(walk func(func([16]byte) bool), n int) [][16]byte {
	var list [][16]byte
	for node := range walk {
		if len(list) == n {
			break
		}
		list = append(list, node)
	}
	return list
}

// TestComeAndGo: once all that join have joined and all that leave have left, the owners are those foreseen.
func TestComeAndGo(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 3))
	for range 500 {
		members := anyCluster(rnd, 1+rnd.IntN(30))
		before := New(1, members, 3)
		var then []Member
		for _, n := range members {
			switch {
			case n.Leaves:
				n.Status, n.Ring = Evicted, false
			case n.Status == Pending:
				n.Status, n.Ring = Active, true
			}
			then = append(then, n)
		}
		after := before.Next(2, then)
		for range 20 {
			pos := rnd.Uint64()
			if !slices.Equal(before.Future(pos), after.Owners(pos)) {
				t.Fatalf("foreseen %x, come %x", before.Future(pos), after.Owners(pos))
			}
		}
	}
}

// TestNext says the same as New, and makes a ring only if it is another one.
func TestNext(t *testing.T) {
	rnd := rand.New(rand.NewPCG(4, 4))
	members := anyCluster(rnd, 20)
	m := New(1, members, 3)
	for e := range uint64(200) {
		members = slices.Clone(members)
		n := &members[rnd.IntN(len(members))]
		other := anyCluster(rnd, 1)[0]
		n.Status, n.Ring, n.Leaves = other.Status, other.Ring, other.Leaves
		next, want := m.Next(e, members), New(e, members, 3)
		for _, pos := range []uint64{rnd.Uint64(), rnd.Uint64()} {
			checkPlace(t, next, plainOrder(members, pos), pos)
		}
		if slices.Equal(m.Ring().Nodes(), want.Ring().Nodes()) && next.Ring() != m.Ring() {
			t.Fatal("a ring was made of nodes that had one")
		}
		m = next
	}
	still := []Member{{ID: id(1), Status: Active, Ring: true}, {ID: id(2), Status: Down, Ring: true}}
	if m := New(1, still, 3); m.Ring() != m.FutureRing() {
		t.Error("nobody joins or leaves, and the future ring is another")
	}
}

// TestFew: clusters in which there is nobody, or nobody to write to.
func TestFew(t *testing.T) {
	for _, c := range []struct {
		name                             string
		members                          []Member
		owners, targets, future, readers int
	}{
		{"nobody", nil, 0, 0, 0, 0},
		{"one", []Member{{ID: id(1), Status: Active, Ring: true}}, 1, 1, 1, 1},
		{"one that joins", []Member{{ID: id(1), Status: Pending}}, 0, 0, 1, 0},
		{"two", []Member{{ID: id(1), Status: Active, Ring: true}, {ID: id(2), Status: Active, Ring: true}}, 2, 2, 2, 2},
		{"both down", []Member{{ID: id(1), Status: Down, Ring: true}, {ID: id(2), Status: Down, Ring: true}}, 2, 0, 2, 2},
		{"all leave", []Member{{ID: id(1), Status: Leaving, Ring: true}, {ID: id(2), Status: Leaving, Ring: true}}, 2, 0, 0, 2},
		{"all evicted", []Member{{ID: id(1), Status: Evicted}, {ID: id(2), Status: Evicted, Ring: true}}, 0, 0, 0, 0},
		{"one twice", []Member{{ID: id(1), Status: Down, Ring: true}, {ID: id(1), Status: Active, Ring: true}}, 1, 1, 1, 1},
	} {
		given := slices.Clone(c.members)
		m := New(1, c.members, 3)
		got := fmt.Sprint(len(m.Owners(7)), len(slices.Collect(m.Targets(7))), len(m.Future(7)), len(m.Readers(7, id(1))))
		if want := fmt.Sprint(c.owners, c.targets, c.future, c.readers); got != want {
			t.Errorf("%s: %s owners, targets, future owners and readers, not %s", c.name, got, want)
		}
		if !slices.Equal(given, c.members) {
			t.Errorf("%s: the members given were changed", c.name)
		}
	}
	if n := New(1, nil, 0).Copies(); n != 1 {
		t.Errorf("%d copies are less than one", n)
	}
}

func TestPosition(t *testing.T) {
	block := [16]byte{1, 2, 3, 4, 5, 6, 7, 8, 9}
	if got := Position(block); got != 0x0102030405060708 {
		t.Errorf("%x", got)
	}
}

func TestAllocations(t *testing.T) {
	m := New(1, large(), 3)
	pos := uint64(0)
	for name, c := range map[string]struct {
		most float64
		do   func()
	}{
		"owners":  {1, func() { m.Owners(pos) }},
		"future":  {1, func() { m.Future(pos) }},
		"readers": {2, func() { m.Readers(pos, id(1)) }},
		"targets": {0, func() {
			n := 0
			for range m.Targets(pos) {
				if n++; n == 3 {
					break
				}
			}
		}},
	} {
		if got := testing.AllocsPerRun(1000, func() { pos += 1 << 53; c.do() }); got > c.most {
			t.Errorf("%s cost %v allocations", name, got)
		}
	}
}
