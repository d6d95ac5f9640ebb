package expr

import (
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// collectList makes a list of each group's values, NULLs among them; a group
// without rows is NULL.
func collectList(*AggCall) (finisher, error) {
	return func(c *collected) (arrow.Array, error) {
		vals, err := vec.Take(c.mem, c.cols[0], c.order)
		if err != nil {
			return nil, err
		}
		defer vals.Release()
		nulls := vec.NewNulls(c.mem, c.groups())
		for g := range c.groups() {
			if len(c.rows(g)) == 0 {
				nulls.Set(g)
			}
		}
		return vec.NewList(c.mem, vals, c.bounds, &nulls), nil
	}, nil
}

// collectText joins each group's texts, a row's separator standing before it.
func collectText(call *AggCall) (finisher, error) {
	return func(c *collected) (arrow.Array, error) {
		b := vec.NewViewBuilder(c.mem, call.T.Arrow(), c.groups())
		texts := vec.Strings(c.cols[0])
		between := func(int) []byte { return []byte(",") }
		if len(call.Args) > 1 {
			r := vec.Strings(c.cols[1])
			between = func(i int) []byte { return r.At(i) }
		}
		var buf []byte
		for g := range c.groups() {
			buf = buf[:0]
			some := false
			for _, i := range c.rows(g) {
				if texts.Null(int(i)) {
					continue
				}
				if some {
					buf = append(buf, between(int(i))...)
				}
				some = true
				buf = append(buf, texts.At(int(i))...)
			}
			if some {
				b.Append(buf)
			} else {
				b.AppendNull()
			}
		}
		return b.Finish(), nil
	}, nil
}

// collectPick makes the value of one row of each group; pick returns -1 for NULL.
func collectPick(pick func(c *collected, rows []int32) int32) func(*AggCall) (finisher, error) {
	return func(*AggCall) (finisher, error) {
		return func(c *collected) (arrow.Array, error) {
			idx := make([]int32, c.groups())
			for g := range idx {
				if idx[g] = -1; len(c.rows(g)) > 0 {
					idx[g] = pick(c, c.rows(g))
				}
			}
			return vec.Take(c.mem, c.cols[0], idx)
		}, nil
	}
}

func pickFirst(_ *collected, rows []int32) int32 { return rows[0] }
func pickLast(_ *collected, rows []int32) int32  { return rows[len(rows)-1] }

func pickFirstValue(c *collected, rows []int32) int32 {
	valid := vec.ValidityOf(c.cols[0])
	for _, r := range rows {
		if valid.Valid(int(r)) {
			return r
		}
	}
	return -1
}

// values are the rows that are not NULL, sorted by value.
func (c *collected) values(rows []int32, compare func(i, j int) int, valid vec.Validity) []int32 {
	rows = slices.DeleteFunc(rows, func(r int32) bool { return valid.Null(int(r)) })
	slices.SortStableFunc(rows, func(a, b int32) int { return compare(int(a), int(b)) })
	return rows
}

// collectQuantile makes quantile_cont (and median) and quantile_disc.
func collectQuantile(interpolate bool) func(*AggCall) (finisher, error) {
	return func(call *AggCall) (finisher, error) {
		q, err := quantileOf(call)
		if err != nil {
			return nil, err
		}
		if !interpolate {
			return func(c *collected) (arrow.Array, error) {
				compare, valid := vec.Comparer(c.cols[0], c.cols[0]), vec.ValidityOf(c.cols[0])
				idx := make([]int32, c.groups())
				for g := range idx {
					idx[g] = -1
					if rows := c.values(c.rows(g), compare, valid); len(rows) > 0 {
						idx[g] = rows[max(1, int(math.Ceil(q*float64(len(rows)))))-1]
					}
				}
				return vec.Take(c.mem, c.cols[0], idx)
			}, nil
		}
		if call.T.Kind == types.Timestamp {
			return func(c *collected) (arrow.Array, error) {
				return interpolated(c, call.T, q, func(lo, hi int64, part float64) int64 {
					return lo + int64(math.Round(float64(hi-lo)*part))
				})
			}, nil
		}
		return func(c *collected) (arrow.Array, error) {
			return interpolated(c, call.T, q, func(lo, hi, part float64) float64 {
				if part == 0 || lo == hi {
					return lo
				}
				if math.IsInf(lo, 0) || math.IsInf(hi, 0) {
					return lo*(1-part) + hi*part // the difference of infinities is no number
				}
				return lo + (hi-lo)*part
			})
		}, nil
	}
}

func interpolated[T int64 | float64](c *collected, t types.Type, q float64, mix func(lo, hi T, part float64) T) (arrow.Array, error) {
	b := vec.NewFixed[T](c.mem, t.Arrow(), c.groups())
	vals, valid := vec.Values[T](c.cols[0]), vec.ValidityOf(c.cols[0])
	var numbers []T
	for g := range c.groups() {
		numbers = numbers[:0]
		var nans []T // greater than all numbers
		for _, r := range c.rows(g) {
			switch v := vals[r]; {
			case valid.Null(int(r)):
			case v != v:
				nans = append(nans, v)
			default:
				numbers = append(numbers, v)
			}
		}
		n := len(numbers) + len(nans)
		if n == 0 {
			b.Values[g] = 0
			b.Set(g)
			continue
		}
		at := func(k int) T {
			if k >= len(numbers) {
				return nans[k-len(numbers)]
			}
			return nth(numbers, k)
		}
		pos := q * float64(n-1)
		lo := int(math.Floor(pos))
		b.Values[g] = mix(at(lo), at(min(lo+1, n-1)), pos-float64(lo))
	}
	return b.Finish(), nil
}

// collectMode makes the most frequent value, of several the one met first.
func collectMode(*AggCall) (finisher, error) {
	return func(c *collected) (arrow.Array, error) {
		compare, valid := vec.Comparer(c.cols[0], c.cols[0]), vec.ValidityOf(c.cols[0])
		idx := make([]int32, c.groups())
		for g := range idx {
			rows := c.values(c.rows(g), compare, valid)
			idx[g] = -1
			for from, most := 0, 0; from < len(rows); {
				to := from + 1
				for to < len(rows) && compare(int(rows[from]), int(rows[to])) == 0 {
					to++
				}
				// The sort is stable: the first of a run is the first in the input.
				if n := to - from; n > most || n == most && rows[from] < idx[g] {
					most, idx[g] = n, rows[from]
				}
				from = to
			}
		}
		return vec.Take(c.mem, c.cols[0], idx)
	}, nil
}
