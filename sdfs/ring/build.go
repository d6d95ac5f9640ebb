package ring

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math/bits"
	"slices"

	"github.com/zeebo/xxh3"
)

// New is the ring of some nodes. One that is given twice counts once.
func New(nodes [][16]byte) *Ring {
	nodes = slices.Clone(nodes)
	slices.SortFunc(nodes, compareIDs)
	nodes = slices.Compact(nodes)
	places := make([]place, 0, len(nodes)*Positions)
	for i, n := range nodes {
		for _, at := range placesOf(n) {
			places = append(places, place{at: at, node: uint32(i)})
		}
	}
	return build(nodes, places)
}

// placesOf is where the positions of a node are, in no order. It never changes: data lies where this says.
func placesOf(node [16]byte) (list [Positions]uint64) {
	var seed [24]byte
	copy(seed[:], node[:])
	for i := range list {
		binary.LittleEndian.PutUint64(seed[16:], uint64(i))
		list[i] = xxh3.Hash(seed[:])
	}
	return list
}

// build sorts places into buckets by their leading bits, and then each bucket, which has about two: hashes spread
// evenly. The buckets serve search as well. Two places at one position are in the order of their nodes.
func build(nodes [][16]byte, places []place) *Ring {
	width := bits.Len(uint(len(places) / 4))
	r := &Ring{nodes: nodes, places: make([]place, len(places)), first: make([]uint32, 1<<width+1), shift: uint(64 - width)}
	for _, p := range places {
		r.first[p.at>>r.shift+1]++
	}
	for b := 1; b < len(r.first); b++ {
		r.first[b] += r.first[b-1]
	}
	next := slices.Clone(r.first)
	for _, p := range places {
		b := p.at >> r.shift
		r.places[next[b]] = p
		next[b]++
	}
	for b := range len(r.first) - 1 {
		if bucket := r.places[r.first[b]:r.first[b+1]]; len(bucket) > 1 {
			slices.SortFunc(bucket, func(x, y place) int { return cmp.Or(cmp.Compare(x.at, y.at), cmp.Compare(x.node, y.node)) })
		}
	}
	return r
}

// search is the index of the first place at or after a position.
func (r *Ring) search(at uint64) int {
	if len(r.places) == 0 {
		return 0
	}
	low, high := r.first[at>>r.shift], r.first[at>>r.shift+1]
	i, _ := slices.BinarySearchFunc(r.places[low:high], at, func(p place, at uint64) int { return cmp.Compare(p.at, at) })
	if i += int(low); i < len(r.places) {
		return i
	}
	return 0
}

func compareIDs(a, b [16]byte) int { return bytes.Compare(a[:], b[:]) }
