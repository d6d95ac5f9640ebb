// Package listing is results that no query makes: tables of a few rows, such as
// SHOW FILES, which are shown in the same formats as those of queries.
package listing

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/expr/types"
)

// Table is rows of named columns. The zero Table has neither.
type Table struct {
	Schema types.Schema
	rows   [][]any
}

// Texts returns an empty table of STRING columns.
func Texts(names ...string) Table {
	var t Table
	for _, n := range names {
		t.Column(n, types.STRING)
	}
	return t
}

// Column adds a column, before any row: STRING, INT, FLOAT or TIMESTAMP.
func (t *Table) Column(name string, typ types.Type) {
	t.Schema = append(t.Schema, types.Field{Name: name, Type: typ})
}

// Add adds a row. A nil cell is NULL, as is one that is not of its column's
// type; numbers may come as their text, a TIMESTAMP is a time.Time.
func (t *Table) Add(cells ...any) { t.rows = append(t.rows, cells) }

// WriteTo gives the rows to a sink and commits it.
func (t *Table) WriteTo(out connect.Sink) error {
	cols := make([]arrow.Array, len(t.Schema))
	for i, f := range t.Schema {
		b := array.NewBuilder(memory.DefaultAllocator, f.Type.Arrow())
		for _, r := range t.rows {
			if !add(b, r[i]) {
				b.AppendNull()
			}
		}
		cols[i] = b.NewArray()
		b.Release()
	}
	defer func() {
		for _, c := range cols {
			c.Release()
		}
	}()
	if len(t.rows) > 0 {
		if err := out.Write(cols, len(t.rows)); err != nil && !errors.Is(err, connect.ErrEnough) {
			return err
		}
	}
	if err := out.Commit(); err != nil && !errors.Is(err, connect.ErrEnough) {
		return err
	}
	return nil
}

func add(b array.Builder, v any) bool {
	if v == nil {
		return false
	}
	switch b := b.(type) {
	case *array.Int64Builder:
		n, err := strconv.ParseInt(fmt.Sprint(v), 10, 64)
		if err == nil {
			b.Append(n)
		}
		return err == nil
	case *array.Float64Builder:
		x, err := strconv.ParseFloat(fmt.Sprint(v), 64)
		if err == nil {
			b.Append(x)
		}
		return err == nil
	case *array.TimestampBuilder:
		t, ok := v.(time.Time)
		if ok {
			b.Append(arrow.Timestamp(t.UnixMicro()))
		}
		return ok
	case *array.StringViewBuilder:
		b.AppendString(fmt.Sprint(v))
		return true
	}
	return false
}
