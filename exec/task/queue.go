package task

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/planner/dag"
)

// splitQueue is a scan's source, and who hands out its splits.
type splitQueue struct {
	source connect.Source
	scan   connect.Scan
	splits []connect.Split
	hand   Splits

	ctx      context.Context //nolint:containedctx // of the queue: what is counted is not for one task alone
	cancel   context.CancelFunc
	count    func(context.Context, connect.Split, connect.Scan) // nil: the splits need not be counted ahead
	counting sync.WaitGroup

	mu   sync.Mutex // so that this process opens them in order
	have []taken
}

// taken is a split that was taken for whoever comes next.
type taken struct {
	split   int
	counted chan struct{} // closed once it has been; nil: it is not
}

// newSplitQueue opens a source. hand says who hands out its splits.
func newSplitQueue(ctx context.Context, s *dag.Scan, hand func(splits []connect.Split, counted bool) Splits, open Opener, splitBytes int64, mem memory.Allocator) (*splitQueue, error) {
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
	q := &splitQueue{source: src, splits: splits, scan: connect.Scan{Columns: s.Columns, Where: conditions(s), Alloc: mem}}
	c, counting := src.(connect.Counting)
	counting = counting && c.Counts(q.scan)
	q.hand = hand(splits, counting)
	if counts, ok := q.hand.(connect.Counts); ok && counting {
		q.scan.Counts, q.count = counts, c.Count
	}
	q.ctx, q.cancel = context.WithCancel(ctx)
	return q, nil
}

// How many splits are taken at once, where it costs a call. Those that are counted ahead are few, since their bytes are kept.
const (
	mostTaken   = 16
	mostCounted = 8
)

// take opens the next split, in order; nil when all have been handed out.
func (q *splitQueue) take(ctx context.Context) (connect.Reader, int, error) {
	q.mu.Lock()
	next, err := q.next(ctx)
	if q.count == nil {
		defer q.mu.Unlock()
	} else {
		q.mu.Unlock() // their readers wait for nothing that is learned by opening others
	}
	if err != nil || next.split < 0 {
		return nil, 0, err
	}
	if next.counted != nil {
		select {
		case <-next.counted:
		case <-ctx.Done():
			return nil, 0, context.Cause(ctx)
		}
	}
	r, err := q.source.Open(ctx, q.splits[next.split], q.scan)
	return r, next.split, err
}

// next is the next split, -1 when there is none. It is called with the lock held.
func (q *splitQueue) next(ctx context.Context) (taken, error) {
	if len(q.have) == 0 {
		most := mostTaken
		if q.count != nil {
			most = mostCounted
		}
		list, err := q.hand.Take(ctx, most)
		if err != nil {
			return taken{}, err
		}
		for i, at := range list {
			if at < 0 || at >= len(q.splits) {
				return taken{}, fmt.Errorf("split %d of a source of %d: it changed while it was read; run the query again", at, len(q.splits))
			}
			one := taken{split: at}
			if q.count != nil && i > 0 { // the first is read at once
				one.counted = q.countAhead(at)
			}
			q.have = append(q.have, one)
		}
	}
	if len(q.have) == 0 {
		return taken{split: -1}, nil
	}
	one := q.have[0]
	q.have = q.have[1:]
	return one, nil
}

// countAhead counts a split that nobody may come to read for long, but whose count others wait for.
func (q *splitQueue) countAhead(at int) chan struct{} {
	done := make(chan struct{})
	q.counting.Go(func() {
		defer close(done)
		defer func() { _ = recover() }() // its reader will come to the same fault, and tell it
		q.count(q.ctx, q.splits[at], q.scan)
	})
	return done
}

func (q *splitQueue) close() error {
	q.cancel()
	q.counting.Wait()
	return q.source.Close()
}
