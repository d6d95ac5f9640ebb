// Package json reads and writes objects, their keys the columns: one a line
// (jsonl), or as the elements of an array (json). JSON is read strictly, as RFC
// 8259 has it.
package json

import (
	"context"
	"errors"
	"io"
	"slices"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/column"
	"github.com/rainsql/rainsql/connect/infer"
	"github.com/rainsql/rainsql/connect/scan"
	"github.com/rainsql/rainsql/expr/types"
)

// Open returns a source over in, which it owns unless it fails; display is the
// file as the query names it. format is jsonl, or json: an array of objects, or
// objects one behind the other. The columns are the keys of the first rows, in
// the order in which they appear; a key that is not among them is ignored
// later, unless the option columns names it: that adds it as well.
func Open(ctx context.Context, in scan.Input, display, format string, o connect.Options) (*scan.Source, error) {
	frames := func() framer { return lineFramer{} }
	if format == "json" {
		frames = func() framer { return &valueFramer{} }
	}
	policy, err := o.ErrorPolicy()
	if err != nil {
		return nil, &connect.Error{File: display, Msg: err.Error()}
	}
	start, err := scan.TextStart(in, display)
	if err != nil {
		return nil, err
	}
	schema, err := slices.Clone(o.Like), error(nil)
	if schema == nil {
		schema, err = sample(ctx, in, display, start, frames, policy)
	}
	if err != nil {
		return nil, err
	}
	// Keys may be absent from the sample, so unlike a csv's columns a given one may be new.
	for _, c := range o.Columns {
		if _, ok, _ := schema.Index(c.Name); !ok {
			schema = append(schema, c)
		}
	}
	if err := infer.Override(schema, o.Columns); err != nil {
		return nil, connect.WithFile(err, display)
	}
	if len(schema) == 0 {
		return nil, &connect.Error{File: display, Msg: "has no rows with keys, so its columns are not known", Hint: "columns = (name TYPE, …) would tell them"}
	}
	names := schema.Names()
	return scan.NewSource(in, scan.Format{
		Display: display, Schema: schema, DataStart: start, Quote: -1, Policy: policy, Whole: format == "json",
		Walker: func(cols []int) scan.Walker {
			wanted := make([]string, len(cols))
			for i, c := range cols {
				wanted[i] = names[c]
			}
			return newWalker(frames(), policy, wanted)
		},
		Unescape: unescape,
		Custom: func(alloc memory.Allocator, t types.Type) column.Converter {
			return &nested{alloc: alloc, typ: t}
		},
	}), nil
}

// sample reads the first rows and returns the keys with the types of their values.
func sample(ctx context.Context, in scan.Input, display string, start int64, frames func() framer, policy connect.OnError) (types.Schema, error) {
	src := scan.NewSource(in, scan.Format{
		Display: display, Schema: types.Schema{{Name: "row", Type: types.BYTES}}, DataStart: start, Quote: -1, Probe: true,
		Walker: func([]int) scan.Walker { return &rawWalker{framed{frames: frames()}} },
	})
	defer src.Close() //nolint:errcheck // the input stays the caller's
	all := connect.Split{File: display, Length: -1}
	r, err := src.Open(ctx, all, connect.Scan{Columns: []connect.Column{{Index: 0}}, BatchRows: 2048, Alloc: memory.DefaultAllocator})
	if err != nil {
		return nil, err
	}
	defer r.Close() //nolint:errcheck // a sample is only read
	keys := newFields()
	for rows := 0; rows < infer.SampleRows; {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		n, err := keys.addRows(b, min(b.Rows, infer.SampleRows-rows), policy)
		rows += n
		b.Release()
		if err != nil {
			return nil, connect.WithFile(err, display)
		}
	}
	return keys.schema(), nil
}

// addRows notes the keys and values of the first n rows of a batch, and returns
// how many were JSON.
func (f *fields) addRows(b *connect.Batch, n int, policy connect.OnError) (good int, err error) {
	col := b.Columns[0].(*array.BinaryView)
	for i := range n {
		fault := f.addRow(col.Value(i))
		if fault == nil {
			good++
		} else if policy == connect.Fail {
			_, line := b.Origin.Locate(i)
			return good, &connect.Error{Line: line, Msg: fault.Error(), Hint: "on_error = 'skip' leaves such rows out"}
		}
	}
	return good, nil
}

// addRow notes the keys and values of a row, if it is JSON.
func (f *fields) addRow(row []byte) *syntaxError {
	if err := scanRow(row, nil); err != nil {
		return err
	}
	if !utf8.Valid(row) {
		return &syntaxError{0, "the text is not UTF-8"}
	}
	return scanRow(row, func(k, v token) { f.of(k.text(row)).add(row, v, 0) })
}
