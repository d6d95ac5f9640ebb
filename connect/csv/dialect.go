// Package csv reads and writes separated values: csv, tsv and their kin.
//
// The reader is written for speed. A chunk is first classified, 64 bytes at a
// time, into bit masks of separators, newlines and quotes; separators and
// newlines inside quotes are masked out by a prefix sum of the quotes; rows
// are then walked over the masks, touching only the fields that are wanted.
package csv

import (
	"bytes"
	"fmt"

	"github.com/rainsql/rainsql/connect"
)

// dialect is how a file separates and quotes its fields.
type dialect struct {
	sep     byte
	quote   byte // meaningful only if quoting
	quoting bool
	header  bool
	null    []byte // unquoted text that means NULL, besides none at all
	policy  connect.OnError
	other   string // what seems to separate the fields of a first row that has only one; for messages
}

// newDialect reads the options; format is csv or tsv.
func newDialect(format string, o connect.Options) (dialect, error) {
	d := dialect{sep: ',', quote: '"', quoting: true, header: o.Header == nil || *o.Header}
	if format == "tsv" {
		d.sep = '\t'
	}
	if o.Delimiter != nil {
		switch v := *o.Delimiter; {
		case v == `\t`:
			d.sep = '\t'
		case len(v) == 1:
			d.sep = v[0]
		default:
			return d, fmt.Errorf("delimiter = '%s' is not one byte: give a single character, or '\\t'", v)
		}
	}
	if o.Quote != nil {
		switch v := *o.Quote; len(v) {
		case 0:
			d.quoting = false
		case 1:
			d.quote = v[0]
		default:
			return d, fmt.Errorf("quote = '%s' is not one byte: give a single character, or '' for none", v)
		}
	}
	for _, c := range []byte{d.sep, d.quote} {
		if c == '\n' || c == '\r' || c == 0 {
			return d, fmt.Errorf("a line end or NUL cannot be the delimiter or quote")
		}
	}
	if d.quoting && d.sep == d.quote {
		return d, fmt.Errorf("delimiter and quote are both '%c': they must differ", d.sep)
	}
	if o.Null != nil && *o.Null != "" {
		d.null = []byte(*o.Null)
	}
	var err error
	d.policy, err = o.ErrorPolicy()
	return d, err
}

// unescape appends src to dst with doubled quotes made single.
func (d *dialect) unescape(dst, src []byte) []byte {
	for {
		i := bytes.IndexByte(src, d.quote)
		if i < 0 || i+1 >= len(src) {
			return append(dst, src...)
		}
		dst = append(dst, src[:i+1]...)
		src = src[i+2:]
	}
}
