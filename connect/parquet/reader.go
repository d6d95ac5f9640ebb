package parquet

import (
	"context"
	"errors"
	"io"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/connect"
	pseudo "github.com/rainsql/rainsql/connect/column"
	"github.com/rainsql/rainsql/connect/scan"
	"github.com/rainsql/rainsql/expr/vec"
)

// reader reads the row groups of a split. It implements connect.Reader.
type reader struct {
	src   *Source
	ctx   context.Context
	scan  connect.Scan
	cols  []int // the stored columns that are read, ascending
	slots []int // for each column asked for, its place in cols; -1 a pseudo-column
	next  int   // row groups still to come: next to end
	end   int
	cur   *groupReader // nil between row groups
	fault error
	stats connect.Stats
	done  bool
}

func newReader(ctx context.Context, s *Source, from, to int, sc connect.Scan) (*reader, error) {
	if sc.BatchRows <= 0 {
		sc.BatchRows = scan.BatchRows
	}
	r := &reader{src: s, ctx: ctx, scan: sc, slots: make([]int, len(sc.Columns)), next: from, end: to}
	for _, c := range sc.Columns {
		if c.Pseudo != "" {
			continue
		}
		if c.Index < 0 || c.Index >= len(s.cols) {
			return nil, &connect.Error{File: s.display, Msg: "has changed since the query was planned", Hint: "run the query again"}
		}
		if n := s.cols[c.Index]; n.refused != "" {
			return nil, &connect.Error{File: s.display, Column: s.schema[c.Index].Name, Msg: n.refused, Hint: "leave the column out of the query"}
		}
		r.cols = append(r.cols, c.Index)
	}
	slices.Sort(r.cols)
	r.cols = slices.Compact(r.cols)
	for i, c := range sc.Columns {
		r.slots[i] = -1
		if c.Pseudo == "" {
			r.slots[i], _ = slices.BinarySearch(r.cols, c.Index)
		}
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
			r.fault = connect.WithFile(err, r.src.display)
			err = r.fault
		}
	}()
	defer rescue(&err, r.src.display)
	for {
		if r.ctx.Err() != nil {
			return nil, context.Cause(r.ctx)
		}
		if r.cur == nil {
			if err := r.openGroup(); err != nil {
				return nil, err
			}
		}
		b, err := r.cur.batch()
		if r.cur.left == 0 {
			r.closeGroup()
		}
		if err != nil || b != nil {
			return b, err
		}
	}
}

// openGroup begins the next row group that may have rows to give, or returns io.EOF.
func (r *reader) openGroup() error {
	for ; r.next < r.end; r.next++ {
		g := &r.src.groups[r.next]
		cur, err := r.newGroup(g)
		if err != nil {
			if _, told := errors.AsType[*connect.Error](err); told {
				return err
			}
			return &connect.Error{Msg: err.Error(), Err: err}
		}
		if cur != nil {
			r.cur = cur
			r.next++
			return nil
		}
		r.stats.Pruned++
	}
	return io.EOF
}

func (r *reader) closeGroup() {
	if r.cur != nil {
		r.cur.close()
		r.cur = nil
	}
}

// finish puts the columns asked for together; it takes stored over. first is
// the number of the first row in the file, from 0.
func (r *reader) finish(stored []arrow.Array, first int64, rows int) *connect.Batch {
	defer vec.ReleaseAll(stored)
	b := &connect.Batch{
		Columns: make([]arrow.Array, len(r.slots)), Rows: rows,
		Origin: origin{display: r.src.display, first: first, rows: rows},
	}
	for i, slot := range r.slots {
		if slot >= 0 {
			stored[slot].Retain()
			b.Columns[i] = stored[slot]
			continue
		}
		switch r.scan.Columns[i].Pseudo {
		case connect.PseudoLine:
			b.Columns[i] = pseudo.Ints(r.scan.Alloc, i, rows, func(row int) int64 { return first + int64(row) + 1 })
		case connect.PseudoOffset:
			b.Columns[i] = pseudo.Ints(r.scan.Alloc, i, rows, func(row int) int64 { return first + int64(row) })
		default:
			b.Columns[i] = pseudo.Repeat(r.scan.Alloc, i, rows, r.src.display)
		}
	}
	r.stats.Rows += int64(rows)
	return b
}

// Stats reports what has been read so far: Bytes are those of pages, and what
// was read ahead of them.
func (r *reader) Stats() connect.Stats { return r.stats }

// Close frees the reader.
func (r *reader) Close() error {
	r.done = true
	r.closeGroup()
	return nil
}

// origin finds rows by counting: there are no lines.
type origin struct {
	display string
	first   int64
	rows    int
}

// Locate returns the file and the number of a row of the batch, from 1.
func (o origin) Locate(row int) (file string, line int64) {
	if row < 0 || row >= o.rows {
		return o.display, 0
	}
	return o.display, min(o.first, math.MaxInt64-int64(o.rows)) + int64(row) + 1
}
