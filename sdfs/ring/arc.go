package ring

import "slices"

// Arc is the part of the ring behind From, up to To and with it. From == To is the whole ring; no Arc is empty.
type Arc struct{ From, To uint64 }

// Contains tells whether a place is in the arc.
func (a Arc) Contains(at uint64) bool { return at-a.From-1 <= a.To-a.From-1 } // modulo 2^64, as the ring is

// Share is the part of the ring that the arc is, above 0 and at most 1.
func (a Arc) Share() float64 { return (float64(a.To-a.From-1) + 1) / (1 << 63) / 2 }

// Range is an arc that has the same owners everywhere, in the order in which they own it.
type Range struct {
	Arc
	Owners [][16]byte
}

// Ranges are the parts of the ring that have a node among their first n owners, in the order of the ring: what it
// must hold, cut where the owners change. They do not overlap. A node that is not in the ring has none.
func (r *Ring) Ranges(node [16]byte, n int) []Range {
	var list []Range
	for _, i := range r.owned(node, n) {
		arc, some := r.arc(i)
		if !some {
			continue
		}
		own := r.owners(i, n)
		if k := len(list) - 1; k >= 0 && list[k].To == arc.From && slices.Equal(list[k].Owners, own) {
			list[k].To = arc.To
		} else {
			list = append(list, Range{Arc: arc, Owners: own})
		}
	}
	if k := len(list) - 1; k > 0 && list[k].To == list[0].From && slices.Equal(list[k].Owners, list[0].Owners) {
		list[0].From, list = list[k].From, list[:k]
	}
	return list
}

// Arcs are the parts of the ring that a node owns first, in the order of the ring: from the position of another that
// precedes its own to its own.
func (r *Ring) Arcs(node [16]byte) []Arc {
	var list []Arc
	for _, part := range r.Ranges(node, 1) {
		list = append(list, part.Arc)
	}
	return list
}

// Shares is the part of the ring that each node owns first.
func (r *Ring) Shares() map[[16]byte]float64 {
	shares := make(map[[16]byte]float64, len(r.nodes))
	for i := range r.places {
		if arc, some := r.arc(i); some {
			shares[r.position(i).Node] += arc.Share()
		}
	}
	return shares
}

// arc is what the i-th place owns; false where another one is at the same position and before it.
func (r *Ring) arc(i int) (Arc, bool) {
	arc := Arc{From: r.places[r.before(i)].at, To: r.places[i].at}
	return arc, arc.From != arc.To || i == 0
}

// owned are the indices of the places whose arcs have a node among their first n owners, ascending. From each place
// of the node it goes back for as long as fewer than n others come before the node.
func (r *Ring) owned(node [16]byte, n int) []int {
	self, found := r.index(node)
	if !found || n <= 0 {
		return nil
	}
	var list []int
	for _, at := range placesOf(node) {
		i := r.search(at)
		for r.places[i].node != uint32(self) {
			i = r.after(i) // another's is at the same position
		}
		var others seen
		for others.count < n {
			list = append(list, i)
			if i = r.before(i); r.places[i].node == uint32(self) {
				break
			}
			others.add(r.places[i].node, len(r.nodes))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}
