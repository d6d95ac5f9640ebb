package scan

import (
	"context"
	"errors"
	"io"
	"math"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/infer"
	"github.com/rainsql/rainsql/expr/types"
)

// Infer sets the types of f.Schema from the first rows of the file.
// Faults of those rows are errors as they would be later.
func (f *Format) Infer(ctx context.Context, in Input) error {
	probe := *f
	probe.Probe = true
	probe.Schema = make(types.Schema, len(f.Schema))
	columns := make([]connect.Column, len(f.Schema))
	for i, c := range f.Schema {
		probe.Schema[i] = types.Field{Name: c.Name, Type: types.BYTES}
		columns[i].Index = i
	}
	src := NewSource(in, probe)
	defer src.Close() //nolint:errcheck // the input stays the caller's
	end := in.Size()
	if end < 0 {
		end = math.MaxInt64
	}
	if f.DataStart >= end {
		end = f.DataStart
	}
	r, err := newReader(ctx, src, connect.Split{}, end, connect.Scan{Columns: columns, BatchRows: 2048, Alloc: memory.DefaultAllocator})
	if err != nil {
		return err
	}
	defer r.Close() //nolint:errcheck // a sample is only read
	guesses := make([]infer.Guess, len(f.Schema))
	for rows := 0; rows < infer.SampleRows; {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		n := min(b.Rows, infer.SampleRows-rows)
		for i := range guesses {
			col := b.Columns[i].(*array.BinaryView)
			for row := range n {
				if col.IsValid(row) {
					guesses[i].Add(col.Value(row))
				}
			}
		}
		rows += n
		b.Release()
	}
	for i := range guesses {
		f.Schema[i].Type = guesses[i].Type()
	}
	return nil
}
