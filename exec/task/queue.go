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
	counter  connect.Counting // nil: the splits need not be counted ahead
	counting sync.WaitGroup

	turn chan struct{} // holds one while splits are taken, so that this process opens them in order; another server may be asked meanwhile
	have []waiting
}

// waiting is a split that was taken for whoever comes next.
type waiting struct {
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
	q := &splitQueue{turn: make(chan struct{}, 1), source: src, splits: splits, scan: connect.Scan{Columns: s.Columns, Where: conditions(s), Alloc: mem}}
	c, counting := src.(connect.Counting)
	counting = counting && c.Counts(q.scan)
	q.hand = hand(splits, counting)
	if counts, ok := q.hand.(connect.Counts); ok && counting {
		q.scan.Counts, q.counter = counts, c
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
	select {
	case q.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, 0, context.Cause(ctx)
	}
	next, err := q.next(ctx)
	if q.counter == nil {
		defer func() { <-q.turn }()
	} else {
		<-q.turn // their readers wait for nothing that is learned by opening others
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

// next is the next split, -1 when there is none. It is called by whose turn it is.
func (q *splitQueue) next(ctx context.Context) (waiting, error) {
	if len(q.have) == 0 {
		most := mostTaken
		if q.counter != nil {
			most = mostCounted
		}
		got, err := q.hand.Take(ctx, most)
		if err != nil {
			return waiting{}, err
		}
		for _, at := range append(got.Splits, got.Count...) {
			if at < 0 || at >= len(q.splits) {
				return waiting{}, fmt.Errorf("split %d of a source of %d: it changed while it was read; run the query again", at, len(q.splits))
			}
		}
		for i, at := range got.Splits {
			one := waiting{split: at}
			if q.counter != nil && i > 0 { // the first is read at once
				one.counted = q.countAhead(true, at)
			}
			q.have = append(q.have, one)
		}
		if q.counter != nil && len(got.Count) > 0 {
			q.countAhead(false, got.Count...)
		}
	}
	if len(q.have) == 0 {
		return waiting{split: -1}, nil
	}
	one := q.have[0]
	q.have = q.have[1:]
	return one, nil
}

// countAhead counts splits that nobody may come to read for long, but whose counts others wait for.
func (q *splitQueue) countAhead(keep bool, list ...int) chan struct{} {
	done := make(chan struct{})
	q.counting.Go(func() {
		defer close(done)
		for _, at := range list {
			q.countOne(at, keep)
		}
	})
	return done
}

func (q *splitQueue) countOne(at int, keep bool) {
	defer func() { _ = recover() }() // its reader will come to the same fault, and tell it
	q.counter.Count(q.ctx, q.splits[at], q.scan, keep)
}

func (q *splitQueue) close() error {
	q.cancel()
	q.counting.Wait()
	return q.source.Close()
}
