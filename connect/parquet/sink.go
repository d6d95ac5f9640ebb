package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/parquet/internal/meta"
	"github.com/rainsql/rainsql/connect/write"
	"github.com/rainsql/rainsql/expr/types"
)

// How a file is cut. Row groups are what readers share out among cores, and
// what a writer holds in memory, packed.
const (
	groupRows  = 4 * 122_880 // four of DuckDB's
	groupBytes = 64 << 20
	stepRows   = 1024 // looked at between two checks of these limits
)

// createdBy has the form that other readers take apart.
const createdBy = "rainsql version 1.0.0 (build 0)"

// Sink writes a Parquet file. It implements connect.Sink.
//
// Pages are packed with snappy, the default of DuckDB and Spark: every reader
// has it, and it unpacks several times as fast as zstd. They have checksums.
// Columns with few values are stored as codes of a dictionary.
type Sink struct {
	out    write.Out
	schema types.Schema
	elems  []meta.Element
	cols   []*written
	leaves []*leafWriter
	groups []meta.WrittenGroup
	rows   int64 // of the row group
	all    int64 // of the file
	bytes  int64 // written
	done   bool
	limit  int64 // rows of a row group
	err    error // what failed first; the sink is of no use then
}

// NewSink begins to write a file of schema to out. No option matters.
func NewSink(out write.Out, schema types.Schema, _ connect.Options) (connect.Sink, error) {
	if err := Check(schema); err != nil {
		return nil, err
	}
	p := plan{elems: []meta.Element{{Name: "schema", Children: int32(len(schema))}}}
	s := &Sink{out: out, schema: schema, limit: groupRows}
	for _, f := range schema {
		w, err := p.field(f, nil, 0, 0)
		if err != nil {
			return nil, &connect.Error{Column: f.Name, Msg: err.Error(), Hint: "write it as STRING"}
		}
		s.cols = append(s.cols, w)
	}
	s.elems, s.leaves = p.elems, p.leaves
	for _, l := range s.leaves {
		l.pageBytes = max(minPageBytes, min(maxPageBytes, groupBytes/2/len(s.leaves)))
	}
	return s, nil
}

// Write appends rows; it borrows the columns.
func (s *Sink) Write(cols []arrow.Array, rows int) error {
	if s.err != nil {
		return s.err
	}
	if len(cols) != len(s.cols) {
		return s.fail(fmt.Errorf("%d columns where the file has %d", len(cols), len(s.cols)))
	}
	if s.bytes == 0 {
		if err := s.put([]byte(magic)); err != nil {
			return err
		}
	}
	for from := 0; from < rows; from += stepRows {
		n := min(stepRows, rows-from)
		for i, c := range cols {
			part := array.NewSlice(c, int64(from), int64(from+n))
			err := s.cols[i].append(part, n)
			part.Release()
			if err != nil {
				return s.fail(s.located(i, err))
			}
		}
		s.rows += int64(n)
		if s.rows >= s.limit || s.held() >= groupBytes {
			if err := s.endGroup(); err != nil {
				return err
			}
		}
	}
	return nil
}

// located adds column and row to an error about a value.
func (s *Sink) located(col int, err error) error {
	e := &connect.Error{Column: s.schema[col].Name, Msg: err.Error(), Err: err, Hint: "CAST it to STRING"}
	return e
}

// held is the bytes that wait for the end of the row group.
func (s *Sink) held() (n int) {
	for _, l := range s.leaves {
		n += l.held()
	}
	return n
}

func (s *Sink) endGroup() error {
	if s.rows == 0 {
		return nil
	}
	g := meta.WrittenGroup{Rows: s.rows}
	for _, l := range s.leaves {
		c, parts, err := l.finish(s.bytes)
		if err != nil {
			return s.fail(&connect.Error{Column: l.path[0], Msg: err.Error(), Err: err, Hint: "leave the column out"})
		}
		g.Chunks = append(g.Chunks, c)
		for _, p := range parts {
			if err := s.put(p); err != nil {
				return err
			}
		}
		l.reset()
	}
	s.groups = append(s.groups, g)
	s.all += s.rows
	s.rows = 0
	return nil
}

func (s *Sink) put(b []byte) error {
	n, err := s.out.Write(b)
	s.bytes += int64(n)
	if err != nil {
		return s.fail(err)
	}
	return nil
}

func (s *Sink) fail(err error) error {
	s.err = err
	return err
}

// end writes what is left, and the footer.
func (s *Sink) end() error {
	if s.bytes == 0 {
		if err := s.put([]byte(magic)); err != nil {
			return err
		}
	}
	if err := s.endGroup(); err != nil {
		return err
	}
	footer := meta.AppendFile(nil, s.elems, len(s.leaves), s.all, s.groups, createdBy)
	footer = binary.LittleEndian.AppendUint32(footer, uint32(len(footer)))
	return s.put(append(footer, magic...))
}

// Commit writes what is buffered and makes it all visible. If it fails,
// nothing is left behind.
func (s *Sink) Commit() error {
	if s.done {
		return s.err
	}
	if s.err == nil {
		s.err = s.end()
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
	return s.out.Abort()
}

// Bytes is how much has been written so far, and what is packed to follow.
func (s *Sink) Bytes() int64 { return s.bytes + int64(s.held()) }
