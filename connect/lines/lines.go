// Package lines is the format text: every line is a row of one column, line.
package lines

import (
	"bytes"
	"context"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/column"
	"github.com/rainsql/rainsql/connect/infer"
	"github.com/rainsql/rainsql/connect/scan"
	"github.com/rainsql/rainsql/expr/types"
)

// Open returns a source over in, which it owns unless it fails; display is the
// file as the query names it. The only option that matters is columns, which
// may give line another type, such as BYTES.
func Open(_ context.Context, in scan.Input, display string, o connect.Options) (*scan.Source, error) {
	policy, err := o.ErrorPolicy()
	if err != nil {
		return nil, &connect.Error{File: display, Msg: err.Error()}
	}
	start, err := scan.TextStart(in, display)
	if err != nil {
		return nil, err
	}
	schema := types.Schema{{Name: "line", Type: types.STRING}}
	if err := infer.Override(schema, o.Columns); err != nil {
		return nil, connect.WithFile(err, display)
	}
	if schema[0].Type.IsNested() {
		return nil, &connect.Error{File: display, Column: "line", Msg: "text cannot hold " + schema[0].Type.String(), Hint: "read it as STRING"}
	}
	return scan.NewSource(in, scan.Format{
		Display: display, Schema: schema, DataStart: start, Quote: -1, Policy: policy, RawBytes: true,
		Walker: func([]int) scan.Walker { return NewWalker() },
	}), nil
}

// walker finds lines. An empty line is an empty string, never NULL.
type walker struct {
	data []byte
	last bool
	pos  int
}

// NewWalker returns a walker over lines, for formats that look into them.
func NewWalker() scan.Walker { return &walker{} }

func (w *walker) Begin(c scan.Chunk) (b scan.Begun) {
	w.data, w.last = c.Data, c.Last
	b, w.pos = scan.BeginLines(c)
	return b
}

func (w *walker) At() int { return w.pos }
func (w *walker) Close()  {}

// next returns the end of the line that begins at p and where the next begins;
// ok is false if the chunk does not hold all of it.
func (w *walker) next(p int) (end, next int, ok bool) {
	n := bytes.IndexByte(w.data[p:], '\n')
	if n >= 0 {
		return p + n, p + n + 1, true
	}
	return len(w.data), len(w.data), w.last
}

func (w *walker) Rows(out *column.Spans, max, limit int) (more bool, err error) {
	out.Rows = 0
	for out.Rows < max {
		if w.pos >= limit || w.pos >= len(w.data) {
			return false, nil
		}
		end, next, ok := w.next(w.pos)
		if !ok {
			return false, nil
		}
		if end > w.pos && w.data[end-1] == '\r' {
			end--
		}
		out.Starts[out.Rows] = uint32(w.pos)
		if len(out.Cols) > 0 {
			out.Cols[0][out.Rows] = column.Of(w.pos, end, column.Quoted)
		}
		out.Rows++
		w.pos = next
	}
	return true, nil
}

func (w *walker) Count(_ *column.Spans, limit int) (rows int, err error) {
	if limit = min(limit, len(w.data)); w.pos >= limit {
		return 0, nil
	}
	// Every newline before limit-1 ends a row that begins before limit and
	// begins another; what remains is the row that limit falls into.
	rows = bytes.Count(w.data[w.pos:limit-1], []byte{'\n'})
	if rows > 0 {
		w.pos = w.pos + bytes.LastIndexByte(w.data[w.pos:limit-1], '\n') + 1
	}
	if _, next, ok := w.next(w.pos); ok {
		w.pos = next
		rows++
	}
	return rows, nil
}
