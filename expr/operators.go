package expr

import (
	"errors"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/rainsql/rainsql/expr/vec"
)

// operators is the part of the table that has signs or keywords of its own.
func operators() []*entry {
	return append(append(arithmetic(), comparisons()...),
		fn("not", "true for false, false for true", "not true", "false").on("BOOL -> BOOL", notKernel),
		fn("||", "text, bytes or lists one after the other", "'rain' || 'sql'", "rainsql").
			on("STRING, STRING -> STRING", joinText).
			on("BYTES, BYTES -> BYTES", joinText).
			on("LIST<T>, LIST<T> -> LIST<T>", joinLists).
			on("STRING, any -> STRING", joinAny).on("any, STRING -> STRING", joinAny),
		likeEntry("like", "matches the whole text: % is any text, _ any one character", "'rain' like 'r%n'", "true", false),
		likeEntry("ilike", "like, without regard to case", "'RAIN' ilike 'r%n'", "true", true),
	)
}

func arithmetic() []*entry {
	return []*entry{
		fn("+", "sum; of a date or timestamp and an interval or days, the later moment", "1 + 2", "3").
			onFail("INT, INT -> INT", intKernel("+", addFast, addInts)).
			onType("DECIMAL, DECIMAL -> DECIMAL", decimalSum, true, decimalKernel("+", addDecimal, addBig)).
			on("FLOAT, FLOAT -> FLOAT", floatKernel(addFloats)).
			onFail("DATE, INT -> DATE", try2(dateIn, intIn, dateOut, addDays)).
			onFail("INT, DATE -> DATE", try2(intIn, dateIn, dateOut, swap(addDays))).
			onFail("TIMESTAMP, INTERVAL -> TIMESTAMP", try2(stampIn, intervalIn, stampOut, addInterval)).
			onFail("INTERVAL, TIMESTAMP -> TIMESTAMP", try2(intervalIn, stampIn, stampOut, swap(addInterval))).
			onFail("INTERVAL, INTERVAL -> INTERVAL", try2(intervalIn, intervalIn, intervalOut, sumIntervals)),
		fn("-", "difference; of dates in days, of timestamps as an interval", "5 - 2", "3").
			onFail("INT, INT -> INT", intKernel("-", subFast, subInts)).
			onType("DECIMAL, DECIMAL -> DECIMAL", decimalSum, true, decimalKernel("-", subDecimal, subBig)).
			on("FLOAT, FLOAT -> FLOAT", floatKernel(subFloats)).
			on("DATE, DATE -> INT", map2(dateIn, dateIn, intOut, func(a, b arrow.Date32) int64 { return int64(a) - int64(b) })).
			onFail("DATE, INT -> DATE", try2(dateIn, intIn, dateOut, func(d arrow.Date32, n int64) (arrow.Date32, error) {
				if n == math.MinInt64 {
					return 0, errDateRange
				}
				return addDays(d, -n)
			})).
			onFail("TIMESTAMP, TIMESTAMP -> INTERVAL", try2(stampIn, stampIn, intervalOut, between)).
			onFail("TIMESTAMP, INTERVAL -> TIMESTAMP", try2(stampIn, intervalIn, stampOut, subInterval)).
			onFail("INTERVAL, INTERVAL -> INTERVAL", try2(intervalIn, intervalIn, intervalOut, diffIntervals)).
			onFail("INT -> INT", try1(intIn, intOut, negInt)).
			on("DECIMAL -> DECIMAL", decimalMap(decimal128.Num.Negate)).
			on("FLOAT -> FLOAT", map1(floatIn, floatOut, func(x float64) float64 { return -x })).
			onFail("INTERVAL -> INTERVAL", try1(intervalIn, intervalOut, negInterval)),
		fn("*", "product", "6 * 7", "42").
			onFail("INT, INT -> INT", intKernel("*", mulFast, mulInts)).
			onType("DECIMAL, DECIMAL -> DECIMAL", decimalProduct, true, decimalKernel("*", mulDecimal, nil)).
			on("FLOAT, FLOAT -> FLOAT", floatKernel(mulFloats)).
			onFail("INTERVAL, INT -> INTERVAL", try2(intervalIn, intIn, intervalOut, mulInterval)).
			onFail("INT, INTERVAL -> INTERVAL", try2(intIn, intervalIn, intervalOut, swap(mulInterval))).
			onFail("INTERVAL, FLOAT -> INTERVAL", try2(intervalIn, floatIn, intervalOut, scaleInterval)).
			onFail("FLOAT, INTERVAL -> INTERVAL", try2(floatIn, intervalIn, intervalOut, swap(scaleInterval))),
		fn("/", "quotient as FLOAT; by zero inf, -inf or nan; of an interval, which fails by zero", "7 / 2", "3.5").
			on("FLOAT, FLOAT -> FLOAT", floatKernel(quoFloats)).
			onFail("INTERVAL, FLOAT -> INTERVAL", try2(intervalIn, floatIn, intervalOut, divideInterval)),
		fn("//", "quotient without its fraction; fails by zero", "7 // 2", "3").
			onFail("INT, INT -> INT", try2(intIn, intIn, intOut, divInts)).
			onFail("FLOAT, FLOAT -> FLOAT", try2(floatIn, floatIn, floatOut, divFloats)),
		fn("%", "remainder, with the sign of the first; fails by zero", "-7 % 3", "-1").alias("mod").
			onFail("INT, INT -> INT", try2(intIn, intIn, intOut, modInts)).
			onType("DECIMAL, DECIMAL -> DECIMAL", decimalRest, true, decimalKernel("%", modDecimal, modBig)).
			onFail("FLOAT, FLOAT -> FLOAT", try2(floatIn, floatIn, floatOut, modFloats)),
	}
}

// swap exchanges the arguments of f.
func swap[A, B, R any](f func(A, B) (R, error)) func(B, A) (R, error) {
	return func(b B, a A) (R, error) { return f(a, b) }
}

func comparisons() []*entry {
	compare := func(name, description, example, result string, alias ...string) *entry {
		k := compareKernel(compareOps[name])
		return fn(name, description, example, result).alias(alias...).
			on("DECIMAL, DECIMAL -> BOOL", k).on("T, T -> BOOL", k)
	}
	return []*entry{
		compare("=", "equal", "1 = 1.0", "true", "=="),
		compare("<>", "not equal", "'a' <> 'b'", "true", "!="),
		compare("<", "less", "1 < 2", "true"),
		compare("<=", "less or equal", "2 <= 2", "true"),
		compare(">", "greater; NaN is the greatest number", "2 > 1", "true"),
		compare(">=", "greater or equal", "'b' >= 'a'", "true"),
		fn("is_null", "x IS NULL", "is_null(NULL)", "true").onNulls("any -> BOOL", nullKernel(true)),
		fn("is_not_null", "x IS NOT NULL", "is_not_null(1)", "true").onNulls("any -> BOOL", nullKernel(false)),
		fn("is_distinct", "x IS DISTINCT FROM y: not equal, NULL being a value", "is_distinct(1, NULL)", "true").
			onNulls("T, T -> BOOL", distinctKernel(true)),
		fn("is_not_distinct", "x IS NOT DISTINCT FROM y: equal, NULL being a value", "is_not_distinct(NULL, NULL)", "true").
			onNulls("T, T -> BOOL", distinctKernel(false)),
	}
}

// joinText writes both parts at once, into the column.
func joinText(c *call) (arrow.Array, error) {
	x, y := bytesIn(c.args[0]), bytesIn(c.args[1])
	var buf []byte
	return rows(c, bytesOut(c), func(i int) ([]byte, error) {
		buf = append(append(buf[:0], x(i)...), y(i)...)
		return buf, nil
	})
}

func joinAny(c *call) (arrow.Array, error) {
	x, y := textOf(c.args[0]), textOf(c.args[1])
	var buf []byte
	return rows(c, bytesOut(c), func(i int) ([]byte, error) {
		buf = append(append(buf[:0], x(i)...), y(i)...)
		return buf, nil
	})
}

// conditionalFunctions are those that choose among their arguments.
func conditionalFunctions() []*entry {
	coalesce := fn("coalesce", "the first argument that is not NULL; later ones are not computed", "coalesce(NULL, 2, 3)", "2").
		alias("ifnull", "nvl").onNulls("T… -> T", nil)
	coalesce.lazy = true
	choose := fn("if", "the second argument where the first is true, else the third", "if(1 > 2, 'a', 'b')", "b").
		alias("iff").onNulls("BOOL, T, T -> T", nil)
	choose.lazy = true
	return []*entry{
		coalesce, choose,
		fn("nullif", "NULL where both are equal, else the first", "nullif(3, 3)", "NULL").onNulls("T, T -> T", nullIf),
		fn("greatest", "the greatest argument, NULLs aside", "greatest(1, 3, 2)", "3").onNulls("T… -> T", extremeKernel(1)),
		fn("least", "the least argument, NULLs aside", "least(1, 3, 2)", "1").onNulls("T… -> T", extremeKernel(-1)),
	}
}

func nullIf(c *call) (arrow.Array, error) {
	x, y := c.args[0], c.args[1]
	f, mx, my := vec.Comparer(x.arr, y.arr), x.mask(), y.mask()
	idx := make([]int32, c.n)
	for i := range idx {
		if idx[i] = int32(i & mx); f(i&mx, i&my) == 0 {
			idx[i] = -1
		}
	}
	return vec.Take(c.mem, x.arr, idx)
}

// extremeKernel keeps the greatest (sign 1) or least (-1) argument of each row.
func extremeKernel(sign int) kernel {
	return func(c *call) (arrow.Array, error) {
		parts := make([]arrow.Array, len(c.args))
		base, total := make([]int32, len(c.args)), int32(0)
		for k, a := range c.args {
			parts[k], base[k] = a.arr, total
			total += int32(a.arr.Len())
		}
		all, err := vec.Concat(c.mem, parts)
		if err != nil {
			return nil, err
		}
		defer all.Release()
		f, valid := vec.Comparer(all, all), vec.ValidityOf(all)
		idx := make([]int32, c.n)
		for i := range idx {
			best := int32(-1)
			for k, a := range c.args {
				at := base[k] + int32(i&a.mask())
				if valid.Valid(int(at)) && (best < 0 || f(int(at), int(best))*sign > 0) {
					best = at
				}
			}
			idx[i] = best
		}
		return vec.Take(c.mem, all, idx)
	}
}

var errDateRange = errors.New("the result is outside the range of DATE and TIMESTAMP")
