package vec

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/types"
)

// FromLiteral returns a column of n rows that all hold v, a value in the form
// of expr.Literal.Value, laid out as t.Arrow(). A v that is no value of t is an error.
func FromLiteral(mem memory.Allocator, v any, t types.Type, n int) (arrow.Array, error) {
	if t.Kind == types.Null {
		return array.NewNull(n), nil
	}
	if v == nil {
		return nullColumn(mem, t, n)
	}
	switch t.Kind {
	case types.Bool:
		x, ok := v.(bool)
		if !ok {
			break
		}
		b := NewBools(mem, n)
		if x {
			memory.Set(b.Bits(), 0xff)
		}
		return b.Finish(), nil
	case types.Int8, types.Int16, types.Int32, types.Int64:
		x, ok := v.(int64)
		switch {
		case !ok:
		case t.Kind == types.Int8 && int64(int8(x)) == x:
			return fill(mem, t, n, int8(x)), nil
		case t.Kind == types.Int16 && int64(int16(x)) == x:
			return fill(mem, t, n, int16(x)), nil
		case t.Kind == types.Int32 && int64(int32(x)) == x:
			return fill(mem, t, n, int32(x)), nil
		case t.Kind == types.Int64:
			return fill(mem, t, n, x), nil
		}
	case types.Float32:
		if x, ok := v.(float64); ok {
			return fill(mem, t, n, float32(x)), nil
		}
	case types.Float64:
		if x, ok := v.(float64); ok {
			return fill(mem, t, n, x), nil
		}
	case types.Decimal:
		if x, ok := v.(decimal128.Num); ok {
			return fill(mem, t, n, x), nil
		}
	case types.Date:
		if x, ok := v.(arrow.Date32); ok {
			return fill(mem, t, n, x), nil
		}
	case types.Timestamp:
		if x, ok := v.(arrow.Timestamp); ok {
			return fill(mem, t, n, x), nil
		}
	case types.Interval:
		if x, ok := v.(arrow.MonthDayNanoInterval); ok {
			return fill(mem, t, n, x), nil
		}
	case types.String:
		if x, ok := v.(string); ok {
			return fillText(mem, t, n, []byte(x)), nil
		}
	case types.Bytes:
		if x, ok := v.([]byte); ok {
			return fillText(mem, t, n, x), nil
		}
	case types.List, types.Struct:
		if x, ok := v.([]any); ok {
			return fillNested(mem, t, n, x)
		}
	}
	return nil, fmt.Errorf("%T is no value of %s", v, t)
}

func fill[T FixedWidth](mem memory.Allocator, t types.Type, n int, x T) arrow.Array {
	b := NewFixed[T](mem, t.Arrow(), n)
	for i := range b.Values {
		b.Values[i] = x
	}
	return b.Finish()
}

// fillText stores the text once: all headers are one.
func fillText(mem memory.Allocator, t types.Type, n int, x []byte) arrow.Array {
	b := NewViewBuilder(mem, t.Arrow(), n)
	if n > 0 {
		b.Append(x)
		for i := 1; i < n; i++ {
			b.views[i] = b.views[0]
		}
		b.n = n
		b.trim()
	}
	return b.Finish()
}

func fillNested(mem memory.Allocator, t types.Type, n int, x []any) (arrow.Array, error) {
	one, err := oneNested(mem, t, x)
	if err != nil || n == 1 {
		return one, err
	}
	defer one.Release()
	return Take(mem, one, make([]int32, n))
}

func oneNested(mem memory.Allocator, t types.Type, x []any) (arrow.Array, error) {
	if t.Kind == types.Struct && len(x) != len(t.Fields) {
		return nil, fmt.Errorf("%d values for the %d fields of %s", len(x), len(t.Fields), t)
	}
	parts := make([]arrow.Array, 0, len(x)+1)
	defer func() { ReleaseAll(parts) }()
	for i, e := range x {
		et := t.Elem
		if t.Kind == types.Struct {
			et = &t.Fields[i].Type
		}
		p, err := FromLiteral(mem, e, *et, 1)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	if t.Kind == types.Struct {
		return NewStruct(t.Arrow().(*arrow.StructType), 1, parts, nil), nil
	}
	if len(parts) == 0 {
		p, err := FromLiteral(mem, nil, *t.Elem, 0)
		if err != nil {
			return nil, err
		}
		parts = append(parts, p)
	}
	elems, err := Concat(mem, parts)
	if err != nil {
		return nil, err
	}
	defer elems.Release()
	return NewList(mem, elems, []int32{0, int32(len(x))}, nil), nil
}

// nullColumn is n NULLs of t, with clean values under them.
func nullColumn(mem memory.Allocator, t types.Type, n int) (arrow.Array, error) {
	valid := newBitmap(mem, n, false)
	dt := t.Arrow()
	switch t.Kind {
	case types.Bool:
		return finish(dt, n, n, []*memory.Buffer{valid, newBitmap(mem, n, false)}, nil), nil
	case types.List, types.Struct:
		nulls := &Nulls{mem: mem, n: n, buf: valid, num: n}
		var types []types.Type
		if t.Elem != nil {
			types = append(types, *t.Elem)
		}
		for _, f := range t.Fields {
			types = append(types, f.Type)
		}
		children := make([]arrow.Array, 0, len(types))
		defer func() { ReleaseAll(children) }()
		for _, ct := range types {
			rows := n
			if t.Elem != nil {
				rows = 0
			}
			c, err := FromLiteral(mem, nil, ct, rows)
			if err != nil {
				nulls.Release()
				return nil, err
			}
			children = append(children, c)
		}
		if t.Elem != nil {
			return NewList(mem, children[0], make([]int32, n+1), nulls), nil
		}
		return NewStruct(dt.(*arrow.StructType), n, children, nulls), nil
	}
	buf := memory.NewResizableBuffer(mem)
	w := Width(dt)
	if IsText(dt) {
		w = sizeOf(view{})
	}
	buf.Resize(n * w)
	clear(buf.Bytes())
	return finish(dt, n, n, []*memory.Buffer{valid, buf}, nil), nil
}

// ValueAt returns row i of a in the form of expr.Literal.Value: nil for NULL,
// text and bytes copied.
func ValueAt(a arrow.Array, i int) any {
	if v := ValidityOf(a); v.Null(i) {
		return nil
	}
	switch a.DataType().ID() {
	case arrow.BOOL:
		b := BoolsOf(a)
		return b.At(i)
	case arrow.INT8:
		return int64(Values[int8](a)[i])
	case arrow.INT16:
		return int64(Values[int16](a)[i])
	case arrow.INT32:
		return int64(Values[int32](a)[i])
	case arrow.INT64:
		return Values[int64](a)[i]
	case arrow.FLOAT32:
		return float64(Values[float32](a)[i])
	case arrow.FLOAT64:
		return Values[float64](a)[i]
	case arrow.DECIMAL128:
		return Values[decimal128.Num](a)[i]
	case arrow.DATE32:
		return Values[arrow.Date32](a)[i]
	case arrow.TIMESTAMP:
		return Values[arrow.Timestamp](a)[i]
	case arrow.INTERVAL_MONTH_DAY_NANO:
		return Values[arrow.MonthDayNanoInterval](a)[i]
	case arrow.LIST:
		l := a.(*array.List)
		from, to := l.ValueOffsets(i)
		out := make([]any, 0, to-from)
		for k := from; k < to; k++ {
			out = append(out, ValueAt(l.ListValues(), int(k)))
		}
		return out
	case arrow.STRUCT:
		s := a.(*array.Struct)
		out := make([]any, s.NumField())
		for k := range out {
			out[k] = ValueAt(s.Field(k), i)
		}
		return out
	}
	if !IsText(a.DataType()) {
		return nil
	}
	r := Strings(a)
	if viewType(a.DataType()).ID() == arrow.BINARY_VIEW {
		return append([]byte{}, r.At(i)...)
	}
	return string(r.At(i))
}
