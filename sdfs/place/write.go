package place

import "iter"

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
