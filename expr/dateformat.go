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
	return []*entry{
		fn("strptime", "the moment that a text of the given form says, or of the first that fits in a list of forms: %Y-%m-%d %H:%M:%S and so on", "strptime('31.01.2026', '%d.%m.%Y')", "2026-01-31 00:00:00").
			onFail("STRING, STRING -> TIMESTAMP", readTimes(false, oneFormat)).checking(checkReading).
			onFail("STRING, LIST<STRING> -> TIMESTAMP", readTimes(false, listOfFormats)).checking(checkReading),
		fn("try_strptime", "strptime, or NULL where the text has another form", "try_strptime('x', '%Y')", "NULL").
			onFail("STRING, STRING -> TIMESTAMP", readTimes(true, oneFormat)).checking(checkReading).
			onFail("STRING, LIST<STRING> -> TIMESTAMP", readTimes(true, listOfFormats)).checking(checkReading),
		fn("strftime", "a moment in the given form", "strftime(DATE '2026-01-31', '%d.%m.%y')", "31.01.26").
			onFail("TIMESTAMP, STRING -> STRING", printTimes).checking(checkFormat),
	}
}

func printTimes(c *call) (arrow.Array, error) {
	t, text := stampIn(c.args[0]), textIn(c.args[1])
	var buf []byte
	return rows(c, bytesOut(c), func(i int) ([]byte, error) {
		f, err := c.format(text(i))
		if err != nil {
			return nil, err
		}
		buf = appendTime(buf[:0], timeOf(t(i)), f.parts)
		return buf, nil
	})
}

// timeFormat is a format, split.
type timeFormat struct {
	parts  []formatPart
	unread error // why no text can be read by it, which it may yet print
}

// formatPart is a piece of a format: text, or a specifier.
type formatPart struct {
	text  string
	spec  byte
	short bool // %-d: without a leading zero
}

var errFormat = errors.New("%Y, %y, %m, %d, %H, %I, %M, %S, %f, %g, %n, %p, %a, %A, %b, %B, %j, %w, %u, %U, %W, %V, %G, %z, %Z, %c, %x, %X, %T and %% are, and %-d, %-m, %-y, %-j, %-H, %-I, %-M, %-S")

// parseFormat splits a format. %c, %x, %X and %T stand for formats of their own.
func parseFormat(format string) (*timeFormat, error) {
	if format == "" {
		return nil, errors.New("the format is empty")
	}
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
		case p.short && strings.IndexByte("dmyjHIMS", p.spec) < 0:
			return nil, fmt.Errorf("%%-%c is no specifier of a format: %w", p.spec, errFormat)
		case p.spec == '%':
			parts = append(parts, formatPart{text: "%"})
			continue
		case p.spec == 'c':
			format = "%Y-%m-%d %H:%M:%S" + format
			continue
		case p.spec == 'x':
			format = "%Y-%m-%d" + format
			continue
		case p.spec == 'X' || p.spec == 'T':
			format = "%H:%M:%S" + format
			continue
		case strings.IndexByte("YymdHIMSfgpaAbhBjwuUWVGzZn", p.spec) < 0:
			return nil, fmt.Errorf("%%%c is no specifier of a format: %w", p.spec, errFormat)
		}
		parts = append(parts, p)
	}
	return &timeFormat{parts, readable(parts)}, nil
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
func (c *call) format(text string) (*timeFormat, error) {
	const most = 64
	m := c.memo
	if f, ok := m.formats[text]; ok {
		return f, nil
	}
	f, err := parseFormat(text)
	if err != nil {
		return nil, err
	}
	if m.formats == nil || len(m.formats) >= most {
		m.formats = map[string]*timeFormat{}
	}
	m.formats[strings.Clone(text)] = f
	return f, nil
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
			for v >= 0 && len(s) < width {
				dst, width = append(dst, '0'), width-1
			}
			dst = append(dst, s...)
		}
		switch p.spec {
		case 'Y':
			number(t.Year(), 4)
		case 'y':
			number(max(t.Year()%100, -t.Year()%100), 2)
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
