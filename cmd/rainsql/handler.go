package main

import (
	"fmt"
	"io"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/formats"
	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/internal/human"
	"github.com/rainsql/rainsql/internal/progress"
	"github.com/rainsql/rainsql/internal/render"
)

// handler shows what a session gives. It implements engine.PlanHandler and
// engine.Watcher.
type handler struct {
	out, err io.Writer
	format   string
	file     string                // where out leads, if -o says so
	screen   bool                  // out is a terminal
	apart    bool                  // what is written to out does not meet the line of progress: it is a file
	table    func() render.Options // asked for each result, as the terminal may change its size; nil: the zero Options
	progress bool                  // show how far a query has come, on err
	width    func() int            // of the terminal that err is; nil: not known
	timer    bool                  // tell time and rows of each query, on err

	given int   // results so far
	rows  int64 // of all results
	line  *progress.Line
	began time.Time // when the statement at hand began to run, if it has
}

// progressAfter is how long a query runs before its progress is shown.
const progressAfter = 300 * time.Millisecond

// handler returns one for the standard files.
func (c *common) handler(format string) *handler {
	return &handler{
		out: standardOut{c.std.out}, err: c.std.err, format: format, screen: terminal(c.std.out), apart: regular(c.std.out),
		table: c.std.tableOptions, progress: c.shows(),
		width: func() int { columns, _ := screenSize(c.std.err); return columns },
	}
}

// Rows implements engine.Handler.
func (h *handler) Rows(schema types.Schema) (connect.Sink, error) {
	if h.given++; h.given > 1 && (h.format == "parquet" || h.format == "arrow") {
		return nil, fmt.Errorf("the script gives several results, and format %s holds one: end each pipeline with INTO", h.format)
	}
	var to connect.Sink
	var err error
	if h.file != "" && render.IsFile(h.format) {
		to, err = formats.NewWriter(h.out, h.format, schema, connect.Options{})
	} else {
		to, err = render.New(h.visible(), h.format, schema, h.options())
	}
	if err != nil {
		return nil, err
	}
	return &counted{to, &h.rows}, nil
}

// counted counts the rows of a result.
type counted struct {
	connect.Sink
	rows *int64
}

func (c *counted) Write(cols []arrow.Array, rows int) error {
	*c.rows += int64(rows)
	return c.Sink.Write(cols, rows)
}

// options are those of one result.
func (h *handler) options() render.Options {
	if h.table == nil {
		return render.Options{}
	}
	o := h.table()
	if h.screen && o.Elapsed == nil {
		begin := h.began
		if begin.IsZero() { // rows are asked for before the query runs, but not those of SUMMARIZE
			begin = time.Now()
		}
		o.Elapsed = func() time.Duration { return time.Since(begin) }
	}
	if page := o.Page; page != nil {
		o.Page = func() io.WriteCloser {
			h.hide()
			return page()
		}
	}
	return o
}

// Text implements engine.Handler.
func (h *handler) Text(text string) error {
	if h.screen {
		text = render.Clean(text)
	}
	_, err := io.WriteString(h.visible(), text)
	return err
}

// Plan implements engine.PlanHandler: on a terminal its lines are broken to fit.
func (h *handler) Plan(text string) error {
	if !h.screen || h.table == nil {
		return h.Text(text)
	}
	return render.Plan(h.visible(), render.Clean(text), h.table().Width)
}

// Notice implements engine.Handler.
func (h *handler) Notice(text string) {
	h.hide()
	fmt.Fprintln(h.err, render.Clean(text))
}

// Watch implements engine.Watcher.
func (h *handler) Watch(p *engine.Progress) (done func()) {
	h.began = time.Now()
	if !h.progress {
		return func() {}
	}
	h.line = progress.Show(h.err, progress.Options{After: progressAfter, Width: h.width}, func(room int) string {
		return progress.Query(p.Snapshot()).Text(room)
	})
	return h.hide
}

// hide takes the line of progress away for good; the query goes on.
func (h *handler) hide() { h.line.Close() }

// visible is out, where progress does not stand in the way of what is written.
func (h *handler) visible() io.Writer {
	if h.apart {
		return h.out
	}
	return &hiding{h} // a pipe, too, may end on the terminal
}

// hiding takes the line of progress away before it writes.
type hiding struct{ h *handler }

func (w *hiding) Write(p []byte) (int, error) {
	w.h.hide()
	return w.h.out.Write(p)
}

// forget ends a statement that has failed, where another may follow.
func (h *handler) forget() { h.began = time.Time{} }

// Done implements engine.Handler.
func (h *handler) Done(sum engine.Summary) {
	h.forget()
	if h.timer {
		fmt.Fprintf(h.err, "%s, %s and %s read, %s out\n", human.Duration(sum.Elapsed),
			human.Count(sum.RowsRead, "row"), human.Bytes(sum.BytesRead), human.Count(sum.RowsOut, "row"))
	}
}
