package place

import (
	"cmp"
	"slices"
)

// reader is a node that may have a block, and how early it is asked.
type reader struct {
	id   [16]byte
	turn turn
}

type turn int

const (
	itself turn = iota
	owner
	leavingOwner // has what is old, and nothing that is new
	successor    // may hold a block for an owner that was down
	startsAnew
	down // the log may be behind
)

// Readers is in what order a reader asks for a block: itself, if it is one of those listed; the owners that are active,
// then those that leave; the nodes behind them, which may have been written to in place of an owner; owners and others
// that start anew; and at last those that are down, since the log may be wrong about them. The list is of the first 2R active
// nodes of the ring, and of the others before the last of these, at most 2R too. To count only active ones is what a
// writer does: so what was just written is found however many nodes are down or leave, and what was written when up to R of
// the nodes were down that are active now.
//
// It does not say which of several active owners is the nearest; who knows that may order them further. Nor does a node
// need it to look for a block on its own disk.
func (m *Map) Readers(pos uint64, self [16]byte) [][16]byte {
	list := m.readers(pos, self)
	slices.SortStableFunc(list, func(a, b reader) int { return cmp.Compare(a.turn, b.turn) })
	ids := make([][16]byte, len(list))
	for i, r := range list {
		ids[i] = r.id
	}
	return ids
}

// readers are those of Readers in the order of the ring.
func (m *Map) readers(pos uint64, self [16]byte) []reader {
	list := make([]reader, 0, 2*m.copies)
	met, active, others := 0, 0, 0
	for i := range m.now.ring.WalkIndex(pos) {
		n := m.now.members[i]
		if n.active() {
			active++
		} else if others++; others > 2*m.copies {
			continue
		}
		list = append(list, reader{n.ID, turnOf(n, met < m.copies, self)})
		if met++; active == 2*m.copies {
			break
		}
	}
	return list
}

func turnOf(n Member, owns bool, self [16]byte) turn {
	switch {
	case n.ID == self:
		return itself
	case n.Status == Down:
		return down
	case n.Status == Pending:
		return startsAnew
	case !owns:
		return successor
	case !n.active():
		return leavingOwner
	}
	return owner
}
