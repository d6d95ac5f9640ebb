package jsonl

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/expr/text"
	"github.com/rainsql/rainsql/expr/types"
)

// Encoder writes a row as an object on a line. It implements write.Encoder.
type Encoder struct {
	keys [][]byte // each with what precedes and follows it: `{"a":`, `,"b":`
}

// NewEncoder returns an encoder. Column names become keys, so they must differ.
func NewEncoder(schema types.Schema) (*Encoder, error) {
	e := &Encoder{}
	seen := map[string]bool{}
	for i, f := range schema {
		if seen[f.Name] {
			return nil, &connect.Error{
				Msg:  fmt.Sprintf("jsonl cannot hold two columns named %q", f.Name),
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

// Header appends nothing.
func (*Encoder) Header(dst []byte) []byte { return dst }

// Row returns the function that appends a line.
func (e *Encoder) Row(cols []arrow.Array) (func(dst []byte, i int) ([]byte, error), error) {
	return func(dst []byte, i int) ([]byte, error) {
		if len(cols) == 0 {
			dst = append(dst, '{')
		}
		for c, col := range cols {
			dst = text.AppendJSON(append(dst, e.keys[c]...), col, i)
		}
		return append(dst, '}', '\n'), nil
	}, nil
}
