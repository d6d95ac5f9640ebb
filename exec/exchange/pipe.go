// Package exchange moves batches between the tasks of neighbouring stages. Here
// are the links within a process: bounded channels. What a sender does with a
// batch (split it by hash, send it to everyone) and how a receiver puts streams
// together again (any order, by split, merged) is the same for links between
// machines.
package exchange

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/rainsql/rainsql/exec/op"
)

// Message is what travels over a link: a batch, which the receiver owns, or the
// end of a split, where Batch is nil.
type Message struct {
	Batch *op.Batch
	Split int // of the batch, or the one that ended; -1: none
}

// Sender is a task's end of an edge. It is used by the task's goroutine only.
type Sender interface {
	// Send passes a batch on; it is borrowed. It waits while receivers are
	// behind, and returns Enough when none of them wants more.
	Send(ctx context.Context, b *op.Batch) (op.Flow, error)
	// EndSplit says that all rows of a split have been sent.
	EndSplit(ctx context.Context, split int) error
	// Close says that no more comes. It is idempotent.
	Close()
}

// Receiver is the other end. It is used by one goroutine at a time.
type Receiver interface {
	// Next waits for the next message; io.EOF after the last.
	Next(ctx context.Context) (Message, error)
	// Stop tells the senders that no more is wanted, and drops what is on its
	// way. It is idempotent.
	Stop()
}

// link is a way from senders to a receiver.
type link interface {
	send(ctx context.Context, m Message) (op.Flow, error) // takes the batch over
	isStopped() bool
	done() // called once by each writer
	receive(ctx context.Context) (m Message, ok bool, err error)
	stop()
	drain() // releases what no one took
}

// pipe is a bounded channel with one or more writers, from which the reader can walk away.
type pipe struct {
	ch      chan Message
	writers atomic.Int32
	stopped chan struct{}
	once    sync.Once
}

func newPipe(writers, capacity int) *pipe {
	p := &pipe{ch: make(chan Message, capacity), stopped: make(chan struct{})}
	p.writers.Store(int32(writers))
	return p
}

// send hands a message over, with its batch.
func (p *pipe) send(ctx context.Context, m Message) (op.Flow, error) {
	select {
	case <-p.stopped:
		m.release()
		return op.Enough, nil
	default:
	}
	select {
	case p.ch <- m:
		return op.More, nil
	default:
	}
	defer waits(ctx)()
	select {
	case p.ch <- m:
		return op.More, nil
	case <-p.stopped:
		m.release()
		return op.Enough, nil
	case <-ctx.Done():
		m.release()
		return op.Enough, context.Cause(ctx)
	}
}

func (m Message) release() {
	if m.Batch != nil {
		m.Batch.Release()
	}
}

func (p *pipe) isStopped() bool {
	select {
	case <-p.stopped:
		return true
	default:
		return false
	}
}

// done is called once by each writer.
func (p *pipe) done() {
	if p.writers.Add(-1) == 0 {
		close(p.ch)
	}
}

func (p *pipe) receive(ctx context.Context) (m Message, ok bool, err error) {
	select {
	case m, ok = <-p.ch:
		return m, ok, nil
	default:
	}
	defer waits(ctx)()
	select {
	case m, ok = <-p.ch:
		return m, ok, nil
	case <-ctx.Done():
		return Message{}, false, context.Cause(ctx)
	}
}

func (p *pipe) stop() { p.once.Do(func() { close(p.stopped) }) }

// drain releases what no one took. All writers are done, or will find the pipe stopped.
func (p *pipe) drain() {
	for {
		select {
		case m, ok := <-p.ch:
			if !ok {
				return
			}
			m.release()
		default:
			return
		}
	}
}
