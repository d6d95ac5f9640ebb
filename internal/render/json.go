package render

import (
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr/text"
	"github.com/rainsql/rainsql/expr/types"
)

// jsonArray writes rows as one JSON array of objects, one a line.
type jsonArray struct {
	w     io.Writer
	keys  [][]byte // `"name":`
	buf   []byte
	rows  int64
	bytes int64
}

func newJSON(w io.Writer, schema types.Schema) (*jsonArray, error) {
	j := &jsonArray{w: w}
	seen := map[string]bool{}
	for _, f := range schema {
		if seen[f.Name] {
			return nil, fmt.Errorf("json needs distinct names, and two columns are called %q; give them different names with RENAME or AS", f.Name)
		}
		seen[f.Name] = true
		j.keys = append(j.keys, append(text.AppendJSONString(nil, f.Name), ':'))
	}
	return j, nil
}

// Write implements connect.Sink.
func (j *jsonArray) Write(cols []arrow.Array, rows int) error {
	for i := range rows {
		if j.rows == 0 {
			j.buf = append(j.buf, "[\n{"...)
		} else {
			j.buf = append(j.buf, ",\n{"...)
		}
		j.rows++
		for c, a := range cols {
			if c > 0 {
				j.buf = append(j.buf, ',')
			}
			j.buf = append(j.buf, j.keys[c]...)
			j.buf = text.AppendJSON(j.buf, a, i)
		}
		j.buf = append(j.buf, '}')
	}
	return j.flush()
}

func (j *jsonArray) flush() error {
	n, err := j.w.Write(j.buf)
	j.bytes += int64(n)
	j.buf = j.buf[:0]
	return err
}

// Commit implements connect.Sink.
func (j *jsonArray) Commit() error {
	if j.rows == 0 {
		j.buf = append(j.buf, '[')
	}
	j.buf = append(j.buf, "\n]\n"...)
	return j.flush()
}

// Abort implements connect.Sink.
func (j *jsonArray) Abort() error { return nil }

// Bytes implements connect.Sink.
func (j *jsonArray) Bytes() int64 { return j.bytes }
