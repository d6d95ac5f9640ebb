package task

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/exec/exchange"
	"github.com/rainsql/rainsql/exec/op"
)

// Splits hands out the splits of a scan to the tasks of its stage, on demand, by
// their positions in the source. It is safe for concurrent use.
type Splits interface {
	// Take gives some splits that nobody has taken, in order and at most so many; none when there are no more for this process.
	// Of one process's splits each comes behind those before.
	Take(ctx context.Context, most int) (Taken, error)
	// End says that all rows of a split have been through their task. There is no harm in one that there is none of.
	End(split int)
	// Left gives, in order, the splits before one that were not said to have ended.
	Left(ctx context.Context, before int) ([]int, error)
}

// Taken is what a process gets.
type Taken struct {
	Splits []int // to read
	Count  []int // to count at once, where that matters, whoever gets to read them
}

// NewSplits hands out count splits in their order.
func NewSplits(count int) Splits { return &inOrder{ended: make([]bool, count)} }

type inOrder struct {
	mu    sync.Mutex
	next  int
	ended []bool
}

// Take gives one at a time: nobody who is here has to ask for more.
func (s *inOrder) Take(context.Context, int) (Taken, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.next == len(s.ended) {
		return Taken{}, nil
	}
	s.next++
	return Taken{Splits: []int{s.next - 1}}, nil
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
