package json

import (
	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/column"
	"github.com/rainsql/rainsql/connect/scan"
)

// framed is what walkers over values share: their place in the chunk.
type framed struct {
	frames framer
	data   []byte
	last   bool
	high   bool
	pos    int // where the next value is looked for
	from   int // where the value at hand begins
}

// Begin starts on a chunk.
func (w *framed) Begin(c scan.Chunk) (b scan.Begun) {
	w.data, w.last = c.Data, c.Last
	b, w.pos = scan.BeginLines(c)
	w.high = b.High
	return b
}

// At is where the next row begins.
func (w *framed) At() int { return w.pos }

// Close has nothing to give back.
func (w *framed) Close() {}

// frame passes over the next value and returns it; it is empty where a line is
// blank. more is false if the chunk has no further one.
func (w *framed) frame(limit int) (value []byte, more bool, err error) {
	f, fault := w.frames.next(w.data, w.pos, limit, w.last)
	w.pos = f.next
	if fault != nil {
		return nil, false, &scan.Fault{At: fault.at, Err: connect.Error{Msg: "not valid JSON: " + fault.msg}}
	}
	if !f.whole {
		return nil, false, nil
	}
	w.from = f.start
	value = w.data[f.start:f.end]
	if skipSpace(value, 0) == len(value) {
		return nil, true, nil
	}
	return value, true, nil
}

// rawWalker gives each value as it stands, in a single column, for a sample.
type rawWalker struct{ framed }

// Rows locates up to max values.
func (w *rawWalker) Rows(out *column.Spans, max, limit int) (more bool, err error) {
	out.Rows = 0
	for out.Rows < max {
		value, more, err := w.frame(limit)
		if !more || err != nil {
			return false, err
		}
		if len(value) == 0 {
			continue
		}
		out.Starts[out.Rows] = uint32(w.from)
		out.Cols[0][out.Rows] = column.Of(w.from, w.from+len(value), column.Quoted)
		out.Rows++
	}
	return true, nil
}

// Count is not asked for: a sample reads its values.
func (w *rawWalker) Count(*column.Spans, int) (rows int, err error) { return 0, nil }
