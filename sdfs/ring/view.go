package ring

import (
	"cmp"
	"math/bits"
	"slices"
)

// View is what a node knows of the ring of some epoch when it knows no more than Chord asks of it: for each of its
// positions the one before it, the list of its successors, and 64 fingers, of which the i-th is the first position
// from 2^i behind its own on. It is far smaller than a ring: some thousand positions of the 640,000 of 10,000 nodes.
//
// A node routes by whatever it knows best, of whichever of its positions. So the hops are no more than in a ring of
// nodes with one position each, and not log2 of the number of positions.
type View struct {
	epoch  uint64
	node   [16]byte
	copies int     // how many owners an answer has, unless the ring has fewer nodes
	known  []known // in the order of the ring
}

type known struct {
	Position
	joined bool // to the one known before it: no position is between the two
}

// Step is what a node says to a lookup: the owners, or whom to ask.
type Step struct {
	Epoch  uint64     // of the view by which the node says it
	Owners [][16]byte // the first owners in order; nil: the node does not know them
	Ask    []Position // nodes whose positions precede the key, the nearest first; where Owners is nil
}

// candidates is how many nodes a Step names. Some of them may be gone.
const candidates = 6

// View is what a node knows at an epoch whose ring this is, if blocks have n owners. The node need not be in the
// ring: it may be about to join. n is at least 1.
func (r *Ring) View(node [16]byte, epoch uint64, n int) *View {
	n = max(n, 1)
	v := &View{epoch: epoch, node: node, copies: min(n, len(r.nodes))}
	indices := r.knownTo(node, n)
	v.known = make([]known, len(indices))
	for k, i := range indices {
		previous := indices[(k+len(indices)-1)%len(indices)]
		v.known[k] = known{Position: r.position(int(i)), joined: r.before(int(i)) == int(previous)}
	}
	return v
}

// knownTo is the indices of the places that a node knows. Its lists of successors have 2n nodes, so that it can name
// n owners of a key though n nodes between itself and them are gone.
func (r *Ring) knownTo(node [16]byte, n int) []uint32 {
	if len(r.places) == 0 {
		return nil
	}
	list := make([]uint32, 0, Positions*(2*n+16))
	for _, at := range placesOf(node) {
		i := r.search(at)
		list = append(list, uint32(r.before(i)))
		var nodes seen
		last := at
		for i := range r.from(i) {
			list, last = append(list, uint32(i)), r.places[i].at
			if last == at {
				continue // its own, or another's at the same position
			}
			if nodes.add(r.places[i].node, len(r.nodes)); nodes.count == 2*n {
				break
			}
		}
		// The fingers before are in the list of successors.
		for k := bits.Len64(last - at); k < 64; k++ {
			list = append(list, uint32(r.search(at+1<<k)))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// Epoch is that of the ring which the view is of.
func (v *View) Epoch() uint64 { return v.epoch }

// Len is how many positions the node knows.
func (v *View) Len() int { return len(v.known) }

// Next is what the node answers when it is asked for the owners of a key. Owners, where it names them, are exactly
// those of the ring of its epoch, departed and down nodes among them. Without owners and nodes to ask it knows of no
// node other than itself, which is not in the ring.
func (v *View) Next(key uint64) Step {
	if len(v.known) == 0 {
		return Step{Epoch: v.epoch}
	}
	i, _ := slices.BinarySearchFunc(v.known, key, func(k known, key uint64) int { return cmp.Compare(k.At, key) })
	i %= len(v.known)
	if owners := v.owners(i); owners != nil {
		return Step{Epoch: v.epoch, Owners: owners}
	}
	return Step{Epoch: v.epoch, Ask: v.preceding(i)}
}

// owners are those of a key between the i-th known position and the one before it, if the node knows enough
// positions from there on without a gap.
func (v *View) owners(i int) [][16]byte {
	if !v.known[i].joined {
		return nil
	}
	list := make([][16]byte, 0, v.copies)
	for range v.known {
		k := v.known[i]
		if !k.joined {
			return nil
		}
		if !slices.Contains(list, k.Node) {
			list = append(list, k.Node)
		}
		if len(list) == v.copies {
			return list
		}
		i = (i + 1) % len(v.known)
	}
	return nil
}

// preceding are the nodes that are met first going back from the i-th known position.
func (v *View) preceding(i int) []Position {
	var list []Position
	for range v.known {
		i = (i + len(v.known) - 1) % len(v.known)
		p := v.known[i].Position
		if p.Node == v.node || slices.ContainsFunc(list, func(q Position) bool { return q.Node == p.Node }) {
			continue
		}
		if list = append(list, p); len(list) == candidates {
			break
		}
	}
	return list
}
