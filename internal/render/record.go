package render

import (
	"fmt"
	"strings"

	"github.com/clipperhouse/displaywidth"

	"github.com/rainsql/rainsql/expr/types"
)

// ruleWidth is how long the line above a record is at most.
const ruleWidth = 60

// wrapLines is how many lines of a value are shown; behind them it is cut.
const wrapLines = 20

// record draws each row as lines, one a column: its name, then its value, on
// several lines if it is longer than the screen is wide.
type record struct {
	w     *output
	o     Options
	names []string
	left  int // width of the names
}

func newRecord(w *output, schema types.Schema, o Options) *record {
	r := &record{w: w, o: o}
	for _, f := range schema {
		name := clean(f.Name)
		if o.Width > 0 {
			name, _ = shorten(name, max(1, o.Width/3))
		}
		r.names = append(r.names, name)
		r.left = max(r.left, width(name))
	}
	return r
}

func (r *record) fits(rows [][]cell) bool {
	for _, cells := range rows {
		for _, c := range cells {
			if _, whole := r.wrap(c); !whole {
				return false
			}
		}
	}
	return true
}

func (r *record) lines(cells []cell) int {
	n := 1
	for _, c := range cells {
		parts, _ := r.wrap(c)
		n += len(parts)
	}
	return n
}

// wrap cuts a value into its lines, and reports whether they are all of it.
func (r *record) wrap(c cell) (lines []string, whole bool) {
	room := max(1, r.o.Width-r.left-3)
	if r.o.Width <= 0 || c.width <= room {
		return []string{c.text}, true
	}
	rest := c.text
	for rest != "" && len(lines) < wrapLines {
		var line string
		line, rest = breakAt(rest, room)
		lines = append(lines, strings.TrimSuffix(line, " "))
	}
	if rest == "" {
		return lines, true
	}
	last := len(lines) - 1
	lines[last], _ = shorten(lines[last]+" "+rest, room)
	return lines, false
}

// breakAt cuts text at so many columns, or behind the blank before them if
// there is one near.
func breakAt(s string, columns int) (line, rest string) {
	if width(s) <= columns {
		return s, ""
	}
	line = displaywidth.TruncateString(s, columns, "")
	if line == "" { // a letter wider than the room
		g := displaywidth.StringGraphemes(s)
		g.Next()
		line = g.Value()
	}
	if at := strings.LastIndexByte(line, ' ') + 1; at*3 >= len(line)*2 {
		line = line[:at]
	}
	return line, s[len(line):]
}

func (*record) begin([][]cell) {}
func (*record) end()           {}
func (*record) note() string   { return "" }

func (r *record) row(number int64, cells []cell) {
	var sb strings.Builder
	head := fmt.Sprintf("─[ row %d ]", number)
	length := ruleWidth
	if r.o.Width > 0 {
		length = min(length, r.o.Width)
	}
	head += strings.Repeat("─", max(0, length-width(head)))
	sb.WriteString(r.style(dim).set(head) + "\n")
	for i, c := range cells {
		s := plain
		if c.null {
			s = dim
		}
		name := r.style(bold).set(r.names[i]) + padding(r.left-width(r.names[i]))
		lines, _ := r.wrap(c)
		for _, line := range lines {
			sb.WriteString(name + " │ " + r.style(s).set(line) + "\n")
			name = padding(r.left)
		}
	}
	r.w.print(sb.String())
}

func (r *record) gap() { r.w.print(strings.Repeat("·\n", gapRows)) }

func (r *record) style(s style) style {
	if r.o.Color {
		return s
	}
	return plain
}
