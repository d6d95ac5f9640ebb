// Package formats knows all file formats by name: which one a path has, and
// how to open and write it.
package formats

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/arrowipc"
	"github.com/rainsql/rainsql/connect/compress"
	"github.com/rainsql/rainsql/connect/csv"
	"github.com/rainsql/rainsql/connect/json"
	"github.com/rainsql/rainsql/connect/lines"
	"github.com/rainsql/rainsql/connect/parquet"
	"github.com/rainsql/rainsql/connect/scan"
)

// Names lists the formats. Those of text are also read and written compressed,
// as csv.gz or csv.zst.
func Names() []string {
	return []string{"csv", "tsv", "json", "jsonl", "parquet", "arrow", "arrows", "text"}
}

// byExtension maps the ending of a path to its format. An Arrow stream is
// told from a file when it is read; written, it is another format.
var byExtension = map[string]string{
	".csv": "csv", ".tsv": "tsv", ".tab": "tsv",
	".json": "json", ".jsonl": "jsonl", ".ndjson": "jsonl",
	".txt": "text", ".text": "text", ".log": "text",
	".parquet": "parquet", ".pq": "parquet",
	".arrow": "arrow", ".feather": "arrow", ".ipc": "arrow", ".arrows": "arrows",
}

// kind is what a file holds: a format, and how it is compressed.
type kind struct{ format, compression string }

func (k kind) String() string {
	if k.compression != "" {
		return k.format + "." + k.compression
	}
	return k.format
}

// text reports whether the format is lines of text or such, to be extended and
// compressed.
func (k kind) text() bool {
	return k.format != "parquet" && k.format != "arrow" && k.format != "arrows"
}

// extensible reports whether rows can be put behind those that are there.
func (k kind) extensible() bool { return k.text() && k.format != "json" }

// cutCompression parts the ending .gz or .zst from a path or format.
func cutCompression(path string) (rest, compression string) {
	switch ext := strings.ToLower(filepath.Ext(path)); ext {
	case ".gz", ".zst":
		return path[:len(path)-len(ext)], ext[1:]
	case ".gzip":
		return path[:len(path)-len(ext)], compress.Gzip
	case ".zstd":
		return path[:len(path)-len(ext)], compress.Zstd
	}
	return path, ""
}

// Detect returns the format that the ending of a path stands for, as csv or
// csv.gz; ok is false if the ending says nothing.
func Detect(path string) (format string, ok bool) {
	k, ok := detect(path)
	return k.String(), ok
}

func detect(path string) (kind, bool) {
	rest, compression := cutCompression(path)
	format, ok := byExtension[strings.ToLower(filepath.Ext(rest))]
	return kind{format, compression}, ok
}

// choose returns what to read or write: what the options say, or the path.
func choose(path, display string, o connect.Options) (kind, error) {
	k, ok := detect(path)
	if o.Format != "" {
		format, compression := cutCompression(strings.ToLower(o.Format))
		if compression != "" {
			k.compression = compression
		}
		k.format = map[string]string{"ndjson": "jsonl"}[format]
		if k.format == "" {
			k.format = format
		}
		ok = true
	}
	if !ok {
		return k, &connect.Error{File: display, Msg: "its name does not tell its format", Hint: "say it: (format = 'csv'), or " + strings.Join(Names()[1:], ", ")}
	}
	if !slices.Contains(Names(), k.format) {
		return k, &connect.Error{File: display, Msg: fmt.Sprintf("unknown format '%s'", o.Format), Hint: connect.Suggest(k.format, Names())}
	}
	if k.compression != "" && !k.text() {
		return k, &connect.Error{File: display, Msg: "a " + k.format + " file is not compressed as a whole", Hint: "its columns are compressed inside: leave ." + k.compression + " out"}
	}
	return k, nil
}

// OpenSource opens a file for reading; display is how messages and _file call
// it. ctx bounds the opening only. The caller closes the source.
func OpenSource(ctx context.Context, place Place, path, display string, o connect.Options) (connect.Source, error) {
	in, err := place.Open(path, display)
	if err != nil {
		return nil, err
	}
	if f, ok := in.(interface{ Interrupt() }); ok {
		defer context.AfterFunc(ctx, f.Interrupt)()
	}
	src, err := Open(ctx, in, path, display, o)
	if err != nil {
		return nil, errors.Join(err, in.Close())
	}
	return src, nil
}

// Open is OpenSource for a file that is open already; path only tells the
// format where the options do not. The source owns the input unless there is
// an error.
func Open(ctx context.Context, in scan.Input, path, display string, o connect.Options) (connect.Source, error) {
	k, err := choose(path, display, o)
	if err != nil {
		return nil, err
	}
	return open(ctx, in, k, display, o)
}

func open(ctx context.Context, in scan.Input, k kind, display string, o connect.Options) (connect.Source, error) {
	switch k.format {
	case "parquet":
		return parquet.Open(ctx, in, display, o)
	case "arrow", "arrows":
		return arrowipc.Open(ctx, in, display, o)
	}
	in, err := unpack(in, k, display)
	if err != nil {
		return nil, err
	}
	var src *scan.Source
	switch k.format {
	case "json", "jsonl":
		src, err = json.Open(ctx, in, display, k.format, o)
	case "text":
		src, err = lines.Open(ctx, in, display, o)
	default:
		src, err = csv.Open(ctx, in, display, k.format, o)
	}
	if err != nil {
		return nil, err // not src: a nil *Source would be a Source
	}
	return src, nil
}

// Base returns a format of Detect or of resolved options without its
// compression: csv of csv.gz.
func Base(format string) string {
	base, _ := cutCompression(format)
	return base
}
