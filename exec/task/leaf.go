package task

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"math"
	"runtime/debug"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/exec/exchange"
	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// leaf is where a task's rows come from. next gives the next message, or io.EOF.
type leaf interface {
	next(ctx context.Context) (exchange.Message, error)
	close() error
}

// generated are rows that come from no file.
const generatedRows = 8192

// rangeLeaf yields the numbers of range().
type rangeLeaf struct {
	at, to, step int64
	columns      int
	mem          memory.Allocator
	stats        *Stats
	done         bool
}

func (l *rangeLeaf) next(ctx context.Context) (exchange.Message, error) {
	if ctx.Err() != nil {
		return exchange.Message{}, context.Cause(ctx)
	}
	n := l.left()
	if n == 0 {
		return exchange.Message{}, io.EOF
	}
	l.stats.Made.Add(int64(n))
	b := &op.Batch{Rows: n, Split: -1}
	if l.columns > 0 {
		f := vec.NewFixed[int64](l.mem, types.INT.Arrow(), n)
		for i := range f.Values {
			f.Values[i] = l.at + int64(i)*l.step
		}
		b.Cols = []arrow.Array{f.Finish()}
	}
	end := l.at + int64(n-1)*l.step
	if l.step > 0 && end > math.MaxInt64-l.step || l.step < 0 && end < math.MinInt64-l.step {
		l.done = true
	}
	l.at = end + l.step
	return exchange.Message{Batch: b, Split: -1}, nil
}

// left is how many numbers the next batch has.
func (l *rangeLeaf) left() int {
	switch {
	case l.done, l.step > 0 && l.at >= l.to, l.step < 0 && l.at <= l.to:
		return 0
	case l.step > 0:
		return int(min((uint64(l.to)-uint64(l.at)-1)/uint64(l.step)+1, generatedRows))
	}
	return int(min((uint64(l.at)-uint64(l.to)-1)/(-uint64(l.step))+1, generatedRows))
}

func (*rangeLeaf) close() error { return nil }

// valuesLeaf yields rows without columns, or nothing.
type valuesLeaf struct {
	rows  int64
	types []types.Type
	mem   memory.Allocator
}

func (l *valuesLeaf) next(ctx context.Context) (exchange.Message, error) {
	if ctx.Err() != nil {
		return exchange.Message{}, context.Cause(ctx)
	}
	if l.rows == 0 {
		return exchange.Message{}, io.EOF
	}
	n := min(l.rows, generatedRows)
	l.rows -= n
	b := &op.Batch{Rows: int(n), Split: -1}
	for _, t := range l.types {
		b.Cols = append(b.Cols, array.MakeArrayOfNull(l.mem, t.Arrow(), int(n)))
	}
	return exchange.Message{Batch: b, Split: -1}, nil
}

func (*valuesLeaf) close() error { return nil }

// receiveLeaf yields what arrives over an edge.
type receiveLeaf struct{ from exchange.Receiver }

func (l *receiveLeaf) next(ctx context.Context) (exchange.Message, error) { return l.from.Next(ctx) }

func (l *receiveLeaf) close() error {
	l.from.Stop()
	return nil
}

// pumped runs a leaf that may block (on a disk) in a goroutine of its own.
type pumped struct {
	inner  leaf
	ch     chan pumpedMessage
	cancel context.CancelFunc
	ended  chan struct{}
	over   bool // its end, or an error, has come; of the task
}

type pumpedMessage struct {
	exchange.Message
	err error
}

// pumpBatches is how many batches a reader is ahead of its task.
const pumpBatches = 2

func pump(ctx context.Context, inner leaf) *pumped {
	ctx, cancel := context.WithCancel(ctx)
	p := &pumped{inner: inner, ch: make(chan pumpedMessage, pumpBatches), cancel: cancel, ended: make(chan struct{})}
	go p.run(ctx)
	return p
}

func (p *pumped) run(ctx context.Context) {
	defer close(p.ended)
	defer close(p.ch)
	for {
		m, err := guarded(ctx, p.inner.next)
		select {
		case p.ch <- pumpedMessage{m, err}:
		case <-ctx.Done():
			if m.Batch != nil {
				m.Batch.Release()
			}
			return
		}
		if err != nil {
			return
		}
	}
}

// guarded turns a panic into an error: a broken file must not end the process.
func guarded(ctx context.Context, next func(context.Context) (exchange.Message, error)) (m exchange.Message, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = PanicError(r)
		}
	}()
	return next(ctx)
}

// PanicError is what was recovered from a panic, as an error. It is called where that was recovered.
func PanicError(r any) error {
	return &InternalError{Reason: fmt.Sprint(r), Stack: string(debug.Stack())}
}

// InternalError is a fault of this program, caught at the edge of a task.
type InternalError struct {
	Reason string
	Stack  string
}

// Error says what to do; the stack is for the log.
func (e *InternalError) Error() string {
	return "internal error: " + e.Reason + "; this is a bug, please report it with the query"
}

func (p *pumped) next(ctx context.Context) (exchange.Message, error) {
	select {
	case m, ok := <-p.ch:
		if !ok && !p.over { // it was given up, which must not be taken for the end of its rows
			return exchange.Message{}, cmp.Or(context.Cause(ctx), context.Canceled)
		}
		if !ok {
			return exchange.Message{}, io.EOF
		}
		p.over = m.err != nil
		return m.Message, m.err
	case <-ctx.Done():
		return exchange.Message{}, context.Cause(ctx)
	}
}

func (p *pumped) close() error {
	p.cancel()
	<-p.ended
	for m := range p.ch {
		if m.Batch != nil {
			m.Batch.Release()
		}
	}
	return p.inner.close()
}
