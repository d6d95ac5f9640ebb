package csv

import (
	"context"
	"slices"
	"strconv"
	"unicode/utf8"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/infer"
	"github.com/rainsql/rainsql/connect/scan"
	"github.com/rainsql/rainsql/expr/types"
)

// Open returns a source over in, which it owns unless it fails. format is csv
// or tsv; display is the file as the query names it. The types of columns that
// the options do not give come from a sample of the file's head.
func Open(ctx context.Context, in scan.Input, display, format string, o connect.Options) (*scan.Source, error) {
	d, err := newDialect(format, o)
	if err != nil {
		return nil, &connect.Error{File: display, Msg: err.Error()}
	}
	for _, c := range o.Columns {
		if c.Type.IsNested() {
			return nil, &connect.Error{File: display, Column: c.Name, Msg: format + " cannot hold " + c.Type.String(), Hint: "read it as STRING"}
		}
	}
	first, from, next, err := d.readFirstRow(in, display)
	if err != nil {
		return nil, err
	}
	for _, name := range first {
		if d.header && !utf8.ValidString(name) {
			return nil, &connect.Error{File: display, Line: 1, Msg: "the header is not UTF-8", Hint: "convert the file first: iconv -f LATIN1 -t UTF-8"}
		}
	}
	if len(first) == 1 {
		d.other = connect.OtherDelimiter(first[0])
	}
	schema, err := d.names(first, o.Columns)
	if err != nil {
		return nil, connect.WithFile(err, display)
	}
	f := scan.Format{
		Display:   display,
		Schema:    schema,
		DataStart: from,
		Quote:     -1,
		Policy:    d.policy,
		Walker:    func(cols []int) scan.Walker { return newWalker(d, len(schema), cols) },
		Unescape:  d.unescape,
	}
	if d.quoting {
		f.Quote = int(d.quote)
	}
	if d.header {
		f.DataStart = next
	}
	like := func(name string) int {
		return slices.IndexFunc(o.Like, func(l types.Field) bool { return l.Name == name })
	}
	// A name given twice or not there is an error below, so as many types as columns are all types.
	if len(o.Columns) != len(schema) && slices.ContainsFunc(schema, func(c types.Field) bool { return like(c.Name) < 0 }) {
		if err := f.Infer(ctx, in); err != nil {
			return nil, err
		}
	}
	for i, c := range schema {
		if at := like(c.Name); at >= 0 {
			schema[i].Type = o.Like[at].Type
		}
	}
	if err := infer.Override(schema, o.Columns); err != nil {
		return nil, connect.WithFile(err, display)
	}
	return scan.NewSource(in, f), nil
}

// names returns the columns, still without types, from the first row of the file.
func (d *dialect) names(first []string, given types.Schema) (types.Schema, error) {
	if first == nil {
		if d.header || len(given) == 0 {
			return nil, &connect.Error{Msg: "is empty, so there is no header to name its columns", Hint: "header = false with columns = (name TYPE, …) would read it as no rows"}
		}
		first = make([]string, len(given))
	}
	if !d.header {
		for i := range first {
			first[i] = "column" + strconv.Itoa(i)
			if len(given) == len(first) && !allPositional(given) {
				first[i] = given[i].Name
			}
		}
	}
	schema := make(types.Schema, len(first))
	for i, n := range infer.Names(first) {
		schema[i].Name = n
	}
	return schema, nil
}

// allPositional reports whether every name is one that a file without header
// gives its columns, column0 and so on: such names say which column is meant,
// in any order.
func allPositional(given types.Schema) bool {
	for _, g := range given {
		if len(g.Name) < 7 || g.Name[:6] != "column" {
			return false
		}
		if _, err := strconv.ParseUint(g.Name[6:], 10, 31); err != nil {
			return false
		}
	}
	return true
}
