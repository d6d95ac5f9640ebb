package json

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect/column"
	"github.com/rainsql/rainsql/expr/text"
	"github.com/rainsql/rainsql/expr/types"
)

// nested converts values to LIST and STRUCT. They are checked as they come and
// built at the end of the batch, so that rows can still be taken back.
type nested struct {
	alloc memory.Allocator
	typ   types.Type
	spans []column.Span
}

// Reserve does nothing: spans grow as they come.
func (n *nested) Reserve(int) {}

// Convert checks the values and keeps where they are.
func (n *nested) Convert(t *column.Text, spans []column.Span, at int) int {
	n.spans = n.spans[:at]
	for i, s := range spans {
		if s.Kind() != column.Null && (s.Kind() != column.Plain || !put(nil, n.typ, s.Bytes(t.Data))) {
			return i
		}
		n.spans = append(n.spans, s)
	}
	return -1
}

// Rewind forgets the rows from at on.
func (n *nested) Rewind(at int) { n.spans = n.spans[:min(at, len(n.spans))] }

// Finish builds the column.
func (n *nested) Finish(t *column.Text, rows int) arrow.Array {
	b := array.NewBuilder(n.alloc, n.typ.Arrow())
	defer b.Release()
	b.Reserve(rows)
	for _, s := range n.spans {
		if s.Kind() == column.Null {
			b.AppendNull()
		} else {
			put(b, n.typ, s.Bytes(t.Data))
		}
	}
	n.spans = n.spans[:0]
	return b.NewArray()
}

// Release forgets all rows.
func (n *nested) Release() { n.spans = n.spans[:0] }

// put appends the JSON value raw, which has been checked, to b as type t; with
// b nil it only reports whether the value fits.
func put(b array.Builder, t types.Type, raw []byte) bool {
	v, err := scanValue(raw, 0, 0)
	if err != nil {
		return false
	}
	if v.kind == 'n' {
		if b != nil {
			b.AppendNull()
		}
		return true
	}
	switch t.Kind {
	case types.List:
		return v.kind == '[' && putList(b, t, raw)
	case types.Struct:
		return v.kind == '{' && putStruct(b, t, raw)
	case types.Bytes:
		return add(b, text.UnescapeBytes(nil, v.text(raw)), true, (*array.BinaryViewBuilder).Append)
	case types.Null, types.String:
		return add(b, string(v.text(raw)), true, (*array.StringViewBuilder).Append)
	}
	return putScalar(b, t, v.text(raw))
}

// add appends v if it was read well and there is a builder.
func add[B array.Builder, T any](b array.Builder, v T, ok bool, appendTo func(B, T)) bool {
	if ok && b != nil {
		appendTo(b.(B), v)
	}
	return ok
}

func putScalar(b array.Builder, t types.Type, s []byte) bool {
	switch t.Kind {
	case types.Bool:
		v, ok := text.ParseBoolLoose(s)
		return add(b, v, ok, (*array.BooleanBuilder).Append)
	case types.Int8:
		v, ok := text.ParseInt(s)
		return add(b, int8(v), ok && v == int64(int8(v)), (*array.Int8Builder).Append)
	case types.Int16:
		v, ok := text.ParseInt(s)
		return add(b, int16(v), ok && v == int64(int16(v)), (*array.Int16Builder).Append)
	case types.Int32:
		v, ok := text.ParseInt(s)
		return add(b, int32(v), ok && v == int64(int32(v)), (*array.Int32Builder).Append)
	case types.Int64:
		v, ok := text.ParseInt(s)
		return add(b, v, ok, (*array.Int64Builder).Append)
	case types.Float32:
		v, ok := text.ParseFloat(s)
		return add(b, float32(v), ok, (*array.Float32Builder).Append)
	case types.Float64:
		v, ok := text.ParseFloat(s)
		return add(b, v, ok, (*array.Float64Builder).Append)
	case types.Decimal:
		v, ok := text.ParseDecimal(s, t.Precision, t.Scale)
		return add(b, v, ok, func(b *array.Decimal128Builder, v decimal128.Num) { b.Append(v) })
	case types.Date:
		v, ok := text.ParseLongDate(s)
		return add(b, v, ok, (*array.Date32Builder).Append)
	case types.Timestamp:
		v, ok := text.ParseTimestampOrDate(s)
		return add(b, v, ok, (*array.TimestampBuilder).Append)
	case types.Interval:
		v, ok := text.ParseInterval(s)
		return add(b, v, ok, (*array.MonthDayNanoIntervalBuilder).Append)
	}
	return false
}

func putList(b array.Builder, t types.Type, raw []byte) bool {
	var elems array.Builder
	if b != nil {
		list := b.(*array.ListBuilder)
		list.Append(true)
		elems = list.ValueBuilder()
	}
	fits := true
	_, _ = scanArray(raw, 0, 0, func(v token) { // the line was checked before
		fits = fits && put(elems, *t.Elem, raw[v.start:v.end])
	})
	return fits
}

// absent stands for a key that an object lacks.
var absent = []byte("null")

func putStruct(b array.Builder, t types.Type, raw []byte) bool {
	values := make([][]byte, len(t.Fields))
	_, _ = scanObject(raw, 0, 0, func(k, v token) { // the line was checked before
		name := k.text(raw)
		for i, f := range t.Fields {
			if string(name) == f.Name {
				values[i] = raw[v.start:v.end]
			}
		}
	})
	if b != nil {
		b.(*array.StructBuilder).Append(true)
	}
	for i, f := range t.Fields {
		v := values[i]
		if v == nil {
			v = absent
		}
		var field array.Builder
		if b != nil {
			field = b.(*array.StructBuilder).FieldBuilder(i)
		}
		if !put(field, f.Type, v) {
			return false
		}
	}
	return true
}
