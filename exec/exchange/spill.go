package exchange

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/vec"
)

// spillFile is a queue of messages in a temporary file: each a header, then its
// batch as an Arrow IPC stream. The file has no name once it is open, where the
// system allows that, so that nothing stays behind.
type spillFile struct {
	f       *os.File
	named   bool
	written int64 // where the next message goes
	read    int64 // where the next one to read is
	left    int
}

const spillHeader = 8 + 8 + 8 // split, rows, length of what follows; length -1: the end of a split

func newSpillFile() (*spillFile, error) {
	f, err := os.CreateTemp("", "rainsql-spill-*")
	if err != nil {
		return nil, fmt.Errorf("a table that is read twice needs a temporary file: %w; TMPDIR names the folder for it", err)
	}
	return &spillFile{f: f, named: os.Remove(f.Name()) != nil}, nil
}

func (s *spillFile) unread() int { return s.left }

func (s *spillFile) append(mem memory.Allocator, m Message) error {
	var buf bytes.Buffer
	buf.Write(make([]byte, spillHeader))
	rows, length := 0, int64(-1)
	if m.Batch != nil {
		rows = m.Batch.Rows
		if err := encode(mem, &buf, m.Batch); err != nil {
			return err
		}
		length = int64(buf.Len() - spillHeader)
	}
	head := buf.Bytes()
	binary.LittleEndian.PutUint64(head, uint64(m.Split))
	binary.LittleEndian.PutUint64(head[8:], uint64(rows))
	binary.LittleEndian.PutUint64(head[16:], uint64(length))
	if _, err := s.f.WriteAt(buf.Bytes(), s.written); err != nil {
		return fmt.Errorf("writing a temporary file for a table that is read twice: %w; TMPDIR names a folder with more room", err)
	}
	s.written += int64(buf.Len())
	s.left++
	return nil
}

func (s *spillFile) next(mem memory.Allocator) (Message, error) {
	head := make([]byte, spillHeader)
	if _, err := s.f.ReadAt(head, s.read); err != nil {
		return Message{}, fmt.Errorf("reading the temporary file of a table that is read twice: %w", err)
	}
	s.read += spillHeader
	s.left--
	m := Message{Split: int(int64(binary.LittleEndian.Uint64(head)))}
	length := int64(binary.LittleEndian.Uint64(head[16:]))
	if length < 0 {
		return m, nil
	}
	cols, err := decode(mem, io.NewSectionReader(s.f, s.read, length))
	if err != nil {
		return Message{}, fmt.Errorf("reading the temporary file of a table that is read twice: %w", err)
	}
	s.read += length
	m.Batch = &op.Batch{Cols: cols, Rows: int(binary.LittleEndian.Uint64(head[8:])), Split: m.Split}
	return m, nil
}

func (s *spillFile) close() error {
	err := s.f.Close()
	if s.named {
		err = errors.Join(err, os.Remove(s.f.Name()))
	}
	return err
}

// encode writes the columns of a dense batch.
func encode(mem memory.Allocator, to io.Writer, b *op.Batch) (err error) {
	fields := make([]arrow.Field, len(b.Cols))
	cols := make([]arrow.Array, 0, len(b.Cols))
	defer func() { vec.ReleaseAll(cols) }()
	for i, c := range b.Cols {
		own, err := vec.Undictionary(mem, c)
		if err != nil {
			return err
		}
		cols = append(cols, own)
		fields[i] = arrow.Field{Type: own.DataType(), Nullable: true}
	}
	rec := array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, int64(b.Rows))
	defer rec.Release()
	w := ipc.NewWriter(to, ipc.WithSchema(rec.Schema()), ipc.WithAllocator(mem))
	return errors.Join(w.Write(rec), w.Close())
}

func decode(mem memory.Allocator, from io.Reader) ([]arrow.Array, error) {
	r, err := ipc.NewReader(from, ipc.WithAllocator(mem))
	if err != nil {
		return nil, err
	}
	defer r.Release()
	if !r.Next() {
		return nil, errors.Join(r.Err(), io.ErrUnexpectedEOF)
	}
	var cols []arrow.Array
	for _, c := range r.RecordBatch().Columns() {
		c.Retain()
		cols = append(cols, c)
	}
	return cols, nil
}

// bytesOf is the memory that a batch keeps.
func bytesOf(b *op.Batch) int64 {
	var n int64
	for _, c := range b.Cols {
		n += vec.Bytes(c)
	}
	return n
}
