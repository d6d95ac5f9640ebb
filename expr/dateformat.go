package expr

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
)

func dateFormatFunctions() []*entry {
	parse := func(soft bool) kernel {
		return func(c *call) (arrow.Array, error) {
			s, format := textIn(c.args[0]), textIn(c.args[1])
			return rows(c, stampOut(c), func(i int) (arrow.Timestamp, error) {
				parts, err := c.format(format(i))
				if err != nil {
					return 0, err
				}
				t, ok := parseTime(s(i), parts)
				switch {
				case ok:
					return t, nil
				case soft:
					return 0, errNull
				}
				return 0, fmt.Errorf("'%s' does not have the form '%s': try_strptime makes it NULL", s(i), format(i))
			})
		}
	}
	print := func(c *call) (arrow.Array, error) {
		t, format := stampIn(c.args[0]), textIn(c.args[1])
		var buf []byte
		return rows(c, bytesOut(c), func(i int) ([]byte, error) {
			parts, err := c.format(format(i))
			if err != nil {
				return nil, err
			}
			buf = appendTime(buf[:0], timeOf(t(i)), parts)
			return buf, nil
		})
	}
	return []*entry{
		fn("strptime", "the moment that a text of the given form says: %Y-%m-%d %H:%M:%S and so on", "strptime('31.01.2026', '%d.%m.%Y')", "2026-01-31 00:00:00").
			onFail("STRING, STRING -> TIMESTAMP", parse(false)).checking(checkFormat),
		fn("try_strptime", "strptime, or NULL where the text has another form", "try_strptime('x', '%Y')", "NULL").
			onFail("STRING, STRING -> TIMESTAMP", parse(true)).checking(checkFormat),
		fn("strftime", "a moment in the given form", "strftime(DATE '2026-01-31', '%d.%m.%y')", "31.01.26").
			onFail("TIMESTAMP, STRING -> STRING", print).checking(checkFormat),
	}
}

// formatPart is a piece of a format: text, or a specifier.
type formatPart struct {
	text  string
	spec  byte
	short bool // %-d: without a leading zero
}

var errFormat = errors.New("%Y, %y, %m, %d, %H, %I, %M, %S, %f, %g, %p, %a, %A, %b, %B, %j, %w, %u, %U, %W, %V, %G, %z, %Z, %c, %x, %X and %% are, and %- before a number")

// parseFormat splits a format. %c, %x and %X stand for formats of their own.
func parseFormat(format string) ([]formatPart, error) {
	var parts []formatPart
	for format != "" {
		text, rest, found := strings.Cut(format, "%")
		if text != "" {
			parts = append(parts, formatPart{text: text})
		}
		if !found {
			break
		}
		p := formatPart{}
		if p.short = strings.HasPrefix(rest, "-"); p.short {
			rest = rest[1:]
		}
		if rest == "" {
			return nil, fmt.Errorf("the format ends within a specifier: %w", errFormat)
		}
		p.spec, format = rest[0], rest[1:]
		switch {
		case p.spec == '%':
			parts = append(parts, formatPart{text: "%"})
			continue
		case p.spec == 'c':
			format = "%Y-%m-%d %H:%M:%S" + format
			continue
		case p.spec == 'x':
			format = "%Y-%m-%d" + format
			continue
		case p.spec == 'X':
			format = "%H:%M:%S" + format
			continue
		case strings.IndexByte("YymdHIMSfgpaAbhBjwuUWVGzZn", p.spec) < 0:
			return nil, fmt.Errorf("%%%c is no specifier of a format: %w", p.spec, errFormat)
		}
		parts = append(parts, p)
	}
	return parts, nil
}

// checkFormat finds a bad constant format before anything runs.
func checkFormat(args []Expr) (int, error) {
	if f, ok := constantText(args[1]); ok {
		_, err := parseFormat(f)
		return 1, err
	}
	return 0, nil
}

// format is the split format of a row, kept for the next.
func (c *call) format(f string) ([]formatPart, error) {
	if m := c.memo; m.format == nil || m.pattern != f {
		parts, err := parseFormat(f)
		if err != nil {
			return nil, err
		}
		m.format, m.pattern = append(parts, formatPart{}), strings.Clone(f)
	}
	return c.memo.format[:len(c.memo.format)-1], nil
}

func appendTime(dst []byte, t time.Time, parts []formatPart) []byte {
	for _, p := range parts {
		if p.spec == 0 {
			dst = append(dst, p.text...)
			continue
		}
		number := func(v, width int) {
			if p.short {
				width = 1
			}
			s := strconv.Itoa(v)
			for range width - len(s) {
				dst = append(dst, '0')
			}
			dst = append(dst, s...)
		}
		switch p.spec {
		case 'Y':
			number(t.Year(), 4)
		case 'y':
			number((t.Year()%100+100)%100, 2)
		case 'G':
			y, _ := t.ISOWeek()
			number(y, 4)
		case 'm':
			number(int(t.Month()), 2)
		case 'd':
			number(t.Day(), 2)
		case 'H':
			number(t.Hour(), 2)
		case 'I':
			number((t.Hour()+11)%12+1, 2)
		case 'M':
			number(t.Minute(), 2)
		case 'S':
			number(t.Second(), 2)
		case 'f':
			number(t.Nanosecond()/1000, 6)
		case 'g':
			number(t.Nanosecond()/1_000_000, 3)
		case 'n':
			number(t.Nanosecond(), 9)
		case 'p':
			dst = append(dst, map[bool]string{true: "PM", false: "AM"}[t.Hour() >= 12]...)
		case 'a':
			dst = append(dst, t.Weekday().String()[:3]...)
		case 'A':
			dst = append(dst, t.Weekday().String()...)
		case 'b', 'h':
			dst = append(dst, t.Month().String()[:3]...)
		case 'B':
			dst = append(dst, t.Month().String()...)
		case 'j':
			number(t.YearDay(), 3)
		case 'w':
			number(int(t.Weekday()), 1)
		case 'u':
			number(int(t.Weekday()+6)%7+1, 1)
		case 'U':
			number((t.YearDay()+6-int(t.Weekday()))/7, 2)
		case 'W':
			number((t.YearDay()+6-int(t.Weekday()+6)%7)/7, 2)
		case 'V':
			_, w := t.ISOWeek()
			number(w, 2)
		case 'z':
			dst = append(dst, "+00"...)
		case 'Z':
			dst = append(dst, "UTC"...)
		}
	}
	return dst
}

// clock is what has been read of a moment.
type clock struct {
	year, month, day, yearDay int
	hour, minute, second      int
	micros                    int64
	pm, twelve                bool
	zone                      int64 // microseconds east
}

func parseTime(s string, parts []formatPart) (arrow.Timestamp, bool) {
	c := clock{year: 1900, month: 1, day: 1}
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
	return c.moment()
}

// skipText takes the text off s; a blank stands for any number of them.
func skipText(s, text string) (string, bool) {
	for i := 0; i < len(text); i++ {
		if text[i] == ' ' {
			s = strings.TrimLeft(s, " \t")
			continue
		}
		if s == "" || s[0] != text[i] {
			return s, false
		}
		s = s[1:]
	}
	return s, true
}

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
	case 'Y':
		return put(&c.year, 4, 0, 9999)
	case 'y':
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
	case 'H':
		return put(&c.hour, 2, 0, 23)
	case 'I':
		c.twelve = true
		return put(&c.hour, 2, 1, 12)
	case 'M':
		return put(&c.minute, 2, 0, 59)
	case 'S':
		return put(&c.second, 2, 0, 59)
	case 'f', 'g', 'n':
		v, n := digits(s, 9)
		for i := n; i < 9; i++ {
			v *= 10
		}
		c.micros = int64(v / 1000)
		return s[n:], n > 0
	case 'p':
		if len(s) < 2 || (s[1]|32) != 'm' || (s[0]|32) != 'a' && (s[0]|32) != 'p' {
			return s, false
		}
		c.pm, c.twelve = s[0]|32 == 'p', true
		return s[2:], true
	case 'a', 'A':
		_, rest, ok := name(s, spec == 'A', 7, func(i int) string { return time.Weekday(i).String() })
		return rest, ok
	case 'b', 'h', 'B':
		m, rest, ok := name(s, spec == 'B', 12, func(i int) string { return time.Month(i + 1).String() })
		c.month = m + 1
		return rest, ok
	case 'z':
		return c.readZone(s)
	case 'Z':
		n := strings.IndexFunc(s, func(r rune) bool { return r < 'A' || r > 'Z' && r < 'a' || r > 'z' })
		if n < 0 {
			n = len(s)
		}
		z := strings.ToUpper(s[:n])
		return s[n:], z == "UTC" || z == "GMT" || z == "Z"
	}
	// What only prints: week numbers and the like are passed over.
	_, n := digits(s, 4)
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

func (c *clock) readZone(s string) (string, bool) {
	if s != "" && (s[0] == 'Z' || s[0] == 'z') {
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
	c.zone = sign * (int64(h)*usHour + int64(m)*usMinute)
	return s[k:], n == 2 && (k == 0 || k == 2) && h < 24 && m < 60
}

func (c *clock) moment() (arrow.Timestamp, bool) {
	if c.twelve {
		c.hour %= 12
		if c.pm {
			c.hour += 12
		}
	}
	if c.yearDay > 0 {
		d := time.Date(c.year, 1, c.yearDay, 0, 0, 0, 0, time.UTC)
		if d.Year() != c.year {
			return 0, false
		}
		c.month, c.day = int(d.Month()), d.Day()
	}
	if c.day > daysIn(c.year, time.Month(c.month)) {
		return 0, false
	}
	t := time.Date(c.year, time.Month(c.month), c.day, c.hour, c.minute, c.second, 0, time.UTC)
	return arrow.Timestamp(t.UnixMicro() + c.micros - c.zone), true
}
