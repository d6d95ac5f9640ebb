package arrowipc

import (
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/write"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// Rows are gathered to record batches of about this size.
const (
	recordRows  = 64 << 10
	recordBytes = 8 << 20
)

// Check reports whether rows of schema can be written: any can, but for two
// columns of one name, which readers could not tell apart.
func Check(schema types.Schema) error {
	seen := make(map[string]bool, len(schema))
	for _, f := range schema {
		if seen[f.Name] {
			return &connect.Error{Column: f.Name, Msg: "is there twice, which readers of Arrow could not tell apart", Hint: "rename one of them with AS"}
		}
		seen[f.Name] = true
	}
	return nil
}

// Sink writes an Arrow file or stream. It implements connect.Sink.
//
// Text is written as Utf8 and Binary with offsets, never as views or codes, and
// bodies are not compressed: every reader has these, and can map them in place.
type Sink struct {
	out    *counter
	schema *arrow.Schema
	names  []string
	w      interface {
		Write(arrow.RecordBatch) error
		Close() error
	}
	held  [][]arrow.Array // plain arrays that wait for a record batch, by column
	rows  int             // of held
	bytes int64           // of held
	done  bool
	err   error // what failed first; the sink is of no use then
}

// counter counts what goes to the place.
type counter struct {
	write.Out
	n int64
}

func (c *counter) Write(p []byte) (int, error) {
	n, err := c.Out.Write(p)
	c.n += int64(n)
	return n, err
}

// NewSink begins to write a file of schema to out, or a stream. No option matters.
func NewSink(out write.Out, schema types.Schema, _ connect.Options, stream bool) (connect.Sink, error) {
	if err := Check(schema); err != nil {
		return nil, err
	}
	fields := make([]arrow.Field, len(schema))
	for i, f := range schema {
		fields[i] = arrow.Field{Name: f.Name, Type: plainType(f.Type), Nullable: true}
	}
	s := &Sink{out: &counter{Out: out}, schema: arrow.NewSchema(fields, nil), names: schema.Names(), held: make([][]arrow.Array, len(schema))}
	if stream {
		s.w = ipc.NewWriter(writer{s.out}, ipc.WithSchema(s.schema))
		return s, nil
	}
	w, err := ipc.NewFileWriter(writer{s.out}, ipc.WithSchema(s.schema))
	if err != nil {
		return nil, err
	}
	s.w = w
	return s, nil
}

// writer hides what else an Out can do.
type writer struct{ io.Writer }

// plainType is the layout that other programs know.
func plainType(t types.Type) arrow.DataType {
	switch t.Kind {
	case types.String:
		return arrow.BinaryTypes.String
	case types.Bytes:
		return arrow.BinaryTypes.Binary
	case types.List:
		return arrow.ListOf(plainType(*t.Elem))
	case types.Struct:
		fields := make([]arrow.Field, len(t.Fields))
		for i, f := range t.Fields {
			fields[i] = arrow.Field{Name: f.Name, Type: plainType(f.Type), Nullable: true}
		}
		return arrow.StructOf(fields...)
	}
	return t.Arrow()
}

// Write appends rows; it borrows the columns.
func (s *Sink) Write(cols []arrow.Array, rows int) error {
	if s.err != nil {
		return s.err
	}
	if len(cols) != len(s.held) {
		return s.fail(fmt.Errorf("%d columns where the file has %d", len(cols), len(s.held)))
	}
	if rows > recordRows { // so that text fits offsets of 32 bits, and readers get a bite at a time
		for from := 0; from < rows; from += recordRows {
			if err := s.writePart(cols, from, min(from+recordRows, rows)); err != nil {
				return err
			}
		}
		return nil
	}
	plain := make([]arrow.Array, 0, len(cols))
	for i, c := range cols {
		p, err := vec.Plain(memory.DefaultAllocator, c)
		if err != nil {
			vec.ReleaseAll(plain)
			if rows > 1 { // more text than one record batch holds
				if err := s.writePart(cols, 0, rows/2); err != nil {
					return err
				}
				return s.writePart(cols, rows/2, rows)
			}
			return s.fail(&connect.Error{Column: s.names[i], Msg: err.Error(), Err: err})
		}
		plain = append(plain, p)
	}
	var size int64
	for _, p := range plain {
		size += vec.Bytes(p)
	}
	if s.bytes+size > recordBytes || s.rows+rows > recordRows {
		if err := s.flush(); err != nil {
			vec.ReleaseAll(plain)
			return err
		}
	}
	for i, p := range plain {
		s.held[i] = append(s.held[i], p)
	}
	s.rows += rows
	s.bytes += size
	return nil
}

func (s *Sink) writePart(cols []arrow.Array, from, to int) error {
	part := make([]arrow.Array, len(cols))
	for i, c := range cols {
		part[i] = array.NewSlice(c, int64(from), int64(to))
	}
	defer vec.ReleaseAll(part)
	return s.Write(part, to-from)
}

// flush writes what is held as one record batch.
func (s *Sink) flush() error {
	if s.rows == 0 {
		return nil
	}
	cols := make([]arrow.Array, 0, len(s.held))
	defer func() { vec.ReleaseAll(cols) }()
	for i, parts := range s.held {
		a, err := array.Concatenate(parts, memory.DefaultAllocator)
		if err == nil {
			cols = append(cols, a)
			if !arrow.TypeEqual(a.DataType(), s.schema.Field(i).Type) {
				err = fmt.Errorf("an array of %s where %s was promised", a.DataType(), s.schema.Field(i).Type)
			}
		}
		if err != nil {
			return s.fail(&connect.Error{Column: s.names[i], Msg: err.Error(), Err: err})
		}
	}
	rec := array.NewRecordBatch(s.schema, cols, int64(s.rows))
	defer rec.Release()
	s.dropHeld()
	if err := s.w.Write(rec); err != nil {
		return s.fail(err)
	}
	return nil
}

func (s *Sink) dropHeld() {
	for i := range s.held {
		vec.ReleaseAll(s.held[i])
		s.held[i] = nil
	}
	s.rows, s.bytes = 0, 0
}

func (s *Sink) fail(err error) error {
	s.err = err
	return err
}

// Commit writes what is buffered and makes it all visible. If it fails,
// nothing is left behind.
func (s *Sink) Commit() error {
	if s.done {
		return s.err
	}
	if s.err == nil {
		s.err = s.flush()
	}
	if s.err == nil {
		s.err = s.w.Close()
	}
	if s.err != nil {
		return errors.Join(s.err, s.Abort())
	}
	s.done = true
	if err := s.out.Commit(); err != nil {
		return s.fail(err)
	}
	return nil
}

// Abort drops what was written.
func (s *Sink) Abort() error {
	if s.done {
		return nil
	}
	s.done = true
	s.dropHeld()
	return s.out.Abort()
}

// Bytes is how much has been written so far, and what is held to follow.
func (s *Sink) Bytes() int64 { return s.out.n + s.bytes }

// Flush hands on what is held, for a reader who waits at the other end.
func (s *Sink) Flush() error {
	if s.err != nil || s.done {
		return s.err
	}
	return s.flush()
}
