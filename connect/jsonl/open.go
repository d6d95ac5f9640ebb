// Package jsonl reads and writes JSON lines: one object a line, its keys the
// columns. JSON is read strictly, as RFC 8259 has it.
package jsonl

import (
	"context"
	"errors"
	"io"
	"math"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/column"
	"github.com/rainsql/rainsql/connect/infer"
	"github.com/rainsql/rainsql/connect/lines"
	"github.com/rainsql/rainsql/connect/scan"
	"github.com/rainsql/rainsql/expr/types"
)

// Open returns a source over in, which it owns unless it fails; display is the
// file as the query names it. The columns are the keys of the first rows, in
// the order in which they appear; a key that is not among them is ignored
// later, unless the option columns names it: that adds it as well.
func Open(ctx context.Context, in scan.Input, display string, o connect.Options) (*scan.Source, error) {
	policy, err := o.ErrorPolicy()
	if err != nil {
		return nil, &connect.Error{File: display, Msg: err.Error()}
	}
	head, _, err := scan.ReadHead(in, 0, 4096)
	if err != nil {
		return nil, &connect.Error{File: display, Msg: "read failed: " + err.Error(), Err: err}
	}
	bom, err := scan.CheckHead(head, display)
	if err != nil {
		return nil, err
	}
	schema, err := sample(ctx, in, display, int64(bom), policy)
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
		Display: display, Schema: schema, DataStart: int64(bom), Quote: -1, Policy: policy,
		Walker: func(cols []int) scan.Walker {
			wanted := make([]string, len(cols))
			for i, c := range cols {
				wanted[i] = names[c]
			}
			return newWalker(policy, wanted)
		},
		Unescape: unescape,
		Custom: func(alloc memory.Allocator, t types.Type) column.Converter {
			return &nested{alloc: alloc, typ: t}
		},
	}), nil
}

// sample reads the first rows and returns the keys with the types of their values.
func sample(ctx context.Context, in scan.Input, display string, start int64, policy connect.OnError) (types.Schema, error) {
	src := scan.NewSource(in, scan.Format{
		Display: display, Schema: types.Schema{{Name: "line", Type: types.BYTES}}, DataStart: start, Quote: -1, Probe: true,
		Walker: func([]int) scan.Walker { return lines.NewWalker() },
	})
	defer src.Close() //nolint:errcheck // the input stays the caller's
	all := connect.Split{File: display, Length: -1}
	r, err := src.Open(ctx, all, connect.Scan{Columns: []connect.Column{{Index: 0}}, BatchRows: 2048, Alloc: memory.DefaultAllocator})
	if err != nil {
		return nil, err
	}
	defer r.Close() //nolint:errcheck // a sample is only read
	keys := newFields()
	number := int64(0)
	for rows := 0; rows < infer.SampleRows && number < math.MaxInt32; {
		b, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		col := b.Columns[0].(*array.BinaryView)
		for i := 0; i < b.Rows && rows < infer.SampleRows && err == nil; i++ {
			number++
			line := col.Value(i)
			if skipSpace(line, 0) == len(line) {
				continue
			}
			err = keys.addLine(line)
			if err != nil && policy == connect.Fail {
				err = &connect.Error{File: display, Line: number, Msg: err.Error(), Hint: "on_error = 'skip' leaves such lines out"}
			} else {
				err = nil
				rows++
			}
		}
		b.Release()
		if err != nil {
			return nil, err
		}
	}
	return keys.schema(), nil
}

// addLine notes the keys and values of a line, if it is JSON.
func (f *fields) addLine(line []byte) error {
	if err := scanLine(line, nil); err != nil {
		return err
	}
	if !utf8.Valid(line) {
		return &syntaxError{0, "the line is not UTF-8"}
	}
	if err := scanLine(line, func(k, v token) { f.of(k.text(line)).add(line, v, 0) }); err != nil {
		return err // not the result itself: a nil *syntaxError would be an error
	}
	return nil
}
