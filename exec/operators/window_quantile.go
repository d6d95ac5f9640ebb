package operators

import (
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// quantiles are the aggregates that pick values by their rank.
var quantiles = map[string]bool{"median": true, "quantile_cont": true, "quantile_disc": true}

// ranking is the rows of a frame by rank: a binary indexed tree (Fenwick) over
// the rows of a partition in order of their values, which counts those inside.
type ranking struct {
	rows   []int32 // in order of their values
	count  []int32 // the tree, from 1
	inside int
}

func newRanking(rows []int32) *ranking {
	return &ranking{rows: rows, count: make([]int32, len(rows)+1)}
}

// add puts the row of a rank into the frame, or takes it out with by -1.
func (k *ranking) add(rank int32, by int32) {
	k.inside += int(by)
	for i := int(rank) + 1; i < len(k.count); i += i & -i {
		k.count[i] += by
	}
}

// at is the row with so many of the frame's before it.
func (k *ranking) at(before int) int32 {
	pos := 0
	for step := 1 << 30; step > 0; step >>= 1 {
		if next := pos + step; next < len(k.count) && int(k.count[next]) <= before {
			pos, before = next, before-int(k.count[next])
		}
	}
	return k.rows[pos]
}

// quantile computes median, quantile_cont and quantile_disc.
func (a *windowAggregate) quantile() (arrow.Array, error) {
	check, err := expr.NewAccumulator(a.call, a.w.env.Alloc) // refuses what is no part of 1
	if err != nil {
		return nil, err
	}
	check.Release()
	q := 0.5
	if len(a.args) > 1 {
		q = vec.Values[float64](a.args[1])[0]
	}
	lower, upper, part := make([]int32, len(a.from)), make([]int32, len(a.from)), make([]float64, len(a.from))
	err = a.ranked(func(frame int, k *ranking) {
		lower[frame], upper[frame] = -1, -1
		if k.inside == 0 {
			return
		}
		if a.call.Fn == "quantile_disc" {
			lower[frame] = k.at(max(1, int(math.Ceil(q*float64(k.inside)))) - 1)
			return
		}
		pos := q * float64(k.inside-1)
		lo := int(math.Floor(pos))
		lower[frame], upper[frame], part[frame] = k.at(lo), k.at(min(lo+1, k.inside-1)), pos-float64(lo)
	})
	if err != nil {
		return nil, err
	}
	switch {
	case a.call.Fn == "quantile_disc":
		return vec.Take(a.w.env.Alloc, a.args[0], lower)
	case a.call.T.Kind == types.Timestamp:
		return mixed(a, lower, upper, part, func(lo, hi int64, part float64) int64 {
			return lo + int64(math.Round(float64(hi-lo)*part))
		}), nil
	}
	return mixed(a, lower, upper, part, func(lo, hi, part float64) float64 {
		switch {
		case part == 0 || lo == hi:
			return lo
		case math.IsInf(lo, 0) || math.IsInf(hi, 0):
			return lo*(1-part) + hi*part // the difference of infinities is no number
		}
		return lo + (hi-lo)*part
	}), nil
}

// mixed makes a value between those of two rows for each frame.
func mixed[T int64 | float64](a *windowAggregate, lower, upper []int32, part []float64, mix func(lo, hi T, part float64) T) arrow.Array {
	values := vec.Values[T](a.args[0])
	b := vec.NewFixed[T](a.w.env.Alloc, a.call.T.Arrow(), len(lower))
	for i := range b.Values {
		if lower[i] < 0 {
			b.Values[i] = 0
			b.Set(i)
			continue
		}
		b.Values[i] = mix(values[lower[i]], values[upper[i]], part[i])
	}
	return b.Finish()
}

// ranked calls f with the rows of each frame.
func (a *windowAggregate) ranked(f func(frame int, k *ranking)) error {
	compare, null := vec.Comparer(a.args[0], a.args[0]), vec.ValidityOf(a.args[0])
	rank := make([]int32, a.n) // of each row, among those of its partition; -1: it has no value
	var k *ranking
	from, to := int32(0), int32(0)
	for i := range a.from {
		if i == 0 || a.inPart[i] != a.inPart[i-1] {
			if err := a.stopped(0); err != nil {
				return err
			}
			var rows []int32
			first, end := a.parts[a.inPart[i]], a.parts[a.inPart[i]+1]
			for at := first; at < end; at++ {
				if rank[at] = -1; a.included(int(at)) && null.Valid(int(at)) {
					rows = append(rows, at)
				}
			}
			slices.SortStableFunc(rows, func(x, y int32) int { return compare(int(x), int(y)) })
			for r, at := range rows {
				rank[at] = int32(r)
			}
			k, from, to = newRanking(rows), first, first
		}
		for ; to < a.to[i]; to++ {
			if rank[to] >= 0 {
				k.add(rank[to], 1)
			}
		}
		for ; from < a.from[i]; from++ {
			if from < to && rank[from] >= 0 {
				k.add(rank[from], -1)
			}
		}
		to = max(to, from)
		f(i, k)
	}
	return nil
}
