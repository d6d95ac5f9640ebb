package multi

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/expr/types"
)

// scan turns what is asked of the table into what is asked of the file.
func (p *part) scan(of connect.Scan) connect.Scan {
	if p.columns == nil {
		return of
	}
	own := of
	own.Columns, own.Where = nil, nil
	for _, c := range of.Columns {
		if c.Pseudo != "" {
			own.Columns = append(own.Columns, c)
		} else if i := p.columns[c.Index]; i >= 0 {
			own.Columns = append(own.Columns, connect.Column{Index: i})
		}
	}
	for _, w := range of.Where {
		if w.Index = p.columns[w.Index]; w.Index >= 0 {
			own.Where = append(own.Where, w)
		}
	}
	return own
}

// missing returns what puts columns of NULL where the file has none, nil if it
// has all that are asked for.
func (p *part) missing(table types.Schema, of connect.Scan) func([]arrow.Array, int) []arrow.Array {
	types := make([]arrow.DataType, len(of.Columns))
	for i, c := range of.Columns {
		if c.Pseudo == "" && p.columns[c.Index] < 0 {
			types[i] = table[c.Index].Type.Arrow()
		}
	}
	if !slices.ContainsFunc(types, func(t arrow.DataType) bool { return t != nil }) {
		return nil
	}
	return func(have []arrow.Array, rows int) []arrow.Array {
		all := make([]arrow.Array, len(types))
		for i, t := range types {
			if t != nil {
				all[i] = array.MakeArrayOfNull(of.Alloc, t, rows)
				continue
			}
			all[i], have = have[0], have[1:]
		}
		return all
	}
}

// reader reads a split of one of the files.
type reader struct {
	connect.Reader
	fill   func([]arrow.Array, int) []arrow.Array
	done   func() error
	closed bool
}

// Next returns the next batch, with the columns of the table.
func (r *reader) Next() (*connect.Batch, error) {
	b, err := r.Reader.Next()
	if err == nil && r.fill != nil {
		b.Columns = r.fill(b.Columns, b.Rows)
	}
	return b, err
}

// Close frees the reader and lets go of its file.
func (r *reader) Close() error {
	err := r.Reader.Close()
	if r.closed {
		return err
	}
	r.closed = true
	if done := r.done(); err == nil {
		err = done
	}
	return err
}
