package expr

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr/vec"
)

// formats gives the formats of row i to try.
type formats func(i int) []string

func oneFormat(v vector) (of formats, release func()) {
	text, one := textIn(v), make([]string, 1)
	return func(i int) []string {
		one[0] = text(i)
		return one
	}, func() {}
}

// listOfFormats leaves NULLs out.
func listOfFormats(v vector) (of formats, release func()) {
	l := listIn(v)
	text, null := textIn(vector{arr: l.elems}), vec.ValidityOf(l.elems)
	var some []string
	return func(i int) []string {
		some = some[:0]
		for from, to := l.at(i); from < to; from++ {
			if null.Valid(from) {
				some = append(some, text(from))
			}
		}
		return some
	}, l.release
}

// readTimes makes the kernel of strptime; soft gives NULL for text of another form.
func readTimes(soft bool, read func(vector) (formats, func())) kernel {
	return func(c *call) (arrow.Array, error) {
		s := textIn(c.args[0])
		of, release := read(c.args[1])
		defer release()
		return rows(c, stampOut(c), func(i int) (arrow.Timestamp, error) {
			forms := of(i)
			for _, form := range forms {
				f, err := c.format(form)
				if err == nil {
					err = f.unread
				}
				if err != nil {
					return 0, err
				}
				if t, ok := parseTime(s(i), f.parts, &c.memo.zone); ok {
					return t, nil
				}
			}
			switch {
			case len(forms) == 0:
				return 0, errors.New("the list has no format to read by")
			case soft:
				return 0, errNull
			}
			return 0, fmt.Errorf("'%s' does not have the form '%s': try_strptime makes it NULL", s(i), strings.Join(forms, "' or '"))
		})
	}
}

// checkReading finds a bad constant format before anything runs.
func checkReading(args []Expr) (int, error) {
	consts := args[1:]
	if c, ok := args[1].(*Call); ok && c.Fn == "list_value" {
		consts = c.Args
	}
	for _, e := range consts {
		text, ok := constantText(e)
		if !ok {
			continue
		}
		f, err := parseFormat(text)
		if err == nil {
			err = f.unread
		}
		if err != nil {
			return 1, err
		}
	}
	return 0, nil
}

// readable tells by what a format gives the day: month and day count before
// all else, and of the other ways there may be only one.
func readable(parts []formatPart) error {
	has := func(specs string) bool {
		return slices.ContainsFunc(parts, func(p formatPart) bool { return p.spec != 0 && strings.IndexByte(specs, p.spec) >= 0 })
	}
	if has("mdbhB") {
		return nil
	}
	if has("V") && has("Yy") && !has("G") {
		return errors.New("%V is the week of a year %G, not of %Y, which may begin in the middle of one")
	}
	ways := 0
	for _, specs := range []string{"j", "U", "W", "GV"} {
		if has(specs) && (specs != "GV" || has("V") || !has("Yy")) {
			ways++
		}
	}
	if ways > 1 {
		return errors.New("the format gives the day in more than one way: keep one of %j, %U, %W, and %G with %V")
	}
	return nil
}

// clock is what has been read of a moment.
type clock struct {
	year, month, day     int
	yearDay, week        int
	weekday              int  // from 0, Sunday; -1 if it was not read
	isoYear              int  // that of the week, by ISO 8601
	by                   byte // the specifier that the day goes by: 'd', 'j', 'U', 'W', 'V' or 0
	hasYear              bool
	hour, minute, second int
	micros               int64
	half                 byte  // 'a' or 'p'
	ahead                int64 // of UTC, in microseconds
	hasZone              bool
	zone                 string // a name
}

func parseTime(s string, parts []formatPart, zone *zoneSpan) (arrow.Timestamp, bool) {
	c := clock{year: 1900, month: 1, day: 1, week: 1, weekday: -1, isoYear: 1900}
	s = strings.TrimSpace(s)
	for _, p := range parts {
		var ok bool
		if p.spec == 0 {
			s, ok = skipText(s, p.text)
		} else {
			s, ok = c.read(s, p.spec)
		}
		if !ok {
			return 0, false
		}
	}
	if strings.TrimSpace(s) != "" {
		return 0, false
	}
	t, ok := c.moment()
	if !ok || c.zone == "" {
		return t, ok
	}
	utc, err := zone.utc(c.zone, t)
	if c.hasZone {
		utc = t
	}
	return utc, err == nil
}

// skipText takes the text off s; blanks stand for any number of them, but one.
func skipText(s, text string) (string, bool) {
	for text != "" {
		if bare := trimBlanks(text); len(bare) < len(text) {
			rest := trimBlanks(s)
			if len(rest) == len(s) {
				return s, false
			}
			s, text = rest, bare
			continue
		}
		if s == "" || s[0] != text[0] {
			return s, false
		}
		s, text = s[1:], text[1:]
	}
	return s, true
}

func trimBlanks(s string) string { return strings.TrimLeft(s, " \t\n\v\f\r") }

func digits(s string, most int) (v, n int) {
	for n < len(s) && n < most && s[n] >= '0' && s[n] <= '9' {
		v = v*10 + int(s[n]-'0')
		n++
	}
	return v, n
}

func (c *clock) read(s string, spec byte) (string, bool) {
	put := func(to *int, most, lo, hi int) (string, bool) {
		v, n := digits(s, most)
		*to = v
		return s[n:], n > 0 && v >= lo && v <= hi
	}
	switch spec {
	case 'm', 'd', 'b', 'h', 'B':
		c.by = 'd'
	case 'j', 'U', 'W', 'V':
		if c.by != 'd' {
			c.by = spec
		}
	case 'G':
		if c.by == 0 {
			c.by = 'G'
		}
	}
	switch spec {
	case 'Y':
		c.hasYear = true
		return put(&c.year, 4, 0, 9999)
	case 'y':
		c.hasYear = true
		rest, ok := put(&c.year, 2, 0, 99)
		if c.year += 1900; c.year < 1969 { // as POSIX has it
			c.year += 100
		}
		return rest, ok
	case 'm':
		return put(&c.month, 2, 1, 12)
	case 'd':
		return put(&c.day, 2, 1, 31)
	case 'j':
		return put(&c.yearDay, 3, 1, 366)
	case 'U', 'W':
		return put(&c.week, 2, 0, 53)
	case 'V':
		return put(&c.week, 2, 1, 53)
	case 'G':
		return put(&c.isoYear, 4, 0, 9999)
	case 'w':
		return put(&c.weekday, 1, 0, 6)
	case 'u':
		rest, ok := put(&c.weekday, 1, 1, 7)
		c.weekday %= 7
		return rest, ok
	case 'H':
		return put(&c.hour, 2, 0, 23)
	case 'I':
		return put(&c.hour, 2, 1, 12)
	case 'M':
		return put(&c.minute, 2, 0, 59)
	case 'S':
		return put(&c.second, 2, 0, 59)
	case 'g':
		return c.readFraction(s, 3)
	case 'f':
		return c.readFraction(s, 6)
	case 'n':
		return c.readFraction(s, 9)
	case 'p':
		if len(s) < 2 || (s[1]|32) != 'm' || (s[0]|32) != 'a' && (s[0]|32) != 'p' {
			return s, false
		}
		c.half = s[0] | 32
		return s[2:], true
	case 'a', 'A':
		_, rest, ok := name(s, spec == 'A', 7, func(i int) string { return time.Weekday(i).String() })
		return rest, ok
	case 'b', 'h', 'B':
		m, rest, ok := name(s, spec == 'B', 12, func(i int) string { return time.Month(i + 1).String() })
		c.month = m + 1
		return rest, ok
	case 'z':
		return c.readOffset(s)
	case 'Z':
		return c.readZone(s)
	}
	return s, false
}

// readFraction reads at most so many digits; those beyond microseconds are cut off.
func (c *clock) readFraction(s string, most int) (string, bool) {
	v, n := digits(s, most)
	for i := n; i < 9; i++ {
		v *= 10
	}
	c.micros = int64(v / 1000)
	return s[n:], n > 0
}

// name reads one of n names, in full or its first three letters.
func name(s string, full bool, n int, of func(int) string) (int, string, bool) {
	for i := range n {
		want := of(i)
		if !full {
			want = want[:3]
		}
		if len(s) >= len(want) && strings.EqualFold(s[:len(want)], want) {
			return i, s[len(want):], true
		}
	}
	return 0, s, false
}

func (c *clock) readOffset(s string) (string, bool) {
	c.hasZone = true
	if s != "" && (s[0] == 'Z' || s[0] == 'z') {
		c.ahead = 0
		return s[1:], true
	}
	if s == "" || s[0] != '+' && s[0] != '-' {
		return s, false
	}
	sign := int64(1)
	if s[0] == '-' {
		sign = -1
	}
	h, n := digits(s[1:], 2)
	s = s[1+n:]
	s = strings.TrimPrefix(s, ":")
	m, k := digits(s, 2)
	c.ahead = sign * (int64(h)*usHour + int64(m)*usMinute)
	return s[k:], n == 2 && (k == 0 || k == 2) && h < 24 && m < 60
}

// readZone reads the name of a time zone.
func (c *clock) readZone(s string) (string, bool) {
	s = trimBlanks(s)
	n := strings.IndexFunc(s, func(r rune) bool {
		return (r|32 < 'a' || r|32 > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("_/+-", r)
	})
	if n < 0 {
		n = len(s)
	}
	c.zone = s[:n]
	if c.zone == "Z" || c.zone == "z" {
		c.zone = "UTC"
	}
	return s[n:], n > 0
}

func (c *clock) moment() (arrow.Timestamp, bool) {
	if c.half != 0 {
		if c.hour > 12 {
			return 0, false
		}
		c.hour %= 12
		if c.half == 'p' {
			c.hour += 12
		}
	}
	if c.by == 0 || c.by == 'd' || c.by == 'G' && c.hasYear {
		if c.day > daysIn(c.year, time.Month(c.month)) {
			return 0, false
		}
	} else if !c.toDay() {
		return 0, false
	}
	t := time.Date(c.year, time.Month(c.month), c.day, c.hour, c.minute, c.second, 0, time.UTC)
	return arrow.Timestamp(t.UnixMicro() + c.micros - c.ahead), true
}

// toDay makes the year, month and day of a day of the year or of a week.
func (c *clock) toDay() bool {
	day := func(y, d int) time.Time { return time.Date(y, 1, d, 0, 0, 0, 0, time.UTC) }
	var d time.Time
	switch c.by {
	case 'j':
		if d = day(c.year, c.yearDay); d.Year() != c.year {
			return false
		}
	case 'U', 'W': // week 1 begins with the year's first Sunday, or Monday
		first := time.Weekday(0)
		if c.by == 'W' {
			first = 1
		}
		start := int(first-day(c.year, 1).Weekday()+7) % 7
		d = day(c.year, 1+start+(c.week-1)*7+c.after(int(first)))
	default: // that of ISO 8601 is the week of January 4
		monday := 4 - int(day(c.isoYear, 4).Weekday()+6)%7
		d = day(c.isoYear, monday+(c.week-1)*7+c.after(1))
	}
	y, m, n := d.Date()
	c.year, c.month, c.day = y, int(m), n
	return true
}

// after is how many days the day lies behind the first of its week.
func (c *clock) after(first int) int {
	if c.weekday < 0 {
		return 0
	}
	return (c.weekday - first + 7) % 7
}
