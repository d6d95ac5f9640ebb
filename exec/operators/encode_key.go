package operators

import (
	"encoding/binary"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/rainsql/rainsql/expr/vec"
)

// encodedColumn writes the values of one key column: a byte for NULL or not,
// then the value. Text is preceded by its length, unless it comes last.
type encodedColumn struct {
	null  vec.Validity
	fixed func(i int) uint64           // values of 64 bits
	wide  func(i int) (uint64, uint64) // values of 128 bits
	text  *vec.StringReader            // text
	rows  *nestedRows                  // nested values
	last  bool
}

func newEncodedColumn(a arrow.Array, last bool) encodedColumn {
	c := encodedColumn{null: vec.ValidityOf(a), last: last}
	switch a.DataType().ID() {
	case arrow.BOOL:
		b := vec.BoolsOf(a)
		c.fixed = func(i int) uint64 {
			if b.At(i) {
				return 1
			}
			return 0
		}
	case arrow.INT8:
		c.fixed = integers(vec.Values[int8](a))
	case arrow.INT16:
		c.fixed = integers(vec.Values[int16](a))
	case arrow.INT32, arrow.DATE32:
		c.fixed = integers(vec.Values[int32](a))
	case arrow.INT64, arrow.TIMESTAMP:
		c.fixed = integers(vec.Values[int64](a))
	case arrow.FLOAT32:
		v := vec.Values[float32](a)
		c.fixed = func(i int) uint64 { return floatBits(float64(v[i])) }
	case arrow.FLOAT64:
		v := vec.Values[float64](a)
		c.fixed = func(i int) uint64 { return floatBits(v[i]) }
	case arrow.DECIMAL128:
		v := vec.Values[decimal128.Num](a)
		c.wide = func(i int) (uint64, uint64) { return uint64(v[i].HighBits()), v[i].LowBits() }
	case arrow.INTERVAL_MONTH_DAY_NANO:
		v := vec.Values[arrow.MonthDayNanoInterval](a)
		c.wide = func(i int) (uint64, uint64) { return intervalKey(v[i]) }
	case arrow.NULL:
		c.fixed = func(int) uint64 { return 0 }
	case arrow.LIST, arrow.STRUCT:
		c.rows = encodeNested(a)
	default:
		r := vec.Strings(a)
		c.text = &r
	}
	return c
}

func integers[T int8 | int16 | int32 | int64](v []T) func(int) uint64 {
	return func(i int) uint64 { return uint64(int64(v[i])) }
}

// floatBits makes -0.0 and 0.0 alike, and every NaN.
func floatBits(f float64) uint64 {
	if f == 0 {
		return 0
	}
	if f != f {
		return math.Float64bits(math.NaN())
	}
	return math.Float64bits(f)
}

// intervalKey makes intervals alike that compare as equal: a month is 30 days,
// a day 24 hours.
func intervalKey(v arrow.MonthDayNanoInterval) (days, nanos uint64) {
	const day = 24 * 60 * 60 * 1_000_000_000
	d := int64(v.Months)*30 + int64(v.Days) + v.Nanoseconds/day
	n := v.Nanoseconds % day
	if n < 0 {
		n += day
		d--
	}
	return uint64(d), uint64(n)
}

func (c *encodedColumn) size(i int) int {
	switch {
	case c.null.Null(i):
		return 1
	case c.fixed != nil:
		return 9
	case c.wide != nil:
		return 17
	case c.text != nil:
		n := 1 + c.text.Len(i)
		if !c.last {
			n += 4
		}
		return n
	}
	return 5 + len(c.rows.at(i))
}

func (c *encodedColumn) put(dst []byte, i int) int {
	if c.null.Null(i) {
		dst[0] = 0
		return 1
	}
	dst[0] = 1
	switch {
	case c.fixed != nil:
		return 1 + put64(dst[1:], c.fixed(i))
	case c.wide != nil:
		hi, lo := c.wide(i)
		return 1 + put64(dst[1:], hi) + put64(dst[9:], lo)
	case c.text != nil:
		v := c.text.At(i)
		n := 1
		if !c.last {
			binary.LittleEndian.PutUint32(dst[1:], uint32(len(v)))
			n = 5
		}
		return n + copy(dst[n:], v)
	}
	v := c.rows.at(i)
	binary.LittleEndian.PutUint32(dst[1:], uint32(len(v)))
	return 5 + copy(dst[5:], v)
}
