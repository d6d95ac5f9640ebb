package render

import (
	"fmt"
	"strings"

	"github.com/rainsql/rainsql/expr/types"
)

// ruleWidth is how long the line above a record is at most.
const ruleWidth = 60

// record draws each row as lines, one a column: its name, then its value.
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

func (*record) fits([][]cell) bool { return true }
func (*record) begin([][]cell)     {}
func (*record) end()               {}
func (*record) note() string       { return "" }

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
		if r.o.Width > 0 {
			c = c.fit(max(1, r.o.Width-r.left-3))
		}
		sb.WriteString(r.style(bold).set(r.names[i]) + padding(r.left-width(r.names[i])) + " │ " + r.style(s).set(c.text) + "\n")
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
