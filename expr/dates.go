package expr

import (
	"errors"
	"math"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
)

const (
	usSecond = 1_000_000
	usMinute = 60 * usSecond
	usHour   = 60 * usMinute
	usDay    = 24 * usHour
)

// timeOf is the moment as the time package has it, in UTC.
func timeOf(t arrow.Timestamp) time.Time { return time.UnixMicro(int64(t)).UTC() }

// dayTime is midnight of d.
func dayTime(d arrow.Date32) time.Time { return time.Unix(int64(d)*86400, 0).UTC() }

// dateToTimestamp is the midnight of d. Days some 290,000 years away, which no
// TIMESTAMP reaches, become the first or the last one.
func dateToTimestamp(d arrow.Date32) arrow.Timestamp {
	const most = math.MaxInt64 / usDay
	return arrow.Timestamp(max(-most, min(most, int64(d))) * usDay)
}

// timestampToDate is the day that t lies in.
func timestampToDate(t arrow.Timestamp) arrow.Date32 { return arrow.Date32(floorDiv(int64(t), usDay)) }

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b != 0 && (a < 0) != (b < 0) {
		q--
	}
	return q
}

// nearest divides, rounding half away from zero.
func nearest(a, b int64) int64 {
	q, r := a/b, a%b
	switch {
	case 2*r >= b:
		q++
	case 2*r <= -b:
		q--
	}
	return q
}

// intervalMicros is the length of an interval whose months have 30 days, or the
// most that INT holds.
func intervalMicros(v arrow.MonthDayNanoInterval) int64 {
	days := int64(v.Months)*30 + int64(v.Days)
	us, ok := mulInts(days, usDay)
	if ok {
		us, ok = addInts(us, v.Nanoseconds/1000)
	}
	switch {
	case ok:
		return us
	case days < 0:
		return math.MinInt64
	}
	return math.MaxInt64
}

func addDays(d arrow.Date32, n int64) (arrow.Date32, error) {
	sum, ok := addInts(int64(d), n)
	if !ok || int64(int32(sum)) != sum {
		return 0, errDateRange
	}
	return arrow.Date32(sum), nil
}

// addInterval adds months first, keeping to the month's last day, then days,
// then the time.
func addInterval(t arrow.Timestamp, v arrow.MonthDayNanoInterval) (arrow.Timestamp, error) {
	us := int64(t)
	if v.Months != 0 {
		day := timestampToDate(t)
		moved, ok := addMonths(day, int64(v.Months))
		if !ok {
			return 0, errDateRange
		}
		if us, ok = addInts(us, (int64(moved)-int64(day))*usDay); !ok {
			return 0, errDateRange
		}
	}
	us, ok := addInts(us, int64(v.Days)*usDay)
	if ok {
		us, ok = addInts(us, floorDiv(v.Nanoseconds, 1000))
	}
	if !ok {
		return 0, errDateRange
	}
	return arrow.Timestamp(us), nil
}

// addMonths moves a day by months; the 31st becomes the last of a shorter month.
func addMonths(d arrow.Date32, months int64) (arrow.Date32, bool) {
	y, m, day := dayTime(d).Date()
	total := int64(y)*12 + int64(m) - 1 + months
	y, m = int(floorDiv(total, 12)), time.Month(total-floorDiv(total, 12)*12+1)
	if y < -5_000_000 || y > 5_000_000 {
		return 0, false
	}
	day = min(day, daysIn(y, m))
	return arrow.Date32(floorDiv(time.Date(y, m, day, 0, 0, 0, 0, time.UTC).Unix(), 86400)), true
}

func daysIn(y int, m time.Month) int { return time.Date(y, m+1, 0, 0, 0, 0, 0, time.UTC).Day() }

func subInterval(t arrow.Timestamp, v arrow.MonthDayNanoInterval) (arrow.Timestamp, error) {
	n, err := negInterval(v)
	if err != nil {
		return 0, err
	}
	return addInterval(t, n)
}

var errIntervalRange = errors.New("the result does not fit INTERVAL")

func negInterval(v arrow.MonthDayNanoInterval) (arrow.MonthDayNanoInterval, error) {
	if v.Months == math.MinInt32 || v.Days == math.MinInt32 || v.Nanoseconds == math.MinInt64 {
		return v, errIntervalRange
	}
	return arrow.MonthDayNanoInterval{Months: -v.Months, Days: -v.Days, Nanoseconds: -v.Nanoseconds}, nil
}

func makeInterval(months, days, nanos int64, ok bool) (arrow.MonthDayNanoInterval, error) {
	if !ok || int64(int32(months)) != months || int64(int32(days)) != days {
		return arrow.MonthDayNanoInterval{}, errIntervalRange
	}
	return arrow.MonthDayNanoInterval{Months: int32(months), Days: int32(days), Nanoseconds: nanos}, nil
}

func sumIntervals(a, b arrow.MonthDayNanoInterval) (arrow.MonthDayNanoInterval, error) {
	nanos, ok := addInts(a.Nanoseconds, b.Nanoseconds)
	return makeInterval(int64(a.Months)+int64(b.Months), int64(a.Days)+int64(b.Days), nanos, ok)
}

func diffIntervals(a, b arrow.MonthDayNanoInterval) (arrow.MonthDayNanoInterval, error) {
	nanos, ok := subInts(a.Nanoseconds, b.Nanoseconds)
	return makeInterval(int64(a.Months)-int64(b.Months), int64(a.Days)-int64(b.Days), nanos, ok)
}

func mulInterval(v arrow.MonthDayNanoInterval, n int64) (arrow.MonthDayNanoInterval, error) {
	months, ok1 := mulInts(int64(v.Months), n)
	days, ok2 := mulInts(int64(v.Days), n)
	nanos, ok3 := mulInts(v.Nanoseconds, n)
	return makeInterval(months, days, nanos, ok1 && ok2 && ok3)
}

// between is b up to a in whole days and the time that is left, as DuckDB has it.
func between(a, b arrow.Timestamp) (arrow.MonthDayNanoInterval, error) {
	us, ok := subInts(int64(a), int64(b))
	return makeInterval(0, us/usDay, us%usDay*1000, ok)
}
