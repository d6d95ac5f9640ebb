package formats

import (
	"bytes"
	"errors"
	"io"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/csv"
	"github.com/rainsql/rainsql/connect/jsonl"
	"github.com/rainsql/rainsql/connect/lines"
	"github.com/rainsql/rainsql/connect/local"
	"github.com/rainsql/rainsql/connect/write"
	"github.com/rainsql/rainsql/expr/types"
)

// NewSink begins to write a local file, which appears whole at Commit: beside
// it first, then renamed. Option mode says what becomes of a file that is
// there already; with 'append' the header is written only to an empty file,
// and must otherwise be the one that is there. A device or pipe is written to
// as it comes.
func NewSink(path string, schema types.Schema, o connect.Options) (connect.Sink, error) {
	format, err := choose(path, path, o)
	if err != nil {
		return nil, err
	}
	mode, err := o.WriteMode()
	if err != nil {
		return nil, &connect.Error{File: path, Msg: err.Error()}
	}
	enc, err := newEncoder(format, schema, o)
	if err != nil {
		return nil, connect.WithFile(err, path)
	}
	out, err := local.Create(path, path, mode)
	if err != nil {
		return nil, err
	}
	fresh, err := needsHeader(out, enc, path)
	if err != nil {
		return nil, errors.Join(err, out.Abort())
	}
	return write.New(enc, out, fresh), nil
}

// needsHeader reports whether the rows begin the file, and checks that they
// match the header of the one they extend.
func needsHeader(out *local.Writer, enc write.Encoder, path string) (bool, error) {
	old, err := out.Existing()
	if old == nil || err != nil {
		return true, err
	}
	defer old.Close() //nolint:errcheck // only read
	want := enc.Header(nil)
	have := make([]byte, len(want)+4) // a byte order mark and a CR more
	n, err := io.ReadFull(old, have)
	if err != nil && n == 0 {
		return false, &connect.Error{File: path, Msg: "read failed: " + err.Error(), Err: err}
	}
	line, _, _ := bytes.Cut(bytes.TrimPrefix(have[:n], []byte("\xEF\xBB\xBF")), []byte{'\n'})
	if len(want) > 0 && !bytes.Equal(bytes.TrimSuffix(line, []byte{'\r'}), want[:len(want)-1]) {
		return false, &connect.Error{File: path, Line: 1, Msg: "its header is not that of the rows to append", Hint: "match the columns " + string(line) + ", or use mode = 'replace'"}
	}
	return false, nil
}

// NewWriter writes rows to w in a format of Names; Commit flushes what is
// buffered, and w stays open.
func NewWriter(w io.Writer, format string, schema types.Schema, o connect.Options) (connect.Sink, error) {
	o.Format = format
	format, err := choose("", "", o)
	if err != nil {
		return nil, err
	}
	enc, err := newEncoder(format, schema, o)
	if err != nil {
		return nil, err
	}
	return write.New(enc, write.Stream{Writer: w}, true), nil
}

func newEncoder(format string, schema types.Schema, o connect.Options) (write.Encoder, error) {
	switch format {
	case "jsonl":
		return jsonl.NewEncoder(schema)
	case "text":
		return lines.NewEncoder(schema)
	}
	return csv.NewEncoder(format, schema, o)
}
