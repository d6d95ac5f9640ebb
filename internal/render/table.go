package render

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr/text"
	"github.com/rainsql/rainsql/expr/types"
)

// fitRows is how many rows are looked at to choose the widths of columns; the
// rows behind them are written as they come.
const fitRows = 1000

// table draws a box around rows: numbers to the right, NULL spelled out.
type table struct {
	w      io.Writer
	schema types.Schema
	held   [][]string
	widths []int // known once the head is written
	rows   int64
	bytes  int64
	err    error
}

// Write implements connect.Sink.
func (t *table) Write(cols []arrow.Array, rows int) error {
	for i := range rows {
		cells := make([]string, len(cols))
		for c, a := range cols {
			cells[c] = cell(a, i)
		}
		t.rows++
		if t.widths != nil {
			t.line(cells)
			continue
		}
		if t.held = append(t.held, cells); len(t.held) >= fitRows {
			t.head()
		}
	}
	return t.err
}

// cell is a value on one line, without what a terminal would act on.
func cell(a arrow.Array, i int) string {
	if a.IsNull(i) {
		return "NULL"
	}
	s := string(text.AppendValue(nil, a, i))
	if strings.IndexFunc(s, control) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune {
		if control(r) {
			return '·'
		}
		return r
	}, s)
}

func control(r rune) bool { return r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 }

// head writes what precedes the rows, then the rows held back to choose its widths.
func (t *table) head() {
	t.widths = make([]int, len(t.schema))
	for c, f := range t.schema {
		t.widths[c] = max(1, utf8.RuneCountInString(f.Name), utf8.RuneCountInString(f.Type.String()))
		for _, cells := range t.held {
			t.widths[c] = max(t.widths[c], utf8.RuneCountInString(cells[c]))
		}
	}
	t.rule("┌", "┬", "┐")
	names := make([]string, len(t.schema))
	kinds := make([]string, len(t.schema))
	for c, f := range t.schema {
		names[c] = strings.Map(func(r rune) rune {
			if control(r) {
				return '·'
			}
			return r
		}, f.Name)
		kinds[c] = f.Type.String()
	}
	t.line(names)
	t.line(kinds)
	t.rule("├", "┼", "┤")
	for _, cells := range t.held {
		t.line(cells)
	}
	t.held = nil
}

func (t *table) rule(left, middle, right string) {
	parts := make([]string, len(t.widths))
	for i, w := range t.widths {
		parts[i] = strings.Repeat("─", w+2)
	}
	t.print(left + strings.Join(parts, middle) + right + "\n")
}

func (t *table) line(cells []string) {
	var sb strings.Builder
	for c, s := range cells {
		sb.WriteString("│ ")
		pad := strings.Repeat(" ", max(0, t.widths[c]-utf8.RuneCountInString(s)))
		if t.schema[c].Type.IsNumeric() {
			sb.WriteString(pad + s)
		} else {
			sb.WriteString(s + pad)
		}
		sb.WriteByte(' ')
	}
	sb.WriteString("│\n")
	t.print(sb.String())
}

func (t *table) print(s string) {
	if t.err == nil {
		var n int
		n, t.err = io.WriteString(t.w, s)
		t.bytes += int64(n)
	}
}

// Commit implements connect.Sink.
func (t *table) Commit() error {
	if t.widths == nil {
		t.head()
	}
	t.rule("└", "┴", "┘")
	if t.rows == 1 {
		t.print("1 row\n")
	} else {
		t.print(fmt.Sprintf("%d rows\n", t.rows))
	}
	return t.err
}

// Abort implements connect.Sink.
func (t *table) Abort() error { return nil }

// Bytes implements connect.Sink.
func (t *table) Bytes() int64 { return t.bytes }
