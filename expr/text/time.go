package text

import (
	"github.com/apache/arrow-go/v18/arrow"
)

const (
	microsPerSecond = 1_000_000
	microsPerDay    = 86_400 * microsPerSecond
)

// two reads two digits; what is no digit gives a value above 99.
func two(b []byte, i int) int {
	h, l := b[i]-'0', b[i+1]-'0'
	if h > 9 || l > 9 {
		return 1000
	}
	return int(h)*10 + int(l)
}

// ParseDate reads an ISO 8601 calendar date, YYYY-MM-DD, that exists.
func ParseDate(b []byte) (arrow.Date32, bool) {
	if len(b) != 10 || b[4] != '-' || b[7] != '-' {
		return 0, false
	}
	y1, y2, m, d := two(b, 0), two(b, 2), two(b, 5), two(b, 8)
	if y1 > 99 || y2 > 99 || m < 1 || m > 12 || d < 1 {
		return 0, false
	}
	y := y1*100 + y2
	if d > daysIn(y, m) {
		return 0, false
	}
	return arrow.Date32(daysFromCivil(y, m, d)), true
}

func daysIn(y, m int) int {
	switch m {
	case 4, 6, 9, 11:
		return 30
	case 2:
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			return 29
		}
		return 28
	}
	return 31
}

// daysFromCivil counts days from 1970-01-01 in the proleptic Gregorian
// calendar. Years begin in March here, so that the leap day comes last.
func daysFromCivil(y, m, d int) int {
	if m <= 2 {
		y--
		m += 12
	}
	era := floorDiv(y, 400)
	yearOfEra := y - era*400
	dayOfYear := (153*(m-3)+2)/5 + d - 1
	dayOfEra := yearOfEra*365 + yearOfEra/4 - yearOfEra/100 + dayOfYear
	return era*146_097 + dayOfEra - 719_468
}

// civil is the inverse of daysFromCivil.
func civil(days int) (y, m, d int) {
	days += 719_468
	era := floorDiv(days, 146_097)
	dayOfEra := days - era*146_097
	yearOfEra := (dayOfEra - dayOfEra/1460 + dayOfEra/36_524 - dayOfEra/146_096) / 365
	dayOfYear := dayOfEra - (365*yearOfEra + yearOfEra/4 - yearOfEra/100)
	month := (5*dayOfYear + 2) / 153
	d = dayOfYear - (153*month+2)/5 + 1
	y, m = yearOfEra+era*400, month+3
	if m > 12 {
		y, m = y+1, m-12
	}
	return y, m, d
}

func floorDiv[T ~int | ~int64](a, b T) T {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// ParseTimestamp reads an ISO 8601 date and time as microseconds of UTC:
// 2026-01-31T10:00[:00[.123456]], a space in place of the T, and Z, ±hh,
// ±hhmm or ±hh:mm after it; without a zone it is UTC. Digits past the
// microsecond are cut. A bare date is not ok.
func ParseTimestamp(b []byte) (arrow.Timestamp, bool) {
	if len(b) < 16 || b[10] != 'T' && b[10] != ' ' && b[10] != 't' {
		return 0, false
	}
	date, ok := ParseDate(b[:10])
	if !ok {
		return 0, false
	}
	us, n, ok := parseClock(b[11:])
	if !ok {
		return 0, false
	}
	zone, ok := parseZone(b[11+n:])
	if !ok {
		return 0, false
	}
	return arrow.Timestamp(int64(date)*microsPerDay + us - zone), true
}

// parseClock reads hh:mm[:ss[.fraction]] at the head of b as microseconds, and
// how many bytes it took. 24:00:00 is refused, as are leap seconds.
func parseClock(b []byte) (us int64, n int, ok bool) {
	if len(b) < 5 || b[2] != ':' {
		return 0, 0, false
	}
	h, m, s := two(b, 0), two(b, 3), 0
	n = 5
	if len(b) >= 8 && b[5] == ':' {
		s = two(b, 6)
		n = 8
		if len(b) > 9 && b[8] == '.' && b[9]-'0' <= 9 {
			n = 9
			scale := int64(100_000)
			for n < len(b) && b[n]-'0' <= 9 {
				us += int64(b[n]-'0') * scale
				scale /= 10
				n++
			}
		}
	}
	if h > 23 || m > 59 || s > 59 {
		return 0, 0, false
	}
	return us + int64(h*3600+m*60+s)*microsPerSecond, n, true
}

// parseZone reads the offset that ends a timestamp, in microseconds.
func parseZone(b []byte) (int64, bool) {
	if len(b) == 0 {
		return 0, true
	}
	if len(b) == 1 {
		return 0, b[0] == 'Z' || b[0] == 'z'
	}
	sign := int64(1)
	switch b[0] {
	case '+':
	case '-':
		sign = -1
	default:
		return 0, false
	}
	h, m := 0, 0
	switch {
	case len(b) == 3:
		h = two(b, 1)
	case len(b) == 5:
		h, m = two(b, 1), two(b, 3)
	case len(b) == 6 && b[3] == ':':
		h, m = two(b, 1), two(b, 4)
	default:
		return 0, false
	}
	if h > 23 || m > 59 {
		return 0, false
	}
	return sign * int64(h*3600+m*60) * microsPerSecond, true
}

// ParseTimestampOrDate also reads a bare date, as its midnight, and what
// ParseLongDate reads in place of the date.
func ParseTimestampOrDate(b []byte) (arrow.Timestamp, bool) {
	if d, ok := ParseDate(b); ok {
		return arrow.Timestamp(int64(d) * microsPerDay), true
	}
	if t, ok := ParseTimestamp(b); ok {
		return t, true
	}
	return longTimestamp(b)
}

func appendTwo(dst []byte, n int) []byte {
	return append(dst, byte('0'+n/10%10), byte('0'+n%10))
}

// AppendDate prints 2026-01-31; years before 1 end in " (BC)", as in DuckDB.
// ParseLongDate reads it back.
func AppendDate(dst []byte, d arrow.Date32) []byte { return appendDay(dst, int(d)) }

func appendDay(dst []byte, days int) []byte {
	y, m, d := civil(days)
	bc := y <= 0
	if bc {
		y = 1 - y
	}
	if y >= 10_000 {
		dst = AppendInt(dst, int64(y))
	} else {
		dst = appendTwo(appendTwo(dst, y/100), y%100)
	}
	dst = appendTwo(append(dst, '-'), m)
	dst = appendTwo(append(dst, '-'), d)
	if bc {
		dst = append(dst, " (BC)"...)
	}
	return dst
}

// AppendTimestamp prints 2026-01-31T10:00:00Z with as many digits of the
// fraction as needed: the form of files. ParseTimestampOrDate reads it back.
func AppendTimestamp(dst []byte, t arrow.Timestamp) []byte {
	return append(appendMoment(dst, int64(t), 'T'), 'Z')
}

// AppendTimestampSpace prints 2026-01-31 10:00:00 with as many digits of the
// fraction as needed: the form of CAST to text.
func AppendTimestampSpace(dst []byte, t arrow.Timestamp) []byte {
	return appendMoment(dst, int64(t), ' ')
}

func appendMoment(dst []byte, t int64, sep byte) []byte {
	days := floorDiv(t, int64(microsPerDay))
	us := t - days*microsPerDay
	return appendClock(append(appendDay(dst, int(days)), sep), us*1000)
}

// appendClock prints a time of day (or, in an interval, more hours) in
// nanoseconds as hh:mm:ss and a fraction without trailing zeros.
func appendClock(dst []byte, ns int64) []byte {
	s := ns / 1_000_000_000
	if h := s / 3600; h > 99 {
		dst = AppendInt(dst, h)
	} else {
		dst = appendTwo(dst, int(h))
	}
	dst = appendTwo(append(dst, ':'), int(s/60%60))
	dst = appendTwo(append(dst, ':'), int(s%60))
	frac := ns % 1_000_000_000
	if frac == 0 {
		return dst
	}
	dst = append(dst, '.')
	for scale := int64(100_000_000); frac > 0; scale /= 10 {
		dst = append(dst, byte('0'+frac/scale))
		frac %= scale
	}
	return dst
}
