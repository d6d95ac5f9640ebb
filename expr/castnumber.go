package expr

import (
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

func boolAsInt(v vector) func(i int) int64 {
	x := boolIn(v)
	return func(i int) int64 {
		if x(i) {
			return 1
		}
		return 0
	}
}

// wideIn reads an integer of any width.
func wideIn(v vector) func(i int) int64 {
	switch v.arr.DataType().ID() {
	case arrow.INT8:
		x := fixedIn[int8](v)
		return func(i int) int64 { return int64(x(i)) }
	case arrow.INT16:
		x := fixedIn[int16](v)
		return func(i int) int64 { return int64(x(i)) }
	case arrow.INT32:
		x := fixedIn[int32](v)
		return func(i int) int64 { return int64(x(i)) }
	}
	return fixedIn[int64](v)
}

// wideFloatIn reads a float of either width.
func wideFloatIn(v vector) func(i int) float64 {
	if v.arr.DataType().ID() == arrow.FLOAT32 {
		x := fixedIn[float32](v)
		return func(i int) float64 { return float64(x(i)) }
	}
	return fixedIn[float64](v)
}

func unfit(v any, t types.Type) error {
	return fmt.Errorf("%v does not fit %s; TRY_CAST makes it NULL", v, t)
}

func fromIntKernel(from, to types.Type, try bool, read in[int64]) kernel {
	switch to.Kind {
	case types.Bool:
		return map1(read, boolOut, func(x int64) bool { return x != 0 })
	case types.Int8:
		return convert(read, fixedOut[int8], try, narrow[int8](to))
	case types.Int16:
		return convert(read, fixedOut[int16], try, narrow[int16](to))
	case types.Int32:
		return convert(read, fixedOut[int32], try, narrow[int32](to))
	case types.Int64:
		return widenKernel(from, read)
	case types.Float32:
		return map1(read, fixedOut[float32], func(x int64) float32 { return float32(x) })
	case types.Float64:
		return floatKernelOf(from)
	case types.Decimal:
		return convert(read, fixedOut[decimal128.Num], try, func(x int64) (decimal128.Num, error) {
			d, ok := rescale(decimal128.FromI64(x), 0, to.Scale, to.Precision)
			if !ok {
				return d, unfit(x, to)
			}
			return d, nil
		})
	}
	return nil
}

// widenKernel makes INT of a narrower integer, which every query over narrow
// columns does: in a loop of its own.
func widenKernel(from types.Type, read in[int64]) kernel {
	switch from.Kind {
	case types.Int8:
		return resize[int8, int64]
	case types.Int16:
		return resize[int16, int64]
	case types.Int32:
		return resize[int32, int64]
	}
	return map1(read, intOut, func(x int64) int64 { return x })
}

// floatKernelOf makes FLOAT of an integer, as / does of every operand.
func floatKernelOf(from types.Type) kernel {
	switch from.Kind {
	case types.Int8:
		return resize[int8, float64]
	case types.Int16:
		return resize[int16, float64]
	case types.Int32:
		return resize[int32, float64]
	case types.Int64:
		return resize[int64, float64]
	}
	return map1(boolAsInt, floatOut, func(x int64) float64 { return float64(x) })
}

// resize converts numbers of which every one fits.
func resize[T int8 | int16 | int32 | int64, R int64 | float64](c *call) (arrow.Array, error) {
	b := vec.NewFixed[R](c.mem, c.t.Arrow(), c.n)
	c.nullsOf(&b.Nulls)
	for i, x := range vec.Values[T](c.args[0].arr) {
		b.Values[i] = R(x)
	}
	return b.Finish(), nil
}

func narrow[T int8 | int16 | int32](to types.Type) func(int64) (T, error) {
	return func(x int64) (T, error) {
		if int64(T(x)) != x {
			return 0, unfit(x, to)
		}
		return T(x), nil
	}
}

func fromFloatKernel(from, to types.Type, try bool) kernel {
	whole := func(x float64) (int64, error) {
		r := math.RoundToEven(x)
		if !(r >= -1<<63 && r < 1<<63) {
			return 0, unfit(x, to)
		}
		return int64(r), nil
	}
	switch to.Kind {
	case types.Bool:
		return map1(wideFloatIn, boolOut, func(x float64) bool { return x != 0 })
	case types.Int8:
		return convert(wideFloatIn, fixedOut[int8], try, then(whole, narrow[int8](to)))
	case types.Int16:
		return convert(wideFloatIn, fixedOut[int16], try, then(whole, narrow[int16](to)))
	case types.Int32:
		return convert(wideFloatIn, fixedOut[int32], try, then(whole, narrow[int32](to)))
	case types.Int64:
		return convert(wideFloatIn, intOut, try, whole)
	case types.Float32:
		return convert(wideFloatIn, fixedOut[float32], try, func(x float64) (float32, error) {
			if f := float32(x); !math.IsInf(float64(f), 0) || math.IsInf(x, 0) {
				return f, nil
			}
			return 0, unfit(x, to)
		})
	case types.Float64:
		return map1(wideFloatIn, floatOut, func(x float64) float64 { return x })
	case types.Decimal:
		return convert(wideFloatIn, fixedOut[decimal128.Num], try, func(x float64) (decimal128.Num, error) {
			d, ok := floatToDecimal(x, to)
			if !ok {
				return d, unfit(x, to)
			}
			return d, nil
		})
	}
	return nil
}

func then[A, B, C any](f func(A) (B, error), g func(B) (C, error)) func(A) (C, error) {
	return func(a A) (C, error) {
		b, err := f(a)
		if err != nil {
			var none C
			return none, err
		}
		return g(b)
	}
}

func fromDecimalKernel(from, to types.Type, try bool) kernel {
	read := fixedIn[decimal128.Num]
	whole := func(x decimal128.Num) (int64, error) {
		d, _ := rescale(x, from.Scale, 0, types.MaxPrecision)
		if !isSmall(d) {
			return 0, unfit(x.ToString(int32(from.Scale)), to)
		}
		return int64(d.LowBits()), nil
	}
	switch to.Kind {
	case types.Bool:
		return map1(read, boolOut, func(x decimal128.Num) bool { return x.Sign() != 0 })
	case types.Int8:
		return convert(read, fixedOut[int8], try, then(whole, narrow[int8](to)))
	case types.Int16:
		return convert(read, fixedOut[int16], try, then(whole, narrow[int16](to)))
	case types.Int32:
		return convert(read, fixedOut[int32], try, then(whole, narrow[int32](to)))
	case types.Int64:
		return convert(read, intOut, try, whole)
	case types.Float32:
		return convert(read, fixedOut[float32], try, func(x decimal128.Num) (float32, error) {
			return float32(decimalToFloat(x, from.Scale)), nil
		})
	case types.Float64:
		return map1(read, floatOut, func(x decimal128.Num) float64 { return decimalToFloat(x, from.Scale) })
	case types.Decimal:
		return convert(read, fixedOut[decimal128.Num], try, func(x decimal128.Num) (decimal128.Num, error) {
			d, ok := rescale(x, from.Scale, to.Scale, to.Precision)
			if !ok {
				return d, unfit(x.ToString(int32(from.Scale)), to)
			}
			return d, nil
		})
	}
	return nil
}
