package expr

import (
	"fmt"
	"math"
	"math/bits"
	"math/rand/v2"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

func numberFunctions() []*entry {
	return append([]*entry{
		fn("abs", "the number without its sign", "abs(-3)", "3").
			onFail("INT -> INT", try1(intIn, intOut, func(x int64) (int64, error) {
				if x < 0 {
					return negInt(x)
				}
				return x, nil
			})).
			on("DECIMAL -> DECIMAL", decimalMap(decimal128.Num.Abs)).
			on("FLOAT -> FLOAT", floatMap(math.Abs)),
		fn("sign", "-1, 0 or 1", "sign(-3)", "-1").
			on("INT -> INT", map1(intIn, intOut, func(x int64) int64 { return int64(cmpZero(x > 0, x < 0)) })).
			on("DECIMAL -> INT", map1(fixedIn[decimal128.Num], intOut, func(x decimal128.Num) int64 { return int64(x.Sign()) })).
			on("FLOAT -> INT", map1(floatIn, intOut, func(x float64) int64 { return int64(cmpZero(x > 0, x < 0)) })),
		wholeEntry("ceil", "the least whole number that is not below", "ceil(1.2)", "2", ceilDecimal, math.Ceil).alias("ceiling"),
		wholeEntry("floor", "the greatest whole number that is not above", "floor(-1.2)", "-2", floorDecimal, math.Floor),
		wholeEntry("trunc", "the number without its fraction", "trunc(-1.7)", "-1", truncDecimal, math.Trunc),
		wholeEntry("round", "rounded, half away from zero, to so many digits after the point", "round(2.345, 2)", "2.35", nearDecimal, math.Round).
			on("FLOAT, INT -> FLOAT", map2(floatIn, intIn, floatOut, roundFloat)).
			onFail("INT, INT -> INT", try2(intIn, intIn, intOut, roundInt)).
			onFail("DECIMAL, INT -> DECIMAL", roundDecimalTo).typing(roundedType),
		floatEntry("sqrt", "square root", "sqrt(2.25)", "1.5", notNegative(math.Sqrt, "square root")),
		mathEntry("cbrt", "cube root", "cbrt(27)", "3.0", math.Cbrt),
		mathEntry("exp", "e to the power of the argument", "exp(0)", "1.0", math.Exp),
		floatEntry("ln", "natural logarithm", "ln(1)", "0.0", positive(ln)),
		floatEntry("log10", "logarithm to base 10", "log(1000)", "3.0", positive(log10)).alias("log").
			onFail("FLOAT, FLOAT -> FLOAT", try2(floatIn, floatIn, floatOut, logBase)),
		floatEntry("log2", "logarithm to base 2", "log2(8)", "3.0", positive(math.Log2)),
		fn("pow", "the first to the power of the second", "pow(2, 10)", "1024.0").alias("power").
			on("FLOAT, FLOAT -> FLOAT", map2(floatIn, floatIn, floatOut, math.Pow)),
		fn("pi", "3.14159…", "round(pi(), 4)", "3.1416").on(" -> FLOAT", constantKernel(math.Pi)),
		mathEntry("sin", "sine of radians", "sin(0)", "0.0", math.Sin),
		mathEntry("cos", "cosine of radians", "cos(0)", "1.0", math.Cos),
		mathEntry("tan", "tangent of radians", "tan(0)", "0.0", math.Tan),
		floatEntry("asin", "arc sine, in radians", "asin(0)", "0.0", within1(math.Asin)),
		floatEntry("acos", "arc cosine, in radians", "acos(1)", "0.0", within1(math.Acos)),
		mathEntry("atan", "arc tangent, in radians", "atan(0)", "0.0", math.Atan),
		fn("atan2", "the angle of the point (second, first), in radians", "atan2(0, 1)", "0.0").
			on("FLOAT, FLOAT -> FLOAT", map2(floatIn, floatIn, floatOut, math.Atan2)),
		mathEntry("sinh", "hyperbolic sine", "sinh(0)", "0.0", math.Sinh),
		mathEntry("cosh", "hyperbolic cosine", "cosh(0)", "1.0", math.Cosh),
		mathEntry("tanh", "hyperbolic tangent", "tanh(0)", "0.0", math.Tanh),
		mathEntry("degrees", "radians in degrees", "degrees(0)", "0.0", func(x float64) float64 { return x * 180 / math.Pi }),
		mathEntry("radians", "degrees in radians", "radians(0)", "0.0", func(x float64) float64 { return x * math.Pi / 180 }),
		fn("isnan", "whether it is NaN", "isnan('nan'::FLOAT)", "true").on("FLOAT -> BOOL", map1(floatIn, boolOut, math.IsNaN)),
		fn("isinf", "whether it is infinite", "isinf(1 / 0)", "true").on("FLOAT -> BOOL", map1(floatIn, boolOut, func(x float64) bool { return math.IsInf(x, 0) })),
		fn("isfinite", "whether it is neither infinite nor NaN", "isfinite(1.5)", "true").
			on("FLOAT -> BOOL", map1(floatIn, boolOut, func(x float64) bool { return !math.IsInf(x, 0) && !math.IsNaN(x) })),
		fn("gcd", "greatest common divisor", "gcd(12, 18)", "6").onFail("INT, INT -> INT", try2(intIn, intIn, intOut, gcd)),
	}, randomEntry())
}

func cmpZero(above, below bool) int {
	switch {
	case above:
		return 1
	case below:
		return -1
	}
	return 0
}

func floatMap(f func(float64) float64) kernel { return map1(floatIn, floatOut, f) }

func mathEntry(name, description, example, result string, f func(float64) float64) *entry {
	return fn(name, description, example, result).on("FLOAT -> FLOAT", floatMap(f))
}

func floatEntry(name, description, example, result string, f func(float64) (float64, error)) *entry {
	return fn(name, description, example, result).onFail("FLOAT -> FLOAT", try1(floatIn, floatOut, f))
}

// wholeEntry is a function that rounds to whole numbers, each type in its own.
func wholeEntry(name, description, example, result string, dec func(decimal128.Num, int, bool) decimal128.Num, f func(float64) float64) *entry {
	return fn(name, description, example, result).
		on("INT -> INT", map1(intIn, intOut, func(x int64) int64 { return x })).
		onType("DECIMAL -> DECIMAL", wholeDecimal, false, roundDecimal(dec)).
		on("FLOAT -> FLOAT", floatMap(f))
}

func notNegative(f func(float64) float64, what string) func(float64) (float64, error) {
	return func(x float64) (float64, error) {
		if x < 0 {
			return 0, fmt.Errorf("no %s of the negative number %v", what, x)
		}
		return f(x), nil
	}
}

// ln is math.Log, which on amd64 is wrong for subnormal numbers.
func ln(x float64) float64 {
	const smallestNormal, up = 0x1p-1022, 54
	if x < smallestNormal {
		return math.Log(math.Ldexp(x, up)) - up*math.Ln2
	}
	return math.Log(x)
}

func log10(x float64) float64 {
	if x < 0x1p-1022 {
		return ln(x) / math.Ln10
	}
	return math.Log10(x)
}

func positive(f func(float64) float64) func(float64) (float64, error) {
	return func(x float64) (float64, error) {
		if x <= 0 {
			return 0, fmt.Errorf("no logarithm of %v: it takes numbers above zero", x)
		}
		return f(x), nil
	}
}

func within1(f func(float64) float64) func(float64) (float64, error) {
	return func(x float64) (float64, error) {
		if x < -1 || x > 1 {
			return 0, fmt.Errorf("%v is outside -1 to 1", x)
		}
		return f(x), nil
	}
}

func logBase(base, x float64) (float64, error) {
	if base <= 0 || x <= 0 || base == 1 {
		return 0, fmt.Errorf("no logarithm of %v to base %v", x, base)
	}
	return ln(x) / ln(base), nil
}

func roundFloat(x float64, digits int64) float64 {
	if digits > 300 || math.IsInf(x, 0) || math.IsNaN(x) {
		return x
	}
	if digits < -308 {
		return 0
	}
	p := math.Pow(10, math.Abs(float64(digits)))
	if digits < 0 {
		return math.Round(x/p) * p
	}
	if r := math.Round(x*p) / p; !math.IsInf(r, 0) && !math.IsNaN(r) {
		return r
	}
	return x
}

func roundInt(x, digits int64) (int64, error) {
	if digits >= 0 {
		return x, nil
	}
	if digits < -18 {
		return 0, nil
	}
	unit := int64(1)
	for range -digits {
		unit *= 10
	}
	rest := x % unit
	x -= rest
	if absInt(rest) < uint64(unit)/2 {
		return x, nil
	}
	if rest < 0 {
		unit = -unit
	}
	r, ok := addInts(x, unit)
	if !ok {
		return 0, errOverflow
	}
	return r, nil
}

// roundedType is the type of a DECIMAL rounded to so many digits: with a
// constant that is all the digits it keeps.
func roundedType(args []Expr) (types.Type, error) {
	t := args[0].Type()
	l, ok := args[1].(*Literal)
	if !ok {
		return types.DecimalOf(t.Precision+1, t.Scale), nil
	}
	if n, ok := l.Value.(int64); ok && n < int64(t.Scale) {
		scale := int(max(n, 0))
		return types.DecimalOf(t.Precision-t.Scale+scale+1, scale), nil
	}
	return t, nil
}

func roundDecimalTo(c *call) (arrow.Array, error) {
	x, n, scale := fixedIn[decimal128.Num](c.args[0]), intIn(c.args[1]), scaleOf(c.args[0].arr)
	return rows(c, fixedOut[decimal128.Num](c), func(i int) (decimal128.Num, error) {
		v, digits, ok := x(i), n(i), true
		switch drop := int64(scale) - max(digits, -types.MaxPrecision); {
		case digits >= int64(scale):
			v, ok = rescale(v, scale, c.t.Scale, c.t.Precision)
		case drop > types.MaxPrecision:
			v = decimal128.Num{}
		default:
			v, ok = rescale(v.ReduceScaleBy(int32(drop), true), scale-int(drop), c.t.Scale, c.t.Precision)
		}
		if !ok {
			return v, fmt.Errorf("the rounded number does not fit %s", c.t)
		}
		return v, nil
	})
}

func gcd(a, b int64) (int64, error) {
	x, y := absInt(a), absInt(b)
	for y != 0 {
		x, y = y, x%y
	}
	if x > math.MaxInt64 {
		return 0, errOverflow
	}
	return int64(x), nil
}

func constantKernel(v float64) kernel {
	return func(c *call) (arrow.Array, error) {
		b := vec.NewFixed[float64](c.mem, c.t.Arrow(), c.n)
		for i := range b.Values {
			b.Values[i] = v
		}
		return b.Finish(), nil
	}
}

func randomEntry() *entry {
	e := fn("random", "a number from 0 up to 1, another in each row", "random() < 1", "true").on(" -> FLOAT", func(c *call) (arrow.Array, error) {
		b := vec.NewFixed[float64](c.mem, c.t.Arrow(), c.n)
		for i := range b.Values {
			b.Values[i] = rand.Float64()
		}
		return b.Finish(), nil
	})
	e.Volatile = true
	return e
}

func bitFunctions() []*entry {
	pairwise := func(f func(x, y int64) int64) kernel { return map2(intIn, intIn, intOut, f) }
	return []*entry{
		fn("xor", "bits set in one of both", "xor(6, 3)", "5").on("INT, INT -> INT", pairwise(func(x, y int64) int64 { return x ^ y })),
		fn("bit_count", "how many bits are set", "bit_count(7)", "3").on("INT -> INT", map1(intIn, intOut, func(x int64) int64 { return int64(bits.OnesCount64(uint64(x))) })),
	}
}
