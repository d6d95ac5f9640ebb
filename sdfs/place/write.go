package place

import "iter"

// Needed is how many copies of a block must be on disk for it to count as written: Needed of R and the number of members that are active,
// or in the ring and only being started anew.
func (m *Map) Needed() int { return Needed(m.copies, m.counted) }

// Needed is min(copies, active), but never none: where no node is active, nothing can be written, rather than
// everything without a copy.
func Needed(copies, active int) int { return max(min(copies, active), 1) }

// Targets yields whom a writer sends a new block to, each node once, until enough of them have it: the active nodes
// in the order of the ring. So the active owners come first, and then, in place of owners that are down, leaving, starting
// anew or just do not answer, the nodes behind them, which hold the block for them.
func (m *Map) Targets(pos uint64) iter.Seq[[16]byte] {
	return func(yield func([16]byte) bool) {
		for i := range m.now.ring.WalkIndex(pos) {
			if n := m.now.members[i]; n.active() && !yield(n.ID) {
				return
			}
		}
	}
}

// Joining are the pending nodes among the Future owners. A writer sends them new blocks too, and neither counts them nor
// waits for them; a reader does not ask them. When they become active they lack nothing that was written meanwhile. A node
// that is in the ring and starts anew is one of them.
func (m *Map) Joining(pos uint64) [][16]byte {
	var list [][16]byte
	owners := 0
	for i := range m.later.ring.WalkIndex(pos) {
		if n := m.later.members[i]; n.Status == Pending {
			list = append(list, n.ID)
		}
		if owners++; owners == m.copies {
			break
		}
	}
	return list
}
