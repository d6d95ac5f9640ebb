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

// splitQueue hands out the splits of a scan to the tasks of its stage, on demand.
type splitQueue struct {
	source connect.Source
	scan   connect.Scan
	mu     sync.Mutex
	splits []connect.Split
	next   int
	ended  []bool // the splits whose rows have all been through their task
}

func newSplitQueue(ctx context.Context, s *dag.Scan, open Opener, splitBytes int64, mem memory.Allocator) (*splitQueue, error) {
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
	return &splitQueue{source: src, splits: splits, ended: make([]bool, len(splits)), scan: connect.Scan{Columns: s.Columns, Where: conditions(s), Alloc: mem}}, nil
}

// take opens the next split, in order; nil when all have been handed out.
func (q *splitQueue) take(ctx context.Context) (connect.Reader, int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.next >= len(q.splits) {
		return nil, 0, nil
	}
	at := q.next
	q.next++
	r, err := q.source.Open(ctx, q.splits[at], q.scan)
	return r, at, err
}

func (q *splitQueue) end(split int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended[split] = true
}

func (q *splitQueue) close() error { return q.source.Close() }

// scanLeaf reads splits in a goroutine of its own, so that the task never waits
// for a disk.
type scanLeaf struct {
	queue *splitQueue
	stats *Stats

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
	l.count()
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

func (l *scanLeaf) count() {
	now := l.reader.Stats()
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
