package scan

import (
	"context"
	"io"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/column"
	"github.com/rainsql/rainsql/expr/types"
)

// Sizes that the readers of all text formats use.
const (
	ChunkBytes = 1 << 20  // of a split, and of what is read at once
	MaxRow     = 64 << 20 // the longest row, in bytes
	BatchRows  = 8192     // of a batch, where the scan does not say

	lookahead = 4096 // read past a split at first, to finish its last row
)

// Input is a file to read. ReadAt and Size may be called concurrently.
type Input interface {
	io.ReaderAt
	// Size is the length in bytes; -1 where the file can only be read once, from its beginning.
	Size() int64
	// Forget says that nothing before off is read again.
	Forget(off int64)
	Close() error
}

// Format is what a source needs to know of a file and its format.
type Format struct {
	Display   string       // the file, as the query names it
	Schema    types.Schema // its columns
	DataStart int64        // where the first row begins, after a header
	Quote     int          // the byte that opens and closes quotes, in which newlines do not end rows; or -1
	Whole     bool         // where a row begins follows from all before it, so the file is a single split
	Policy    connect.OnError
	// Walker returns a walker that locates these columns of the schema, in ascending order.
	Walker func(cols []int) Walker
	// Unescape appends what a column.Escaped field stands for.
	Unescape func(dst, src []byte) []byte
	// Custom makes converters for nested types; nil where the format has none.
	Custom func(alloc memory.Allocator, t types.Type) column.Converter
	// RawBytes leaves BYTES as they stand; otherwise \xNN in them is a byte.
	RawBytes bool
	// Probe marks a source that only looks at the head of a file: it shares
	// nothing with others, keeps a stream's bytes, and does not close the input.
	Probe bool
}

// Source reads one file of a text format. It implements connect.Source.
type Source struct {
	Format
	in     Input
	pools  pools
	quotes *Counter // nil where quotes do not matter
	lines  *Counter
	ahead  ahead
}

// NewSource returns a source, which owns the input.
func NewSource(in Input, f Format) *Source {
	s := &Source{Format: f, in: in, lines: NewCounter(in, '\n')}
	if f.Quote >= 0 {
		s.quotes = NewCounter(in, byte(f.Quote))
	}
	return s
}

// Schema returns the columns of the file.
func (s *Source) Schema() types.Schema { return slices.Clone(s.Format.Schema) }

// Size returns the length of the file, or -1.
func (s *Source) Size() int64 { return s.in.Size() }

// Splits cuts the file every target bytes (0: every ChunkBytes). A file that
// can only be read once, or as a whole, is a single split.
func (s *Source) Splits(target int64) ([]connect.Split, error) {
	size := s.in.Size()
	if size < 0 {
		_, packed := s.packed()
		return []connect.Split{{File: s.Display, Length: -1, Packed: packed}}, nil
	}
	if target <= 0 {
		target = ChunkBytes
	}
	if s.Whole {
		target = max(size, 1)
	}
	splits := make([]connect.Split, 0, size/target+1)
	for off := int64(0); off < size; off += target {
		splits = append(splits, connect.Split{
			Ordinal: len(splits), File: s.Display, Offset: off, Length: min(target, size-off),
		})
	}
	return splits, nil
}

// packed tells how much of a compressed file has been read and its size, 0
// where it is not compressed or its size is not known.
func (s *Source) packed() (read, size int64) {
	if in, ok := s.in.(interface{ Packed() (read, size int64) }); ok {
		return in.Packed()
	}
	return 0, 0
}

// Open starts to read a split.
func (s *Source) Open(ctx context.Context, split connect.Split, scan connect.Scan) (connect.Reader, error) {
	size := s.in.Size()
	end, ok := s.end(split)
	if !ok {
		return nil, &connect.Error{File: s.Display, Msg: "has changed since it was opened", Hint: "run the query again"}
	}
	if in, ok := s.in.(interface{ Interrupt() }); ok && size < 0 {
		context.AfterFunc(ctx, in.Interrupt) // or a silent pipe would outlive the query
	}
	return newReader(ctx, s, split, end, scan)
}

// end is where a split ends; ok is false if that is not in the file.
func (s *Source) end(split connect.Split) (end int64, ok bool) {
	size := s.in.Size()
	end = split.Offset + split.Length
	if size < 0 {
		end = math.MaxInt64
	} else if split.Length < 0 {
		end = size
	}
	return end, split.Offset >= 0 && end >= split.Offset && (size < 0 || end <= size) && (size >= 0 || split.Offset == 0)
}

// Close closes the file and frees idle buffers. Batches outlive it.
func (s *Source) Close() error {
	s.ahead.close()
	s.pools.close()
	if s.Probe {
		return nil
	}
	return s.in.Close()
}

// Line returns the number of the line on which the byte at off lies, from 1;
// 0 where the file cannot be read again.
func (s *Source) Line(off int64) int64 {
	n, err := s.lines.Before(context.Background(), off)
	if err != nil {
		return 0
	}
	return n + 1
}
