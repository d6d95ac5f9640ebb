package column

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// stagger is how far one column's buffer is shifted against the one before.
// Large buffers all begin on a page; filled in step at the same row they would
// otherwise compete for a single set of each cache.
const (
	stagger      = 3 * 64
	staggerSteps = 21 // the shifts stay below a page
)

// vector is the part that all fixed-width columns share: values and validity.
type vector[T any] struct {
	alloc  memory.Allocator
	shift  int
	vals   []T
	valid  []byte // a bit a row; set unless the row is NULL
	buf    *memory.Buffer
	bitmap *memory.Buffer
	nulls  int
}

func newVector[T any](alloc memory.Allocator, ordinal int) vector[T] {
	return vector[T]{alloc: alloc, shift: ordinal % staggerSteps * stagger}
}

// allocate returns a buffer of n bytes that begins shift bytes into its memory.
func allocate(alloc memory.Allocator, n, shift int) *memory.Buffer {
	whole := memory.NewResizableBuffer(alloc)
	whole.Resize(n + shift)
	if shift == 0 {
		return whole
	}
	part := memory.SliceBuffer(whole, shift, n)
	whole.Release()
	return part
}

// Reserve makes room for rows in all, keeping those that are there.
func (v *vector[T]) Reserve(rows int) {
	if rows <= len(v.vals) {
		return
	}
	var t T
	buf := allocate(v.alloc, rows*int(unsafe.Sizeof(t)), v.shift)
	vals := unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(buf.Bytes()))), rows)
	copy(vals, v.vals)
	bitmap := allocate(v.alloc, (rows+63)/64*8, 0)
	n := copy(bitmap.Bytes(), v.valid)
	for i := range bitmap.Bytes()[n:] {
		bitmap.Bytes()[n+i] = 0xff
	}
	v.free()
	v.buf, v.vals, v.bitmap, v.valid = buf, vals, bitmap, bitmap.Bytes()
}

// setNull makes a row NULL.
func (v *vector[T]) setNull(row int) {
	var zero T
	v.vals[row] = zero
	v.valid[row>>3] &^= 1 << (row & 7)
	v.nulls++
}

// Rewind forgets the rows from at on.
func (v *vector[T]) Rewind(at int) {
	for row := at; row < len(v.vals); row++ {
		if bit := byte(1) << (row & 7); v.valid[row>>3]&bit == 0 {
			v.valid[row>>3] |= bit
			v.nulls--
		}
	}
}

// finish makes the array; more are the buffers after the values.
func (v *vector[T]) finish(dt arrow.DataType, rows int, more ...*memory.Buffer) arrow.Array {
	if v.buf == nil {
		v.Reserve(1)
	}
	bitmap := v.bitmap
	if v.nulls == 0 {
		bitmap = nil
	}
	data := array.NewData(dt, rows, append([]*memory.Buffer{bitmap, v.buf}, more...), nil, v.nulls, 0)
	defer data.Release()
	v.Release()
	return array.MakeFromData(data)
}

func (v *vector[T]) free() {
	if v.buf != nil {
		v.buf.Release()
		v.bitmap.Release()
	}
}

// Release frees the rows.
func (v *vector[T]) Release() {
	v.free()
	v.buf, v.vals, v.bitmap, v.valid, v.nulls = nil, nil, nil, nil, 0
}
