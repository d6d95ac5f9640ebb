package expr

import (
	"errors"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr/vec"
)

// seriesFunctions make lists of numbers and moments.
func seriesFunctions() []*entry {
	series := func(name, description, example, result string, last bool) *entry {
		return fn(name, description, example, result).
			onFail("INT -> LIST<INT>", intSeries(last)).onFail("INT, INT -> LIST<INT>", intSeries(last)).onFail("INT, INT, INT -> LIST<INT>", intSeries(last)).
			onFail("TIMESTAMP, TIMESTAMP, INTERVAL -> LIST<TIMESTAMP>", stampSeries(last))
	}
	return []*entry{
		series("range", "the numbers or moments from the first argument, or 0, up to but without the second, by steps of the third, or 1", "range(2, 5)", "[2,3,4]", false),
		series("generate_series", "range, with its end", "generate_series(2, 5)", "[2,3,4,5]", true),
	}
}

// intSeries makes range, or with last generate_series.
func intSeries(last bool) kernel {
	return func(c *call) (arrow.Array, error) {
		from, to, step := func(int) int64 { return 0 }, intIn(c.args[0]), func(int) int64 { return 1 }
		if len(c.args) > 1 {
			from, to = intIn(c.args[0]), intIn(c.args[1])
		}
		if len(c.args) > 2 {
			step = intIn(c.args[2])
		}
		var values []int64
		return seriesLists(c, &values, func(i int) error {
			a, b, by := from(i), to(i), step(i)
			n, err := seriesLength(a, b, by, last)
			if err != nil {
				return err
			}
			for k := range n {
				values = append(values, a+k*by)
			}
			return nil
		})
	}
}

// seriesLength counts the numbers from a to b.
func seriesLength(a, b, by int64, last bool) (int64, error) {
	if by == 0 || by > 0 && a > b || by < 0 && a < b || a == b && !last {
		return 0, nil
	}
	span, step := uint64(b)-uint64(a), uint64(by)
	if by < 0 {
		span, step = -span, -step
	}
	if !last {
		span--
	}
	if span/step >= maxElements {
		return 0, checkLength(maxElements + 1)
	}
	return int64(span/step) + 1, nil
}

// stampSeries adds the interval to each moment to find the next, as DuckDB
// does: from the 31st on by months, days stay at the 28th from February on.
func stampSeries(last bool) kernel {
	return func(c *call) (arrow.Array, error) {
		from, to, step := stampIn(c.args[0]), stampIn(c.args[1]), intervalIn(c.args[2])
		var values []int64
		return seriesLists(c, &values, func(i int) error {
			t, end, by := from(i), to(i), step(i)
			up := by.Months >= 0 && by.Days >= 0 && by.Nanoseconds >= 0
			down := by.Months <= 0 && by.Days <= 0 && by.Nanoseconds <= 0
			switch {
			case up && down:
				return nil
			case !up && !down:
				return errors.New("the interval of a series goes forward in one part and backward in another")
			}
			ok := true
			for n := int64(0); ok && (up && t <= end || down && t >= end); n++ {
				if t == end && !last {
					break
				}
				if err := checkLength(n + 1); err != nil {
					return err
				}
				values = append(values, int64(t))
				t, ok = stepOn(t, by)
			}
			return nil
		})
	}
}

// stepOn adds by to t. There is no next moment beyond all time, nor where by is
// less than a microsecond.
func stepOn(t arrow.Timestamp, by arrow.MonthDayNanoInterval) (arrow.Timestamp, bool) {
	next, err := addInterval(t, by)
	return next, err == nil && next != t
}

// seriesLists makes the lists of the values that f appends for each row.
func seriesLists(c *call, values *[]int64, f func(i int) error) (arrow.Array, error) {
	nulls, offs, null := vec.NewNulls(c.mem, c.n), make([]int32, 1, c.n+1), c.anyNull()
	defer nulls.Release()
	for i := range c.n {
		if c.env.stopped() {
			return nil, errStopped
		}
		if null != nil && null(i) {
			nulls.Set(i)
		} else if err := f(i); err != nil {
			return nil, &RowError{Row: i, Err: err}
		}
		if len(*values) > maxBatchElements {
			return nil, &RowError{Row: i, Err: errors.New("the lists of these rows have too many elements together: make them shorter, or read fewer rows")}
		}
		offs = append(offs, int32(len(*values)))
	}
	b := vec.NewFixed[int64](c.mem, c.t.Elem.Arrow(), len(*values))
	copy(b.Values, *values)
	elems := b.Finish()
	defer elems.Release()
	return vec.NewList(c.mem, elems, offs, &nulls), nil
}
