package vec

import (
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Take gathers rows of a: row i of the result is row idx[i] of a, NULL where
// idx[i] is -1. The layout stays: views and dictionaries share a's memory, only
// headers and codes are copied. idx must lie within a. An error means a layout
// that the engine does not hold, or plain strings of more than 2 GiB.
func Take(mem memory.Allocator, a arrow.Array, idx []int32) (arrow.Array, error) {
	dt := a.DataType()
	if dt.ID() == arrow.NULL {
		return array.NewNull(len(idx)), nil
	}
	if d, ok := a.(*array.Dictionary); ok {
		return takeDictionary(mem, d, idx), nil
	}
	switch dt.ID() {
	case arrow.STRING, arrow.BINARY:
		return takePlain(mem, a, idx)
	case arrow.LIST:
		return takeList(mem, a.(*array.List), idx)
	case arrow.STRUCT:
		return takeStruct(mem, a.(*array.Struct), idx)
	}
	valid, nulls := takeValidity(mem, a, idx)
	switch dt.ID() {
	case arrow.BOOL:
		return finish(dt, len(idx), nulls, []*memory.Buffer{valid, takeBits(mem, a, idx)}, nil), nil
	case arrow.STRING_VIEW, arrow.BINARY_VIEW:
		// Sharing buffers: each keeps a reference of its own.
		bufs := append([]*memory.Buffer{valid, takeWidth[[16]byte](mem, a, idx)}, a.Data().Buffers()[2:]...)
		for _, b := range bufs[2:] {
			if b != nil {
				b.Retain()
			}
		}
		return finish(dt, len(idx), nulls, bufs, nil), nil
	}
	var buf *memory.Buffer
	switch Width(dt) {
	case 1:
		buf = takeWidth[uint8](mem, a, idx)
	case 2:
		buf = takeWidth[uint16](mem, a, idx)
	case 4:
		buf = takeWidth[uint32](mem, a, idx)
	case 8:
		buf = takeWidth[uint64](mem, a, idx)
	case 16:
		buf = takeWidth[[16]byte](mem, a, idx)
	default:
		if valid != nil {
			valid.Release()
		}
		return nil, fmt.Errorf("cannot gather rows of Arrow %s", dt)
	}
	return finish(dt, len(idx), nulls, []*memory.Buffer{valid, buf}, nil), nil
}

func takeWidth[T FixedWidth](mem memory.Allocator, a arrow.Array, idx []int32) *memory.Buffer {
	var t T
	buf := memory.NewResizableBuffer(mem)
	buf.Resize(len(idx) * sizeOf(t))
	dst := cast[T](buf.Bytes())
	src := Values[T](a)
	if len(src) == 0 {
		clear(dst)
		return buf
	}
	for i, j := range idx {
		if j >= 0 {
			dst[i] = src[j]
		} else {
			dst[i] = t // a clean header: a NULL view must not point anywhere
		}
	}
	return buf
}

func takeBits(mem memory.Allocator, a arrow.Array, idx []int32) *memory.Buffer {
	buf := newBitmap(mem, len(idx), false)
	dst, src := buf.Bytes(), BoolsOf(a)
	for i, j := range idx {
		if j >= 0 && src.At(int(j)) {
			dst[i>>3] |= 1 << (i & 7)
		}
	}
	return buf
}

// takeValidity returns nil where the result has no NULL.
func takeValidity(mem memory.Allocator, a arrow.Array, idx []int32) (*memory.Buffer, int) {
	v := ValidityOf(a)
	b := NewNulls(mem, len(idx))
	if v.None() {
		for i, j := range idx {
			if j < 0 {
				b.Set(i)
			}
		}
		return b.take()
	}
	for i, j := range idx {
		if j < 0 || v.Null(int(j)) {
			b.Set(i)
		}
	}
	return b.take()
}

func takeDictionary(mem memory.Allocator, d *array.Dictionary, idx []int32) arrow.Array {
	valid, nulls := takeValidity(mem, d, idx)
	src := Codes(d)
	buf := memory.NewResizableBuffer(mem)
	buf.Resize(len(idx) * 4)
	dst := cast[int32](buf.Bytes())
	for i, j := range idx {
		if j >= 0 {
			dst[i] = src[j]
		} else {
			dst[i] = 0
		}
	}
	return finishDict(d.Dictionary(), len(idx), nulls, valid, buf)
}

func takePlain(mem memory.Allocator, a arrow.Array, idx []int32) (arrow.Array, error) {
	r := Strings(a)
	total := 0
	for _, j := range idx {
		if j >= 0 {
			total += r.Len(int(j))
		}
	}
	if total > math.MaxInt32 {
		return nil, fmt.Errorf("%d bytes of text do not fit one plain column", total)
	}
	valid, nulls := takeValidity(mem, a, idx)
	offs, data := memory.NewResizableBuffer(mem), memory.NewResizableBuffer(mem)
	offs.Resize((len(idx) + 1) * 4)
	data.Resize(total)
	o, at := cast[int32](offs.Bytes()), int32(0)
	o[0] = 0
	for i, j := range idx {
		if j >= 0 {
			at += int32(copy(data.Bytes()[at:], r.At(int(j))))
		}
		o[i+1] = at
	}
	return finish(a.DataType(), len(idx), nulls, []*memory.Buffer{valid, offs, data}, nil), nil
}

func takeList(mem memory.Allocator, a *array.List, idx []int32) (arrow.Array, error) {
	v := ValidityOf(a)
	nulls := NewNulls(mem, len(idx))
	offs := make([]int32, 1, len(idx)+1)
	var child []int32
	for i, j := range idx {
		if j < 0 || v.Null(int(j)) {
			nulls.Set(i)
		} else {
			from, to := a.ValueOffsets(int(j))
			if len(child)+int(to-from) > math.MaxInt32 {
				nulls.Release()
				return nil, fmt.Errorf("lists of more than %d elements do not fit one column", math.MaxInt32)
			}
			for k := from; k < to; k++ {
				child = append(child, int32(k))
			}
		}
		offs = append(offs, int32(len(child)))
	}
	elems, err := Take(mem, a.ListValues(), child)
	if err != nil {
		nulls.Release()
		return nil, err
	}
	defer elems.Release()
	return NewList(mem, elems, offs, &nulls), nil
}

func takeStruct(mem memory.Allocator, a *array.Struct, idx []int32) (arrow.Array, error) {
	fields := make([]arrow.Array, 0, a.NumField())
	defer func() { ReleaseAll(fields) }()
	for i := range a.NumField() {
		f, err := Take(mem, a.Field(i), idx)
		if err != nil {
			return nil, err
		}
		fields = append(fields, f)
	}
	valid, n := takeValidity(mem, a, idx)
	nulls := Nulls{mem: mem, n: len(idx), buf: valid, num: n}
	return NewStruct(structOf(a.DataType().(*arrow.StructType), fields), len(idx), fields, &nulls), nil
}

// structOf is dt with the layouts that the fields really have.
func structOf(dt *arrow.StructType, fields []arrow.Array) *arrow.StructType {
	fs := make([]arrow.Field, len(fields))
	for i, f := range fields {
		fs[i] = arrow.Field{Name: dt.Field(i).Name, Type: f.DataType(), Nullable: true}
	}
	return arrow.StructOf(fs...)
}

// ReleaseAll releases every array of as that is not nil.
func ReleaseAll(as []arrow.Array) {
	for _, a := range as {
		if a != nil {
			a.Release()
		}
	}
}
