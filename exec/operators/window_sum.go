package operators

import (
	"fmt"
	"math"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// wideSum is a sum of whole numbers of up to 128 bits, in 192: more of them than
// there can be rows do not overflow it, so that sums can be taken away again.
type wideSum struct{ lo, mid, hi uint64 }

func (s wideSum) plus(v decimal128.Num) wideSum {
	var c uint64
	s.lo, c = bits.Add64(s.lo, v.LowBits(), 0)
	s.mid, c = bits.Add64(s.mid, uint64(v.HighBits()), c)
	s.hi, _ = bits.Add64(s.hi, uint64(v.HighBits()>>63), c)
	return s
}

func (s wideSum) minus(o wideSum) wideSum {
	var c uint64
	s.lo, c = bits.Sub64(s.lo, o.lo, 0)
	s.mid, c = bits.Sub64(s.mid, o.mid, c)
	s.hi, _ = bits.Sub64(s.hi, o.hi, c)
	return s
}

// num is the sum in 128 bits, if it fits.
func (s wideSum) num() (decimal128.Num, bool) {
	return decimal128.New(int64(s.mid), s.lo), s.hi == uint64(int64(s.mid)>>63)
}

// wholeNumbers reads a column of INT or DECIMAL.
func wholeNumbers(a arrow.Array) (func(at int) decimal128.Num, error) {
	switch a.DataType().ID() {
	case arrow.INT64:
		v := vec.Values[int64](a)
		return func(at int) decimal128.Num { return decimal128.FromI64(v[at]) }, nil
	case arrow.DECIMAL128:
		v := vec.Values[decimal128.Num](a)
		return func(at int) decimal128.Num { return v[at] }, nil
	case arrow.NULL:
		return func(int) decimal128.Num { return decimal128.Num{} }, nil
	}
	return nil, fmt.Errorf("cannot add up a column of Arrow %s", a.DataType())
}

// sums computes sum and avg of whole numbers: the difference of two running sums.
func (a *windowAggregate) sums() (arrow.Array, error) {
	value, err := wholeNumbers(a.args[0])
	if err != nil {
		return nil, err
	}
	null := vec.ValidityOf(a.args[0])
	if err := a.w.account.Add(int64(a.n) * 28); err != nil {
		return nil, err
	}
	defer func() { _ = a.w.account.Add(-int64(a.n) * 28) }()
	running, count := make([]wideSum, a.n+1), a.running()
	for at := range a.n {
		running[at+1] = running[at]
		if a.included(at) && null.Valid(at) {
			running[at+1] = running[at].plus(value(at))
		}
	}
	return a.fromSums(func(i int) (wideSum, int64) {
		from, to := a.from[i], a.to[i]
		return running[to].minus(running[from]), int64(count[to] - count[from])
	})
}

// distinctSums computes count, sum and avg of the distinct values of frames: it
// knows how often each value is in the frame as that moves on.
func (a *windowAggregate) distinctSums() (arrow.Array, error) {
	kinds, n, err := a.kinds()
	if err != nil {
		return nil, err
	}
	null := vec.ValidityOf(a.args[0])
	value := func(int) decimal128.Num { return decimal128.Num{} }
	if a.call.Fn != "count" {
		if value, err = wholeNumbers(a.args[0]); err != nil {
			return nil, err
		}
	}
	often := make([]int32, n)
	var sum wideSum
	var count int64
	from, to := int32(0), int32(0)
	step := func(i int) (wideSum, int64) {
		for ; to < a.to[i]; to++ {
			if at := int(to); a.included(at) && null.Valid(at) {
				if often[kinds[at]]++; often[kinds[at]] == 1 {
					sum, count = sum.plus(value(at)), count+1
				}
			}
		}
		for ; from < a.from[i]; from++ {
			if at := int(from); at < int(to) && a.included(at) && null.Valid(at) {
				if often[kinds[at]]--; often[kinds[at]] == 0 {
					sum, count = sum.minus(wideSum{}.plus(value(at))), count-1
				}
			}
		}
		to = max(to, from)
		return sum, count
	}
	if a.call.Fn == "count" {
		b := vec.NewFixed[int64](a.w.env.Alloc, types.INT.Arrow(), len(a.from))
		for i := range b.Values {
			_, b.Values[i] = step(i)
		}
		return b.Finish(), nil
	}
	return a.fromSums(step)
}

// fromSums makes results of sum or avg, of the sum and number of each frame's values.
func (a *windowAggregate) fromSums(of func(frame int) (wideSum, int64)) (arrow.Array, error) {
	plain := *a.call
	plain.Distinct = false
	st := plain.StateTypes()
	sums := vec.NewFixed[decimal128.Num](a.w.env.Alloc, st[0].Arrow(), len(a.from))
	counts := vec.NewFixed[int64](a.w.env.Alloc, types.INT.Arrow(), len(a.from))
	for i := range sums.Values {
		s, n := of(i)
		v, ok := s.num()
		if !ok {
			sums.Release()
			counts.Release()
			return nil, fmt.Errorf("%s: the sum of a window does not fit 128 bits: CAST the values to FLOAT", a.call.Fn)
		}
		sums.Values[i], counts.Values[i] = v, n
		if n == 0 {
			sums.Set(i)
		}
	}
	states := []arrow.Array{sums.Finish(), counts.Finish()}
	defer vec.ReleaseAll(states)
	return a.fromStates(&plain, states[:len(st)])
}

// fromStates makes results of a state for each frame.
func (a *windowAggregate) fromStates(call *expr.AggCall, states []arrow.Array) (arrow.Array, error) {
	acc, err := expr.NewAccumulator(call, a.w.env.Alloc)
	if err != nil {
		return nil, err
	}
	defer acc.Release()
	acc.Resize(len(a.from))
	groups := make([]uint32, len(a.from))
	for i := range groups {
		groups[i] = uint32(i)
	}
	if err := acc.Merge(groups, states); err != nil {
		return nil, err
	}
	return acc.Result()
}

// runningSums computes sum and avg of FLOATs over frames that only grow, with
// the error of each addition kept as the aggregate does (Neumaier).
func (a *windowAggregate) runningSums() (arrow.Array, error) {
	st := a.call.StateTypes()
	values, null := vec.Values[float64](a.args[0]), vec.ValidityOf(a.args[0])
	mem := a.w.env.Alloc
	sums, rests := vec.NewFixed[float64](mem, types.FLOAT.Arrow(), len(a.from)), vec.NewFixed[float64](mem, types.FLOAT.Arrow(), len(a.from))
	counts := vec.NewFixed[int64](mem, types.INT.Arrow(), len(a.from))
	var sum, rest float64
	var n int64
	next := int32(0)
	for i := range sums.Values {
		if i == 0 || a.inPart[i] != a.inPart[i-1] {
			sum, rest, n, next = 0, 0, 0, a.from[i]
		}
		for ; next < a.to[i]; next++ {
			if at := int(next); a.included(at) && null.Valid(at) {
				v := values[at]
				t := sum + v
				if math.Abs(sum) >= math.Abs(v) {
					rest += sum - t + v
				} else {
					rest += v - t + sum
				}
				sum, n = t, n+1
			}
		}
		sums.Values[i], rests.Values[i], counts.Values[i] = sum, rest, n
		if n == 0 {
			sums.Set(i)
		}
	}
	states := []arrow.Array{sums.Finish(), rests.Finish(), counts.Finish()}
	defer vec.ReleaseAll(states)
	return a.fromStates(a.call, states[:len(st)])
}
