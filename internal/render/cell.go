package render

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/clipperhouse/displaywidth"

	"github.com/rainsql/rainsql/expr/text"
)

// cut marks text that is not shown to its end.
const cut = "…"

// longest is the widest a cell of a shortened or paged table is, in columns.
const longest = 200

// cell is a value as it is shown.
type cell struct {
	text  string
	width int // columns of a terminal
	null  bool
}

// value is a value on one line, without what a terminal would act on.
func value(a arrow.Array, i int) string {
	if a.IsNull(i) {
		return "NULL"
	}
	return clean(string(text.AppendValue(nil, a, i)))
}

func clean(s string) string { return replaceControls(s, control) }

func replaceControls(s string, is func(rune) bool) string {
	if strings.IndexFunc(s, is) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if is(r) {
			return '·'
		}
		return r
	}, s)
}

func control(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 }

// width is how many columns text takes on a terminal.
func width(s string) int { return displaywidth.String(s) }

// shorten cuts text to at most so many columns, the mark included.
func shorten(s string, columns int) (string, int) {
	if w := width(s); w <= columns {
		return s, w
	}
	if columns < 1 {
		return "", 0
	}
	s = displaywidth.TruncateString(s, columns, cut)
	return s, width(s)
}

// fit cuts a cell to at most so many columns.
func (c cell) fit(columns int) cell {
	if c.width > columns {
		c.text, c.width = shorten(c.text, columns)
	}
	return c
}

// style is how a terminal sets text.
type style string

// The styles.
const (
	plain style = ""
	bold  style = "\x1b[1m"
	dim   style = "\x1b[2m"
)

// set returns text in a style.
func (s style) set(text string) string {
	if s == plain || text == "" {
		return text
	}
	return string(s) + text + "\x1b[0m"
}
