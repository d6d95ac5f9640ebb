package vec

import (
	"errors"
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Concat joins arrays of one logical type, at least one, in their order. Text
// may come in different layouts: dictionaries over the same values stay one, any
// other mixture becomes views that share the buffers of the parts.
func Concat(mem memory.Allocator, as []arrow.Array) (arrow.Array, error) {
	if len(as) == 0 {
		return nil, errors.New("no arrays to join")
	}
	if len(as) == 1 {
		as[0].Retain()
		return as[0], nil
	}
	n := 0
	for _, a := range as {
		n += a.Len()
	}
	if n > math.MaxInt32 {
		return nil, fmt.Errorf("%d rows do not fit one column", n)
	}
	dt := as[0].DataType()
	for _, a := range as {
		if dt.ID() == arrow.NULL {
			dt = a.DataType()
		}
	}
	if IsText(dt) {
		return concatText(mem, as, n, dt)
	}
	for _, a := range as {
		if a.DataType().ID() != dt.ID() && a.DataType().ID() != arrow.NULL {
			return nil, fmt.Errorf("cannot join a column of Arrow %s to one of %s", a.DataType(), dt)
		}
	}
	switch dt.ID() {
	case arrow.NULL:
		return array.NewNull(n), nil
	case arrow.LIST:
		return concatList(mem, as, n)
	case arrow.STRUCT:
		return concatStruct(mem, as, n, dt.(*arrow.StructType))
	case arrow.BOOL:
		valid, nulls := concatValidity(mem, as, n)
		buf, at := newBitmap(mem, n, false), 0
		for _, a := range as {
			if a.Len() > 0 && a.DataType().ID() != arrow.NULL {
				d := a.Data()
				bitutil.CopyBitmap(d.Buffers()[1].Bytes(), d.Offset(), d.Len(), buf.Bytes(), at)
			}
			at += a.Len()
		}
		return finish(dt, n, nulls, []*memory.Buffer{valid, buf}, nil), nil
	}
	w := Width(dt)
	if w == 0 {
		return nil, fmt.Errorf("cannot join columns of Arrow %s", dt)
	}
	valid, nulls := concatValidity(mem, as, n)
	buf := memory.NewResizableBuffer(mem)
	buf.Resize(n * w)
	dst := buf.Bytes()
	for _, a := range as {
		size := a.Len() * w
		if d := a.Data(); a.DataType().ID() != arrow.NULL && size > 0 {
			copy(dst, d.Buffers()[1].Bytes()[d.Offset()*w:][:size])
		} else {
			clear(dst[:size])
		}
		dst = dst[size:]
	}
	return finish(dt, n, nulls, []*memory.Buffer{valid, buf}, nil), nil
}

// IsText reports a layout that Strings reads.
func IsText(dt arrow.DataType) bool {
	switch dt.ID() {
	case arrow.STRING, arrow.BINARY, arrow.LARGE_STRING, arrow.LARGE_BINARY, arrow.STRING_VIEW, arrow.BINARY_VIEW:
		return true
	case arrow.DICTIONARY:
		return IsText(dt.(*arrow.DictionaryType).ValueType)
	}
	return false
}

// viewType is the view layout of a text layout: BinaryView for bytes, else StringView.
func viewType(dt arrow.DataType) arrow.DataType {
	switch dt.ID() {
	case arrow.BINARY, arrow.LARGE_BINARY, arrow.BINARY_VIEW:
		return arrow.BinaryTypes.BinaryView
	case arrow.DICTIONARY:
		return viewType(dt.(*arrow.DictionaryType).ValueType)
	}
	return arrow.BinaryTypes.StringView
}

func concatValidity(mem memory.Allocator, as []arrow.Array, n int) (*memory.Buffer, int) {
	b, at := NewNulls(mem, n), 0
	for _, a := range as {
		if v := ValidityOf(a); !v.None() {
			for i := range a.Len() {
				if v.Null(i) {
					b.Set(at + i)
				}
			}
		}
		at += a.Len()
	}
	return b.take()
}

func concatText(mem memory.Allocator, as []arrow.Array, n int, dt arrow.DataType) (arrow.Array, error) {
	for _, a := range as {
		if !IsText(a.DataType()) && a.DataType().ID() != arrow.NULL {
			return nil, fmt.Errorf("cannot join a column of Arrow %s to one of %s", a.DataType(), dt)
		}
	}
	if d := sharedDictionary(as); d != nil {
		valid, nulls := concatValidity(mem, as, n)
		buf := memory.NewResizableBuffer(mem)
		buf.Resize(n * 4)
		dst := cast[int32](buf.Bytes())
		for _, a := range as {
			dst = dst[copy(dst, Codes(a.(*array.Dictionary))):]
		}
		return finishDict(d, n, nulls, valid, buf), nil
	}
	valid, nulls := concatValidity(mem, as, n)
	j := newViewJoiner(mem, n)
	for _, a := range as {
		if err := j.add(a); err != nil {
			j.release()
			if valid != nil {
				valid.Release()
			}
			return nil, err
		}
	}
	return finish(viewType(dt), n, nulls, j.take(valid), nil), nil
}

// sharedDictionary returns the values that all of as are codes of, or nil.
func sharedDictionary(as []arrow.Array) arrow.Array {
	var dict arrow.Array
	for _, a := range as {
		d, ok := a.(*array.Dictionary)
		if !ok {
			return nil
		}
		if dict == nil {
			dict = d.Dictionary()
		} else if !SameValues(dict, d.Dictionary()) {
			return nil
		}
	}
	return dict
}

// SameValues reports that a and b are the same memory, so that equal codes of
// two dictionaries mean equal values. False proves nothing.
func SameValues(a, b arrow.Array) bool {
	x, y := a.Data(), b.Data()
	if x == y {
		return true
	}
	if x.Len() != y.Len() || x.Offset() != y.Offset() || len(x.Buffers()) != len(y.Buffers()) || x.Len() == 0 {
		return false
	}
	for i, b := range x.Buffers() {
		if b != y.Buffers()[i] {
			return false
		}
	}
	return true
}

func concatList(mem memory.Allocator, as []arrow.Array, n int) (arrow.Array, error) {
	offs := make([]int32, 1, n+1)
	var parts []arrow.Array
	defer func() { ReleaseAll(parts) }()
	for _, a := range as {
		l, ok := a.(*array.List)
		if !ok { // NULLs
			for range a.Len() {
				offs = append(offs, offs[len(offs)-1])
			}
			continue
		}
		if l.Len() == 0 {
			continue
		}
		first, _ := l.ValueOffsets(0)
		_, last := l.ValueOffsets(l.Len() - 1)
		shift := int64(offs[len(offs)-1]) - first
		if shift+last > math.MaxInt32 {
			return nil, fmt.Errorf("lists of more than %d elements do not fit one column", math.MaxInt32)
		}
		for i := range l.Len() {
			_, to := l.ValueOffsets(i)
			offs = append(offs, int32(to+shift))
		}
		parts = append(parts, array.NewSlice(l.ListValues(), first, last))
	}
	if len(parts) == 0 { // every list empty or NULL: any list tells the type of elements
		for _, a := range as {
			if l, ok := a.(*array.List); ok {
				parts = append(parts, array.NewSlice(l.ListValues(), 0, 0))
				break
			}
		}
	}
	elems, err := Concat(mem, parts)
	if err != nil {
		return nil, err
	}
	defer elems.Release()
	valid, num := concatValidity(mem, as, n)
	return NewList(mem, elems, offs, &Nulls{mem: mem, n: n, buf: valid, num: num}), nil
}

func concatStruct(mem memory.Allocator, as []arrow.Array, n int, dt *arrow.StructType) (arrow.Array, error) {
	fields := make([]arrow.Array, 0, dt.NumFields())
	defer func() { ReleaseAll(fields) }()
	parts := make([]arrow.Array, len(as))
	for i := range dt.NumFields() {
		for j, a := range as {
			s, ok := a.(*array.Struct)
			switch {
			case !ok:
				parts[j] = array.NewNull(a.Len())
			case s.NumField() != dt.NumFields():
				return nil, fmt.Errorf("cannot join a column of Arrow %s to one of %s", a.DataType(), dt)
			default:
				parts[j] = s.Field(i)
				parts[j].Retain()
			}
		}
		f, err := Concat(mem, parts)
		ReleaseAll(parts)
		if err != nil {
			return nil, err
		}
		fields = append(fields, f)
	}
	valid, num := concatValidity(mem, as, n)
	return NewStruct(structOf(dt, fields), n, fields, &Nulls{mem: mem, n: n, buf: valid, num: num}), nil
}
