package block

import (
	"iter"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

// index says where each block is. It is kept in parts by the first byte of the id, so that a range of the
// ring is found by looking at its parts only, each for a short time. The zero value is empty.
type index struct {
	parts [256]map[namespace.BlockID]place
	count int
}

// place is where a block is. Two are equal only if they are the same copy on disk.
type place struct {
	segment uint64 // 0: a file of its own
	off     int64
	length  uint32
	serial  uint16 // of a file of its own: tells it from the one that had the same name before
	claimed bool   // someone wants it
}

func (x *index) get(id namespace.BlockID) (place, bool) {
	p, ok := x.parts[id[0]][id]
	return p, ok
}

func (x *index) set(id namespace.BlockID, p place) {
	part := x.parts[id[0]]
	if part == nil {
		part = map[namespace.BlockID]place{}
		x.parts[id[0]] = part
	}
	x.count -= len(part)
	part[id] = p
	x.count += len(part)
}

func (x *index) remove(id namespace.BlockID) {
	part := x.parts[id[0]]
	x.count -= len(part)
	delete(part, id)
	x.count += len(part)
}

// all gives every block, in no order. The loop may set and remove the block it is given.
func (x *index) all() iter.Seq2[namespace.BlockID, place] {
	return func(yield func(namespace.BlockID, place) bool) {
		for _, part := range x.parts {
			for id, p := range part {
				if !yield(id, p) {
					return
				}
			}
		}
	}
}
