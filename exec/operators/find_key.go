package operators

import (
	"bytes"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr/vec"
)

// noGroup stands for a key that a table has not met.
const noGroup = -1

// find writes the group of each of n rows to out, or noGroup. The table does not change.
func (t *groupTable) find(keys []arrow.Array, n int, out []int32) {
	if len(t.hashes) == 0 {
		for i := range out[:n] {
			out[i] = noGroup
		}
		return
	}
	if len(keys) == 0 {
		clear(out[:n])
		return
	}
	t.scratchHash = grow(t.scratchHash, n)
	hashes := t.scratchHash[:n]
	for i, k := range keys {
		vec.Hash(k, hashes, i > 0)
	}
	if ints, ok := intKeys(keys); ok {
		null := vec.ValidityOf(keys[0])
		for i, h := range hashes {
			v := ints[i]
			if null.Null(i) {
				v = 0
			}
			out[i] = t.findSlot(h, func(g uint32) bool { return t.ints[g] == v })
		}
		return
	}
	t.encoded.encode(keys, n)
	for i, h := range hashes {
		key := t.encoded.row(i)
		out[i] = t.findSlot(h, func(g uint32) bool { return bytes.Equal(t.key(g), key) })
	}
}

func (t *groupTable) findSlot(h uint64, same func(uint32) bool) int32 {
	mask := uint64(len(t.slots) - 1)
	for at := h & mask; ; at = (at + 1) & mask {
		g := t.slots[at]
		if g == 0 {
			return noGroup
		}
		if t.hashes[g-1] == h && same(g-1) {
			return int32(g - 1)
		}
	}
}
