package op

import (
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/vec"
)

// Batch is some rows, column by column. A filter selects instead of copying:
// Sel lists the rows that count. Batches are compacted where they cross an exchange.
type Batch struct {
	Cols  []arrow.Array
	Rows  int     // length of the columns
	Sel   []int32 // the rows that count, ascending; nil: all of them
	Split int     // position of the source's split that the rows are of; -1: none
	// Origin finds a row in its file, for errors; nil once rows are no longer
	// source rows. Row i of the batch is row i of Origin, or OriginRows[i].
	Origin     connect.Origin
	OriginRows []int32
}

// Len is the number of rows that count.
func (b *Batch) Len() int {
	if b.Sel != nil {
		return len(b.Sel)
	}
	return b.Rows
}

// Input is the batch as expressions see it.
func (b *Batch) Input() expr.Input { return expr.Input{Cols: b.Cols, Rows: b.Rows} }

// Retain returns a batch of its own over the same columns, for whatever
// goroutine. Its selection is shared: no one changes a selection once it is in a batch.
func (b *Batch) Retain() *Batch {
	c := *b
	c.Cols = append([]arrow.Array(nil), b.Cols...)
	for _, a := range c.Cols {
		vec.Settle(a)
		a.Retain()
	}
	return &c
}

// Release gives the columns back.
func (b *Batch) Release() {
	vec.ReleaseAll(b.Cols)
	b.Cols = nil
}

// Compact returns the rows that count as a batch without selection, which the
// caller releases. Where few rows are left their text is copied too, so that
// they do not keep whole chunks of a file in memory while they wait.
func (b *Batch) Compact(mem memory.Allocator) (*Batch, error) {
	if b.Sel == nil {
		return b.Retain(), nil
	}
	out, err := b.Take(mem, b.Sel)
	if err != nil || len(b.Sel)*4 > b.Rows {
		return out, err
	}
	for i, c := range out.Cols {
		own, err := vec.Compact(mem, c)
		if err != nil {
			out.Release()
			return nil, err
		}
		c.Release()
		out.Cols[i] = own
	}
	return out, nil
}

// Take returns the given rows as a batch of its own.
func (b *Batch) Take(mem memory.Allocator, rows []int32) (*Batch, error) {
	out := &Batch{Rows: len(rows), Split: b.Split, Origin: b.Origin, OriginRows: b.originOf(rows), Cols: make([]arrow.Array, 0, len(b.Cols))}
	for _, c := range b.Cols {
		t, err := vec.Take(mem, c, rows)
		if err != nil {
			out.Release()
			return nil, err
		}
		out.Cols = append(out.Cols, t)
	}
	return out, nil
}

// originOf composes a choice of rows with where they came from.
func (b *Batch) originOf(rows []int32) []int32 {
	if b.Origin == nil || b.OriginRows == nil {
		return rows
	}
	out := make([]int32, len(rows))
	for i, r := range rows {
		out[i] = b.OriginRows[r]
	}
	return out
}

// Derived makes a batch of computed columns, one row for each that counts in b;
// it takes the columns over.
func (b *Batch) Derived(cols []arrow.Array) *Batch {
	out := &Batch{Cols: cols, Rows: b.Len(), Split: b.Split, Origin: b.Origin, OriginRows: b.OriginRows}
	if b.Sel != nil {
		out.OriginRows = b.originOf(b.Sel)
	}
	return out
}

// Locate adds file and line to an error about a row of b, while its rows are
// still rows of a source.
func (b *Batch) Locate(err error) error {
	var re *expr.RowError
	if !errors.As(err, &re) {
		return err
	}
	row := re.Row
	if b.Origin == nil || row < 0 {
		return re.Err
	}
	if b.OriginRows != nil {
		if row >= len(b.OriginRows) {
			return re.Err
		}
		row = int(b.OriginRows[row])
	}
	file, line := b.Origin.Locate(row)
	return fmt.Errorf("%s:%d: %w", file, line, re.Err)
}
