// Package conntest helps the tests of formats: it reads sources whole, as text.
package conntest

import (
	"context"
	"errors"
	"io"
	"math"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/expr/text"
)

// Null is how NULL shows in the rows that Read returns.
const Null = "∅"

// File is an input in memory. It implements scan.Input.
type File struct {
	Data   []byte
	Stream bool // of unknown size
}

// ReadAt reads from the data.
func (f File) ReadAt(p []byte, off int64) (int, error) {
	if off >= int64(len(f.Data)) {
		return 0, io.EOF
	}
	n := copy(p, f.Data[off:])
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

// Size is the length of the data, or -1 for a stream.
func (f File) Size() int64 {
	if f.Stream {
		return -1
	}
	return int64(len(f.Data))
}

// Forget does nothing.
func (File) Forget(int64) {}

// Close does nothing.
func (File) Close() error { return nil }

// Columns asks for all stored columns of a source.
func Columns(src connect.Source) []connect.Column {
	cols := make([]connect.Column, len(src.Schema()))
	for i := range cols {
		cols[i].Index = i
	}
	return cols
}

// Result is what a scan gave.
type Result struct {
	Rows  [][]string // none where no columns were asked for
	Count int
	Lines []int64 // by Origin, of each row
	Stats connect.Stats
}

// Read scans a source with splits of the given size, one after another.
func Read(src connect.Source, split int64, alloc memory.Allocator, cols []connect.Column, batchRows int) (Result, error) {
	var all Result
	splits, err := src.Splits(split)
	if err != nil {
		return all, err
	}
	for _, s := range splits {
		if err := all.add(src, s, connect.Scan{Columns: cols, BatchRows: batchRows, Alloc: alloc}); err != nil {
			return all, err
		}
	}
	return all, nil
}

// ReadConcurrently is Read with several readers at once.
func ReadConcurrently(src connect.Source, split int64, alloc memory.Allocator, cols []connect.Column, workers int) (Result, error) {
	var all Result
	splits, err := src.Splits(split)
	if err != nil {
		return all, err
	}
	parts, errs := make([]Result, len(splits)), make([]error, len(splits))
	var mu sync.Mutex
	var wg sync.WaitGroup
	next := 0
	for range workers {
		wg.Go(func() {
			for {
				mu.Lock()
				i := next
				next++
				mu.Unlock()
				if i >= len(splits) {
					return
				}
				errs[i] = parts[i].add(src, splits[i], connect.Scan{Columns: cols, Alloc: alloc})
			}
		})
	}
	wg.Wait()
	for _, p := range parts {
		all.Rows = append(all.Rows, p.Rows...)
		all.Count += p.Count
	}
	return all, errors.Join(errs...)
}

func (all *Result) add(src connect.Source, s connect.Split, scan connect.Scan) error {
	r, err := src.Open(context.Background(), s, scan)
	if err != nil {
		return err
	}
	defer r.Close()
	for {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			st := r.Stats()
			all.Stats.Bytes = min(math.MaxInt64, all.Stats.Bytes+st.Bytes)
			all.Stats.Rows += st.Rows
			all.Stats.Skipped += st.Skipped
			all.Stats.Nulled += st.Nulled
			return nil
		}
		if err != nil {
			return err
		}
		all.Count += b.Rows
		for i := 0; len(b.Columns) > 0 && i < b.Rows; i++ {
			all.Rows = append(all.Rows, Row(b.Columns, i))
			_, line := b.Origin.Locate(i)
			all.Lines = append(all.Lines, line)
		}
		b.Release()
	}
}

// Row returns row i as text.
func Row(cols []arrow.Array, i int) []string {
	row := make([]string, len(cols))
	for c, col := range cols {
		row[c] = Cell(col, i)
	}
	return row
}

// ReadRaw is Read for columns of BYTES, which are returned as they are.
func ReadRaw(src connect.Source, split int64, alloc memory.Allocator) ([][]string, error) {
	splits, err := src.Splits(split)
	if err != nil {
		return nil, err
	}
	var rows [][]string
	for _, s := range splits {
		r, err := src.Open(context.Background(), s, connect.Scan{Columns: Columns(src), Alloc: alloc})
		if err != nil {
			return nil, err
		}
		for err == nil {
			var b *connect.Batch
			if b, err = r.Next(); err != nil {
				break
			}
			for i := range b.Rows {
				row := make([]string, len(b.Columns))
				for c, col := range b.Columns {
					if row[c] = Null; col.IsValid(i) {
						row[c] = string(col.(*array.BinaryView).Value(i))
					}
				}
				rows = append(rows, row)
			}
			b.Release()
		}
		r.Close()
		if !errors.Is(err, io.EOF) {
			return nil, err
		}
	}
	return rows, nil
}

// Cell is a value as the rows of Read have it.
func Cell(col arrow.Array, row int) string {
	if col.IsNull(row) {
		return Null
	}
	return string(text.AppendValue(nil, col, row))
}
