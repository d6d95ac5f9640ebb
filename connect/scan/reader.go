package scan

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/column"
	"github.com/rainsql/rainsql/expr/types"
)

// reader reads one split. It implements connect.Reader.
type reader struct {
	src   *Source
	ctx   context.Context
	scan  connect.Scan
	slots []int // for each column asked for, its place in the set; -1 a pseudo-column
	chunks
	walker Walker
	set    *column.Set
	text   column.Text
	spans  *column.Spans
	starts []uint32 // of the rows of the batch
	lines  []int64  // of the rows of the batch, where they are wanted
	rows   int64
	fault  error // to tell once the rows before it have been given out
	closed bool
	stats  connect.Stats // in the end, once closed
}

func newReader(ctx context.Context, s *Source, split connect.Split, end int64, scan connect.Scan) (*reader, error) {
	if scan.BatchRows <= 0 {
		scan.BatchRows = BatchRows
	}
	r := &reader{src: s, ctx: ctx, scan: scan, slots: make([]int, len(scan.Columns))}
	var cols []int
	for _, c := range scan.Columns {
		if c.Pseudo == "" {
			if c.Index < 0 || c.Index >= len(s.Format.Schema) {
				return nil, &connect.Error{File: s.Display, Msg: "has changed since the query was planned", Hint: "run the query again"}
			}
			cols = append(cols, c.Index)
		}
	}
	slices.Sort(cols)
	cols = slices.Compact(cols)
	for i, c := range scan.Columns {
		r.slots[i] = -1
		if c.Pseudo == "" {
			r.slots[i], _ = slices.BinarySearch(cols, c.Index)
		}
	}
	fields := make(types.Schema, len(cols))
	for i, c := range cols {
		fields[i] = s.Format.Schema[c]
	}
	r.walker = s.Walker(cols)
	r.spans = column.NewSpans(len(cols))
	pool := s.pools.of(scan.Alloc)
	r.set = column.NewSet(pool, fields, s.Policy, func(t types.Type) column.Converter {
		return s.Custom(scan.Alloc, t)
	})
	r.text = column.Text{Unescape: s.Unescape, Line: r.lineOf, RawBytes: s.RawBytes || s.Probe}
	r.chunks = newChunks(ctx, s, split, end, pool, scan)
	return r, nil
}

// Next returns the next batch.
func (r *reader) Next() (*connect.Batch, error) {
	for {
		if r.closed {
			return nil, io.EOF
		}
		if r.fault != nil {
			return nil, r.fault
		}
		if err := r.ensureChunk(); err != nil {
			if !errors.Is(err, io.EOF) {
				r.fault = err
			}
			return nil, err
		}
		b, err := r.fill()
		if err != nil {
			r.fault = connect.WithFile(err, r.src.Display)
			r.set.Release(&r.text)
		}
		if b != nil {
			return b, nil
		}
	}
}

// ensureChunk sees to it that a chunk with rows to find is at hand, or returns io.EOF.
func (r *reader) ensureChunk() error {
	for r.buf == nil {
		c, err := r.load()
		if err != nil {
			return err
		}
		begun := r.walker.Begin(c)
		if begun.Start < 0 {
			r.skipChunk(begun.InQuote)
			continue
		}
		r.begin(begun.Start)
		r.text.Buffer, r.text.Data, r.text.High = r.buf, c.Data, begun.High
	}
	return nil
}

// fill makes a batch of rows of the chunk, and drops the chunk when it has no more.
func (r *reader) fill() (*connect.Batch, error) {
	if len(r.scan.Columns) == 0 {
		return r.count()
	}
	more := true
	for more && r.fault == nil && r.set.Rows() < r.scan.BatchRows {
		var err error
		more, err = r.walker.Rows(r.spans, min(column.BlockRows, r.scan.BatchRows-r.set.Rows()), r.limit())
		r.fault = r.locateFault(err)
		if r.spans.Rows == 0 {
			continue
		}
		r.reserve()
		if err := r.set.Append(&r.text, r.spans); err != nil {
			return nil, err
		}
		r.starts = append(r.starts, r.spans.Starts[:r.spans.Rows]...)
	}
	var b *connect.Batch
	if r.set.Rows() > 0 {
		b = r.batch()
	}
	if !more {
		return b, r.drop(r.walker.At())
	}
	return b, nil
}

// reserve makes room in the columns for the rest of the chunk, at the first
// block of a batch, going by how long its rows are.
func (r *reader) reserve() {
	if r.set.Rows() > 0 {
		return
	}
	first := int(r.spans.Starts[0])
	perRow := max(1, (r.walker.At()-first)/r.spans.Rows)
	rest := max(0, min(r.limit(), len(r.text.Data))-first)
	r.set.Reserve(min(r.scan.BatchRows, max(r.spans.Rows, rest/perRow*9/8+16)))
	if r.starts == nil {
		r.starts = make([]uint32, 0, min(r.scan.BatchRows, rest/perRow*9/8+16))
	}
}

// count passes over all rows of the chunk.
func (r *reader) count() (*connect.Batch, error) {
	n, err := r.walker.Count(r.spans, r.limit())
	r.fault = r.locateFault(err)
	r.rows += int64(n)
	err = nil // a fault is given out, with its place, behind the rows before it
	if r.fault == nil {
		err = r.drop(r.walker.At())
	}
	if n == 0 {
		return nil, err
	}
	return &connect.Batch{Rows: n}, err
}

// locateFault adds file and line to what a walker found.
func (r *reader) locateFault(err error) error {
	f, ok := errors.AsType[*Fault](err)
	if !ok {
		return err
	}
	e := f.Err
	e.File, e.Line = r.src.Display, r.lineOf(f.At)
	return &e
}

// batch hands out the columns made so far.
func (r *reader) batch() *connect.Batch {
	n := r.set.Rows()
	stored := r.set.Finish(&r.text)
	defer func() {
		for _, c := range stored {
			c.Release()
		}
	}()
	if r.wantLines {
		r.lines = make([]int64, n)
		for i, at := range r.starts {
			r.advanceLines(r.base + int64(at))
			r.lines[i] = r.linesBefore + 1
		}
	}
	o := &origin{src: r.src, base: r.base, starts: r.starts}
	if r.src.in.Size() < 0 {
		o.lines = r.lines
	}
	b := &connect.Batch{Columns: make([]arrow.Array, len(r.slots)), Rows: n, Origin: o}
	for i, slot := range r.slots {
		if slot >= 0 {
			stored[slot].Retain()
			b.Columns[i] = stored[slot]
			continue
		}
		b.Columns[i] = r.pseudo(r.scan.Columns[i].Pseudo, i, n)
	}
	r.rows += int64(n)
	r.starts, r.lines = nil, nil
	return b
}

func (r *reader) pseudo(p connect.Pseudo, ordinal, n int) arrow.Array {
	switch p {
	case connect.PseudoLine:
		return column.Ints(r.scan.Alloc, ordinal, n, func(row int) int64 { return r.lines[row] })
	case connect.PseudoOffset:
		return column.Ints(r.scan.Alloc, ordinal, n, func(row int) int64 { return r.base + int64(r.starts[row]) })
	}
	return column.Repeat(r.scan.Alloc, ordinal, n, r.src.Display)
}

// lineOf returns the line of a place in the chunk, for an error.
func (r *reader) lineOf(at int) int64 {
	off := r.base + int64(at)
	if r.wantLines && off >= r.linesAt {
		return r.linesBefore + int64(bytes.Count(r.data[r.linesAt-r.base:at], newline)) + 1
	}
	if r.src.in.Size() < 0 {
		return 0
	}
	return r.src.Line(off)
}

// Stats reports what has been read so far.
func (r *reader) Stats() connect.Stats {
	if r.closed {
		return r.stats
	}
	packed, _ := r.src.packed()
	return connect.Stats{
		Bytes:   min(r.pos, r.end) - r.from,
		Rows:    r.rows,
		Skipped: r.spans.Skipped + r.set.Skipped,
		Nulled:  r.spans.Nulled + r.set.Nulled,
		Packed:  packed,
	}
}

// Close frees the reader.
func (r *reader) Close() error {
	if r.closed {
		return nil
	}
	r.stats = r.Stats()
	r.closed = true
	r.set.Release(&r.text)
	r.walker.Close()
	r.spans.Recycle()
	r.chunks.close()
	return nil
}
