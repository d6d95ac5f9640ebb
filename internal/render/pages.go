package render

import (
	"io"
	"slices"
	"time"

	"github.com/rainsql/rainsql/internal/human"
)

// fallbackRows is how many rows stay on the screen of a table that was paged,
// where neither MaxRows nor the screen bounds them.
const fallbackRows = 20

// pages is a pager with what it gets.
type pages struct {
	whole  *table
	to     io.WriteCloser
	waited time.Duration // for the pager, and so for its reader
}

// Write implements io.Writer.
func (p *pages) Write(b []byte) (int, error) {
	begin := time.Now()
	n, err := p.to.Write(b)
	p.waited += time.Since(begin)
	return n, err
}

// page asks for a pager; if there is one it gets the whole table, and the table
// at hand is what the screen shows of it when the pager has been left.
func (t *table) page() {
	t.asked = true
	to := t.o.Page()
	if to == nil {
		return
	}
	t.pages = &pages{to: to}
	o := t.o
	o.MaxRows, o.Elapsed, o.Page = 0, nil, nil
	if !o.Expanded { // which has its lines wrapped in the pager too
		o.Width = 0
	}
	whole := newTable(t.pages, t.schema, o)
	whole.longest, whole.rows, whole.held = t.longest, t.rows, slices.Clone(t.held)
	t.pages.whole = whole
	if t.o.MaxRows <= 0 || t.o.Expanded {
		rows := fallbackRows
		if t.room > 0 {
			rows = max(1, t.room/max(1, t.tallest))
		}
		t.o.MaxRows = least(t.o.MaxRows, rows)
	}
	t.most = t.o.most()
}

// finish ends the paged table, waits until its reader has left, and returns
// what went wrong there.
func (p *pages) finish(t *table) error {
	err := p.whole.Commit()
	if elapsed := t.o.Elapsed; elapsed != nil {
		spent := max(0, elapsed()-p.waited) // reading pages is no time of the query's
		t.o.Elapsed = func() time.Duration { return spent }
	}
	if cerr := p.to.Close(); err == nil {
		err = cerr
	}
	return err
}

// beginning writes the first rows of a table whose reader has left the pager
// before all rows had come.
func (t *table) beginning() error {
	head := t.held[:min(len(t.held), (t.o.MaxRows+1)/2)]
	t.draw.begin(head)
	for i, cells := range head {
		t.draw.row(int64(i+1), cells)
	}
	t.draw.gap()
	t.draw.end()
	t.o.Elapsed = nil
	t.footer("at least "+human.Count(t.rows, "row"), len(head))
	return t.w.err
}
