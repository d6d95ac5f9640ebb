package formats

import (
	"bytes"
	"errors"
	"io"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/arrowipc"
	"github.com/rainsql/rainsql/connect/compress"
	"github.com/rainsql/rainsql/connect/csv"
	"github.com/rainsql/rainsql/connect/json"
	"github.com/rainsql/rainsql/connect/lines"
	"github.com/rainsql/rainsql/connect/parquet"
	"github.com/rainsql/rainsql/connect/scan"
	"github.com/rainsql/rainsql/connect/write"
	"github.com/rainsql/rainsql/expr/types"
)

// NewSink begins to write a file, which appears whole at Commit. Option mode
// says what becomes of a file that is there already; with 'append' the header
// is written only to an empty file, and must otherwise be the one that is there.
func NewSink(place Place, path, display string, schema types.Schema, o connect.Options) (connect.Sink, error) {
	k, err := choose(path, display, o)
	if err != nil {
		return nil, err
	}
	if err := k.checkMode(o); err != nil {
		return nil, connect.WithFile(err, display)
	}
	mode, err := o.WriteMode()
	if err != nil {
		return nil, err
	}
	var enc write.Encoder
	if k.text() {
		if enc, err = newEncoder(k.format, schema, o); err != nil {
			return nil, connect.WithFile(err, display)
		}
	}
	out, err := place.Create(path, display, mode)
	if err != nil {
		return nil, err
	}
	fresh := true
	if k.extensible() {
		if fresh, err = needsHeader(out, enc, k, display); err != nil {
			return nil, errors.Join(err, out.Abort())
		}
	}
	sink, err := newSink(out, enc, k, schema, o, fresh)
	if err != nil {
		return nil, errors.Join(connect.WithFile(err, display), out.Abort())
	}
	return sink, nil
}

// newSink puts the format and the place together.
func newSink(out write.Out, enc write.Encoder, k kind, schema types.Schema, o connect.Options, fresh bool) (connect.Sink, error) {
	switch k.format {
	case "parquet":
		return parquet.NewSink(out, schema, o)
	case "arrow", "arrows":
		return arrowipc.NewSink(out, schema, o, k.format == "arrows")
	}
	if k.compression != "" {
		packed, err := compress.Create(out, k.compression)
		if err != nil {
			return nil, err
		}
		out = packed
	}
	return write.New(enc, out, fresh), nil
}

// needsHeader reports whether the rows begin the file, and checks that they
// match the header of the one they extend.
func needsHeader(out Target, enc write.Encoder, k kind, display string) (bool, error) {
	old, err := out.Existing()
	if old == nil || err != nil {
		return true, err
	}
	if k.compression == "" {
		if err := out.EndLine(); err != nil {
			return false, errors.Join(err, old.Close())
		}
	}
	unpacked, err := unpack(old, k, display)
	if err != nil {
		return false, errors.Join(err, old.Close())
	}
	defer unpacked.Close() //nolint:errcheck // only read
	want := enc.Header(nil)
	have := make([]byte, len(want)+4) // a byte order mark and a CR more
	n, err := unpacked.ReadAt(have, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return false, scan.ReadError(err, display)
	}
	line, _, _ := bytes.Cut(bytes.TrimPrefix(have[:n], []byte("\xEF\xBB\xBF")), []byte{'\n'})
	if len(want) > 0 && !bytes.Equal(bytes.TrimSuffix(line, []byte{'\r'}), want[:len(want)-1]) {
		return false, &connect.Error{File: display, Line: 1, Msg: "its header is not that of the rows to append", Hint: "match the columns " + string(line) + ", or use mode = 'replace'"}
	}
	return false, nil
}

// NewWriter writes rows to w in a format of Names; Commit flushes what is
// buffered, and w stays open.
func NewWriter(w io.Writer, format string, schema types.Schema, o connect.Options) (connect.Sink, error) {
	o.Format = format
	k, err := choose("", "", o)
	if err != nil {
		return nil, err
	}
	var enc write.Encoder
	if k.text() {
		if enc, err = newEncoder(k.format, schema, o); err != nil {
			return nil, err
		}
	}
	return newSink(write.Stream{Writer: w}, enc, k, schema, o, true)
}

func newEncoder(format string, schema types.Schema, o connect.Options) (write.Encoder, error) {
	switch format {
	case "json", "jsonl":
		return json.NewEncoder(format, schema)
	case "text":
		return lines.NewEncoder(schema)
	}
	return csv.NewEncoder(format, schema, o)
}
