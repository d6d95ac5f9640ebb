package operators

import (
	"bytes"
	"encoding/binary"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/vec"
)

// groupTable numbers the distinct keys it meets: 0, 1, 2 … in order of first
// appearance. It is open addressing over the pinned hash; a key is compared as
// an integer where it is one column of them, else in an encoded form. The keys
// themselves are kept as columns, taken from the batches that brought them.
type groupTable struct {
	mem    memory.Allocator
	types  []arrow.DataType
	slots  []uint32 // group + 1; 0 is free
	hashes []uint64 // of each group
	ints   []int64  // of each group, for a single integer key
	arena  []byte   // the encoded keys, for all others
	ends   []int    // of each group's encoded key in arena
	chunks [][]arrow.Array
	kept   int64 // bytes of chunks

	scratchHash []uint64
	encoded     encoder
	fresh       []int32 // rows of this batch that began a group
}

// newGroupTable returns an empty table. With types it keeps the keys, for
// columns; without, it only numbers them.
func newGroupTable(mem memory.Allocator, types []arrow.DataType) *groupTable {
	return &groupTable{mem: mem, types: types}
}

// len is the number of groups.
func (t *groupTable) len() int { return len(t.hashes) }

// bytes is the memory held.
func (t *groupTable) bytes() int64 {
	return int64(cap(t.slots)*4+cap(t.hashes)*8+cap(t.ints)*8+cap(t.arena)+cap(t.ends)*8) + t.kept
}

// group writes the group of each of n rows to out.
func (t *groupTable) group(keys []arrow.Array, n int, out []uint32) error {
	if len(keys) == 0 {
		if n > 0 && len(t.hashes) == 0 {
			t.hashes = append(t.hashes, 0)
		}
		clear(out)
		return nil
	}
	if d, ok := keys[0].(*array.Dictionary); ok && len(keys) == 1 && d.Dictionary().Len() < n {
		return t.groupCodes(d, out)
	}
	return t.groupRows(keys, n, out)
}

// groupCodes groups the values of a dictionary that occur, then maps codes to groups.
func (t *groupTable) groupCodes(d *array.Dictionary, out []uint32) error {
	codes := vec.Codes(d)
	null := vec.ValidityOf(d)
	values := d.Dictionary()
	slot := make([]int32, values.Len()+1) // 1 + position among the values in use; the last is NULL
	var used []int32
	for i := range out {
		c := int32(values.Len())
		if null.Valid(i) {
			c = codes[i]
		}
		if slot[c] == 0 {
			if int(c) == values.Len() {
				used = append(used, -1)
			} else {
				used = append(used, c)
			}
			slot[c] = int32(len(used))
		}
	}
	distinct, err := vec.Take(t.mem, values, used)
	if err != nil {
		return err
	}
	defer distinct.Release()
	groups := make([]uint32, len(used))
	if err := t.groupRows([]arrow.Array{distinct}, len(used), groups); err != nil {
		return err
	}
	for i := range out {
		c := int32(values.Len())
		if null.Valid(i) {
			c = codes[i]
		}
		out[i] = groups[slot[c]-1]
	}
	return nil
}

func (t *groupTable) groupRows(keys []arrow.Array, n int, out []uint32) error {
	t.scratchHash = grow(t.scratchHash, n)
	hashes := t.scratchHash[:n]
	for i, k := range keys {
		vec.Hash(k, hashes, i > 0)
	}
	t.reserve(n)
	t.fresh = t.fresh[:0]
	if ints, ok := intKeys(keys); ok {
		t.probeInts(ints, vec.ValidityOf(keys[0]), hashes, out)
	} else {
		t.encoded.encode(keys, n)
		t.probeBytes(hashes, out)
	}
	return t.keep(keys)
}

func grow[T any](s []T, n int) []T {
	if cap(s) < n {
		return make([]T, n, n+n/4)
	}
	return s[:n]
}

// reserve makes room for n more groups at a load of at most one half.
func (t *groupTable) reserve(n int) {
	need := 2 * (len(t.hashes) + n)
	if need <= len(t.slots) {
		return
	}
	size := max(1024, 1<<bits.Len(uint(need)))
	t.slots = make([]uint32, size)
	mask := uint64(size - 1)
	for g, h := range t.hashes {
		at := h & mask
		for t.slots[at] != 0 {
			at = (at + 1) & mask
		}
		t.slots[at] = uint32(g) + 1
	}
}

func (t *groupTable) add(row int, h uint64, at uint64) uint32 {
	g := uint32(len(t.hashes))
	t.slots[at] = g + 1
	t.hashes = append(t.hashes, h)
	t.fresh = append(t.fresh, int32(row))
	return g
}

// intKeys returns the values of a single integer key as they compare.
func intKeys(keys []arrow.Array) ([]int64, bool) {
	if len(keys) != 1 {
		return nil, false
	}
	switch keys[0].DataType().ID() {
	case arrow.INT64, arrow.TIMESTAMP:
		return vec.Values[int64](keys[0]), true
	}
	return nil, false
}

func (t *groupTable) probeInts(values []int64, null vec.Validity, hashes []uint64, out []uint32) {
	mask := uint64(len(t.slots) - 1)
	for i, h := range hashes {
		v := values[i]
		isNull := null.Null(i)
		if isNull {
			v = 0
		}
		at := h & mask
		for {
			g := t.slots[at]
			if g == 0 {
				out[i] = t.add(i, h, at)
				t.ints = append(t.ints, v)
				break
			}
			// Equal values with equal hashes are equal keys: NULL's hash is no integer's
			// but by a collision, which the comparison of the hash of 0 rules out.
			if t.hashes[g-1] == h && t.ints[g-1] == v {
				out[i] = g - 1
				break
			}
			at = (at + 1) & mask
		}
	}
}

func (t *groupTable) probeBytes(hashes []uint64, out []uint32) {
	mask := uint64(len(t.slots) - 1)
	for i, h := range hashes {
		key := t.encoded.row(i)
		at := h & mask
		for {
			g := t.slots[at]
			if g == 0 {
				out[i] = t.add(i, h, at)
				t.arena = append(t.arena, key...)
				t.ends = append(t.ends, len(t.arena))
				break
			}
			if t.hashes[g-1] == h && bytes.Equal(t.key(g-1), key) {
				out[i] = g - 1
				break
			}
			at = (at + 1) & mask
		}
	}
}

func (t *groupTable) key(g uint32) []byte {
	from := 0
	if g > 0 {
		from = t.ends[g-1]
	}
	return t.arena[from:t.ends[g]]
}

// keep takes the keys of new groups out of the batch, copied, so that no chunk
// of a file is held by a few of its rows.
func (t *groupTable) keep(keys []arrow.Array) error {
	if len(t.fresh) == 0 || t.types == nil {
		return nil
	}
	chunk := make([]arrow.Array, 0, len(keys))
	for _, k := range keys {
		c, err := takeCopy(t.mem, k, t.fresh)
		if err != nil {
			vec.ReleaseAll(chunk)
			return err
		}
		chunk = append(chunk, c)
		t.kept += vec.Bytes(c)
	}
	t.chunks = append(t.chunks, chunk)
	return nil
}

// takeCopy takes rows into buffers that share nothing with a.
func takeCopy(mem memory.Allocator, a arrow.Array, rows []int32) (arrow.Array, error) {
	taken, err := vec.Take(mem, a, rows)
	if err != nil {
		return nil, err
	}
	defer taken.Release()
	return vec.Compact(mem, taken)
}

// columns returns the keys of all groups, in order; the caller releases them.
func (t *groupTable) columns() ([]arrow.Array, error) {
	out := make([]arrow.Array, 0, len(t.types))
	for i, dt := range t.types {
		parts := make([]arrow.Array, len(t.chunks))
		for j, c := range t.chunks {
			parts[j] = c[i]
		}
		col, err := concat(t.mem, dt, parts)
		if err != nil {
			vec.ReleaseAll(out)
			return nil, err
		}
		out = append(out, col)
	}
	return out, nil
}

func concat(mem memory.Allocator, dt arrow.DataType, parts []arrow.Array) (arrow.Array, error) {
	switch len(parts) {
	case 0:
		return array.MakeArrayOfNull(mem, dt, 0), nil
	case 1:
		parts[0].Retain()
		return parts[0], nil
	}
	return vec.Concat(mem, parts)
}

// reset forgets every group and frees the keys; the table can be used again.
func (t *groupTable) reset() {
	clear(t.slots)
	t.hashes, t.ints, t.arena, t.ends = t.hashes[:0], t.ints[:0], t.arena[:0], t.ends[:0]
	for _, c := range t.chunks {
		vec.ReleaseAll(c)
	}
	t.chunks, t.kept = nil, 0
}

// encoder writes rows of key columns as bytes that are equal if and only if the keys are.
type encoder struct {
	buf  []byte
	ends []int
	at   []int
}

func (e *encoder) row(i int) []byte {
	if i == 0 {
		return e.buf[:e.ends[0]]
	}
	return e.buf[e.ends[i-1]:e.ends[i]]
}

// encode fills in n rows: first each row's length, then column by column.
func (e *encoder) encode(keys []arrow.Array, n int) {
	e.ends, e.at = grow(e.ends, n), grow(e.at, n)
	cols := make([]encodedColumn, len(keys))
	for i, k := range keys {
		cols[i] = newEncodedColumn(k, i == len(keys)-1)
	}
	total := 0
	for i := range n {
		e.at[i] = total
		for c := range cols {
			total += cols[c].size(i)
		}
		e.ends[i] = total
	}
	e.buf = grow(e.buf, total)
	for c := range cols {
		for i := range n {
			e.at[i] += cols[c].put(e.buf[e.at[i]:], i)
		}
	}
}

func put64(dst []byte, v uint64) int {
	binary.LittleEndian.PutUint64(dst, v)
	return 8
}
