package vec

import (
	"fmt"
	"math"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

func sizeOf[T any](t T) int { return int(unsafe.Sizeof(t)) }

// Compact returns the rows of a in memory of their own and no larger than they
// need: views no longer pin the chunk they were read from, slices not the whole
// array. A dictionary stays one if it is smaller than the rows.
func Compact(mem memory.Allocator, a arrow.Array) (arrow.Array, error) {
	if d, ok := a.(*array.Dictionary); ok && d.Dictionary().Len() <= d.Len() {
		dict, err := Compact(mem, d.Dictionary())
		if err != nil {
			return nil, err
		}
		defer dict.Release()
		valid, num := copyValidity(mem, a)
		codes := make([]int32, d.Len())
		copy(codes, Codes(d))
		return NewDictionary(mem, codes, dict, &Nulls{mem: mem, n: a.Len(), buf: valid, num: num}), nil
	}
	switch {
	case IsText(a.DataType()):
		b := NewViewBuilder(mem, viewType(a.DataType()), a.Len())
		r := Strings(a)
		for i := range a.Len() {
			if r.Null(i) {
				b.AppendNull()
			} else {
				b.Append(r.At(i))
			}
		}
		b.trim()
		return b.Finish(), nil
	case a.DataType().ID() == arrow.LIST, a.DataType().ID() == arrow.STRUCT:
		return rebuild(mem, a, Compact)
	}
	return Take(mem, a, sequence(a.Len()))
}

// trim gives back what the last block does not use.
func (b *ViewBuilder) trim() {
	if len(b.blocks) > 0 {
		b.blocks[len(b.blocks)-1].Resize(b.used)
		b.block = b.block[:b.used]
	}
}

func sequence(n int) []int32 {
	idx := make([]int32, n)
	for i := range idx {
		idx[i] = int32(i)
	}
	return idx
}

// rebuild applies f to the children of a list or struct.
func rebuild(mem memory.Allocator, a arrow.Array, f func(memory.Allocator, arrow.Array) (arrow.Array, error)) (arrow.Array, error) {
	valid, num := copyValidity(mem, a)
	nulls := &Nulls{mem: mem, n: a.Len(), buf: valid, num: num}
	defer nulls.Release()
	if l, ok := a.(*array.List); ok {
		offs, first, last := make([]int32, 1, l.Len()+1), int64(0), int64(0)
		if l.Len() > 0 {
			first, _ = l.ValueOffsets(0)
			last = first
		}
		for i := range l.Len() {
			_, last = l.ValueOffsets(i)
			offs = append(offs, int32(last-first))
		}
		part := array.NewSlice(l.ListValues(), first, last)
		defer part.Release()
		elems, err := f(mem, part)
		if err != nil {
			return nil, err
		}
		defer elems.Release()
		return NewList(mem, elems, offs, nulls), nil
	}
	s := a.(*array.Struct)
	fields := make([]arrow.Array, 0, s.NumField())
	defer func() { ReleaseAll(fields) }()
	for i := range s.NumField() {
		x, err := f(mem, s.Field(i))
		if err != nil {
			return nil, err
		}
		fields = append(fields, x)
	}
	return NewStruct(structOf(s.DataType().(*arrow.StructType), fields), a.Len(), fields, nulls), nil
}

// Plain returns a with plain String and Binary columns and no dictionaries, at
// any depth, for readers outside the engine. An error means that the text is
// more than the 2 GiB that a plain column holds.
func Plain(mem memory.Allocator, a arrow.Array) (arrow.Array, error) {
	id := a.DataType().ID()
	switch {
	case id == arrow.LIST, id == arrow.STRUCT:
		return rebuild(mem, a, Plain)
	case id == arrow.STRING, id == arrow.BINARY, !IsText(a.DataType()):
		a.Retain()
		return a, nil
	}
	var dt arrow.DataType = arrow.BinaryTypes.String
	if viewType(a.DataType()).ID() == arrow.BINARY_VIEW {
		dt = arrow.BinaryTypes.Binary
	}
	r, n, total := Strings(a), a.Len(), 0
	for i := range n {
		if r.Valid(i) {
			total += r.Len(i)
		}
	}
	if total > math.MaxInt32 {
		return nil, fmt.Errorf("%d bytes of text do not fit one plain column", total)
	}
	valid, nulls := copyValidity(mem, a)
	offs, data := memory.NewResizableBuffer(mem), memory.NewResizableBuffer(mem)
	offs.Resize((n + 1) * 4)
	data.Resize(total)
	o, at := cast[int32](offs.Bytes()), int32(0)
	o[0] = 0
	for i := range n {
		if r.Valid(i) {
			at += int32(copy(data.Bytes()[at:], r.At(i)))
		}
		o[i+1] = at
	}
	return finish(dt, n, nulls, []*memory.Buffer{valid, offs, data}, nil), nil
}
