// Package arrowipc reads and writes Arrow's own formats: the file, with its
// index at the end (.arrow, .feather, .ipc), and the stream (.arrows), which
// needs none and so can come from a pipe.
//
// Only the columns asked for are read. Values stay where they were read to
// wherever their layout is one of the engine's. Everything that buffers refer to
// is checked before rows leave, and what messages declare before memory is
// allocated for it.
//
// Types that RQL lacks become those nearest to them: unsigned integers the next
// wider one (UINT64 a DECIMAL(20,0)), times of day and UUIDs text, durations
// INTERVAL, a MAP a LIST<STRUCT<key, value>>, timestamps of all units
// microseconds of UTC, finer digits cut, and a column of type null a STRING. A
// column that cannot be read is an error only where it is asked for.
package arrowipc

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/arrowipc/internal/flat"
	"github.com/rainsql/rainsql/connect/arrowipc/recast"
	"github.com/rainsql/rainsql/connect/infer"
	"github.com/rainsql/rainsql/connect/scan"
	"github.com/rainsql/rainsql/expr/types"
)

const magic = "ARROW1"

// Open returns a source over in, which it owns unless it fails; display is how
// messages and _file call the file. A file is told from a stream by its head.
// ctx bounds the opening. Of the options only columns matters: the named
// columns are read as those types.
func Open(ctx context.Context, in scan.Input, display string, o connect.Options) (src connect.Source, err error) {
	defer rescue(&err, display)
	head := make([]byte, len(magic))
	n, err := in.ReadAt(head, 0)
	if n < len(head) {
		if err = (input{in: in}).tooShort(n, err); err != nil {
			return nil, &connect.Error{File: display, Msg: err.Error(), Hint: "give its true format: (format = '…')", Err: err}
		}
	}
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	s := &Source{in: in, display: display}
	switch {
	case bytes.HasPrefix(head, []byte("FEA1")):
		return nil, &connect.Error{File: display, Msg: "is in the first version of Feather, which cannot be read", Hint: "write it again with a newer library"}
	case string(head) == magic && in.Size() >= 0:
		err = s.openFile()
	default:
		if string(head) == magic {
			s.start = 8 // a file that comes through a pipe: a stream follows
		}
		err = s.openStream()
	}
	if err != nil {
		return nil, s.damaged(err)
	}
	names := make([]string, len(s.cols))
	for i, f := range s.cols {
		names[i] = f.name
	}
	for i, name := range infer.Names(names) {
		s.schema = append(s.schema, types.Field{Name: name, Type: s.cols[i].typ})
	}
	if err := s.override(o.Columns); err != nil {
		return nil, connect.WithFile(err, display)
	}
	return s, nil
}

func (f input) tooShort(n int, err error) error {
	if err != nil && !isEnd(err) {
		return &readError{err}
	}
	return fmt.Errorf("is not an Arrow file or stream: it has only %d bytes", n)
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

// damaged adds the file to what is wrong with it.
func (s *Source) damaged(err error) error {
	if e, ok := errors.AsType[*connect.Error](err); ok {
		return connect.WithFile(e, s.display)
	}
	if _, ok := errors.AsType[*readError](err); ok {
		return &connect.Error{File: s.display, Msg: err.Error(), Err: err}
	}
	return &connect.Error{File: s.display, Msg: err.Error(), Hint: "the file is damaged: copy or write it again", Err: err}
}

// openFile reads the index at the end.
func (s *Source) openFile() error {
	var read int64
	in := input{in: s.in, read: &read}
	size := s.in.Size()
	const trail = 4 + len(magic)
	if size < int64(8+trail) {
		return errors.New("the file ends after its beginning")
	}
	tail, err := in.bytes(size-int64(trail), trail)
	if err != nil {
		return err
	}
	if string(tail[4:]) != magic {
		return &connect.Error{Msg: "is an Arrow file without its end, where the index is", Hint: "it was cut off or is still being written"}
	}
	n := int64(int32(binary.LittleEndian.Uint32(tail)))
	if n <= 0 || n > maxMetadata || n > size-int64(8+trail) {
		return fmt.Errorf("declares an index of %d bytes in a file of %d", n, size)
	}
	b, err := in.bytes(size-int64(trail)-n, int(n))
	if err != nil {
		return err
	}
	buf := flat.New(b)
	footer := buf.Root()
	if v := footer.Int16(0, 0); buf.Err() == nil && (v < 3 || v > 4) {
		return fmt.Errorf("has version %d of the metadata, which cannot be read", v+1)
	}
	if s.cols, err = readSchema(footer.Table(1)); err == nil {
		err = buf.Err()
	}
	if err != nil {
		return err
	}
	end := size - int64(trail) - n
	if s.dicts, err = readBlocks(footer.Vector(2, 24), end); err != nil {
		return err
	}
	if s.blocks, err = readBlocks(footer.Vector(3, 24), end); err != nil {
		return err
	}
	s.isFile = true
	return buf.Err()
}

// block is where a message lies.
type block struct{ off, size int64 }

func readBlocks(v flat.Vector, end int64) ([]block, error) {
	out := make([]block, v.Len())
	last := int64(8)
	for i := range out {
		off, head, body := v.Int64(i, 0), int64(v.Int32(i, 8)), v.Int64(i, 16)
		if off < last || off > end || head <= 0 || body < 0 || head > end-off || body > end-off-head {
			return nil, errors.New("the index refers to messages that are not there")
		}
		out[i] = block{off, head + body}
		last = off + head + body
	}
	return out, nil
}

// openStream reads the first message, which is the schema.
func (s *Source) openStream() error {
	var read int64
	m, err := readMessage(input{in: s.in, read: &read}, s.start)
	if err != nil || m == nil || m.kind != schemaMessage {
		return &connect.Error{Msg: "is not an Arrow file or stream", Hint: "give its true format: (format = '…')", Err: err}
	}
	if s.cols, err = readSchema(m.header); err == nil {
		err = m.buf.Err()
	}
	s.start = m.next()
	return err
}

// override gives columns the types that the option columns asks for.
func (s *Source) override(given types.Schema) error {
	s.recast = make([]bool, len(s.schema))
	if err := infer.Override(s.schema, given); err != nil {
		return err
	}
	for i, f := range s.schema {
		c := s.cols[i]
		switch {
		case f.Type.Equal(c.typ) || c.refused != "":
			s.schema[i].Type = c.typ
		case !recast.Can(c.typ, f.Type):
			return &connect.Error{Column: f.Name, Msg: fmt.Sprintf("is %s in the file and cannot be read as %s", c.typ, f.Type), Hint: "leave it out of columns and CAST it in the query"}
		default:
			s.recast[i] = true
		}
	}
	return nil
}
