package render

import (
	"fmt"
	"strings"

	"github.com/rainsql/rainsql/expr/types"
)

// box draws a table in a frame: numbers to the right, names and types on top.
type box struct {
	w      *output
	schema types.Schema
	o      Options
	names  []string
	kinds  []string
	layout layout
}

func newBox(w *output, schema types.Schema, o Options) *box {
	b := &box{w: w, schema: schema, o: o}
	for _, f := range schema {
		b.names = append(b.names, clean(f.Name))
		b.kinds = append(b.kinds, f.Type.String())
	}
	return b
}

// columns is what their layout goes by, of some rows.
func (b *box) columns(rows [][]cell) []column {
	cols := make([]column, len(b.schema))
	for c, f := range b.schema {
		cols[c] = column{head: max(width(b.names[c]), width(b.kinds[c])), cutable: cutable(f.Type)}
		for _, cells := range rows {
			cols[c].cells = max(cols[c].cells, cells[c].width)
		}
	}
	return cols
}

func (b *box) fits(rows [][]cell) bool {
	if b.o.Width <= 0 {
		return true
	}
	total := frame(len(b.schema))
	for _, c := range b.columns(rows) {
		total += c.natural()
	}
	return total <= b.o.Width
}

func (*box) lines([]cell) int { return 1 }

func (b *box) begin(rows [][]cell) {
	b.layout = arrange(b.columns(rows), b.o.Width)
	b.rule("┌", "┬", "┐")
	b.line(func(c int) (cell, style) { return textCell(b.names[c]), bold }, cut)
	b.line(func(c int) (cell, style) { return textCell(b.kinds[c]), dim }, "")
	b.rule("├", "┼", "┤")
}

func textCell(s string) cell { return cell{text: s, width: width(s)} }

func (b *box) row(_ int64, cells []cell) {
	b.line(func(c int) (cell, style) {
		if cells[c].null {
			return cells[c], dim
		}
		return cells[c], plain
	}, cut)
}

func (b *box) gap() {
	var sb strings.Builder
	for _, w := range b.layout.widths {
		before := (w - 1) / 2
		sb.WriteString("│ " + padding(before) + "·" + padding(w-1-before) + " ")
	}
	sb.WriteString("│\n")
	b.w.print(strings.Repeat(sb.String(), gapRows))
}

func (b *box) end() { b.rule("└", "┴", "┘") }

func (b *box) note() string {
	if b.layout.whole() {
		return ""
	}
	return fmt.Sprintf("%d columns (%d shown)", len(b.schema), len(b.layout.shown)-1)
}

func (b *box) rule(left, middle, right string) {
	parts := make([]string, len(b.layout.widths))
	for i, w := range b.layout.widths {
		parts[i] = strings.Repeat("─", w+2)
	}
	b.w.print(left + strings.Join(parts, middle) + right + "\n")
}

// line draws one cell a column; omitted stands in the place of columns left out.
func (b *box) line(at func(column int) (cell, style), omitted string) {
	var sb strings.Builder
	for i, column := range b.layout.shown {
		sb.WriteString("│ ")
		c, s := textCell(omitted), plain
		if column >= 0 {
			c, s = at(column)
		}
		if b.o.Width > 0 {
			c = c.fit(b.layout.widths[i])
		}
		pad := padding(b.layout.widths[i] - c.width)
		if !b.o.Color {
			s = plain
		}
		if column >= 0 && b.schema[column].Type.IsNumeric() {
			sb.WriteString(pad + s.set(c.text))
		} else {
			sb.WriteString(s.set(c.text) + pad)
		}
		sb.WriteByte(' ')
	}
	sb.WriteString("│\n")
	b.w.print(sb.String())
}
