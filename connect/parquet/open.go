// Package parquet reads and writes Parquet files.
//
// Pages are decoded by hand, straight into the engine's layouts: strings are
// views into the unpacked page or codes of the chunk's dictionary, never
// copied. A reader holds a page of each column, not a row group. Row groups
// that cannot fulfil Scan.Where are passed over by their statistics, and so are
// the other columns of batches none of whose rows fulfils it.
//
// What a file declares is checked before memory is allocated for it; a damaged
// file is an error, and where it has checksums always.
//
// Types that RQL lacks become those nearest to them: unsigned integers the next
// wider one (UINT64 a DECIMAL(20,0)), times of day and UUIDs text, MAP a
// LIST<STRUCT<key, value>>, timestamps of all kinds microseconds of UTC, finer
// digits cut. A column that cannot be read is an error only where it is asked for.
package parquet

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"runtime/debug"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/infer"
	"github.com/rainsql/rainsql/connect/parquet/internal/meta"
	"github.com/rainsql/rainsql/connect/scan"
	"github.com/rainsql/rainsql/expr/types"
)

const (
	magic      = "PAR1"
	tailBytes  = 64 << 10 // read at first, which holds most footers
	maxFooter  = 256 << 20
	trailBytes = 8 // the footer's length and the magic bytes
)

// Open returns a source over in, which it owns unless it fails; display is how
// messages and _file call the file. ctx bounds the opening. Of the options
// only columns matters: the named columns are read as those types.
func Open(ctx context.Context, in scan.Input, display string, o connect.Options) (src connect.Source, err error) {
	defer rescue(&err, display)
	if in.Size() < 0 {
		return nil, &connect.Error{File: display, Msg: "Parquet cannot be read from a pipe, as its index is at the end", Hint: "write it to a file first, or send the Arrow stream format"}
	}
	footer, err := readFooter(in, display)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	f, err := meta.ReadFile(footer)
	if err != nil {
		return nil, damaged(display, "its footer is damaged: "+err.Error())
	}
	if f.Encrypted {
		return nil, encrypted(display)
	}
	cols, leaves, err := newTree(f.Schema)
	if err != nil {
		return nil, damaged(display, err.Error())
	}
	s := &Source{in: in, display: display, cols: cols, leaves: leaves, orders: f.Orders, createdBy: f.CreatedBy}
	names := make([]string, len(cols))
	for i, c := range cols {
		names[i] = c.name
	}
	for i, name := range infer.Names(names) {
		s.schema = append(s.schema, types.Field{Name: name, Type: cols[i].typ})
	}
	if err := s.listGroups(f); err != nil {
		return nil, err
	}
	if err := s.override(o.Columns); err != nil {
		return nil, connect.WithFile(err, display)
	}
	return s, nil
}

// rescue makes an error of a panic: there should be none, whatever a file
// holds, but a file must not end the process if there is.
func rescue(err *error, display string) {
	if p := recover(); p != nil {
		*err = &connect.Error{
			File: display, Msg: fmt.Sprintf("the file is damaged in a way that was not foreseen: %v", p),
			Hint: "please report it", Err: fmt.Errorf("%v\n%s", p, debug.Stack()),
		}
	}
}

func damaged(display, msg string) error {
	return &connect.Error{File: display, Msg: msg, Hint: "copy or write the file again"}
}

func encrypted(display string) error {
	return &connect.Error{File: display, Msg: "is encrypted, which cannot be read", Hint: "decrypt it first with the program that wrote it"}
}

// readFooter returns the metadata at the end of the file.
func readFooter(in scan.Input, display string) ([]byte, error) {
	size := in.Size()
	if size < int64(len(magic)+trailBytes) {
		return nil, &connect.Error{File: display, Msg: fmt.Sprintf("is not a Parquet file: it has only %d bytes", size), Hint: "give its true format: (format = '…')"}
	}
	tail := make([]byte, min(size, tailBytes))
	if err := readFull(in, tail, size-int64(len(tail))); err != nil {
		return nil, &connect.Error{File: display, Msg: err.Error(), Err: err}
	}
	end := tail[len(tail)-trailBytes:]
	switch string(end[4:]) {
	case magic:
	case "PARE":
		return nil, encrypted(display)
	default:
		return nil, notParquet(in, display)
	}
	n := int64(binary.LittleEndian.Uint32(end))
	switch {
	case n > size-int64(len(magic)+trailBytes):
		return nil, damaged(display, fmt.Sprintf("declares a footer of %d bytes in a file of %d", n, size))
	case n > maxFooter:
		return nil, damaged(display, fmt.Sprintf("declares a footer of %d bytes; up to %d are read", n, maxFooter))
	}
	if n+trailBytes <= int64(len(tail)) {
		return tail[int64(len(tail))-n-trailBytes : len(tail)-trailBytes], nil
	}
	footer := make([]byte, n)
	if err := readFull(in, footer, size-n-trailBytes); err != nil {
		return nil, &connect.Error{File: display, Msg: err.Error(), Err: err}
	}
	return footer, nil
}

// notParquet tells a file that lacks its end from one of another kind.
func notParquet(in scan.Input, display string) error {
	head := make([]byte, len(magic))
	if readFull(in, head, 0) == nil && bytes.Equal(head, []byte(magic)) {
		return &connect.Error{File: display, Msg: "is a Parquet file without its end, where the index is", Hint: "it was cut off or is still being written"}
	}
	return &connect.Error{File: display, Msg: "is not a Parquet file", Hint: "give its true format: (format = '…')"}
}
