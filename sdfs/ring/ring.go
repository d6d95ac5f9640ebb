// Package ring is where blocks belong: nodes and blocks have positions on one ring of identifiers, after
// Chord (Stoica et al., 2001), computed from the members that the log has committed. A node has several
// positions, so that what one holds is spread over many.
package ring

import (
	"cmp"
	"encoding/binary"
	"slices"

	"github.com/zeebo/xxh3"
)

// Positions is how many each node has.
const Positions = 64

// Position is one place of a node on the ring. It owns what lies behind the position before it, up to itself.
type Position struct {
	At   uint64
	Node [16]byte
}

// Ring is all positions in their order. It is a pure function of its members.
type Ring []Position

// New is the ring of some nodes.
func New(nodes [][16]byte) Ring {
	r := make(Ring, 0, len(nodes)*Positions)
	for _, n := range nodes {
		var seed [24]byte
		copy(seed[:], n[:])
		for i := range uint64(Positions) {
			binary.LittleEndian.PutUint64(seed[16:], i)
			r = append(r, Position{At: xxh3.Hash(seed[:]), Node: n})
		}
	}
	slices.SortFunc(r, func(a, b Position) int {
		return cmp.Or(cmp.Compare(a.At, b.At), slices.Compare(a.Node[:], b.Node[:]))
	})
	return r
}

// Owners are the first n distinct nodes from a place on, fewer where there are fewer.
func (r Ring) Owners(at uint64, n int) [][16]byte {
	var list [][16]byte
	first, _ := slices.BinarySearchFunc(r, at, func(p Position, at uint64) int { return cmp.Compare(p.At, at) })
	for i := range r {
		p := r[(first+i)%len(r)]
		if len(list) == n {
			break
		}
		if !slices.Contains(list, p.Node) {
			list = append(list, p.Node)
		}
	}
	return list
}

// Shares is the part of the ring that each node owns first.
func (r Ring) Shares() map[[16]byte]float64 {
	shares := map[[16]byte]float64{}
	for i, p := range r {
		before := r[(i+len(r)-1)%len(r)].At
		if width := p.At - before; width != 0 { // modulo 2^64, as the ring is
			shares[p.Node] += float64(width) / (1 << 63) / 2
		} else if len(r) == 1 {
			shares[p.Node] = 1
		}
	}
	return shares
}
