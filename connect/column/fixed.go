package column

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/text"
	"github.com/rainsql/rainsql/expr/types"
)

// newConverter returns the converter of a type that is not nested. The type of
// NULL is read as STRING.
func newConverter(alloc memory.Allocator, t types.Type, ordinal int) Converter {
	switch t.Kind {
	case types.Bool:
		return &boolColumn{parsed[uint8]{vector: newVector[uint8](alloc, ordinal), parse: parseBool}}
	case types.Int8:
		return newParsed(alloc, ordinal, t, parseSmallInt[int8])
	case types.Int16:
		return newParsed(alloc, ordinal, t, parseSmallInt[int16])
	case types.Int32:
		return newParsed(alloc, ordinal, t, parseSmallInt[int32])
	case types.Int64:
		return &intColumn{newVector[int64](alloc, ordinal)}
	case types.Float32:
		return newParsed(alloc, ordinal, t, parseFloat32)
	case types.Float64:
		return &floatColumn{newVector[float64](alloc, ordinal)}
	case types.Decimal:
		return newParsed(alloc, ordinal, t, func(b []byte) (decimal128.Num, bool) {
			return text.ParseDecimal(b, t.Precision, t.Scale)
		})
	case types.Date:
		return newParsed(alloc, ordinal, t, text.ParseLongDate)
	case types.Timestamp:
		return newParsed(alloc, ordinal, t, text.ParseTimestampOrDate)
	case types.Interval:
		return newParsed(alloc, ordinal, t, text.ParseInterval)
	case types.Bytes:
		return &viewColumn{vector: newVector[view](alloc, ordinal), dt: arrow.BinaryTypes.BinaryView}
	}
	return &viewColumn{vector: newVector[view](alloc, ordinal), dt: arrow.BinaryTypes.StringView, utf8: true}
}

// intColumn is the INT column: the commonest, so its loop calls nothing indirect.
type intColumn struct{ vector[int64] }

func (c *intColumn) Convert(t *Text, spans []Span, at int) int {
	vals := c.vals[at : at+len(spans)]
	for i, s := range spans {
		if s.Kind() == Null {
			c.setNull(at + i)
			continue
		}
		v, ok := text.ParseInt(t.value(s))
		if !ok {
			return i
		}
		vals[i] = v
	}
	return -1
}

func (c *intColumn) Finish(_ *Text, rows int) arrow.Array {
	return c.finish(arrow.PrimitiveTypes.Int64, rows)
}

// floatColumn is the FLOAT column.
type floatColumn struct{ vector[float64] }

func (c *floatColumn) Convert(t *Text, spans []Span, at int) int {
	vals := c.vals[at : at+len(spans)]
	for i, s := range spans {
		if s.Kind() == Null {
			c.setNull(at + i)
			continue
		}
		v, ok := text.ParseFloat(t.value(s))
		if !ok {
			return i
		}
		vals[i] = v
	}
	return -1
}

func (c *floatColumn) Finish(_ *Text, rows int) arrow.Array {
	return c.finish(arrow.PrimitiveTypes.Float64, rows)
}

// parsed is a column of any other fixed width.
type parsed[T any] struct {
	vector[T]
	dt    arrow.DataType
	parse func([]byte) (T, bool)
}

func newParsed[T any](alloc memory.Allocator, ordinal int, t types.Type, parse func([]byte) (T, bool)) *parsed[T] {
	return &parsed[T]{newVector[T](alloc, ordinal), t.Arrow(), parse}
}

func (c *parsed[T]) Convert(t *Text, spans []Span, at int) int {
	for i, s := range spans {
		if s.Kind() == Null {
			c.setNull(at + i)
			continue
		}
		v, ok := c.parse(t.value(s))
		if !ok {
			return i
		}
		c.vals[at+i] = v
	}
	return -1
}

func (c *parsed[T]) Finish(_ *Text, rows int) arrow.Array { return c.finish(c.dt, rows) }

func parseSmallInt[T int8 | int16 | int32](b []byte) (T, bool) {
	v, ok := text.ParseInt(b)
	return T(v), ok && int64(T(v)) == v
}

func parseFloat32(b []byte) (float32, bool) {
	v, ok := text.ParseFloat(b)
	f := float32(v)
	return f, ok && (!math.IsInf(float64(f), 0) || math.IsInf(v, 0))
}

func parseBool(b []byte) (uint8, bool) {
	v, ok := text.ParseBoolLoose(b)
	if v {
		return 1, ok
	}
	return 0, ok
}

// boolColumn parses into bytes and packs them into bits in the end.
type boolColumn struct{ parsed[uint8] }

func (c *boolColumn) Finish(_ *Text, rows int) arrow.Array {
	if c.buf == nil {
		c.Reserve(1)
	}
	bits := allocate(c.alloc, (rows+63)/64*8, 0)
	defer bits.Release()
	packed := bits.Bytes()
	clear(packed)
	for i, v := range c.vals[:rows] {
		packed[i>>3] |= v << (i & 7)
	}
	bitmap := c.bitmap
	if c.nulls == 0 {
		bitmap = nil
	}
	data := array.NewData(arrow.FixedWidthTypes.Boolean, rows, []*memory.Buffer{bitmap, bits}, nil, c.nulls, 0)
	defer data.Release()
	c.Release()
	return array.MakeFromData(data)
}
