// Package render writes results for people and pipes: the formats of the
// command line. Those that are file formats too are package connect's.
package render

import (
	"fmt"
	"io"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/formats"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/internal/suggest"
)

// Names lists the formats of --format.
func Names() []string {
	return []string{"table", "csv", "tsv", "json", "jsonl", "markdown", "arrow", "parquet", "null"}
}

// IsFile reports whether a format of the command line is one of files too.
func IsFile(format string) bool {
	switch format {
	case "table", "markdown", "null":
		return false
	}
	return true
}

// Check reports whether a format can be written.
func Check(format string) error {
	for _, n := range Names() {
		if n == format {
			return nil
		}
	}
	if near := suggest.Nearest(format, Names()); near != "" {
		return fmt.Errorf("unknown format %q: did you mean %q?", format, near)
	}
	return fmt.Errorf("unknown format %q: there are %s", format, strings.Join(Names(), ", "))
}

// New returns a sink that writes rows to w; w stays open. Rows are handed on
// batch by batch, so that a reader sees the first while the query runs; a table
// waits for some to choose its widths, and one that is shortened for the last.
func New(w io.Writer, format string, schema types.Schema, o Options) (connect.Sink, error) {
	if err := Check(format); err != nil {
		return nil, err
	}
	switch format {
	case "table":
		return newTable(w, schema, o), nil
	case "markdown":
		return &markdown{w: w, schema: schema}, nil
	case "null":
		return discard{}, nil
	case "arrow":
		format = "arrows" // standard output may be a pipe, whose reader should see rows as they come
	}
	s, err := formats.NewWriter(w, format, schema, connect.Options{})
	if err != nil {
		return nil, err
	}
	return flushing{s}, nil
}

// flushing hands rows on after every batch.
type flushing struct{ connect.Sink }

func (f flushing) Write(cols []arrow.Array, rows int) error {
	if err := f.Sink.Write(cols, rows); err != nil {
		return err
	}
	if fl, ok := f.Sink.(interface{ Flush() error }); ok {
		return fl.Flush()
	}
	return nil
}

// discard takes rows and shows nothing.
type discard struct{}

func (discard) Write([]arrow.Array, int) error { return nil }
func (discard) Commit() error                  { return nil }
func (discard) Abort() error                   { return nil }
func (discard) Bytes() int64                   { return 0 }
