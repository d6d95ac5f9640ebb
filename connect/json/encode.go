package json

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/expr/text"
	"github.com/rainsql/rainsql/expr/types"
)

// Encoder writes a row as an object on a line, in the format json within an
// array. It implements write.Encoder and write.Footer.
type Encoder struct {
	keys  [][]byte // each with what precedes and follows it: `{"a":`, `,"b":`
	array bool
	any   bool // a row has been written
}

// NewEncoder returns an encoder for the format json or jsonl. Column names
// become keys, so they must differ.
func NewEncoder(format string, schema types.Schema) (*Encoder, error) {
	e := &Encoder{array: format == "json"}
	seen := map[string]bool{}
	for i, f := range schema {
		if seen[f.Name] {
			return nil, &connect.Error{
				Msg:  fmt.Sprintf("%s cannot hold two columns named %q", format, f.Name),
				Hint: "RENAME one of them, or write csv",
			}
		}
		seen[f.Name] = true
		key := []byte{','}
		if i == 0 {
			key[0] = '{'
		}
		e.keys = append(e.keys, append(text.AppendJSONString(key, f.Name), ':'))
	}
	return e, nil
}

// Header opens the array, if there is one.
func (e *Encoder) Header(dst []byte) []byte {
	if e.array {
		return append(dst, '[')
	}
	return dst
}

// Footer closes the array, if there is one.
func (e *Encoder) Footer(dst []byte) []byte {
	if e.array {
		return append(dst, "\n]\n"...)
	}
	return dst
}

// Row returns the function that appends a row.
func (e *Encoder) Row(cols []arrow.Array) (func(dst []byte, i int) ([]byte, error), error) {
	return func(dst []byte, i int) ([]byte, error) {
		dst = e.separate(dst)
		if len(cols) == 0 {
			dst = append(dst, '{')
		}
		for c, col := range cols {
			dst = text.AppendJSON(append(dst, e.keys[c]...), col, i)
		}
		if e.array {
			return append(dst, '}'), nil
		}
		return append(dst, '}', '\n'), nil
	}, nil
}

// separate appends what stands between two elements of the array.
func (e *Encoder) separate(dst []byte) []byte {
	if !e.array {
		return dst
	}
	if e.any {
		dst = append(dst, ',')
	}
	e.any = true
	return append(dst, '\n')
}
