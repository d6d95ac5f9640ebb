// Package multi reads many files as one table: their rows one behind the
// other, their columns matched by name.
package multi

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/expr/types"
)

// Opener opens one of the files, as the query would name it.
type Opener func(ctx context.Context, file string, o connect.Options) (connect.Source, error)

// Source reads several files. It implements connect.Source.
type Source struct {
	schema types.Schema
	size   int64
	parts  []part
	byName map[string]int
	open   *handles
	counts counts
}

// part is one of the files.
type part struct {
	file    string
	options connect.Options
	columns []int // for each column of the table, its place in the file; -1 where it has none. nil: as the table
}

// Open looks at each of the files, in order, and returns a source of them all.
//
// The first tells the types of the columns. Those of the others are matched by
// name: a column that a file lacks is NULL in its rows, one that it has more
// is a column of the table, and types that differ widen (INT to FLOAT, DATE to
// TIMESTAMP), or else the files are refused, two of them named. Keys of JSON
// beyond those of the first file are ignored, as later keys of one file are.
func Open(ctx context.Context, files []string, o connect.Options, open Opener) (*Source, error) {
	s := &Source{byName: make(map[string]int, len(files))}
	s.open = newHandles(func(ctx context.Context, at int) (connect.Source, error) {
		return open(ctx, s.parts[at].file, s.parts[at].options)
	})
	schemas := make([]types.Schema, len(files))
	table := columns{at: map[string]int{}}
	for i, file := range files {
		given := o
		if i > 0 {
			given.Like = slices.Clone(table.schema)
			if o.Header == nil || *o.Header {
				given.Columns = nil // the first file has them, and they need not be in each
			}
		}
		s.parts = append(s.parts, part{file: file, options: given})
		s.byName[file] = i
		src, err := s.open.take(ctx, i)
		if err != nil {
			return nil, errors.Join(err, s.open.close())
		}
		schemas[i] = src.Schema()
		s.counts.add(src)
		err = table.add(files, i, schemas[i])
		if size := src.Size(); size < 0 || s.size < 0 {
			s.size = -1
		} else {
			s.size += size
		}
		if err := errors.Join(err, s.open.put(i)); err != nil {
			return nil, errors.Join(err, s.open.close())
		}
	}
	s.schema = table.schema
	for i, schema := range schemas {
		s.parts[i].fit(s.schema, schema)
	}
	recast := func(at int) bool { return len(s.parts[at].options.Columns) > 0 }
	if err := s.open.forget(recast); err != nil {
		return nil, errors.Join(err, s.open.close())
	}
	return s, nil
}

// columns are those of the table as far as the files have been looked at.
type columns struct {
	schema types.Schema
	at     map[string]int // by name
	from   []int          // which file brought the type
}

// add makes room for the columns of a file.
func (t *columns) add(files []string, file int, schema types.Schema) error {
	for _, f := range schema {
		c, ok := t.at[f.Name]
		if !ok {
			t.at[f.Name] = len(t.schema)
			t.schema = append(t.schema, f)
			t.from = append(t.from, file)
			continue
		}
		have := t.schema[c].Type
		if have.Equal(f.Type) {
			continue
		}
		common, ok := types.Common(have, f.Type)
		if !ok {
			return &connect.Error{
				File: files[file], Column: f.Name,
				Msg:  fmt.Sprintf("is %s here and %s in %s", f.Type, have, files[t.from[c]]),
				Hint: fmt.Sprintf("columns = (%s STRING) reads both as text, if the format can; or read them apart", f.Name),
			}
		}
		t.schema[c].Type, t.from[c] = common, file
	}
	return nil
}

// fit notes where the columns of the table are in a file, and asks for those
// whose type is another there to be read as the table has them.
func (p *part) fit(table, own types.Schema) {
	places := make(map[string]int, len(own))
	for i, f := range own {
		places[f.Name] = i
	}
	same := len(own) == len(table)
	columns := make([]int, len(table))
	given := slices.Clone(p.options.Columns)
	for c, f := range table {
		i, ok := places[f.Name]
		if !ok {
			columns[c], same = -1, false
			continue
		}
		columns[c] = i
		same = same && i == c
		if !own[i].Type.Equal(f.Type) {
			given = append(slices.DeleteFunc(given, func(g types.Field) bool { return g.Name == f.Name }), f)
		}
	}
	p.options.Columns = given
	if !same {
		p.columns = columns
	}
}

// Schema returns the columns of the table.
func (s *Source) Schema() types.Schema { return slices.Clone(s.schema) }

// Size returns the length of all files, or -1 if that of one is not known.
func (s *Source) Size() int64 { return s.size }

// Splits returns the splits of the files, in order.
func (s *Source) Splits(target int64) ([]connect.Split, error) {
	var all []connect.Split
	for i := range s.parts {
		src, err := s.open.take(context.Background(), i)
		if err != nil {
			return nil, err
		}
		splits, err := src.Splits(target)
		if err := errors.Join(err, s.open.put(i)); err != nil {
			return nil, err
		}
		first := len(all)
		for _, split := range splits {
			split.Ordinal, split.First = len(all), first
			all = append(all, split)
		}
	}
	return all, nil
}

// Open starts to read a split.
func (s *Source) Open(ctx context.Context, split connect.Split, scan connect.Scan) (connect.Reader, error) {
	at, ok := s.byName[split.File]
	if !ok {
		return nil, &connect.Error{File: split.File, Msg: "has changed since it was opened", Hint: "run the query again"}
	}
	src, err := s.open.take(ctx, at)
	if err != nil {
		return nil, err
	}
	part := &s.parts[at]
	inner, err := src.Open(ctx, split, part.scan(scan))
	if err != nil {
		return nil, errors.Join(err, s.open.put(at))
	}
	r := &reader{Reader: inner, done: func() error { return s.open.put(at) }}
	if part.columns != nil {
		r.fill = part.missing(s.schema, scan)
	}
	return r, nil
}

// Close closes the files.
func (s *Source) Close() error { return s.open.close() }
