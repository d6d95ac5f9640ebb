package expr

import (
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr/types"
)

// intervalFunctions make and measure intervals.
func intervalFunctions() []*entry {
	out := []*entry{
		fn("age", "how long it is from the second moment to the first, in years, months, days and time", "age(DATE '2001-04-10', DATE '1957-06-13')", "43 years 9 months 27 days").
			onFail("TIMESTAMP, TIMESTAMP -> INTERVAL", try2(stampIn, stampIn, intervalOut, age)),
		fn("epoch_ns", "nanoseconds since 1970", "epoch_ns(TIMESTAMP '1970-01-01 00:00:01')", "1000000000").
			onFail("TIMESTAMP -> INT", try1(stampIn, intOut, func(t arrow.Timestamp) (int64, error) {
				ns, ok := mulInts(int64(t), 1000)
				if !ok {
					return 0, errOverflow
				}
				return ns, nil
			})),
	}
	for _, u := range []struct {
		name         string
		months, days int64
		nanos        int64
		shown        string
	}{
		{"years", 12, 0, 0, "2 years"}, {"quarters", 3, 0, 0, "6 months"}, {"months", 1, 0, 0, "2 months"},
		{"decades", 120, 0, 0, "20 years"}, {"centuries", 1200, 0, 0, "200 years"}, {"millennia", 12000, 0, 0, "2000 years"},
		{"weeks", 0, 7, 0, "14 days"}, {"days", 0, 1, 0, "2 days"},
		{"hours", 0, 0, usHour * 1000, "02:00:00"}, {"minutes", 0, 0, usMinute * 1000, "00:02:00"}, {"microseconds", 0, 0, 1000, "00:00:00.000002"},
	} {
		out = append(out, fn("to_"+u.name, "so many "+u.name+" as an interval", "to_"+u.name+"(2)", u.shown).
			onFail("INT -> INTERVAL", try1(intIn, intervalOut, func(n int64) (arrow.MonthDayNanoInterval, error) {
				months, ok1 := mulInts(u.months, n)
				days, ok2 := mulInts(u.days, n)
				nanos, ok3 := mulInts(u.nanos, n)
				return makeInterval(months, days, nanos, ok1 && ok2 && ok3)
			})))
	}
	for _, u := range []struct {
		name  string
		nanos float64
		shown string
	}{{"seconds", 1e9, "00:00:01.5"}, {"milliseconds", 1e6, "00:00:00.0015"}} {
		out = append(out, fn("to_"+u.name, "so many "+u.name+" as an interval", "to_"+u.name+"(1.5)", u.shown).
			onFail("FLOAT -> INTERVAL", try1(floatIn, intervalOut, func(x float64) (arrow.MonthDayNanoInterval, error) {
				us := math.Round(x * u.nanos / 1000)
				ok := us > math.MinInt64/1000 && us < math.MaxInt64/1000
				if !ok {
					us = 0
				}
				return makeInterval(0, 0, int64(us)*1000, ok)
			})))
	}
	return out
}

// age subtracts field by field, as PostgreSQL and DuckDB do: days are borrowed
// from the month of the earlier moment.
func age(a, b arrow.Timestamp) (arrow.MonthDayNanoInterval, error) {
	if a < b {
		v, err := age(b, a)
		if err != nil {
			return v, err
		}
		return negInterval(v)
	}
	x, y := timeOf(a), timeOf(b)
	months := int64(x.Year()-y.Year())*12 + int64(x.Month()) - int64(y.Month())
	days := int64(x.Day() - y.Day())
	us := (int64(a) - floorDiv(int64(a), usDay)*usDay) - (int64(b) - floorDiv(int64(b), usDay)*usDay)
	if us < 0 {
		days, us = days-1, us+usDay
	}
	if days < 0 {
		months, days = months-1, days+int64(daysIn(y.Year(), y.Month()))
	}
	return makeInterval(months, days, us*1000, true)
}

// scaleInterval multiplies by a FLOAT; what is left of a month goes to days of
// which it has thirty, of a day to the time.
func scaleInterval(v arrow.MonthDayNanoInterval, x float64) (arrow.MonthDayNanoInterval, error) {
	return mapInterval(v, func(part float64) float64 { return part * x })
}

func divideInterval(v arrow.MonthDayNanoInterval, x float64) (arrow.MonthDayNanoInterval, error) {
	if x == 0 {
		return v, errZeroDivision
	}
	return mapInterval(v, func(part float64) float64 { return part / x })
}

func mapInterval(v arrow.MonthDayNanoInterval, f func(float64) float64) (arrow.MonthDayNanoInterval, error) {
	months, rest := math.Modf(f(float64(v.Months)))
	days, part := math.Modf(f(float64(v.Days)) + rest*30)
	us := math.Round(f(float64(v.Nanoseconds/1000)) + part*usDay)
	const most = 1 << 31
	if !(math.Abs(months) < most && math.Abs(days) < most && math.Abs(us) < math.MaxInt64/1000) {
		return v, errIntervalRange
	}
	return makeInterval(int64(months), int64(days), int64(us)*1000, true)
}

// truncateInterval drops what is less than the unit.
func truncateInterval(name string, v arrow.MonthDayNanoInterval) (arrow.MonthDayNanoInterval, error) {
	p, err := parsePart(name)
	if err != nil {
		return v, err
	}
	if unit := p.fixed(); unit > 0 && unit < usDay {
		v.Nanoseconds -= v.Nanoseconds % (unit * 1000)
		return v, nil
	}
	v.Nanoseconds = 0
	switch p {
	case partDay, partDayOfWeek, partISODayOfWeek, partDayOfYear:
		return v, nil
	case partWeek, partYearWeek:
		v.Days -= v.Days % 7
		return v, nil
	}
	months := int32(p.months())
	if months == 0 {
		return v, fmt.Errorf("an INTERVAL is not cut to '%s'", name)
	}
	v.Days = 0
	v.Months -= v.Months % months
	return v, nil
}

// intervalSeconds is the length of an interval whose years have 365.25 days and
// other months 30, as DuckDB's epoch has it.
func intervalSeconds(v arrow.MonthDayNanoInterval) float64 {
	days := float64(v.Months/12)*365.25 + float64(v.Months%12)*30 + float64(v.Days)
	return days*86400 + float64(v.Nanoseconds)/1e9
}

// partType is FLOAT for the epoch, which has a fraction, and else INT.
func partType(args []Expr) (types.Type, error) {
	if name, ok := constantText(args[0]); ok {
		if p, err := parsePart(name); err == nil && p == partEpoch {
			return types.FLOAT, nil
		}
	}
	return types.INT, nil
}

// partKernel makes the kernel of date_part for one kind of operand.
func partKernel[T any](read in[T], part func(string, T) (int64, error), epoch func(T) float64) kernel {
	whole := try2(textIn, read, intOut, part)
	return func(c *call) (arrow.Array, error) {
		if c.t.Kind != types.Float64 {
			return whole(c)
		}
		x := read(c.args[1])
		return rows(c, floatOut(c), func(i int) (float64, error) { return epoch(x(i)), nil })
	}
}

func epochOf(t arrow.Timestamp) float64 { return float64(t) / usSecond }
