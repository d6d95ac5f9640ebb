package lines

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/expr/text"
	"github.com/rainsql/rainsql/expr/types"
)

// Encoder writes the strings of a single column as lines. It implements write.Encoder.
type Encoder struct{}

// NewEncoder returns an encoder; the schema must be one STRING column.
func NewEncoder(schema types.Schema) (Encoder, error) {
	if len(schema) == 1 && schema[0].Type.Kind == types.String {
		return Encoder{}, nil
	}
	return Encoder{}, &connect.Error{
		Msg:  "format text takes exactly one STRING column, not " + describe(schema),
		Hint: "TRANSFORM to one column, or write csv",
	}
}

// Header appends nothing.
func (Encoder) Header(dst []byte) []byte { return dst }

// Row returns the function that appends a line; NULL is an empty one.
func (Encoder) Row(cols []arrow.Array) (func(dst []byte, i int) ([]byte, error), error) {
	col := cols[0]
	return func(dst []byte, i int) ([]byte, error) {
		if col.IsValid(i) {
			dst = text.AppendValue(dst, col, i)
		}
		return append(dst, '\n'), nil
	}, nil
}

func describe(schema types.Schema) string {
	list := make([]string, len(schema))
	for i, f := range schema {
		list[i] = fmt.Sprintf("%s %s", f.Name, f.Type)
	}
	return strings.Join(list, ", ")
}
