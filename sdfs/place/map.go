package place

import (
	"bytes"
	"slices"

	"github.com/rainsql/rainsql/sdfs/ring"
)

// Map is where blocks belong at some epoch, while the nodes have some statuses. It is immutable and may be used by
// anyone at once. Where a function gives a list, the list is the caller's.
type Map struct {
	epoch   uint64
	copies  int
	members []Member // in the order of their ids
	now     side
	later   side // the same as now where nobody joins or leaves
}

// side is a ring with its members, in the order of the ring's Nodes.
type side struct {
	ring    *ring.Ring
	members []Member
}

// New is the map of an epoch and the members as they are then, with so many copies of each block; at least one is
// meant. Of a node that is given twice the last one counts.
func New(epoch uint64, members []Member, copies int) *Map { return build(nil, epoch, members, copies) }

// Next is the map of the same cluster later, as New makes it. It costs much less while the rings are as they were, that
// is, when only statuses have changed.
func (m *Map) Next(epoch uint64, members []Member) *Map { return build(m, epoch, members, m.copies) }

func build(old *Map, epoch uint64, members []Member, copies int) *Map {
	m := &Map{epoch: epoch, copies: max(copies, 1), members: sorted(members)}
	var known []*ring.Ring
	if old != nil {
		known = append(known, old.now.ring, old.later.ring)
	}
	m.now = m.side(Member.inRing, known)
	m.later = m.side(Member.stays, append(known, m.now.ring))
	return m
}

// side is the ring of some of the members: one that is known already, if it has the same nodes.
func (m *Map) side(in func(Member) bool, known []*ring.Ring) side {
	var s side
	var ids [][16]byte
	for _, n := range m.members {
		if in(n) {
			s.members, ids = append(s.members, n), append(ids, n.ID)
		}
	}
	same := func(r *ring.Ring) bool { return slices.Equal(r.Nodes(), ids) }
	if k := slices.IndexFunc(known, same); k >= 0 {
		s.ring = known[k]
	} else {
		s.ring = ring.New(ids)
	}
	return s
}

// sorted is the members in the order of their ids, the last of each.
func sorted(members []Member) []Member {
	list := slices.Clone(members)
	slices.Reverse(list) // so that the last comes first, and stays
	slices.SortStableFunc(list, func(a, b Member) int { return bytes.Compare(a.ID[:], b.ID[:]) })
	return slices.CompactFunc(list, func(a, b Member) bool { return a.ID == b.ID })
}

// Epoch is that of the ring: the index of the entry that made it.
func (m *Map) Epoch() uint64 { return m.epoch }

// Copies is R, how many owners a block has.
func (m *Map) Copies() int { return m.copies }

// Member finds a node by its id, evicted ones too.
func (m *Map) Member(id [16]byte) (Member, bool) {
	k, found := slices.BinarySearchFunc(m.members, id, func(n Member, id [16]byte) int { return bytes.Compare(n.ID[:], id[:]) })
	if !found {
		return Member{}, false
	}
	return m.members[k], true
}

// Ring is the ring of the epoch, for its Ranges and Views.
func (m *Map) Ring() *ring.Ring { return m.now.ring }

// FutureRing is the ring as it will be: without the nodes that leave and with those that join. It is Ring itself where
// nobody does.
func (m *Map) FutureRing() *ring.Ring { return m.later.ring }

// Owners are the first R distinct nodes of the ring from a position on, whatever their status, or all nodes where there
// are fewer. A node that is down for minutes keeps its place, so that nothing moves.
func (m *Map) Owners(pos uint64) [][16]byte { return m.now.ring.Owners(pos, m.copies) }

// Future are the owners in FutureRing: those that must hold a block before nodes that leave are let go.
func (m *Map) Future(pos uint64) [][16]byte { return m.later.ring.Owners(pos, m.copies) }
