package vec

import (
	"bytes"
	"cmp"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// Compare orders row i of a and row j of b, arrays of one logical type: -1, 0
// or 1. It is a total order: NULL comes last and equals itself, NaN is the
// greatest number, false precedes true, text goes by bytes, lists and structs
// element by element. It looks at the types each time: loops use Comparer.
func Compare(a arrow.Array, i int, b arrow.Array, j int) int { return Comparer(a, b)(i, j) }

// Equal reports whether the two rows are one group: NULL equals NULL, NaN NaN.
func Equal(a arrow.Array, i int, b arrow.Array, j int) bool { return Compare(a, i, b, j) == 0 }

// Comparer returns the comparison of Compare for rows of a with rows of b,
// arrays of one logical type. It borrows both and may be shared. Two arrays
// whose types cannot be compared are all equal.
func Comparer(a, b arrow.Array) func(i, j int) int {
	f := valueComparer(a, b)
	va, vb := ValidityOf(a), ValidityOf(b)
	if va.None() && vb.None() {
		return f
	}
	return func(i, j int) int {
		switch ni, nj := va.Null(i), vb.Null(j); {
		case ni && nj:
			return 0
		case ni:
			return 1
		case nj:
			return -1
		}
		return f(i, j)
	}
}

func valueComparer(a, b arrow.Array) func(i, j int) int {
	ida, idb := a.DataType().ID(), b.DataType().ID()
	if IsText(a.DataType()) && IsText(b.DataType()) {
		return textComparer(a, b)
	}
	if ida != idb {
		return func(int, int) int { return 0 } // only NULL beside something else
	}
	switch ida {
	case arrow.BOOL:
		x, y := BoolsOf(a), BoolsOf(b)
		return func(i, j int) int {
			switch p, q := x.At(i), y.At(j); {
			case p == q:
				return 0
			case q:
				return -1
			}
			return 1
		}
	case arrow.INT8:
		return ordered[int8](a, b)
	case arrow.INT16:
		return ordered[int16](a, b)
	case arrow.INT32, arrow.DATE32:
		return ordered[int32](a, b)
	case arrow.INT64, arrow.TIMESTAMP:
		return ordered[int64](a, b)
	case arrow.FLOAT32:
		return floats[float32](a, b)
	case arrow.FLOAT64:
		return floats[float64](a, b)
	case arrow.DECIMAL128:
		return decimalComparer(a, b)
	case arrow.INTERVAL_MONTH_DAY_NANO:
		x, y := Values[arrow.MonthDayNanoInterval](a), Values[arrow.MonthDayNanoInterval](b)
		return func(i, j int) int { return CompareIntervals(x[i], y[j]) }
	case arrow.LIST:
		return listComparer(a.(*array.List), b.(*array.List))
	case arrow.STRUCT:
		return structComparer(a.(*array.Struct), b.(*array.Struct))
	}
	return func(int, int) int { return 0 }
}

func ordered[T int8 | int16 | int32 | int64](a, b arrow.Array) func(i, j int) int {
	x, y := Values[T](a), Values[T](b)
	return func(i, j int) int { return cmp.Compare(x[i], y[j]) }
}

func floats[T float32 | float64](a, b arrow.Array) func(i, j int) int {
	x, y := Values[T](a), Values[T](b)
	return func(i, j int) int { return CompareFloats(float64(x[i]), float64(y[j])) }
}

// CompareFloats orders numbers with NaN equal to itself and above all others.
func CompareFloats(x, y float64) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	case x == y:
		return 0
	}
	switch nx, ny := math.IsNaN(x), math.IsNaN(y); {
	case nx && ny:
		return 0
	case nx:
		return 1
	}
	return -1
}

// CompareIntervals orders intervals by their length, a month being 30 days.
func CompareIntervals(x, y arrow.MonthDayNanoInterval) int {
	dx, nx := normalInterval(x)
	dy, ny := normalInterval(y)
	if c := cmp.Compare(dx, dy); c != 0 {
		return c
	}
	return cmp.Compare(nx, ny)
}

func decimalComparer(a, b arrow.Array) func(i, j int) int {
	x, y := Values[decimal128.Num](a), Values[decimal128.Num](b)
	sx, sy := a.DataType().(*arrow.Decimal128Type).Scale, b.DataType().(*arrow.Decimal128Type).Scale
	if sx == sy {
		return func(i, j int) int { return x[i].Cmp(y[j]) }
	}
	return func(i, j int) int { return CompareDecimals(x[i], sx, y[j], sy) }
}

// CompareDecimals orders two decimals of any scales exactly.
func CompareDecimals(x decimal128.Num, sx int32, y decimal128.Num, sy int32) int {
	if c := cmp.Compare(x.Sign(), y.Sign()); c != 0 || sx == sy {
		if c != 0 {
			return c
		}
		return x.Cmp(y)
	}
	bx, by := x.BigInt(), y.BigInt()
	if sx < sy {
		bx.Mul(bx, decimal128.GetScaleMultiplier(int(sy-sx)).BigInt())
	} else {
		by.Mul(by, decimal128.GetScaleMultiplier(int(sx-sy)).BigInt())
	}
	return bx.Cmp(by)
}

func textComparer(a, b arrow.Array) func(i, j int) int {
	x, y := Strings(a), Strings(b)
	if x.codes != nil && y.codes != nil {
		if SameValues(a.(*array.Dictionary).Dictionary(), b.(*array.Dictionary).Dictionary()) {
			return func(i, j int) int {
				if x.codes[i] == y.codes[j] {
					return 0
				}
				return bytes.Compare(x.At(i), y.At(j))
			}
		}
	}
	return func(i, j int) int { return bytes.Compare(x.At(i), y.At(j)) }
}

func listComparer(a, b *array.List) func(i, j int) int {
	f := Comparer(a.ListValues(), b.ListValues())
	return func(i, j int) int {
		x, xe := a.ValueOffsets(i)
		y, ye := b.ValueOffsets(j)
		for ; x < xe && y < ye; x, y = x+1, y+1 {
			if c := f(int(x), int(y)); c != 0 {
				return c
			}
		}
		return cmp.Compare(xe-x, ye-y)
	}
}

func structComparer(a, b *array.Struct) func(i, j int) int {
	fs := make([]func(i, j int) int, min(a.NumField(), b.NumField()))
	for k := range fs {
		fs[k] = Comparer(a.Field(k), b.Field(k))
	}
	return func(i, j int) int {
		for _, f := range fs {
			if c := f(i, j); c != 0 {
				return c
			}
		}
		return 0
	}
}

// Order is the direction of one sort key. NULLs come last unless NullsFirst,
// whatever Desc says.
type Order struct{ Desc, NullsFirst bool }

// NewComparator returns the order of rows by several keys: it compares row i of
// a with row j of b, column by column; a and b may be the same. It borrows the
// columns and may be shared.
func NewComparator(a, b []arrow.Array, orders []Order) func(i, j int) int {
	fs := make([]func(i, j int) int, len(orders))
	for k, o := range orders {
		fs[k] = keyComparer(a[k], b[k], o)
	}
	switch len(fs) {
	case 0:
		return func(int, int) int { return 0 }
	case 1:
		return fs[0]
	}
	return func(i, j int) int {
		for _, f := range fs {
			if c := f(i, j); c != 0 {
				return c
			}
		}
		return 0
	}
}

func keyComparer(a, b arrow.Array, o Order) func(i, j int) int {
	if !o.Desc && !o.NullsFirst {
		return Comparer(a, b)
	}
	f := valueComparer(a, b)
	if o.Desc {
		up := f
		f = func(i, j int) int { return -up(i, j) }
	}
	va, vb := ValidityOf(a), ValidityOf(b)
	if va.None() && vb.None() {
		return f
	}
	last := 1
	if o.NullsFirst {
		last = -1
	}
	return func(i, j int) int {
		switch ni, nj := va.Null(i), vb.Null(j); {
		case ni && nj:
			return 0
		case ni:
			return last
		case nj:
			return -last
		}
		return f(i, j)
	}
}
