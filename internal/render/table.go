package render

import (
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/internal/human"
)

// fitRows is how many rows are looked at to choose the widths of columns, if
// all are shown; the rows behind them are written as they come.
const fitRows = 1000

// drawer is a shape in which a table is drawn.
type drawer interface {
	// fits reports that nothing of the rows is cut or left out.
	fits(rows [][]cell) bool
	// lines is how many lines a row takes.
	lines(cells []cell) int
	// begin chooses widths by some rows, and writes what precedes them.
	begin(rows [][]cell)
	row(number int64, cells []cell)
	// gap stands for rows left out.
	gap()
	end()
	// note is what the footer tells of columns, if not all are shown.
	note() string
}

// table shows rows to people. Until it is known whether it is to be shortened
// it holds rows; then it writes them as they come, or counts all but the last.
type table struct {
	w      *output
	schema types.Schema
	o      Options
	draw   drawer

	state   tableState
	most    int    // rows after which the table is shortened; 0: never
	room    int    // lines of rows after which Page is asked; 0: any number
	lines   int    // of the rows held
	tallest int    // of their lines
	longest int    // what cells are cut to while they are held; 0: nothing
	asked   bool   // Page has been called
	pages   *pages // where the whole table goes to, if it goes to a pager
	rows    int64
	held    [][]cell // what is not written yet; the head of a shortened table
	tail    [][]cell // its last rows
}

type tableState uint8

const (
	holding   tableState = iota // rows are held
	streaming                   // they are written as they come
	dropping                    // the head is held, and the last rows that came
)

func newTable(w io.Writer, schema types.Schema, o Options) *table {
	if o.Null == "" {
		o.Null = "NULL"
	}
	t := &table{w: &output{w: w}, schema: schema, o: o, most: o.most()}
	t.room = t.o.room()
	if o.Width > 0 {
		t.longest = max(longest, o.Width)
		if o.Expanded {
			t.longest = max(longest, o.Width*wrapLines)
		}
	}
	if o.Expanded {
		t.draw = newRecord(t.w, schema, o)
	} else {
		t.draw = newBox(t.w, schema, o)
	}
	return t
}

// Write implements connect.Sink.
func (t *table) Write(cols []arrow.Array, rows int) error { return t.take(cols, 0, rows) }

// take takes the rows from first on.
func (t *table) take(cols []arrow.Array, first, rows int) error {
	unpaged := first // rows before it have gone to the pager, if there is one
	for i := first; i < rows; {
		switch t.state {
		case holding:
			t.hold(t.cells(cols, i))
			t.rows++
			i++
			if paging := t.pages != nil; t.decide() && !paging {
				unpaged = i
			}
		case streaming:
			t.rows++
			t.draw.row(t.rows, t.cells(cols, i))
			i++
		case dropping:
			keep := t.o.MaxRows / 2
			for r := max(i, rows-keep); r < rows; r++ {
				t.tail = append(t.tail, t.cells(cols, r))
			}
			t.tail = append(t.tail[:0], t.tail[max(0, len(t.tail)-keep):]...)
			t.rows += int64(rows - i)
			i = rows
		}
	}
	if t.pages != nil {
		if err := t.pages.whole.take(cols, unpaged, rows); err != nil {
			return err
		}
	}
	return t.w.err
}

// hold keeps a row until it is known how the table is shown.
func (t *table) hold(cells []cell) {
	t.held = append(t.held, cells)
	n := t.draw.lines(cells)
	t.lines += n
	t.tallest = max(t.tallest, n)
}

// cells are the values of a row.
func (t *table) cells(cols []arrow.Array, i int) []cell {
	cells := make([]cell, len(cols))
	for c, a := range cols {
		s, null := t.o.Null, a.IsNull(i)
		if !null {
			s = value(a, i)
		}
		cells[c] = cell{text: s, width: width(s), null: null}
		if t.longest > 0 {
			cells[c] = cells[c].fit(t.longest)
		}
	}
	return cells
}

// decide looks whether the rows held are enough to know how the table is shown.
// It reports whether there is a pager.
func (t *table) decide() (paged bool) {
	if t.o.Page != nil && !t.asked {
		long := t.room > 0 && t.lines > t.room || t.most > 0 && len(t.held) > t.most
		if long || len(t.held) == fitRows && t.wide() {
			t.page()
		}
	}
	switch {
	case t.most > 0 && len(t.held) > t.most:
		keep := t.o.MaxRows / 2
		t.tail = append(t.tail, t.held[len(t.held)-keep:]...)
		t.held = slices.Clip(t.held[:(t.o.MaxRows+1)/2])
		t.state = dropping
	case t.most == 0 && len(t.held) >= fitRows:
		t.stream()
	}
	return t.pages != nil
}

// wide reports that a pager is wished for since rows are too wide.
func (t *table) wide() bool { return t.o.PageWide && !t.draw.fits(t.held) }

// stream writes the rows held, and has those that follow written as they come.
func (t *table) stream() {
	t.state = streaming
	t.draw.begin(t.held)
	for i, cells := range t.held {
		t.draw.row(int64(i+1), cells)
	}
	t.held = nil
}

// Commit implements connect.Sink.
func (t *table) Commit() error {
	if t.state == holding && t.o.Page != nil && !t.asked && t.wide() {
		t.page()
	}
	if p := t.pages; p != nil && p.whole.w.err != nil { // its reader has left
		t.pages = nil
		return errors.Join(p.to.Close(), t.beginning())
	}
	var left error
	if t.pages != nil {
		left = t.pages.finish(t)
		t.pages = nil
	}
	shown := int64(len(t.held) + len(t.tail))
	switch t.state {
	case holding:
		t.stream()
	case dropping:
		t.draw.begin(slices.Concat(t.held, t.tail))
		for i, cells := range t.held {
			t.draw.row(int64(i+1), cells)
		}
		t.draw.gap()
		for i, cells := range t.tail {
			t.draw.row(t.rows-int64(len(t.tail)-1-i), cells)
		}
	case streaming:
		shown = t.rows
	}
	t.draw.end()
	t.footer(human.Count(t.rows, "row"), int(shown))
	if left != nil {
		return left
	}
	return t.w.err
}

// footer tells how much there is, how much of it is shown, and the time.
func (t *table) footer(rows string, shown int) {
	s := rows
	if int64(shown) < t.rows {
		s += " (" + human.Thousands(int64(shown)) + " shown)"
	}
	if note := t.draw.note(); note != "" {
		s += ", " + note
	}
	if t.o.Elapsed != nil {
		s += " in " + human.Duration(t.o.Elapsed())
	}
	t.w.print(s + "\n")
}

// Abort implements connect.Sink.
func (t *table) Abort() error {
	p := t.pages
	if p == nil {
		return nil
	}
	t.pages = nil
	err := p.to.Close()
	if p.whole.w.err != nil {
		return errors.Join(err, t.beginning())
	}
	return err
}

// Bytes implements connect.Sink: of what goes to the screen.
func (t *table) Bytes() int64 { return t.w.bytes }

// output counts what is written, and remembers the first error.
type output struct {
	w     io.Writer
	bytes int64
	err   error
}

func (o *output) print(s string) {
	if o.err == nil {
		var n int
		n, o.err = io.WriteString(o.w, s)
		o.bytes += int64(n)
	}
}

// padding is so many spaces.
func padding(n int) string { return strings.Repeat(" ", max(0, n)) }
