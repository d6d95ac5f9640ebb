package parquet

import (
	"bytes"
	"cmp"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/expr/vec"
)

// restrict clears keep where a row does not fulfil the condition. A condition
// that it cannot judge leaves all rows.
func restrict(a arrow.Array, c connect.Condition, keep []bool) {
	valid := vec.ValidityOf(a)
	if c.Op == connect.IsNull || c.Op == connect.NotNull {
		for i := range keep {
			keep[i] = keep[i] && valid.Null(i) == (c.Op == connect.IsNull)
		}
		return
	}
	test := rowTest(a, c)
	if test == nil {
		return
	}
	for i := range keep {
		keep[i] = keep[i] && !valid.Null(i) && test(i)
	}
}

// rowTest returns a test of rows that are not NULL, or nil.
func rowTest(a arrow.Array, c connect.Condition) func(i int) bool {
	switch want := c.Value.(type) {
	case int64:
		switch a.DataType().ID() {
		case arrow.INT8:
			return ordered(vec.Values[int8](a), c.Op, want, func(v int8) int64 { return int64(v) })
		case arrow.INT16:
			return ordered(vec.Values[int16](a), c.Op, want, func(v int16) int64 { return int64(v) })
		case arrow.INT32, arrow.DATE32:
			return ordered(vec.Values[int32](a), c.Op, want, func(v int32) int64 { return int64(v) })
		case arrow.INT64, arrow.TIMESTAMP:
			return ordered(vec.Values[int64](a), c.Op, want, func(v int64) int64 { return v })
		}
	case float64:
		switch a.DataType().ID() {
		case arrow.FLOAT32:
			v := vec.Values[float32](a)
			return func(i int) bool { return holds(c.Op, compareFloats(float64(v[i]), want)) }
		case arrow.FLOAT64:
			v := vec.Values[float64](a)
			return func(i int) bool { return holds(c.Op, compareFloats(v[i], want)) }
		}
	case string:
		return textTest(a, c.Op, []byte(want))
	case decimal128.Num:
		if a.DataType().ID() == arrow.DECIMAL128 {
			v := vec.Values[decimal128.Num](a)
			return func(i int) bool { return holds(c.Op, v[i].Cmp(want)) }
		}
	case bool:
		if a.DataType().ID() == arrow.BOOL {
			v := vec.BoolsOf(a)
			return func(i int) bool { return holds(c.Op, cmp.Compare(b2i(v.At(i)), b2i(want))) }
		}
	}
	return nil
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func ordered[T any](vals []T, op connect.Comparison, want int64, widen func(T) int64) func(i int) bool {
	return func(i int) bool { return holds(op, cmp.Compare(widen(vals[i]), want)) }
}

// textTest judges each value of a dictionary once.
func textTest(a arrow.Array, op connect.Comparison, want []byte) func(i int) bool {
	if !vec.IsText(a.DataType()) {
		return nil
	}
	if d, ok := a.(*array.Dictionary); ok {
		one := textTest(d.Dictionary(), op, want)
		table := make([]bool, d.Dictionary().Len())
		for i := range table {
			table[i] = one(i)
		}
		codes := vec.Codes(d)
		return func(i int) bool { return table[codes[i]] }
	}
	r := vec.Strings(a)
	return func(i int) bool { return holds(op, bytes.Compare(r.At(i), want)) }
}

// holds reports whether a comparison that came out as c (as of cmp.Compare) fulfils op.
func holds(op connect.Comparison, c int) bool {
	switch op {
	case connect.Equal:
		return c == 0
	case connect.Less:
		return c < 0
	case connect.LessEqual:
		return c <= 0
	case connect.Greater:
		return c > 0
	case connect.GreaterEqual:
		return c >= 0
	}
	return true
}

// compareFloats orders as the language does: NaN is the greatest and equals itself.
func compareFloats(a, b float64) int {
	switch nan := math.IsNaN(a); {
	case nan && math.IsNaN(b):
		return 0
	case nan:
		return 1
	case math.IsNaN(b):
		return -1
	}
	return cmp.Compare(a, b)
}
