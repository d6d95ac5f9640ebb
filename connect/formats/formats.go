// Package formats knows all file formats by name: which one a path has, and
// how to open and write it.
package formats

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/csv"
	"github.com/rainsql/rainsql/connect/jsonl"
	"github.com/rainsql/rainsql/connect/lines"
	"github.com/rainsql/rainsql/connect/local"
	"github.com/rainsql/rainsql/connect/scan"
)

// Names lists the formats that can be read and written.
func Names() []string { return []string{"csv", "tsv", "jsonl", "text"} }

// byExtension maps a path's ending to its format. Those that Names lacks, and
// the compressions, are known so that they can be refused by name.
var byExtension = map[string]string{
	".csv": "csv", ".tsv": "tsv", ".tab": "tsv",
	".jsonl": "jsonl", ".ndjson": "jsonl",
	".txt": "text", ".text": "text", ".log": "text",
	".json": "json", ".parquet": "parquet", ".arrow": "arrow", ".arrows": "arrow", ".feather": "arrow", ".ipc": "arrow",
	".gz": "gz", ".zst": "zst",
}

// Detect returns the format that the ending of a path stands for. It may be
// one that cannot be read yet; ok is false if the ending says nothing.
func Detect(path string) (format string, ok bool) {
	format, ok = byExtension[strings.ToLower(filepath.Ext(path))]
	return format, ok
}

// choose returns the format to use: that of the options, or the path's.
func choose(path, display string, o connect.Options) (string, error) {
	name := strings.ToLower(o.Format)
	if name == "" {
		var ok bool
		if name, ok = Detect(path); !ok {
			return "", &connect.Error{File: display, Msg: "its name does not tell its format", Hint: "say it: (format = 'csv'), or " + strings.Join(Names()[1:], ", ")}
		}
	}
	switch name {
	case "csv", "tsv", "jsonl", "text":
		return name, nil
	case "ndjson":
		return "jsonl", nil
	case "json", "parquet", "arrow":
		return "", &connect.Error{File: display, Msg: "format " + name + " is not supported yet", Hint: "there are: " + strings.Join(Names(), ", ")}
	case "gz", "zst":
		return "", &connect.Error{File: display, Msg: "compressed files (." + name + ") are not supported yet", Hint: "unpack it first"}
	}
	return "", &connect.Error{File: display, Msg: fmt.Sprintf("unknown format '%s'", o.Format), Hint: connect.Suggest(name, Names())}
}

// OpenSource opens a local file for reading; display is how messages and
// _file call it. ctx bounds the opening only. The caller closes the source.
func OpenSource(ctx context.Context, path, display string, o connect.Options) (connect.Source, error) {
	f, err := local.Open(path, display)
	if err != nil {
		return nil, err
	}
	defer context.AfterFunc(ctx, f.Interrupt)()
	src, err := Open(ctx, f, path, display, o)
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return src, nil
}

// Open is OpenSource for a file that is open already, wherever it lies; path
// only tells the format where the options do not. The source owns the input
// unless there is an error.
func Open(ctx context.Context, in scan.Input, path, display string, o connect.Options) (connect.Source, error) {
	format, err := choose(path, display, o)
	if err != nil {
		return nil, err
	}
	var src *scan.Source
	switch format {
	case "jsonl":
		src, err = jsonl.Open(ctx, in, display, o)
	case "text":
		src, err = lines.Open(ctx, in, display, o)
	default:
		src, err = csv.Open(ctx, in, display, format, o)
	}
	if err != nil {
		return nil, err // not src: a nil *Source would be a Source
	}
	return src, nil
}
