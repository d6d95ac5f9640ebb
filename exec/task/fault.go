package task

import (
	"context"
	"errors"
	"io"
	"slices"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/exec/exchange"
	"github.com/rainsql/rainsql/planner/dag"
)

// faultError is an error about rows of a split: the reader could not make sense
// of them, or an expression failed on one.
type faultError struct {
	stage *dag.Stage
	queue *splitQueue
	split int
	err   error
}

func (e *faultError) Error() string { return e.err.Error() }
func (e *faultError) Unwrap() error { return e.err }

// faulty marks an error as one about the rows of a split that n scans. What
// only says that the query has ended is left as it is.
func (t *task) faulty(ctx context.Context, n *node, split int, err error) error {
	var fault *faultError
	switch {
	case err == nil, n.queue == nil, ctx.Err() != nil, errors.As(err, new(*connect.ProgramError)):
		return err // what an external program does is not done again
	case !errors.As(err, &fault):
		fault = &faultError{split: split, err: err}
	}
	fault.stage, fault.queue = t.stage, n.queue
	return fault
}

// earliest returns the first fault of a source in the order of its rows. Tasks
// read splits side by side: which fault is met first is chance, and one may be
// the consequence of another (a stray quote) that its task had not come to. So
// the splits before it whose rows had not all been through their task, of which
// there are few, go through the operators of their stage again. What the stage
// receives from others is gone by then.
func (r *run) earliest(ctx context.Context, e *faultError) (err error) {
	left, err := e.queue.hand.Left(ctx, e.split)
	left = slices.DeleteFunc(left, func(i int) bool { return i < 0 || i >= e.split })
	if err != nil || len(left) == 0 {
		return e.err
	}
	again := &rereadLeaf{queue: e.queue, splits: left}
	t, err := r.build(ctx, e.stage, 0, again)
	defer func() { err = errors.Join(err, t.close()) }()
	if err == nil {
		err = t.run(ctx, r.env)
	}
	var fault *faultError
	switch {
	case err == nil:
		return e.err
	case errors.As(err, &fault):
		return fault.err
	}
	return err
}

// rereadLeaf reads chosen splits one after another.
type rereadLeaf struct {
	queue  *splitQueue
	splits []int
	inner  *scanLeaf
}

func (l *rereadLeaf) next(ctx context.Context) (exchange.Message, error) {
	for len(l.splits) > 0 {
		if l.inner == nil {
			r, err := l.queue.source.Open(ctx, l.queue.splits[l.splits[0]], l.queue.scan)
			if err != nil {
				return exchange.Message{}, err
			}
			l.inner = &scanLeaf{queue: l.queue, stats: &Stats{}, count: &count{}, reader: r, split: l.splits[0]}
		}
		m, err := l.inner.next(ctx)
		if err != nil || m.Batch != nil {
			return m, err
		}
		l.inner = nil
		l.splits = l.splits[1:]
	}
	return exchange.Message{}, io.EOF
}

func (l *rereadLeaf) close() error {
	if l.inner == nil {
		return nil
	}
	return l.inner.close()
}
