// Package val is the values of both engines in one form, so that they can be
// compared, written as literals of both languages and generated.
//
// A value is nil (NULL), bool, int64, float64, Dec, string, Bytes, Date,
// Time, Span, []any (a LIST) or Row (a STRUCT).
package val

import (
	"cmp"
	"fmt"
	"math"
	"math/big"
	"slices"
	"strings"
)

// Dec is an exact decimal: Unscaled / 10^Scale.
type Dec struct {
	Unscaled *big.Int
	Scale    int
}

// Bytes is a value of type BYTES.
type Bytes string

// Date is a day, counted from 1970-01-01.
type Date int32

// Time is a moment in microseconds since 1970, UTC.
type Time int64

// Span is an INTERVAL: its three parts are kept apart.
type Span struct {
	Months, Days int32
	Micros       int64
}

// Row is a STRUCT: its fields in the order of their names' first appearance.
type Row struct {
	Names  []string
	Values []any
}

// rat returns the decimal as a fraction.
func (d Dec) rat() *big.Rat {
	den := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(d.Scale)), nil)
	return new(big.Rat).SetFrac(d.Unscaled, den)
}

// String prints the decimal with all its digits.
func (d Dec) String() string {
	s := new(big.Int).Abs(d.Unscaled).String()
	if d.Scale > 0 {
		if len(s) <= d.Scale {
			s = strings.Repeat("0", d.Scale-len(s)+1) + s
		}
		s = s[:len(s)-d.Scale] + "." + s[len(s)-d.Scale:]
	}
	if d.Unscaled.Sign() < 0 {
		s = "-" + s
	}
	return s
}

const (
	dayMicros   = 86_400_000_000
	monthMicros = 30 * dayMicros
)

// length is the interval with a month of 30 days and a day of 24 hours, as
// both engines compare intervals.
func (s Span) length() *big.Int {
	n := new(big.Int).Mul(big.NewInt(int64(s.Months)), big.NewInt(monthMicros))
	n.Add(n, new(big.Int).Mul(big.NewInt(int64(s.Days)), big.NewInt(dayMicros)))
	return n.Add(n, big.NewInt(s.Micros))
}

// rank orders kinds of values; NULL comes last.
func rank(v any) int {
	switch v.(type) {
	case bool:
		return 0
	case int64, float64, Dec:
		return 1
	case string:
		return 2
	case Bytes:
		return 3
	case Date:
		return 4
	case Time:
		return 5
	case Span:
		return 6
	case []any:
		return 7
	case Row:
		return 8
	}
	return 9
}

// Order orders two values totally: numbers by their value, NaN greatest.
// Values it holds equal need not be Equal.
func Order(a, b any) int {
	if c := cmp.Compare(rank(a), rank(b)); c != 0 {
		return c
	}
	switch a := a.(type) {
	case bool:
		return cmp.Compare(boolInt(a), boolInt(b.(bool)))
	case int64, float64, Dec:
		return orderNumbers(a, b)
	case string:
		return strings.Compare(a, b.(string))
	case Bytes:
		return strings.Compare(string(a), string(b.(Bytes)))
	case Date:
		return cmp.Compare(a, b.(Date))
	case Time:
		return cmp.Compare(a, b.(Time))
	case Span:
		if c := a.length().Cmp(b.(Span).length()); c != 0 {
			return c
		}
		o := b.(Span)
		return cmp.Or(cmp.Compare(a.Months, o.Months), cmp.Compare(a.Days, o.Days))
	case []any:
		return slices.CompareFunc(a, b.([]any), Order)
	case Row:
		return slices.CompareFunc(a.Values, b.(Row).Values, Order)
	}
	return 0
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}

func orderNumbers(a, b any) int {
	x, xInt := a.(int64)
	y, yInt := b.(int64)
	if xInt && yInt {
		return cmp.Compare(x, y)
	}
	f, fFloat := a.(float64)
	g, gFloat := b.(float64)
	if fFloat && gFloat {
		return orderFloats(f, g)
	}
	r, okR := number(a)
	s, okS := number(b)
	if !okR || !okS {
		return cmp.Compare(boolInt(okR), boolInt(okS))
	}
	return r.Cmp(s)
}

func orderFloats(f, g float64) int {
	switch {
	case math.IsNaN(f) && math.IsNaN(g):
		return 0
	case math.IsNaN(f):
		return 1
	case math.IsNaN(g):
		return -1
	}
	return cmp.Compare(f, g)
}

func number(v any) (*big.Rat, bool) {
	switch v := v.(type) {
	case int64:
		return new(big.Rat).SetInt64(v), true
	case float64:
		r := new(big.Rat)
		if r.SetFloat64(v) == nil {
			return nil, false
		}
		return r, true
	case Dec:
		return v.rat(), true
	}
	return nil, false
}

// Equal reports whether two values are the same: floats to 1e-9 of their size
// where inexact, else exactly; NaN equals NaN, -0.0 equals 0.0. Loose
// intervals are equal when they are equally long. Kinds must agree.
func Equal(a, b any, inexact, loose bool) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if fmt.Sprintf("%T", a) != fmt.Sprintf("%T", b) {
		return false
	}
	switch a := a.(type) {
	case float64:
		return sameFloat(a, b.(float64), inexact)
	case Time: // of interpolation, in the last microsecond
		d := a - b.(Time)
		return d == 0 || inexact && -1 <= d && d <= 1
	case Dec:
		o := b.(Dec)
		return a.Scale == o.Scale && a.Unscaled.Cmp(o.Unscaled) == 0
	case Span:
		return a == b.(Span) || loose && a.length().Cmp(b.(Span).length()) == 0
	case []any:
		return slices.EqualFunc(a, b.([]any), func(x, y any) bool { return Equal(x, y, inexact, loose) })
	case Row:
		o := b.(Row)
		return slices.Equal(a.Names, o.Names) && slices.EqualFunc(a.Values, o.Values, func(x, y any) bool { return Equal(x, y, inexact, loose) })
	}
	return a == b
}

func sameFloat(f, g float64, inexact bool) bool {
	if f == g || math.IsNaN(f) && math.IsNaN(g) {
		return true
	}
	return inexact && math.Abs(f-g) <= 1e-9*max(math.Abs(f), math.Abs(g), 1e-3)
}
