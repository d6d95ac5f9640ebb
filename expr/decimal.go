package expr

import (
	"fmt"
	"math"
	"math/big"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/rainsql/rainsql/expr/text"
	"github.com/rainsql/rainsql/expr/types"
)

// decimalSum is the type of a + b and a - b: room for a carry, as in DuckDB.
func decimalSum(args []types.Type) (types.Type, error) {
	a, b := args[0], args[1]
	scale := max(a.Scale, b.Scale)
	return types.DecimalOf(max(a.Precision-a.Scale, b.Precision-b.Scale)+scale+1, scale), nil
}

// decimalProduct is the type of a * b.
func decimalProduct(args []types.Type) (types.Type, error) {
	a, b := args[0], args[1]
	if a.Scale+b.Scale > types.MaxPrecision {
		return types.Type{}, fmt.Errorf("%s * %s needs %d digits after the point, and a DECIMAL has at most %d: CAST one to fewer, or to FLOAT",
			a, b, a.Scale+b.Scale, types.MaxPrecision)
	}
	return types.DecimalOf(a.Precision+b.Precision, a.Scale+b.Scale), nil
}

// decimalRest is the type of a % b.
func decimalRest(args []types.Type) (types.Type, error) {
	t, _ := types.Common(args[0], args[1])
	return t, nil
}

func isSmall(n decimal128.Num) bool { return n.HighBits() == int64(n.LowBits())>>63 }

// mulDecimals multiplies exactly; ok is false beyond 127 bits.
func mulDecimals(x, y decimal128.Num) (decimal128.Num, bool) {
	if isSmall(x) && isSmall(y) {
		a, b := int64(x.LowBits()), int64(y.LowBits())
		hi, lo := bits.Mul64(absInt(a), absInt(b))
		n := decimal128.New(int64(hi), lo)
		if (a < 0) != (b < 0) {
			n = n.Negate()
		}
		return n, true
	}
	return fromBig(new(big.Int).Mul(x.BigInt(), y.BigInt()))
}

func fromBig(v *big.Int) (decimal128.Num, bool) {
	if v.BitLen() > 127 {
		return decimal128.Num{}, false
	}
	return decimal128.FromBigInt(v), true
}

// addDecimals adds; ok is false beyond 127 bits.
func addDecimals(x, y decimal128.Num) (decimal128.Num, bool) {
	s := x.Add(y)
	return s, (x.HighBits()^s.HighBits())&(y.HighBits()^s.HighBits()) >= 0 && s != decimal128.New(math.MinInt64, 0)
}

// rescale changes the digits after the point, rounding half away from zero
// where they become fewer. ok is false if the value needs more than precision digits.
func rescale(x decimal128.Num, from, to, precision int) (decimal128.Num, bool) {
	ok := true
	switch {
	case to > from:
		x, ok = mulDecimals(x, decimal128.GetScaleMultiplier(to-from))
	case to < from:
		x = x.ReduceScaleBy(int32(from-to), true)
	}
	return x, ok && x.FitsInPrecision(int32(precision))
}

// decimalKernel makes a kernel of an exact operation. f sees both operands as
// they are, or with wide at the scale of the result; wide takes over where an
// operand does not fit 38 digits at that scale, though the result may.
func decimalKernel(sign string, f func(x, y decimal128.Num) (decimal128.Num, error), wide func(x, y *big.Int) (*big.Int, error)) kernel {
	return func(c *call) (arrow.Array, error) {
		x, y := fixedIn[decimal128.Num](c.args[0]), fixedIn[decimal128.Num](c.args[1])
		sx, sy := scaleOf(c.args[0].arr), scaleOf(c.args[1].arr)
		return rows(c, fixedOut[decimal128.Num](c), func(i int) (decimal128.Num, error) {
			p, q := x(i), y(i)
			okx, oky := true, true
			if wide != nil {
				p, okx = rescale(p, sx, c.t.Scale, types.MaxPrecision)
				q, oky = rescale(q, sy, c.t.Scale, types.MaxPrecision)
			}
			var z decimal128.Num
			var err error
			if okx && oky {
				z, err = f(p, q)
			} else if exact, wideErr := wide(scaledUp(x(i), c.t.Scale-sx), scaledUp(y(i), c.t.Scale-sy)); wideErr != nil {
				err = wideErr
			} else if small, ok := fromBig(exact); ok {
				z = small
			} else {
				z = noDecimal
			}
			if err != nil || z.FitsInPrecision(int32(c.t.Precision)) {
				return z, err
			}
			return p, fmt.Errorf("%s %s %s: the result does not fit %s: CAST an operand to FLOAT",
				text.AppendDecimal(nil, x(i), sx), sign, text.AppendDecimal(nil, y(i), sy), c.t)
		})
	}
}

// scaledUp is x with so many digits more after the point.
func scaledUp(x decimal128.Num, digits int) *big.Int {
	v := x.BigInt()
	return v.Mul(v, decimal128.GetScaleMultiplier(digits).BigInt())
}

func addBig(x, y *big.Int) (*big.Int, error) { return x.Add(x, y), nil }
func subBig(x, y *big.Int) (*big.Int, error) { return x.Sub(x, y), nil }
func modBig(x, y *big.Int) (*big.Int, error) {
	if y.Sign() == 0 {
		return nil, errZeroDivision
	}
	return x.Rem(x, y), nil
}

func scaleOf(a arrow.Array) int { return int(a.DataType().(*arrow.Decimal128Type).Scale) }

// noDecimal stands for a result beyond every precision: it fits none.
var noDecimal = decimal128.New(math.MaxInt64, math.MaxUint64)

func addDecimal(x, y decimal128.Num) (decimal128.Num, error) {
	if z, ok := addDecimals(x, y); ok {
		return z, nil
	}
	return noDecimal, nil
}

func subDecimal(x, y decimal128.Num) (decimal128.Num, error) { return addDecimal(x, y.Negate()) }

func mulDecimal(x, y decimal128.Num) (decimal128.Num, error) {
	if z, ok := mulDecimals(x, y); ok {
		return z, nil
	}
	return noDecimal, nil
}

func modDecimal(x, y decimal128.Num) (decimal128.Num, error) {
	if y.Sign() == 0 {
		return x, errZeroDivision
	}
	_, rest := x.Div(y)
	return rest, nil
}

// decimalMap makes a kernel of a function of one DECIMAL that keeps its scale.
func decimalMap(f func(decimal128.Num) decimal128.Num) kernel {
	return map1(fixedIn[decimal128.Num], fixedOut[decimal128.Num], f)
}

// roundDecimal makes a kernel that drops the fraction, by the given rule, to
// DECIMAL(p, 0).
func roundDecimal(rule func(whole decimal128.Num, rest int, half bool) decimal128.Num) kernel {
	return func(c *call) (arrow.Array, error) {
		x := fixedIn[decimal128.Num](c.args[0])
		scale := scaleOf(c.args[0].arr)
		unit := decimal128.GetScaleMultiplier(scale)
		half := decimal128.GetHalfScaleMultiplier(scale)
		return rows(c, fixedOut[decimal128.Num](c), func(i int) (decimal128.Num, error) {
			if scale == 0 {
				return x(i), nil
			}
			q, r := x(i).Div(unit)
			return rule(q, r.Sign(), !r.Abs().Less(half)), nil
		})
	}
}

// wholeDecimal is DECIMAL(p-s+1, 0): rounding up may need a digit more.
func wholeDecimal(args []types.Type) (types.Type, error) {
	t := args[0]
	if t.Scale == 0 {
		return t, nil
	}
	return types.DecimalOf(t.Precision-t.Scale+1, 0), nil
}

func ceilDecimal(q decimal128.Num, rest int, _ bool) decimal128.Num {
	if rest > 0 {
		return q.Add(decimal128.FromI64(1))
	}
	return q
}

func floorDecimal(q decimal128.Num, rest int, _ bool) decimal128.Num {
	if rest < 0 {
		return q.Sub(decimal128.FromI64(1))
	}
	return q
}

func truncDecimal(q decimal128.Num, _ int, _ bool) decimal128.Num { return q }

func nearDecimal(q decimal128.Num, rest int, half bool) decimal128.Num {
	if half {
		return q.Add(decimal128.FromI64(int64(rest)))
	}
	return q
}

// decimalToFloat is the FLOAT nearest to x.
func decimalToFloat(x decimal128.Num, scale int) float64 {
	if isSmall(x) && scale <= 22 && absInt(int64(x.LowBits())) <= 1<<53 {
		return float64(int64(x.LowBits())) / pow10[scale] // both exact: one rounding
	}
	v, ok := text.ParseFloat(text.AppendDecimal(nil, x, scale))
	if !ok {
		return x.ToFloat64(int32(scale))
	}
	return v
}

var pow10 = [...]float64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
}

// floatToDecimal rounds half away from zero at the scale of t.
func floatToDecimal(x float64, t types.Type) (decimal128.Num, bool) {
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return decimal128.Num{}, false
	}
	// As DuckDB does: scaled in FLOAT, then rounded half away from zero. Beyond
	// what FLOAT counts exactly the digits that it prints as decide.
	if scaled := math.Round(x * math.Pow10(t.Scale)); math.Abs(scaled) < 1<<53 {
		d := decimal128.FromI64(int64(scaled))
		return d, d.FitsInPrecision(int32(t.Precision))
	}
	return text.ParseDecimal(text.AppendFloat(nil, x), t.Precision, t.Scale)
}
