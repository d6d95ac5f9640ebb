package expr

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/text"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// exactSum adds in 128 bits. Where the values are DECIMALs the sum has their scale.
type exactSum struct {
	lo   uint64
	hi   int64
	n    int64
	over bool // the sum has left 128 bits
}

func (s *exactSum) addInt(v int64) {
	var carry uint64
	s.lo, carry = bits.Add64(s.lo, uint64(v), 0)
	s.hi += v>>63 + int64(carry)
	s.n++
}

func (s *exactSum) add(v decimal128.Num, n int64) {
	sum, ok := addDecimals(decimal128.New(s.hi, s.lo), v)
	s.hi, s.lo = sum.HighBits(), sum.LowBits()
	s.over = s.over || !ok
	s.n += n
}

func (s exactSum) num() decimal128.Num { return decimal128.New(s.hi, s.lo) }

// floatSum adds with the error of each step kept (Neumaier), so that the result
// hardly depends on the order.
type floatSum struct {
	sum, rest float64
	n         int64
}

func (s *floatSum) add(v float64) {
	t := s.sum + v
	if math.Abs(s.sum) >= math.Abs(v) {
		s.rest += s.sum - t + v
	} else {
		s.rest += v - t + s.sum
	}
	s.sum = t
}

func (s floatSum) value() float64 {
	if v := s.sum + s.rest; v-v == 0 {
		return v
	}
	return s.sum // infinite or NaN: the error of infinity is NaN
}

// sumStates is the state of a sum: 128 bits as a DECIMAL of the values' scale,
// or a FLOAT and what rounding lost. NULL means no values.
func sumStates(c *AggCall) []types.Type {
	switch t := c.Args[0].Type(); t.Kind {
	case types.Float64:
		return []types.Type{types.FLOAT, types.FLOAT}
	default:
		return []types.Type{types.DecimalOf(types.MaxPrecision, t.Scale)}
	}
}

func newSum(c *AggCall, mem memory.Allocator) (Accumulator, error) {
	switch c.Args[0].Type().Kind {
	case types.Float64:
		f := newFloatSum(mem, false)
		f.result = func(mem memory.Allocator, s []floatSum) (arrow.Array, error) {
			return perGroup(mem, c.T, s, func(s floatSum) (float64, bool) { return s.value(), s.n > 0 }), nil
		}
		return f, nil
	case types.Decimal:
		f := newExactSum(c, mem, false)
		f.result = func(mem memory.Allocator, s []exactSum) (arrow.Array, error) {
			for _, g := range s {
				if g.over || !g.num().FitsInPrecision(types.MaxPrecision) {
					return nil, fmt.Errorf("sum: the result does not fit %s: CAST the values to FLOAT", c.T)
				}
			}
			return perGroup(mem, c.T, s, func(s exactSum) (decimal128.Num, bool) { return s.num(), s.n > 0 }), nil
		}
		return f, nil
	}
	f := newExactSum(c, mem, false)
	f.result = func(mem memory.Allocator, s []exactSum) (arrow.Array, error) {
		for _, g := range s {
			if g.over || !isSmall(g.num()) {
				return nil, fmt.Errorf("sum: %s does not fit INT (64 bits): CAST the values to DECIMAL or FLOAT", g.num().BigInt())
			}
		}
		return perGroup(mem, c.T, s, func(s exactSum) (int64, bool) { return int64(s.lo), s.n > 0 }), nil
	}
	return f, nil
}

func newAvg(c *AggCall, mem memory.Allocator) (Accumulator, error) {
	if c.Args[0].Type().Kind == types.Float64 {
		f := newFloatSum(mem, true)
		f.result = func(mem memory.Allocator, s []floatSum) (arrow.Array, error) {
			return perGroup(mem, c.T, s, func(s floatSum) (float64, bool) { return s.value() / float64(s.n), s.n > 0 }), nil
		}
		return f, nil
	}
	scale := c.Args[0].Type().Scale
	f := newExactSum(c, mem, true)
	f.result = func(mem memory.Allocator, s []exactSum) (arrow.Array, error) {
		for _, g := range s {
			if g.over {
				return nil, fmt.Errorf("avg: the sum does not fit 128 bits: CAST the values to FLOAT")
			}
		}
		return perGroup(mem, c.T, s, func(s exactSum) (float64, bool) {
			if s.n == 0 {
				return 0, false
			}
			return decimalToFloat(s.num(), scale) / float64(s.n), true
		}), nil
	}
	return f, nil
}

// newExactSum lacks a result; with counted the state has the number of values.
func newExactSum(c *AggCall, mem memory.Allocator, counted bool) *folding[exactSum] {
	st := sumStates(c)[0]
	f := &folding[exactSum]{mem: mem, update: updateExact}
	f.merge = func(s []exactSum, groups []uint32, state []arrow.Array) error {
		counts, err := sumCounts(state, counted, arrow.DECIMAL128)
		if err != nil {
			return err
		}
		sums, valid := vec.Values[decimal128.Num](state[0]), vec.ValidityOf(state[0])
		for i, g := range groups {
			if valid.Valid(i) {
				s[g].add(sums[i], counts(i))
			}
		}
		return nil
	}
	f.state = func(mem memory.Allocator, s []exactSum) ([]arrow.Array, error) {
		for _, g := range s {
			if g.over {
				return nil, fmt.Errorf("the sum %s… does not fit 128 bits: CAST the values to FLOAT", text.AppendDecimal(nil, g.num(), 0))
			}
		}
		out := []arrow.Array{perGroup(mem, st, s, func(s exactSum) (decimal128.Num, bool) { return s.num(), s.n > 0 })}
		if counted {
			out = append(out, perGroup(mem, types.INT, s, func(s exactSum) (int64, bool) { return s.n, true }))
		}
		return out, nil
	}
	return f
}

func updateExact(s []exactSum, groups []uint32, args []arrow.Array) error {
	valid := vec.ValidityOf(args[0])
	switch args[0].DataType().ID() {
	case arrow.INT64:
		vals := vec.Values[int64](args[0])
		if valid.None() {
			for i, g := range groups {
				s[g].addInt(vals[i])
			}
			return nil
		}
		for i, g := range groups {
			if valid.Valid(i) {
				s[g].addInt(vals[i])
			}
		}
		return nil
	case arrow.DECIMAL128:
		vals := vec.Values[decimal128.Num](args[0])
		for i, g := range groups {
			if valid.Valid(i) {
				s[g].add(vals[i], 1)
			}
		}
		return nil
	case arrow.NULL:
		return nil
	}
	return fmt.Errorf("cannot add up a column of Arrow %s", args[0].DataType())
}

// sumCounts checks the columns of a sum's state and reads their counts.
func sumCounts(state []arrow.Array, counted bool, sums ...arrow.Type) (func(i int) int64, error) {
	if !counted {
		return func(int) int64 { return 1 }, checkStates(state, sums...)
	}
	if err := checkStates(state, append(sums, arrow.INT64)...); err != nil {
		return nil, err
	}
	n := vec.Values[int64](state[len(state)-1])
	return func(i int) int64 { return n[i] }, nil
}

// newFloatSum lacks a result.
func newFloatSum(mem memory.Allocator, counted bool) *folding[floatSum] {
	f := &folding[floatSum]{mem: mem}
	f.update = func(s []floatSum, groups []uint32, args []arrow.Array) error {
		if err := checkStates(args, arrow.FLOAT64); err != nil {
			return err
		}
		vals, valid := vec.Values[float64](args[0]), vec.ValidityOf(args[0])
		none := valid.None()
		for i, g := range groups {
			if none || valid.Valid(i) {
				s[g].add(vals[i])
				s[g].n++
			}
		}
		return nil
	}
	f.merge = func(s []floatSum, groups []uint32, state []arrow.Array) error {
		counts, err := sumCounts(state, counted, arrow.FLOAT64, arrow.FLOAT64)
		if err != nil {
			return err
		}
		sums, rests, valid := vec.Values[float64](state[0]), vec.Values[float64](state[1]), vec.ValidityOf(state[0])
		for i, g := range groups {
			if valid.Valid(i) {
				s[g].add(sums[i])
				s[g].rest += rests[i]
				s[g].n += counts(i)
			}
		}
		return nil
	}
	f.state = func(mem memory.Allocator, s []floatSum) ([]arrow.Array, error) {
		out := []arrow.Array{
			perGroup(mem, types.FLOAT, s, func(s floatSum) (float64, bool) { return s.sum, s.n > 0 }),
			perGroup(mem, types.FLOAT, s, func(s floatSum) (float64, bool) { return s.rest, true }),
		}
		if counted {
			out = append(out, perGroup(mem, types.INT, s, func(s floatSum) (int64, bool) { return s.n, true }))
		}
		return out, nil
	}
	return f
}
