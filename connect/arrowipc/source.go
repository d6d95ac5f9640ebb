package arrowipc

import (
	"context"
	"errors"
	"io"
	"math"
	"slices"
	"sync"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/scan"
	"github.com/rainsql/rainsql/expr/types"
)

// splitBytes is how large a split is, where record batches are smaller.
const splitBytes = 8 << 20

// Source reads one Arrow file or stream. It implements connect.Source.
type Source struct {
	in      scan.Input
	display string
	cols    []*field
	schema  types.Schema
	recast  []bool // columns that are read as another type than theirs
	isFile  bool
	start   int64 // of a stream: where the messages after the schema begin
	dicts   []block
	blocks  []block // of a file: the record batches

	mu    sync.Mutex
	first []int64 // the number of the first row of each block, as far as they are known
}

// Schema returns the columns of the file.
func (s *Source) Schema() types.Schema { return slices.Clone(s.schema) }

// Size returns the length of the file, or -1.
func (s *Source) Size() int64 { return s.in.Size() }

// Close closes the file. Batches outlive it.
func (s *Source) Close() error { return s.in.Close() }

func isEnd(err error) bool { return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) }

// Splits returns runs of record batches of about target bytes (0: 8 MB). A
// stream is a single split.
func (s *Source) Splits(target int64) ([]connect.Split, error) {
	if !s.isFile {
		size := s.in.Size()
		return []connect.Split{{File: s.display, Length: max(size, -1)}}, nil
	}
	if target <= 0 {
		target = splitBytes
	}
	splits := []connect.Split{}
	for i, b := range s.blocks {
		if i > 0 {
			last := &splits[len(splits)-1]
			if together := b.off + b.size - last.Offset; together <= target {
				last.Length = together
				continue
			}
		}
		splits = append(splits, connect.Split{Ordinal: len(splits), File: s.display, Offset: b.off, Length: b.size})
	}
	return splits, nil
}

// Open starts to read a split.
func (s *Source) Open(ctx context.Context, split connect.Split, sc connect.Scan) (connect.Reader, error) {
	r, err := newReader(ctx, s, sc)
	if err != nil {
		return nil, err
	}
	if !s.isFile {
		if in, ok := s.in.(interface{ Interrupt() }); ok && s.in.Size() < 0 {
			context.AfterFunc(ctx, in.Interrupt) // or a silent pipe would outlive the query
		}
		r.pos, r.end = s.start, math.MaxInt64
		return r, nil
	}
	from := slices.IndexFunc(s.blocks, func(b block) bool { return b.off == split.Offset })
	to := max(from, 0)
	for to < len(s.blocks) && s.blocks[to].off+s.blocks[to].size <= split.Offset+split.Length {
		to++
	}
	if from < 0 || to == from {
		return nil, &connect.Error{File: s.display, Msg: "has changed since it was opened", Hint: "run the query again"}
	}
	r.block, r.lastBlock = from, to
	return r, nil
}

// firstRow returns the number of the first row of a block, from 0. It reads the
// heads of the blocks before it, once.
func (s *Source) firstRow(block int, read *int64) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first == nil {
		s.first = []int64{0}
	}
	for len(s.first) <= block {
		k := len(s.first) - 1
		h, err := s.batchHead(s.blocks[k].off, read)
		if err != nil {
			return 0, err
		}
		s.first = append(s.first, s.first[k]+h.rows)
	}
	return s.first[block], nil
}

// batchHead reads the head of the record batch at off.
func (s *Source) batchHead(off int64, read *int64) (*batchHead, error) {
	m, err := readMessage(input{in: s.in, read: read}, off)
	if err != nil {
		return nil, err
	}
	if m == nil || m.kind != batchMessage {
		return nil, errors.New("the index refers to something that is not a record batch")
	}
	return newBatchHead(m, m.header)
}
