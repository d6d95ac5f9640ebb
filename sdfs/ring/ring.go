// Package ring is where blocks belong: nodes and blocks have positions on one ring of identifiers, after
// Chord (Stoica et al., "Chord: A Scalable Peer-to-peer Lookup Service for Internet Applications", 2001). A node
// has several positions, so that what one holds is spread over many.
//
// A Ring is computed from the members that the log has committed, whole and at once; there is no stabilisation
// between neighbours, which is what is incorrect under churn (Zave, "Using lightweight modeling to understand Chord",
// 2012). What remains of Chord's protocol is the lookup over fingers, for nodes whose views are behind: View and Lookup.
//
// All is pure: no clock, network or disk. Rings and views are immutable and may be used by anyone at once.
package ring

import (
	"iter"
	"slices"
)

// Positions is how many each node has.
const Positions = 64

// Position is one place of a node on the ring. It owns what lies behind the position before it, up to itself.
type Position struct {
	At   uint64
	Node [16]byte
}

// Ring is all positions in their order. It is a pure function of its members, whatever order they came in: members
// with the same ring have the same owners everywhere. The zero value is the ring of no nodes.
type Ring struct {
	nodes  [][16]byte // ascending
	places []place    // ascending
	first  []uint32   // of each bucket of places, and one more: where it starts
	shift  uint       // a place is in the bucket at>>shift
}

// place is a position, its node as an index into the nodes of the ring.
type place struct {
	at   uint64
	node uint32
}

// Nodes are the members of the ring in the order of their ids, each once. They must not be changed.
func (r *Ring) Nodes() [][16]byte { return r.nodes }

// Has tells whether a node is in the ring.
func (r *Ring) Has(node [16]byte) bool {
	_, found := r.index(node)
	return found
}

// Owners are the first n distinct nodes from a place on, fewer where there are fewer.
func (r *Ring) Owners(at uint64, n int) [][16]byte { return r.owners(r.search(at), n) }

// Walk yields every node once, in the order in which the ring comes to it from a place on: the owners of the place,
// then those who would be next.
func (r *Ring) Walk(at uint64) iter.Seq[[16]byte] {
	return func(yield func([16]byte) bool) {
		for i := range r.walk(r.search(at)) {
			if !yield(r.nodes[i]) {
				return
			}
		}
	}
}

// WalkIndex is Walk for who keeps something of each node: it yields indices into Nodes.
func (r *Ring) WalkIndex(at uint64) iter.Seq[int] { return r.walk(r.search(at)) }

// Successor is the first position from a place on; false where the ring is empty.
func (r *Ring) Successor(at uint64) (Position, bool) {
	if len(r.places) == 0 {
		return Position{}, false
	}
	return r.position(r.search(at)), true
}

// Predecessor is the last position before a place; false where the ring is empty.
func (r *Ring) Predecessor(at uint64) (Position, bool) {
	if len(r.places) == 0 {
		return Position{}, false
	}
	return r.position(r.before(r.search(at))), true
}

// Successors are the positions after a place, up to the one at which the n-th distinct node comes, or all of them
// where there are fewer nodes: Chord's successor list.
func (r *Ring) Successors(at uint64, n int) []Position {
	var list []Position
	var nodes seen
	for i := range r.from(r.search(at + 1)) {
		if nodes.count >= n {
			break
		}
		nodes.add(r.places[i].node, len(r.nodes))
		list = append(list, r.position(i))
	}
	return list
}

// walk yields the indices of distinct nodes from the i-th place on.
func (r *Ring) walk(i int) iter.Seq[int] {
	return func(yield func(int) bool) {
		var nodes seen
		for range r.places {
			if n := r.places[i].node; nodes.add(n, len(r.nodes)) && (!yield(int(n)) || nodes.count == len(r.nodes)) {
				return
			}
			i = r.after(i)
		}
	}
}

// from yields the indices of all places, beginning with the i-th.
func (r *Ring) from(i int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for range r.places {
			if !yield(i) {
				return
			}
			i = r.after(i)
		}
	}
}

func (r *Ring) owners(i, n int) [][16]byte {
	if n = min(n, len(r.nodes)); n <= 0 {
		return nil
	}
	list := make([][16]byte, 0, n)
	for k := range r.walk(i) {
		if list = append(list, r.nodes[k]); len(list) == n {
			break
		}
	}
	return list
}

func (r *Ring) position(i int) Position {
	return Position{At: r.places[i].at, Node: r.nodes[r.places[i].node]}
}

func (r *Ring) after(i int) int {
	if i++; i == len(r.places) {
		return 0
	}
	return i
}

func (r *Ring) before(i int) int {
	if i == 0 {
		i = len(r.places)
	}
	return i - 1
}

func (r *Ring) index(node [16]byte) (int, bool) {
	return slices.BinarySearchFunc(r.nodes, node, compareIDs)
}
