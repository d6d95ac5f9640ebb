package arrowipc

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/arrowipc/recast"
	"github.com/rainsql/rainsql/connect/column"
	"github.com/rainsql/rainsql/connect/scan"
	"github.com/rainsql/rainsql/expr/types"
)

// reader reads the record batches of a split. It implements connect.Reader.
type reader struct {
	src    *Source
	ctx    context.Context
	scan   connect.Scan
	in     input
	wanted []bool                // stored columns that are asked for
	dicts  map[int64]arrow.Array // nil in a file whose dictionaries have not been read

	block, lastBlock int   // of a file: those still to be read
	pos, end         int64 // of a stream

	cur   []*raw // the columns of the record batch, nil where they are not wanted
	row   int    // the next one of it
	rows  int    // in it
	first int64  // the number of its first row; -1 where it is not known yet
	at    int    // its block

	fault error
	stats connect.Stats
	done  bool
}

func newReader(ctx context.Context, s *Source, sc connect.Scan) (*reader, error) {
	if sc.BatchRows <= 0 {
		sc.BatchRows = scan.BatchRows
	}
	r := &reader{src: s, ctx: ctx, scan: sc, wanted: make([]bool, len(s.cols))}
	if !s.isFile {
		r.dicts = map[int64]arrow.Array{}
	}
	r.in = input{in: s.in, read: &r.stats.Bytes}
	for _, c := range sc.Columns {
		if c.Pseudo != "" {
			continue
		}
		if c.Index < 0 || c.Index >= len(s.cols) {
			return nil, &connect.Error{File: s.display, Msg: "has changed since the query was planned", Hint: "run the query again"}
		}
		if f := s.cols[c.Index]; f.refused != "" {
			return nil, &connect.Error{File: s.display, Column: s.schema[c.Index].Name, Msg: f.refused, Hint: "leave the column out of the query"}
		}
		r.wanted[c.Index] = true
	}
	return r, nil
}

// Next returns the next batch.
func (r *reader) Next() (b *connect.Batch, err error) {
	if r.done {
		return nil, io.EOF
	}
	if r.fault != nil {
		return nil, r.fault
	}
	defer func() {
		if err != nil && !errors.Is(err, io.EOF) {
			if r.ctx.Err() == nil {
				err = r.src.damaged(err)
			}
			r.fault = err
		}
	}()
	defer rescue(&err, r.src.display)
	for r.row == r.rows {
		if r.ctx.Err() != nil {
			return nil, context.Cause(r.ctx)
		}
		if err := r.nextRecord(); err != nil {
			return nil, err
		}
	}
	return r.batch()
}

// nextRecord loads the next record batch, or returns io.EOF.
func (r *reader) nextRecord() error {
	if r.cur != nil || r.rows > 0 {
		r.first = r.nextFirst()
	}
	r.drop()
	if r.src.isFile {
		return r.nextOfFile()
	}
	for {
		m, err := readMessage(r.in, r.pos)
		if err != nil {
			return err
		}
		if m == nil {
			return io.EOF
		}
		switch m.kind {
		case dictionaryMessage:
			if err := r.addDictionary(m, true); err != nil {
				return err
			}
		case batchMessage:
			h, err := newBatchHead(m, m.header)
			if err == nil {
				err = r.load(h)
			}
			if err != nil {
				return err
			}
		case schemaMessage:
			return errors.New("the schema changes within the stream")
		}
		r.pos = m.next()
		r.in.in.Forget(r.pos)
		if m.kind == batchMessage {
			return nil
		}
	}
}

// nextFirst is the number of the row after the record batch, if it is known.
func (r *reader) nextFirst() int64 {
	if r.first < 0 {
		return -1
	}
	return r.first + int64(r.rows)
}

func (r *reader) nextOfFile() error {
	if r.block == r.lastBlock {
		return io.EOF
	}
	if r.block > 0 && r.first == 0 {
		r.first = -1
	}
	if r.dicts == nil {
		if err := r.loadDictionaries(); err != nil {
			return err
		}
	}
	h, err := r.src.batchHead(r.src.blocks[r.block].off, &r.stats.Bytes)
	if err != nil {
		return err
	}
	r.at = r.block
	r.block++
	return r.load(h)
}

// load reads the wanted columns of a record batch.
func (r *reader) load(h *batchHead) error {
	r.rows = int(h.rows)
	if !slices.Contains(r.wanted, true) {
		return nil
	}
	l := &loader{batchHead: h, mem: r.scan.Alloc, dicts: r.dicts}
	defer l.close()
	starts, err := l.fetch(r.in, r.src.cols, r.wanted)
	if err != nil {
		return err
	}
	r.cur = make([]*raw, len(r.src.cols))
	for i, f := range r.src.cols {
		if !r.wanted[i] {
			continue
		}
		l.at = starts[i]
		if r.cur[i], err = l.load(f, int(h.rows)); err != nil {
			if bad, ok := errors.AsType[*badRow](err); ok {
				return r.located(i, bad, 0)
			}
			return err
		}
	}
	return nil
}

// batch gives out the next rows of the record batch.
func (r *reader) batch() (*connect.Batch, error) {
	n := min(r.scan.BatchRows, r.rows-r.row)
	if len(r.scan.Columns) == 0 {
		n = r.rows - r.row
	}
	b := &connect.Batch{Rows: n, Origin: &origin{src: r.src, first: r.first, block: r.at, row: r.row, rows: n}}
	for i, c := range r.scan.Columns {
		a, err := r.column(i, c, n)
		if err != nil {
			b.Release()
			return nil, err
		}
		b.Columns = append(b.Columns, a)
	}
	r.row += n
	r.stats.Rows += int64(n)
	return b, nil
}

func (r *reader) column(ordinal int, c connect.Column, n int) (arrow.Array, error) {
	mem := r.scan.Alloc
	switch c.Pseudo {
	case "":
	case connect.PseudoFile:
		return column.Repeat(mem, ordinal, n, r.src.display), nil
	default:
		first, err := r.firstRow()
		if err != nil {
			return nil, err
		}
		if c.Pseudo == connect.PseudoLine {
			first++
		}
		return column.Ints(mem, ordinal, n, func(row int) int64 { return first + int64(r.row+row) }), nil
	}
	a, err := rows{r.cur[c.Index], r.row, r.row + n}.array(mem, true)
	if err == nil && r.src.recast[c.Index] {
		natural := a
		a, err = recast.Cast(mem, natural, r.src.cols[c.Index].typ, r.src.schema[c.Index].Type)
		natural.Release()
	}
	if err = asBadRow(err); err == nil {
		return a, nil
	}
	if bad, ok := errors.AsType[*badRow](err); ok {
		return nil, r.located(c.Index, bad, r.row)
	}
	return nil, err
}

// firstRow returns the number of the first row of the record batch, from 0.
func (r *reader) firstRow() (int64, error) {
	if r.first < 0 {
		first, err := r.src.firstRow(r.at, &r.stats.Bytes)
		if err != nil {
			return 0, err
		}
		r.first = first
	}
	return r.first, nil
}

// located makes an error about a row of the record batch.
func (r *reader) located(col int, bad *badRow, from int) error {
	f := r.src.schema[col]
	e := &connect.Error{Column: f.Name, Msg: bad.msg, Err: bad, Hint: "the file breaks the promise of its schema: write it again"}
	if r.src.recast[col] {
		e.Hint = "read the column as " + r.src.cols[col].typ.String()
	}
	if first, err := r.firstRow(); err == nil && r.src.cols[col].typ.Kind != types.List {
		e.Line = first + int64(from+bad.row) + 1
	}
	return e
}

func (r *reader) drop() {
	for _, c := range r.cur {
		c.release()
	}
	r.cur, r.row, r.rows = nil, 0, 0
}

// Stats reports what has been read so far.
func (r *reader) Stats() connect.Stats { return r.stats }

// Close frees the reader.
func (r *reader) Close() error {
	r.done = true
	r.drop()
	for id, d := range r.dicts {
		if d != nil {
			d.Release()
		}
		delete(r.dicts, id)
	}
	return nil
}

// origin finds rows by counting: there are no lines.
type origin struct {
	src   *Source
	first int64 // of the record batch; -1 where it is not known
	block int
	row   int // of the batch's first row in the record batch
	rows  int
}

// Locate returns the file and the number of a row of the batch, from 1.
func (o *origin) Locate(row int) (file string, line int64) {
	if row < 0 || row >= o.rows {
		return o.src.display, 0
	}
	first := o.first
	if first < 0 {
		var read int64
		var err error
		if first, err = o.src.firstRow(o.block, &read); err != nil {
			return o.src.display, 0
		}
	}
	return o.src.display, first + int64(o.row+row) + 1
}
