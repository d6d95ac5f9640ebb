package text

import (
	"bytes"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
)

// ParseLongDate is ParseDate that also reads days beyond the years 1 to 9999
// as AppendDate prints them: 12345-06-07 and 0044-03-15 (BC). -0043-03-15 is
// the latter, too, as ISO 8601 counts. Columns whose type is known read with it;
// types are inferred with ParseDate, to which 12345-06-07 is no date.
func ParseLongDate(b []byte) (arrow.Date32, bool) {
	if d, ok := ParseDate(b); ok {
		return d, true
	}
	d, n, ok := longDate(b)
	return d, ok && n == len(b)
}

// longDate reads a date at the head of b, and how many bytes it took.
func longDate(b []byte) (d arrow.Date32, n int, ok bool) {
	neg := len(b) > 0 && b[0] == '-'
	if neg {
		n = 1
	}
	y, digits := 0, 0
	for n < len(b) && b[n]-'0' <= 9 && digits < 8 {
		y = y*10 + int(b[n]-'0')
		n++
		digits++
	}
	if digits < 4 || digits > 7 || len(b) < n+6 || b[n] != '-' || b[n+3] != '-' {
		return 0, 0, false
	}
	m, day := two(b, n+1), two(b, n+4)
	n += 6
	switch bc := bytes.HasPrefix(b[n:], []byte(" (BC)")); {
	case bc && (neg || y == 0):
		return 0, 0, false
	case bc:
		y, n = 1-y, n+len(" (BC)")
	case neg:
		y = -y
	}
	if m < 1 || m > 12 || day < 1 || day > daysIn(y, m) {
		return 0, 0, false
	}
	days := daysFromCivil(y, m, day)
	return arrow.Date32(days), n, days >= math.MinInt32 && days <= math.MaxInt32
}

// longTimestamp reads a timestamp that begins with such a date, or that date
// as its midnight.
func longTimestamp(b []byte) (arrow.Timestamp, bool) {
	date, n, ok := longDate(b)
	if !ok {
		return 0, false
	}
	us := int64(0)
	if n < len(b) {
		if b[n] != 'T' && b[n] != ' ' && b[n] != 't' {
			return 0, false
		}
		clock, k, ok := parseClock(b[n+1:])
		if !ok {
			return 0, false
		}
		zone, ok := parseZone(b[n+1+k:])
		if !ok {
			return 0, false
		}
		us = clock - zone
	}
	days := int64(date)
	if days < 0 { // counted from the other end, so that the earliest moment does not overflow on the way
		days, us = days+1, us-microsPerDay
	}
	ok = addMul(&us, days, microsPerDay)
	return arrow.Timestamp(us), ok
}
