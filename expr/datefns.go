package expr

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr/vec"
)

func dateFunctions() []*entry {
	parts := fn("date_part", "a part of a date or interval as a number: extract(year FROM d); the epoch as FLOAT", "date_part('year', DATE '2026-01-31')", "2026").alias("extract", "datepart").
		onFail("STRING, TIMESTAMP -> INT", partKernel(stampIn, partOf, epochOf)).typing(partType).checking(checkPart).
		onFail("STRING, INTERVAL -> INT", partKernel(intervalIn, partOfInterval, intervalSeconds)).typing(partType).checking(checkIntervalPart)
	trunc := fn("date_trunc", "the beginning of the year, month, week, day, hour … of a moment", "date_trunc('month', DATE '2026-01-31')", "2026-01-01").alias("datetrunc").
		onFail("STRING, DATE -> DATE", try2(textIn, dateIn, dateOut, func(name string, d arrow.Date32) (arrow.Date32, error) {
			p, err := parseUnit(name)
			return timestampToDate(p.truncate(dateToTimestamp(d))), err
		})).checking(checkUnit).
		onFail("STRING, TIMESTAMP -> TIMESTAMP", try2(textIn, stampIn, stampOut, func(name string, t arrow.Timestamp) (arrow.Timestamp, error) {
			p, err := parseUnit(name)
			return p.truncate(t), err
		})).checking(checkUnit).
		onFail("STRING, INTERVAL -> INTERVAL", try2(textIn, intervalIn, intervalOut, truncateInterval)).checking(checkUnit)
	out := []*entry{
		parts, trunc,
		fn("date_diff", "boundaries of the unit between two moments; a week is every seven days", "date_diff('month', DATE '2026-01-31', DATE '2026-03-01')", "2").alias("datediff").
			onFail("STRING, TIMESTAMP, TIMESTAMP -> INT", try3(textIn, stampIn, stampIn, intOut, func(name string, a, b arrow.Timestamp) (int64, error) {
				p, err := parseUnit(name)
				return p.boundaries(a, b), err
			})).checking(checkUnit),
		fn("date_sub", "whole units between two moments", "date_sub('month', DATE '2026-01-31', DATE '2026-03-01')", "1").alias("datesub").
			onFail("STRING, TIMESTAMP, TIMESTAMP -> INT", try3(textIn, stampIn, stampIn, intOut, wholeUnits)).checking(checkUnit),
		fn("date_add", "the moment an interval later", "date_add(DATE '2026-01-31', INTERVAL '1 month')", "2026-02-28 00:00:00").
			onFail("TIMESTAMP, INTERVAL -> TIMESTAMP", try2(stampIn, intervalIn, stampOut, addInterval)),
		fn("make_date", "a date of year, month and day", "make_date(2026, 1, 31)", "2026-01-31").
			onFail("INT, INT, INT -> DATE", try3(intIn, intIn, intIn, dateOut, makeDate)),
		fn("make_timestamp", "a timestamp of year, month, day, hour, minute and second, or of microseconds", "make_timestamp(2026, 1, 31, 10, 0, 0.5)", "2026-01-31 10:00:00.5").
			onFail("INT, INT, INT, INT, INT, FLOAT -> TIMESTAMP", makeTimestamp).
			on("INT -> TIMESTAMP", map1(intIn, stampOut, func(us int64) arrow.Timestamp { return arrow.Timestamp(us) })),
		fn("to_timestamp", "the moment so many seconds after 1970", "to_timestamp(1.5)", "1970-01-01 00:00:01.5").
			onFail("FLOAT -> TIMESTAMP", try1(floatIn, stampOut, fromSeconds)),
		fn("epoch_ms", "milliseconds since 1970; of an INT, the moment", "epoch_ms(TIMESTAMP '1970-01-01 00:00:01')", "1000").
			on("TIMESTAMP -> INT", map1(stampIn, intOut, func(t arrow.Timestamp) int64 { return nearest(int64(t), 1000) })).
			on("INTERVAL -> INT", map1(intervalIn, intOut, func(v arrow.MonthDayNanoInterval) int64 { return intervalMicros(v) / 1000 })).
			onFail("INT -> TIMESTAMP", try1(intIn, stampOut, func(ms int64) (arrow.Timestamp, error) {
				us, ok := mulInts(ms, 1000)
				if !ok {
					return 0, errDateRange
				}
				return arrow.Timestamp(us), nil
			})),
		fn("epoch_us", "microseconds since 1970", "epoch_us(TIMESTAMP '1970-01-01 00:00:01')", "1000000").
			on("TIMESTAMP -> INT", map1(stampIn, intOut, func(t arrow.Timestamp) int64 { return int64(t) })).
			on("INTERVAL -> INT", map1(intervalIn, intOut, intervalMicros)),
		fn("epoch", "seconds since 1970, with their fraction", "epoch(TIMESTAMP '1970-01-01 00:00:01.5')", "1.5").
			on("TIMESTAMP -> FLOAT", map1(stampIn, floatOut, epochOf)).
			on("INTERVAL -> FLOAT", map1(intervalIn, floatOut, intervalSeconds)),
		fn("last_day", "the last day of the month", "last_day(DATE '2024-02-10')", "2024-02-29").
			on("TIMESTAMP -> DATE", map1(stampIn, dateOut, func(t arrow.Timestamp) arrow.Date32 {
				y, m, _ := timeOf(t).Date()
				return arrow.Date32(floorDiv(time.Date(y, m, daysIn(y, m), 0, 0, 0, 0, time.UTC).Unix(), 86400))
			})),
		fn("dayname", "the name of the day of the week", "dayname(DATE '2026-01-31')", "Saturday").
			on("TIMESTAMP -> STRING", map1(stampIn, textOut, func(t arrow.Timestamp) string { return timeOf(t).Weekday().String() })),
		fn("monthname", "the name of the month", "monthname(DATE '2026-01-31')", "January").
			on("TIMESTAMP -> STRING", map1(stampIn, textOut, func(t arrow.Timestamp) string { return timeOf(t).Month().String() })),
		fn("time_bucket", "the start of the span of that width that the moment lies in; spans are aligned to 2000-01-03, of months to 2000-01-01, moved by an interval, or aligned to another moment", "time_bucket(INTERVAL '15 minutes', TIMESTAMP '2026-01-31 10:20:00')", "2026-01-31 10:15:00").
			onFail("INTERVAL, TIMESTAMP -> TIMESTAMP", try2(intervalIn, stampIn, stampOut, timeBucket)).
			onFail("INTERVAL, DATE -> DATE", try2(intervalIn, dateIn, dateOut, func(w arrow.MonthDayNanoInterval, d arrow.Date32) (arrow.Date32, error) {
				t, err := timeBucket(w, dateToTimestamp(d))
				return timestampToDate(t), err
			})).
			onFail("INTERVAL, TIMESTAMP, INTERVAL -> TIMESTAMP", try3(intervalIn, stampIn, intervalIn, stampOut, bucketMoved)).
			onFail("INTERVAL, TIMESTAMP, TIMESTAMP -> TIMESTAMP", try3(intervalIn, stampIn, stampIn, stampOut, bucketFrom)),
		now("now", "when the query began", "now() = now()", "TIMESTAMP", nowStamp).alias("current_timestamp", "get_current_timestamp"),
		now("current_date", "the day on which the query began, in UTC", "current_date() = current_date()", "DATE", nowDate).alias("today"),
	}
	for _, p := range []struct {
		name  string
		alias []string
		part  datePart
		shown string
	}{
		{"year", nil, partYear, "2026"}, {"month", nil, partMonth, "1"}, {"quarter", nil, partQuarter, "1"},
		{"week", []string{"weekofyear"}, partWeek, "5"}, {"day", []string{"dayofmonth"}, partDay, "31"},
		{"dayofweek", []string{"weekday"}, partDayOfWeek, "6"}, {"isodow", nil, partISODayOfWeek, "6"}, {"dayofyear", nil, partDayOfYear, "31"},
		{"isoyear", nil, partISOYear, "2026"}, {"yearweek", nil, partYearWeek, "202605"},
		{"hour", nil, partHour, "10"}, {"minute", nil, partMinute, "20"}, {"second", nil, partSecond, "30"},
		{"millisecond", nil, partMillisecond, "30500"}, {"microsecond", nil, partMicrosecond, "30500000"},
		{"decade", nil, partDecade, "202"}, {"century", nil, partCentury, "21"}, {"millennium", nil, partMillennium, "3"}, {"era", nil, partEra, "1"},
	} {
		e := fn(p.name, "the "+p.name+" of a moment", p.name+"(TIMESTAMP '2026-01-31 10:20:30.5')", p.shown).alias(p.alias...).
			on("TIMESTAMP -> INT", map1(stampIn, intOut, p.part.extract))
		if p.part.inIntervals() {
			e.on("INTERVAL -> INT", map1(intervalIn, intOut, p.part.ofInterval))
		}
		out = append(out, e)
	}
	return out
}

// checkPart finds a bad name of a part before anything runs.
func checkPart(args []Expr) (int, error) {
	if name, ok := constantText(args[0]); ok {
		_, err := parsePart(name)
		return 0, err
	}
	return 0, nil
}

// parseUnit reads the name of a part that is a span of time.
func parseUnit(name string) (datePart, error) {
	p, err := parsePart(name)
	if err == nil && (p == partEra || p == partTimezone) {
		err = fmt.Errorf("'%s' is no unit of time: year, quarter, month, week, day, hour, minute, second and others are", name)
	}
	return p, err
}

// checkUnit finds a bad name of a unit before anything runs.
func checkUnit(args []Expr) (int, error) {
	if name, ok := constantText(args[0]); ok {
		_, err := parseUnit(name)
		return 0, err
	}
	return 0, nil
}

func partOf(name string, t arrow.Timestamp) (int64, error) {
	p, err := parsePart(name)
	return p.extract(t), err
}

func partOfInterval(name string, v arrow.MonthDayNanoInterval) (int64, error) {
	p, err := parsePart(name)
	if err == nil && !p.inIntervals() {
		err = errIntervalPart
	}
	return p.ofInterval(v), err
}

var errIntervalPart = errors.New("an INTERVAL has no such part: year, month, day, hour, minute, second, epoch and others it has")

// inIntervals reports whether an INTERVAL has the part.
func (p datePart) inIntervals() bool {
	switch p {
	case partWeek, partDayOfWeek, partISODayOfWeek, partDayOfYear, partISOYear, partYearWeek, partEra, partTimezone:
		return false
	}
	return true
}

func checkIntervalPart(args []Expr) (int, error) {
	if name, ok := constantText(args[0]); ok {
		if p, err := parsePart(name); err != nil || !p.inIntervals() {
			return 0, cmp.Or(err, errIntervalPart)
		}
	}
	return 0, nil
}

// ofInterval is the part of v as a number; see inIntervals.
func (p datePart) ofInterval(v arrow.MonthDayNanoInterval) int64 {
	us := v.Nanoseconds / 1000
	months := int64(v.Months)
	switch p {
	case partMicrosecond:
		return us % usMinute
	case partMillisecond:
		return us % usMinute / 1000
	case partSecond:
		return us % usMinute / usSecond
	case partMinute:
		return us % usHour / usMinute
	case partHour:
		return us / usHour
	case partDay:
		return int64(v.Days)
	case partMonth:
		return months % 12
	case partQuarter:
		return months%12/3 + 1
	case partDecade:
		return months / 120
	case partCentury:
		return months / 1200
	case partMillennium:
		return months / 12000
	case partEpoch:
		return (months*30+int64(v.Days))*86400 + us/usSecond
	}
	return months / 12
}

// wholeUnits counts full units: from the 31st to the next month's 1st is none.
func wholeUnits(name string, a, b arrow.Timestamp) (int64, error) {
	p, err := parseUnit(name)
	if err != nil {
		return 0, err
	}
	if a > b { // as many as the other way round
		n, err := wholeUnits(name, b, a)
		return -n, err
	}
	if unit := p.fixed(); unit > 0 {
		d, ok := subInts(int64(b), int64(a))
		if !ok {
			return 0, errDateRange
		}
		return d / unit, nil
	}
	if p == partWeek || p == partYearWeek {
		d, ok := subInts(int64(b), int64(a))
		if !ok {
			return 0, errDateRange
		}
		return d / (7 * usDay), nil
	}
	n := partMonth.boundaries(a, b)
	moved, err := addInterval(a, arrow.MonthDayNanoInterval{Months: int32(n)})
	if err != nil {
		return 0, err
	}
	if moved > b {
		n--
	}
	return n / max(1, p.months()), nil
}

func makeDate(y, m, d int64) (arrow.Date32, error) {
	if y < -5_000_000 || y > 5_000_000 || m < 1 || m > 12 || d < 1 || d > int64(daysIn(int(y), time.Month(m))) {
		return 0, fmt.Errorf("there is no date of year %d, month %d, day %d", y, m, d)
	}
	return arrow.Date32(floorDiv(time.Date(int(y), time.Month(m), int(d), 0, 0, 0, 0, time.UTC).Unix(), 86400)), nil
}

func makeTimestamp(c *call) (arrow.Array, error) {
	var x [5]func(int) int64
	for k := range x {
		x[k] = intIn(c.args[k])
	}
	sec := floatIn(c.args[5])
	return rows(c, stampOut(c), func(i int) (arrow.Timestamp, error) {
		d, err := makeDate(x[0](i), x[1](i), x[2](i))
		if err != nil {
			return 0, err
		}
		h, m, s := x[3](i), x[4](i), sec(i)
		if h < 0 || h > 23 || m < 0 || m > 59 || !(s >= 0 && s < 60) {
			return 0, fmt.Errorf("there is no time of hour %d, minute %d, second %v", h, m, s)
		}
		return dateToTimestamp(d) + arrow.Timestamp(h*usHour+m*usMinute) + arrow.Timestamp(math.Round(s*usSecond)), nil
	})
}

func fromSeconds(s float64) (arrow.Timestamp, error) {
	us := math.Round(s * usSecond)
	if !(us > -1<<63 && us < 1<<63) {
		return 0, errDateRange
	}
	return arrow.Timestamp(us), nil
}

func timeBucket(w arrow.MonthDayNanoInterval, t arrow.Timestamp) (arrow.Timestamp, error) {
	const monday, newYear = 10959 * usDay, 10957 * usDay // 2000-01-03 and 2000-01-01
	if w.Months != 0 {
		return bucketFrom(w, t, newYear)
	}
	return bucketFrom(w, t, monday)
}

// bucketMoved has all spans begin so much later.
func bucketMoved(w arrow.MonthDayNanoInterval, t arrow.Timestamp, by arrow.MonthDayNanoInterval) (arrow.Timestamp, error) {
	back, err := subInterval(t, by)
	if err != nil {
		return 0, err
	}
	start, err := timeBucket(w, back)
	if err != nil {
		return 0, err
	}
	return addInterval(start, by)
}

// bucketFrom has a span begin at origin, or with its month.
func bucketFrom(w arrow.MonthDayNanoInterval, t, origin arrow.Timestamp) (arrow.Timestamp, error) {
	if w.Months != 0 {
		if w.Days != 0 || w.Nanoseconds != 0 || w.Months < 0 {
			return 0, fmt.Errorf("the width of a bucket is in months, or in days and less, and above zero")
		}
		month := func(t arrow.Timestamp) int64 {
			y, m, _ := timeOf(t).Date()
			return int64(y)*12 + int64(m) - 1
		}
		first := month(origin)
		start := first + floorDiv(month(t)-first, int64(w.Months))*int64(w.Months)
		day := time.Date(int(floorDiv(start, 12)), time.Month(start-floorDiv(start, 12)*12+1), 1, 0, 0, 0, 0, time.UTC)
		return dateToTimestamp(arrow.Date32(floorDiv(day.Unix(), 86400))), nil
	}
	days, ok := mulInts(int64(w.Days), usDay)
	width, fits := addInts(days, w.Nanoseconds/1000)
	if !ok || !fits || width <= 0 {
		return 0, fmt.Errorf("the width of a bucket is above zero")
	}
	us, ok := bucket(width, int64(t), int64(origin))
	if !ok {
		return 0, errDateRange
	}
	return arrow.Timestamp(us), nil
}

func now(name, description, example, t string, run kernel) *entry {
	e := fn(name, description, example, "true").on(" -> "+t, run)
	e.stable = true
	return e
}

func nowStamp(c *call) (arrow.Array, error) {
	b := vec.NewFixed[int64](c.mem, c.t.Arrow(), c.n)
	for i := range b.Values {
		b.Values[i] = c.env.Now.UnixMicro()
	}
	return b.Finish(), nil
}

func nowDate(c *call) (arrow.Array, error) {
	b := vec.NewFixed[arrow.Date32](c.mem, c.t.Arrow(), c.n)
	for i := range b.Values {
		b.Values[i] = timestampToDate(arrow.Timestamp(c.env.Now.UnixMicro()))
	}
	return b.Finish(), nil
}
