package vec

import (
	"math"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Nulls gathers the NULLs of a column being built. The bitmap is allocated
// with the first of them.
type Nulls struct {
	mem memory.Allocator
	n   int
	buf *memory.Buffer
	num int
}

// NewNulls starts with n rows, none of them NULL.
func NewNulls(mem memory.Allocator, n int) Nulls { return Nulls{mem: mem, n: n} }

// Set makes row i NULL.
func (b *Nulls) Set(i int) {
	if b.buf == nil {
		b.buf = newBitmap(b.mem, b.n, true)
	}
	p := &b.buf.Bytes()[i>>3]
	if *p>>(i&7)&1 == 1 {
		*p &^= 1 << (i & 7)
		b.num++
	}
}

// Null reports whether row i has been made NULL.
func (b *Nulls) Null(i int) bool {
	return b.buf != nil && b.buf.Bytes()[i>>3]>>(i&7)&1 == 0
}

// Merge makes NULL every row that v says is NULL; v covers all n rows.
func (b *Nulls) Merge(v Validity) {
	if v.None() {
		return
	}
	if b.buf == nil && !v.all && v.off&7 == 0 {
		b.buf = newBitmap(b.mem, b.n, true)
		bits := b.buf.Bytes()
		copy(bits, v.bits[v.off>>3:])
		b.num = b.n - bitutil.CountSetBits(bits, 0, b.n)
		return
	}
	for i := range b.n {
		if v.Null(i) {
			b.Set(i)
		}
	}
}

// Validity reads what has been gathered so far, for a second pass over the rows.
func (b *Nulls) Validity() Validity {
	if b.buf == nil {
		return Validity{}
	}
	return Validity{bits: b.buf.Bytes()}
}

// take hands the bitmap over.
func (b *Nulls) take() (*memory.Buffer, int) {
	buf, num := b.buf, b.num
	b.buf, b.num = nil, 0
	return buf, num
}

// Release frees the bitmap if it has not been handed over.
func (b *Nulls) Release() {
	if b.buf != nil {
		b.buf.Release()
		b.buf = nil
	}
}

// Fixed builds a fixed-width column of a known number of rows: the kernel
// writes Values and marks NULLs, then calls Finish, or Release on an error.
type Fixed[T FixedWidth] struct {
	Values []T
	Nulls
	dt  arrow.DataType
	buf *memory.Buffer
}

// NewFixed allocates n rows of dt, whose values have the layout of T.
func NewFixed[T FixedWidth](mem memory.Allocator, dt arrow.DataType, n int) *Fixed[T] {
	var t T
	buf := memory.NewResizableBuffer(mem)
	buf.Resize(n * int(unsafe.Sizeof(t)))
	return &Fixed[T]{Values: cast[T](buf.Bytes()), Nulls: NewNulls(mem, n), dt: dt, buf: buf}
}

// Finish returns the column, which the caller releases. The builder is spent.
func (b *Fixed[T]) Finish() arrow.Array {
	valid, nulls := b.take()
	buf := b.buf
	b.buf, b.Values = nil, nil
	return finish(b.dt, b.n, nulls, []*memory.Buffer{valid, buf}, nil)
}

// Release frees the memory of a column that will not be finished. It does
// nothing after Finish.
func (b *Fixed[T]) Release() {
	b.Nulls.Release()
	if b.buf != nil {
		b.buf.Release()
		b.buf = nil
	}
}

// BoolBuilder builds a BOOL column of a known number of rows.
type BoolBuilder struct {
	Nulls
	bits *memory.Buffer
}

// NewBools allocates n rows, all false.
func NewBools(mem memory.Allocator, n int) *BoolBuilder {
	return &BoolBuilder{Nulls: NewNulls(mem, n), bits: newBitmap(mem, n, false)}
}

// SetTrue makes row i true.
func (b *BoolBuilder) SetTrue(i int) { b.bits.Bytes()[i>>3] |= 1 << (i & 7) }

// Bits is the values, eight to a byte, for kernels that write whole bytes.
func (b *BoolBuilder) Bits() []byte { return b.bits.Bytes() }

// Finish returns the column, which the caller releases. The builder is spent.
func (b *BoolBuilder) Finish() arrow.Array {
	valid, nulls := b.take()
	bits := b.bits
	b.bits = nil
	return finish(arrow.FixedWidthTypes.Boolean, b.n, nulls, []*memory.Buffer{valid, bits}, nil)
}

// Release frees the memory of a column that will not be finished.
func (b *BoolBuilder) Release() {
	b.Nulls.Release()
	if b.bits != nil {
		b.bits.Release()
		b.bits = nil
	}
}

// ViewBuilder builds a STRING or BYTES column of views, a row at a time.
type ViewBuilder struct {
	mem    memory.Allocator
	dt     arrow.DataType
	heads  *memory.Buffer
	views  []view
	n      int
	valid  *memory.Buffer
	nulls  int
	blocks []*memory.Buffer
	block  []byte // the last of blocks
	used   int
}

const (
	firstBlock = 4 << 10
	maxBlock   = 1 << 20
)

// NewViewBuilder makes a builder of dt (StringView or BinaryView) with room for n rows.
func NewViewBuilder(mem memory.Allocator, dt arrow.DataType, n int) *ViewBuilder {
	b := &ViewBuilder{mem: mem, dt: dt, heads: memory.NewResizableBuffer(mem)}
	b.grow(n)
	return b
}

func (b *ViewBuilder) grow(n int) {
	b.heads.ResizeNoShrink(max(n, 1) * int(unsafe.Sizeof(view{})))
	b.views = cast[view](b.heads.Bytes())
}

// Len returns the rows appended so far.
func (b *ViewBuilder) Len() int { return b.n }

// Append adds a copy of v. A value of 2 GiB or more, which no view can hold, is cut.
func (b *ViewBuilder) Append(v []byte) {
	if len(v) > math.MaxInt32 {
		v = v[:math.MaxInt32]
	}
	copy(b.next(len(v)), v)
	b.seal()
}

// AppendString is Append of a string.
func (b *ViewBuilder) AppendString(v string) { b.Append(unsafe.Slice(unsafe.StringData(v), len(v))) }

// next adds a row of size bytes and returns where they go; seal must follow.
func (b *ViewBuilder) next(size int) []byte {
	if b.n == len(b.views) {
		b.grow(2 * b.n)
	}
	v := &b.views[b.n]
	*v = view{size: int32(size)}
	b.n++
	if size <= inlineMax {
		return v.inline()
	}
	if b.used+size > len(b.block) {
		n := max(min(firstBlock<<min(len(b.blocks), 8), maxBlock), size)
		buf := memory.NewResizableBuffer(b.mem)
		buf.Resize(n)
		b.blocks = append(b.blocks, buf)
		b.block, b.used = buf.Bytes(), 0
	}
	v.buf, v.off = int32(len(b.blocks)-1), int32(b.used)
	b.used += size
	return b.block[v.off:b.used]
}

func (b *ViewBuilder) seal() {
	if v := &b.views[b.n-1]; v.size > inlineMax {
		copy(v.prefix[:], b.block[v.off:])
	}
	if b.valid != nil {
		b.mark(true)
	}
}

// AppendNull adds a NULL.
func (b *ViewBuilder) AppendNull() {
	if b.n == len(b.views) {
		b.grow(2 * b.n)
	}
	b.views[b.n] = view{}
	b.n++
	b.nulls++
	if b.valid == nil {
		b.valid = newBitmap(b.mem, max(len(b.views), b.n), true)
	}
	b.mark(false)
}

func (b *ViewBuilder) mark(valid bool) {
	i := b.n - 1
	if need := i>>3 + 1; need > b.valid.Len() {
		old := b.valid.Len()
		b.valid.ResizeNoShrink(2 * need)
		memory.Set(b.valid.Bytes()[old:], 0xff)
	}
	if !valid {
		b.valid.Bytes()[i>>3] &^= 1 << (i & 7)
	}
}

// Finish returns the column, which the caller releases. The builder is spent.
func (b *ViewBuilder) Finish() arrow.Array {
	b.heads.ResizeNoShrink(b.n * int(unsafe.Sizeof(view{})))
	bufs := append([]*memory.Buffer{b.valid, b.heads}, b.blocks...)
	a := finish(b.dt, b.n, b.nulls, bufs, nil)
	b.heads, b.valid, b.blocks, b.block, b.views = nil, nil, nil, nil, nil
	return a
}

// Release frees the memory of a column that will not be finished.
func (b *ViewBuilder) Release() {
	if b.heads == nil {
		return
	}
	b.heads.Release()
	if b.valid != nil {
		b.valid.Release()
	}
	for _, blk := range b.blocks {
		blk.Release()
	}
	b.heads, b.valid, b.blocks = nil, nil, nil
}

// NewList makes a LIST column of n rows: row i is elements offsets[i] to
// offsets[i+1] of elems, whose reference stays the caller's. nulls may be nil.
func NewList(mem memory.Allocator, elems arrow.Array, offsets []int32, nulls *Nulls) arrow.Array {
	buf := memory.NewResizableBuffer(mem)
	buf.Resize(len(offsets) * 4)
	copy(cast[int32](buf.Bytes()), offsets)
	var valid *memory.Buffer
	num := 0
	if nulls != nil {
		valid, num = nulls.take()
	}
	dt := arrow.ListOf(elems.DataType())
	return finish(dt, len(offsets)-1, num, []*memory.Buffer{valid, buf}, []arrow.ArrayData{elems.Data()})
}

// NewStruct makes a STRUCT column of dt from its fields, whose references stay
// the caller's. nulls may be nil.
func NewStruct(dt *arrow.StructType, n int, fields []arrow.Array, nulls *Nulls) arrow.Array {
	var valid *memory.Buffer
	num := 0
	if nulls != nil {
		valid, num = nulls.take()
	}
	children := make([]arrow.ArrayData, len(fields))
	for i, f := range fields {
		children[i] = f.Data()
	}
	return finish(dt, n, num, []*memory.Buffer{valid}, children)
}

// NewDictionary makes a dictionary column of codes over dict, sharing dict's
// memory; the reference to dict stays the caller's. nulls may be nil.
func NewDictionary(mem memory.Allocator, codes []int32, dict arrow.Array, nulls *Nulls) arrow.Array {
	buf := memory.NewResizableBuffer(mem)
	buf.Resize(len(codes) * 4)
	copy(cast[int32](buf.Bytes()), codes)
	var valid *memory.Buffer
	num := 0
	if nulls != nil {
		valid, num = nulls.take()
	}
	return finishDict(dict, len(codes), num, valid, buf)
}

func finishDict(dict arrow.Array, n, nulls int, valid, codes *memory.Buffer) arrow.Array {
	dt := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: dict.DataType()}
	d := array.NewDataWithDictionary(dt, n, []*memory.Buffer{valid, codes}, nulls, 0, dict.Data().(*array.Data))
	defer d.Release()
	if valid != nil {
		valid.Release()
	}
	codes.Release()
	return array.NewDictionaryData(d)
}
