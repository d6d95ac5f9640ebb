package csv

import (
	"bytes"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/expr/text"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// Encoder writes rows as csv or tsv. It implements write.Encoder.
type Encoder struct {
	dialect
	schema  types.Schema
	special [256]bool // bytes that make a field need quotes
}

// NewEncoder returns an encoder; format is csv or tsv. The options header,
// delimiter, quote and null mean what they mean to the reader.
func NewEncoder(format string, schema types.Schema, o connect.Options) (*Encoder, error) {
	d, err := newDialect(format, o)
	if err != nil {
		return nil, &connect.Error{Msg: err.Error()}
	}
	e := &Encoder{dialect: d, schema: schema}
	for _, c := range []byte{d.sep, '\n', '\r'} {
		e.special[c] = true
	}
	if d.quoting {
		e.special[d.quote] = true
	}
	return e, nil
}

// Header appends the line of names, if there is to be one.
func (e *Encoder) Header(dst []byte) []byte {
	if !e.header {
		return dst
	}
	for i, f := range e.schema {
		if i > 0 {
			dst = append(dst, e.sep)
		}
		if e.needsQuotes([]byte(f.Name)) && e.quoting {
			dst = e.appendQuoted(dst, []byte(f.Name))
		} else {
			dst = append(dst, f.Name...)
		}
	}
	return append(dst, '\n')
}

// field is a column as the encoder reads it.
type field struct {
	col  arrow.Array
	null vec.Validity
	text *vec.StringReader // of a STRING, whose bytes are the field's
	bare bool              // values never need quotes
}

// Row returns the function that appends a row.
func (e *Encoder) Row(cols []arrow.Array) (func(dst []byte, i int) ([]byte, error), error) {
	fields := make([]field, len(cols))
	for c, col := range cols {
		fields[c] = field{col: col, null: vec.ValidityOf(col), bare: e.bare(e.schema[c].Type)}
		if e.schema[c].Type.Kind == types.String {
			r := vec.Strings(col)
			fields[c].text = &r
		}
	}
	var scratch []byte
	return func(dst []byte, i int) ([]byte, error) {
		for c := range fields {
			f := &fields[c]
			if c > 0 {
				dst = append(dst, e.sep)
			}
			var v []byte
			switch {
			case f.null.Null(i):
				dst = append(dst, e.null...)
				continue
			case f.bare:
				dst = text.AppendValue(dst, f.col, i)
				continue
			case f.text != nil:
				v = f.text.At(i)
			default:
				scratch = text.AppendValue(scratch[:0], f.col, i)
				v = scratch
			}
			if !e.needsQuotes(v) {
				dst = append(dst, v...)
				continue
			}
			if !e.quoting {
				if len(v) == 0 {
					continue
				}
				return dst, &connect.Error{Column: e.schema[c].Name, Msg: "a value holds the delimiter or a line end, which needs quotes", Hint: "leave out quote = '', or choose another delimiter"}
			}
			dst = e.appendQuoted(dst, v)
		}
		return append(dst, '\n'), nil
	}, nil
}

// bare reports a type whose values never hold what needs quotes: all but text
// and what prints as JSON or in words, unless the dialect uses unusual signs.
func (e *Encoder) bare(t types.Type) bool {
	switch t.Kind {
	case types.Bool, types.Int8, types.Int16, types.Int32, types.Int64, types.Float32, types.Float64, types.Decimal, types.Date, types.Timestamp:
	default:
		return false
	}
	for _, c := range []byte("0123456789+-.:TZaefilnrstu") {
		if e.special[c] {
			return false
		}
	}
	return len(e.null) == 0
}

// needsQuotes reports a field that would not read back as it is.
func (e *Encoder) needsQuotes(b []byte) bool {
	if len(b) == 0 || e.null != nil && bytes.Equal(b, e.null) {
		return true
	}
	for _, c := range b {
		if e.special[c] {
			return true
		}
	}
	return false
}

func (e *Encoder) appendQuoted(dst, b []byte) []byte {
	dst = append(dst, e.quote)
	for {
		i := bytes.IndexByte(b, e.quote)
		if i < 0 {
			break
		}
		dst = append(append(dst, b[:i+1]...), e.quote)
		b = b[i+1:]
	}
	return append(append(dst, b...), e.quote)
}
