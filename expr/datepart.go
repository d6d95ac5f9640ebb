package expr

import (
	"fmt"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
)

// datePart is a unit of dates, by any of its names.
type datePart uint8

const (
	partMicrosecond datePart = iota
	partMillisecond
	partSecond
	partMinute
	partHour
	partDay
	partWeek
	partMonth
	partQuarter
	partYear
	partDecade
	partCentury
	partMillennium
	partDayOfWeek
	partISODayOfWeek
	partDayOfYear
	partISOYear
	partYearWeek
	partEra
	partEpoch
	partTimezone
)

var datePartNames = map[string]datePart{
	"microsecond": partMicrosecond, "us": partMicrosecond, "usec": partMicrosecond,
	"millisecond": partMillisecond, "ms": partMillisecond, "msec": partMillisecond,
	"second": partSecond, "s": partSecond, "sec": partSecond,
	"minute": partMinute, "m": partMinute, "min": partMinute,
	"hour": partHour, "h": partHour, "hr": partHour,
	"day": partDay, "d": partDay, "dayofmonth": partDay,
	"week": partWeek, "w": partWeek, "weekofyear": partWeek,
	"month": partMonth, "mon": partMonth, "quarter": partQuarter,
	"year": partYear, "y": partYear, "yr": partYear,
	"decade": partDecade, "century": partCentury, "millennium": partMillennium,
	"dow": partDayOfWeek, "dayofweek": partDayOfWeek, "weekday": partDayOfWeek, "isodow": partISODayOfWeek,
	"doy": partDayOfYear, "dayofyear": partDayOfYear, "isoyear": partISOYear, "yearweek": partYearWeek,
	"era": partEra, "epoch": partEpoch, "timezone": partTimezone,
}

// months is how many months the unit is long; 0 if it is none of months.
func (p datePart) months() int64 {
	switch p {
	case partMonth:
		return 1
	case partQuarter:
		return 3
	case partYear, partISOYear:
		return 12
	case partDecade:
		return 120
	case partCentury:
		return 1200
	case partMillennium:
		return 12000
	}
	return 0
}

// parsePart reads the name of a unit, in any case, singular or plural.
func parsePart(name string) (datePart, error) {
	name = strings.ToLower(name)
	if p, ok := datePartNames[name]; ok {
		return p, nil
	}
	if p, ok := datePartNames[strings.TrimSuffix(name, "s")]; ok && len(name) > 3 {
		return p, nil
	}
	switch name {
	case "centuries":
		return partCentury, nil
	case "millennia":
		return partMillennium, nil
	}
	return 0, fmt.Errorf("no part of a date is called '%s': year, quarter, month, week, day, hour, minute, second and others are", name)
}

// extract is the part of t as a number.
func (p datePart) extract(t arrow.Timestamp) int64 {
	us := int64(t)
	inDay := us - floorDiv(us, usDay)*usDay
	switch p {
	case partMicrosecond:
		return inDay % usMinute
	case partMillisecond:
		return inDay % usMinute / 1000
	case partSecond:
		return inDay % usMinute / usSecond
	case partMinute:
		return inDay % usHour / usMinute
	case partHour:
		return inDay / usHour
	case partEpoch:
		return floorDiv(us, usSecond)
	case partTimezone:
		return 0
	}
	return p.ofDay(timeOf(t))
}

func (p datePart) ofDay(d time.Time) int64 {
	y, m, day := d.Date()
	switch p {
	case partDay:
		return int64(day)
	case partWeek:
		_, w := d.ISOWeek()
		return int64(w)
	case partMonth:
		return int64(m)
	case partQuarter:
		return int64(m+2) / 3
	case partDecade:
		return int64(y / 10)
	case partCentury:
		return sinceOne(y, 100)
	case partMillennium:
		return sinceOne(y, 1000)
	case partDayOfWeek:
		return int64(d.Weekday())
	case partISODayOfWeek:
		return int64(d.Weekday()+6)%7 + 1
	case partDayOfYear:
		return int64(d.YearDay())
	case partISOYear:
		iy, _ := d.ISOWeek()
		return int64(iy)
	case partYearWeek:
		iy, w := d.ISOWeek()
		if iy <= 0 {
			return int64(iy)*100 - int64(w)
		}
		return int64(iy)*100 + int64(w)
	case partEra:
		if y > 0 {
			return 1
		}
		return 0
	}
	return int64(y)
}

// sinceOne numbers spans of n years, of which the first begins with year 1.
func sinceOne(y, n int) int64 {
	if y > 0 {
		return int64((y-1)/n + 1)
	}
	return -int64(-y/n + 1)
}

// truncate is the beginning of the span of t.
func (p datePart) truncate(t arrow.Timestamp) arrow.Timestamp {
	unit := int64(0)
	switch p {
	case partMicrosecond:
		return t
	case partMillisecond:
		unit = 1000
	case partSecond, partEpoch:
		unit = usSecond
	case partMinute:
		unit = usMinute
	case partHour:
		unit = usHour
	case partDay, partDayOfWeek, partISODayOfWeek, partDayOfYear:
		unit = usDay
	}
	if unit > 0 {
		return arrow.Timestamp(floorDiv(int64(t), unit) * unit)
	}
	return dateToTimestamp(arrow.Date32(floorDiv(p.firstDay(timeOf(t)).Unix(), 86400)))
}

func (p datePart) firstDay(d time.Time) time.Time {
	y, m, day := d.Date()
	switch p {
	case partWeek, partYearWeek:
		return time.Date(y, m, day-int(d.Weekday()+6)%7, 0, 0, 0, 0, time.UTC)
	case partMonth:
		return time.Date(y, m, 1, 0, 0, 0, 0, time.UTC)
	case partQuarter:
		return time.Date(y, (m-1)/3*3+1, 1, 0, 0, 0, 0, time.UTC)
	case partDecade:
		y = int(floorDiv(int64(y), 10)) * 10
	case partCentury:
		y = int(floorDiv(int64(y), 100)) * 100
	case partMillennium:
		y = int(floorDiv(int64(y), 1000)) * 1000
	case partISOYear:
		iy, _ := d.ISOWeek()
		jan4 := time.Date(iy, 1, 4, 0, 0, 0, 0, time.UTC)
		return jan4.AddDate(0, 0, -int(jan4.Weekday()+6)%7)
	}
	return time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC)
}

// boundaries counts the starts of spans that lie after a, up to b. Weeks are
// seven days instead, as DuckDB counts them.
func (p datePart) boundaries(a, b arrow.Timestamp) int64 {
	if unit := p.fixed(); unit > 0 {
		return floorDiv(int64(b), unit) - floorDiv(int64(a), unit)
	}
	x, y := timeOf(a), timeOf(b)
	months := int64(y.Year()*12+int(y.Month())) - int64(x.Year()*12+int(x.Month()))
	years := int64(y.Year() - x.Year())
	switch p {
	case partMonth:
		return months
	case partQuarter:
		return int64(y.Year()*4+int(y.Month()-1)/3) - int64(x.Year()*4+int(x.Month()-1)/3)
	case partWeek, partYearWeek:
		return partDay.boundaries(a, b) / 7
	case partDecade:
		return floorDiv(int64(y.Year()), 10) - floorDiv(int64(x.Year()), 10)
	case partCentury:
		return floorDiv(int64(y.Year()), 100) - floorDiv(int64(x.Year()), 100)
	case partMillennium:
		return floorDiv(int64(y.Year()), 1000) - floorDiv(int64(x.Year()), 1000)
	case partISOYear:
		return partISOYear.extract(b) - partISOYear.extract(a)
	}
	return years
}

// fixed is the span in microseconds, or 0 where it varies.
func (p datePart) fixed() int64 {
	switch p {
	case partMicrosecond:
		return 1
	case partMillisecond:
		return 1000
	case partSecond, partEpoch:
		return usSecond
	case partMinute:
		return usMinute
	case partHour:
		return usHour
	case partDay, partDayOfWeek, partISODayOfWeek, partDayOfYear:
		return usDay
	}
	return 0
}

// bucket is the start of the span of width from origin that t lies in.
func bucket(width, t, origin int64) (int64, bool) {
	d, ok := subInts(t, origin)
	if !ok {
		return 0, false
	}
	return addInts(origin, floorDiv(d, width)*width)
}
