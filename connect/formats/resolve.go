package formats

import (
	"fmt"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/arrowipc"
	"github.com/rainsql/rainsql/connect/parquet"
	"github.com/rainsql/rainsql/expr/types"
)

// Resolve completes the options for path: the format is decided. display is how
// errors call the path.
func Resolve(path, display string, o connect.Options) (connect.Options, error) {
	k, err := choose(path, display, o)
	if err != nil {
		return o, err
	}
	o.Format = k.String()
	if k.format == "csv" || k.format == "tsv" {
		return o, nil
	}
	for name, given := range map[string]bool{
		"header": o.Header != nil, "delimiter": o.Delimiter != nil, "quote": o.Quote != nil, "null": o.Null != nil,
	} {
		if given {
			return o, &connect.Error{File: display, Msg: fmt.Sprintf("option %s does not belong to format %s", name, k.format), Hint: "it is for csv and tsv"}
		}
	}
	return o, nil
}

// CheckSink reports whether rows of schema can be written with the options,
// which Resolve has completed. Nothing is created.
func CheckSink(display string, schema types.Schema, o connect.Options) error {
	k, err := choose("", display, o)
	if err != nil {
		return err
	}
	if err := k.checkMode(o); err != nil {
		return connect.WithFile(err, display)
	}
	switch k.format {
	case "parquet":
		err = parquet.Check(schema)
	case "arrow", "arrows":
		err = arrowipc.Check(schema)
	default:
		_, err = newEncoder(k.format, schema, o)
	}
	return connect.WithFile(err, display)
}

// checkMode reports whether files of the kind can be written in the mode.
func (k kind) checkMode(o connect.Options) error {
	mode, err := o.WriteMode()
	if err != nil {
		return &connect.Error{Msg: err.Error()}
	}
	if mode == connect.Append && !k.extensible() {
		return &connect.Error{Msg: "mode = 'append': a " + k.format + " file cannot be extended", Hint: "write jsonl or csv, or another file and read both by a pattern"}
	}
	return nil
}
