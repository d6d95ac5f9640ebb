package task

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/exec/exchange"
	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/planner/dag"
)

// Splits hands out the splits of a scan to the tasks of its stage, on demand, by
// their positions in the source. It is safe for concurrent use.
type Splits interface {
	// Take gives a split that nobody has taken; -1 when there are none. Of one task's splits each comes behind the one before.
	Take(ctx context.Context) (int, error)
	// End says that all rows of a split have been through their task. There is no harm in one that there is none of.
	End(split int)
	// Left gives, in order, the splits before one that were not said to have ended.
	Left(ctx context.Context, before int) ([]int, error)
}

// NewSplits hands out count splits in their order.
func NewSplits(count int) Splits { return &inOrder{ended: make([]bool, count)} }

type inOrder struct {
	mu    sync.Mutex
	next  int
	ended []bool
}

func (s *inOrder) Take(context.Context) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == len(s.ended) {
		return -1, nil
	}
	s.next++
	return s.next - 1, nil
}

func (s *inOrder) End(split int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if split >= 0 && split < len(s.ended) {
		s.ended[split] = true
	}
}

func (s *inOrder) Left(_ context.Context, before int) ([]int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []int
	for i := range min(before, len(s.ended)) {
		if !s.ended[i] {
			list = append(list, i)
		}
	}
	return list, nil
}

// splitQueue is a scan's source, and who hands out its splits.
type splitQueue struct {
	source connect.Source
	scan   connect.Scan
	splits []connect.Split
	hand   Splits

	turn chan struct{} // holds one while a split is taken, so that this process opens them in order
}

// newSplitQueue opens a source. hand says who hands out so many splits.
func newSplitQueue(ctx context.Context, s *dag.Scan, hand func(count int) Splits, open Opener, splitBytes int64, mem memory.Allocator) (*splitQueue, error) {
	src, err := open.OpenSource(ctx, s.Path, s.Options)
	if err != nil {
		return nil, err
	}
	if have := src.Schema(); !have.Equal(s.Stored) {
		return nil, errors.Join(fmt.Errorf("%s: its columns changed between planning and reading; run the query again", s.Path), src.Close())
	}
	splits, err := src.Splits(splitBytes)
	if err != nil {
		return nil, errors.Join(err, src.Close())
	}
	return &splitQueue{turn: make(chan struct{}, 1), source: src, splits: splits, hand: hand(len(splits)), scan: connect.Scan{Columns: s.Columns, Where: conditions(s), Alloc: mem}}, nil
}

// take opens the next split, in order; nil when all have been handed out.
func (q *splitQueue) take(ctx context.Context) (connect.Reader, int, error) {
	select { // another server may be asked meanwhile
	case q.turn <- struct{}{}:
		defer func() { <-q.turn }()
	case <-ctx.Done():
		return nil, 0, context.Cause(ctx)
	}
	at, err := q.hand.Take(ctx)
	if err != nil || at < 0 {
		return nil, 0, err
	}
	if at >= len(q.splits) {
		return nil, 0, fmt.Errorf("split %d of a source of %d: it changed while it was read; run the query again", at, len(q.splits))
	}
	r, err := q.source.Open(ctx, q.splits[at], q.scan)
	return r, at, err
}

func (q *splitQueue) close() error { return q.source.Close() }

// scanLeaf reads splits in a goroutine of its own, so that the task never waits
// for a disk.
type scanLeaf struct {
	queue *splitQueue
	stats *Stats
	count *count // of the task

	reader  connect.Reader
	split   int
	seen    connect.Stats
	covered int64 // of the split, as far as stats know
}

// next reads the next batch, or reports the end of a split.
func (l *scanLeaf) next(ctx context.Context) (exchange.Message, error) {
	if err := ctx.Err(); err != nil {
		return exchange.Message{}, context.Cause(ctx)
	}
	if l.reader == nil {
		r, split, err := l.queue.take(ctx)
		if err != nil {
			return exchange.Message{}, err
		}
		if r == nil {
			return exchange.Message{}, io.EOF
		}
		l.reader, l.split, l.seen, l.covered = r, split, connect.Stats{}, 0
	}
	b, err := l.reader.Next()
	l.note()
	if errors.Is(err, io.EOF) {
		err := l.reader.Close()
		l.reader = nil
		n, _ := length(l.queue.splits[l.split])
		l.cover(n)
		return exchange.Message{Split: l.split}, err
	}
	if err != nil {
		return exchange.Message{}, &faultError{split: l.split, err: err}
	}
	return exchange.Message{
		Batch: &op.Batch{Cols: b.Columns, Rows: b.Rows, Split: l.split, Origin: b.Origin},
		Split: l.split,
	}, nil
}

func (l *scanLeaf) note() {
	now := l.reader.Stats()
	l.count.bytes.Add(now.Bytes - l.seen.Bytes)
	l.stats.Bytes.Add(now.Bytes - l.seen.Bytes)
	l.stats.Rows.Add(now.Rows - l.seen.Rows)
	l.stats.Skipped.Add(now.Skipped - l.seen.Skipped)
	l.stats.Nulled.Add(now.Nulled - l.seen.Nulled)
	l.stats.Pruned.Add(now.Pruned - l.seen.Pruned)
	l.seen = now
	sp := l.queue.splits[l.split]
	n, _ := length(sp)
	if sp.Length < 0 {
		l.cover(min(now.Packed, n))
	} else {
		l.cover(min(now.Bytes, n))
	}
}

// cover says how much of the split is behind the reader.
func (l *scanLeaf) cover(bytes int64) {
	l.stats.covered.Add(bytes - l.covered)
	l.covered = bytes
}

func (l *scanLeaf) close() error {
	if l.reader == nil {
		return nil
	}
	err := l.reader.Close()
	l.reader = nil
	return err
}
