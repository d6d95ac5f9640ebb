package formats

import (
	"fmt"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/expr/types"
)

// Resolve completes the options for path: the format is decided. display is how
// errors call the path.
func Resolve(path, display string, o connect.Options) (connect.Options, error) {
	format, err := choose(path, display, o)
	if err != nil {
		return o, err
	}
	o.Format = format
	if format == "csv" || format == "tsv" {
		return o, nil
	}
	for name, given := range map[string]bool{
		"header": o.Header != nil, "delimiter": o.Delimiter != nil, "quote": o.Quote != nil, "null": o.Null != nil,
	} {
		if given {
			return o, &connect.Error{File: display, Msg: fmt.Sprintf("option %s does not belong to format %s", name, format), Hint: "it is for csv and tsv"}
		}
	}
	return o, nil
}

// CheckSink reports whether rows of schema can be written with the options,
// which Resolve has completed. Nothing is created.
func CheckSink(display string, schema types.Schema, o connect.Options) error {
	_, err := newEncoder(o.Format, schema, o)
	return connect.WithFile(err, display)
}
