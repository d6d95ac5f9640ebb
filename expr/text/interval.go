package text

import (
	"math"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
)

const (
	nanosPerSecond = int64(1_000_000_000)
	nanosPerHour   = 3600 * nanosPerSecond
	nanosPerDay    = 24 * nanosPerHour
)

// unit is what one of a named span adds: months, days and nanoseconds are kept
// apart, since a month is no fixed number of days nor a day of hours.
type unit struct {
	months, days int64
	nanos        int64
}

var (
	microUnit  = unit{nanos: 1000}
	milliUnit  = unit{nanos: 1_000_000}
	secondUnit = unit{nanos: nanosPerSecond}
	minuteUnit = unit{nanos: 60 * nanosPerSecond}
	hourUnit   = unit{nanos: nanosPerHour}
	dayUnit    = unit{days: 1}
	weekUnit   = unit{days: 7}
	monthUnit  = unit{months: 1}
	yearUnit   = unit{months: 12}
)

// units are the names that DuckDB knows, in lower case.
var units = map[string]unit{
	"ns": {nanos: 1}, "nanosecond": {nanos: 1}, "nanoseconds": {nanos: 1},
	"us": microUnit, "usec": microUnit, "usecs": microUnit, "microsecond": microUnit, "microseconds": microUnit,
	"ms": milliUnit, "msec": milliUnit, "msecs": milliUnit, "millisecond": milliUnit, "milliseconds": milliUnit,
	"s": secondUnit, "sec": secondUnit, "secs": secondUnit, "second": secondUnit, "seconds": secondUnit,
	"m": minuteUnit, "min": minuteUnit, "mins": minuteUnit, "minute": minuteUnit, "minutes": minuteUnit,
	"h": hourUnit, "hr": hourUnit, "hrs": hourUnit, "hour": hourUnit, "hours": hourUnit,
	"d": dayUnit, "day": dayUnit, "days": dayUnit, "dayofmonth": dayUnit,
	"w": weekUnit, "week": weekUnit, "weeks": weekUnit,
	"mon": monthUnit, "mons": monthUnit, "month": monthUnit, "months": monthUnit,
	"quarter": {months: 3}, "quarters": {months: 3},
	"y": yearUnit, "yr": yearUnit, "yrs": yearUnit, "year": yearUnit, "years": yearUnit,
	"decade": {months: 120}, "decades": {months: 120},
	"century": {months: 1200}, "centuries": {months: 1200},
	"millennium": {months: 12000}, "millennia": {months: 12000},
}

// span sums an interval in wide fields, so that overflow shows.
type span struct{ months, days, nanos int64 }

// ParseInterval reads '1 year 2 months 3 days 04:05:06.7', '10s', '90 minutes',
// '-1.5 hours', '2 weeks ago': numbers with units in singular, plural or
// abbreviated, in any order, and a clock time. A fraction of a year goes to
// months, of a month to days of which it has thirty, of a day to time. A number
// alone is seconds.
func ParseInterval(b []byte) (arrow.MonthDayNanoInterval, bool) {
	var s span
	parts := 0
	for {
		b = trimLeft(b)
		if len(b) == 0 {
			break
		}
		if equalFold(trimRight(b), "ago") && parts > 0 {
			s = span{-s.months, -s.days, -s.nanos}
			break
		}
		rest, ok := s.addPart(b, parts == 0)
		if !ok {
			return arrow.MonthDayNanoInterval{}, false
		}
		b = rest
		parts++
	}
	if parts == 0 || !fits32(s.months) || !fits32(s.days) {
		return arrow.MonthDayNanoInterval{}, false
	}
	return arrow.MonthDayNanoInterval{Months: int32(s.months), Days: int32(s.days), Nanoseconds: s.nanos}, true
}

func fits32(v int64) bool { return v == int64(int32(v)) }

func isSpace(c byte) bool { return c == ' ' || c >= '\t' && c <= '\r' }

func trimLeft(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	return b
}

func trimRight(b []byte) []byte {
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// addPart reads one number with its unit, or a clock time, from the head of b.
// A number that is the first and last of all needs no unit.
func (s *span) addPart(b []byte, first bool) (rest []byte, ok bool) {
	neg := false
	if b[0] == '-' || b[0] == '+' {
		neg = b[0] == '-'
		b = b[1:]
	}
	i := 0
	for i < len(b) && b[i]-'0' <= 9 {
		i++
	}
	if i == 0 && (i == len(b) || b[i] != '.') {
		return nil, false
	}
	if i < len(b) && b[i] == ':' {
		return s.addClock(b, i, neg)
	}
	whole := int64(0)
	if i > 0 {
		if whole, ok = ParseInt(b[:i]); !ok {
			return nil, false
		}
	}
	frac, scale := int64(0), int64(1)
	if i < len(b) && b[i] == '.' {
		point := i
		for i++; i < len(b) && b[i]-'0' <= 9; i++ {
			if scale < nanosPerSecond {
				frac, scale = frac*10+int64(b[i]-'0'), scale*10
			}
		}
		if i == 1 && point == 0 {
			return nil, false
		}
	}
	b = trimLeft(b[i:])
	var word [16]byte
	n := 0
	for n < len(b) && n < len(word) && (b[n]|0x20) >= 'a' && (b[n]|0x20) <= 'z' {
		word[n] = b[n] | 0x20
		n++
	}
	u, ok := units[string(word[:n])]
	switch {
	case first && len(b) == 0:
		u = secondUnit
	case !ok:
		return nil, false
	}
	if neg {
		whole, frac = -whole, -frac
	}
	return b[n:], s.add(u, whole, frac, scale)
}

// add adds whole + frac/scale of u.
func (s *span) add(u unit, whole, frac, scale int64) bool {
	ok := addMul(&s.months, whole, u.months) && addMul(&s.days, whole, u.days) && addMul(&s.nanos, whole, u.nanos)
	if !ok || frac == 0 {
		return ok
	}
	months := u.months * frac // of scale each; at most 12000 * 1e9
	s.months += months / scale
	days := u.days*frac + months%scale*30
	s.days += days / scale
	nanos := u.nanos/scale*frac + u.nanos%scale*frac/scale
	// The rest of a day is below scale, at most 1e9: taken in two steps it stays in 64 bits.
	rest := days % scale
	nanos += nanosPerDay/scale*rest + nanosPerDay%scale*rest/scale
	return addMul(&s.nanos, nanos, 1)
}

// addMul adds a*b to *sum, and reports whether 64 bits held it.
func addMul(sum *int64, a, b int64) bool {
	hi, lo := bits.Mul64(magnitude(a), magnitude(b))
	if hi != 0 || lo > math.MaxInt64 {
		return false
	}
	p := int64(lo)
	if (a < 0) != (b < 0) {
		p = -p
	}
	t := *sum + p
	if (t > *sum) != (p > 0) && p != 0 {
		return false
	}
	*sum = t
	return true
}

func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}

// addClock reads h:mm[:ss[.fraction]], where hours may have any number of digits.
func (s *span) addClock(b []byte, colon int, neg bool) (rest []byte, ok bool) {
	h, ok := ParseInt(b[:colon])
	i := colon + 3
	if !ok || i > len(b) {
		return nil, false
	}
	m, sec, frac := two(b, colon+1), 0, int64(0)
	if i < len(b) && b[i] == ':' {
		if i+3 > len(b) {
			return nil, false
		}
		sec = two(b, i+1)
		i += 3
		if i < len(b) && b[i] == '.' {
			unit := nanosPerSecond / 10
			for i++; i < len(b) && b[i]-'0' <= 9; i++ {
				frac += int64(b[i]-'0') * unit
				unit /= 10
			}
		}
	}
	if m > 59 || sec > 59 || i < len(b) && !isSpace(b[i]) {
		return nil, false
	}
	part := int64(m*60+sec)*nanosPerSecond + frac
	if neg {
		h, part = -h, -part
	}
	return b[i:], addMul(&s.nanos, h, nanosPerHour) && addMul(&s.nanos, part, 1)
}

// AppendInterval prints 1 year 2 months 3 days 04:05:06.7, leaving out what is
// zero; 00:00:00 if all is.
func AppendInterval(dst []byte, v arrow.MonthDayNanoInterval) []byte {
	start := len(dst)
	part := func(n int32, name string) {
		if n == 0 {
			return
		}
		if len(dst) > start {
			dst = append(dst, ' ')
		}
		dst = append(append(AppendInt(dst, int64(n)), ' '), name...)
		if n != 1 && n != -1 {
			dst = append(dst, 's')
		}
	}
	part(v.Months/12, "year")
	part(v.Months%12, "month")
	part(v.Days, "day")
	if v.Nanoseconds == 0 && len(dst) > start {
		return dst
	}
	if len(dst) > start {
		dst = append(dst, ' ')
	}
	ns := v.Nanoseconds
	if ns < 0 {
		dst = append(dst, '-')
		if ns == math.MinInt64 { // has no positive counterpart; a nanosecond of 292 years
			ns++
		}
		ns = -ns
	}
	return appendClock(dst, ns)
}
