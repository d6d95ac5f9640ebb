// Package exchange moves batches between the tasks of neighbouring stages, by
// bounded channels within a process. What a sender does with a batch (split it
// by hash, send it to everyone) and how a receiver puts streams together again
// (any order, by split, merged) is the same where the tasks of an edge run in
// several processes: see Apart.
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

	taken func() // told when a receiver takes it out of its queue; may be nil
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

// outlet is a sender's end of the way to a receiver.
type outlet interface {
	send(ctx context.Context, m Message) (op.Flow, error) // takes the batch over
	isStopped() bool
	done() // called once by each writer
}

// link is a way from senders to a receiver.
type link interface {
	outlet
	receive(ctx context.Context) (m Message, ok bool, err error)
	stop()
	drain() // releases what no one took
}

// pipe is a bounded channel with one or more writers, from which the reader can walk away.
type pipe struct {
	ch      chan Message
	far     chan Message // from writers in other processes, for all that they may have on their way; nil: there are none
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
		m.Release()
		return op.Enough, nil
	default:
	}
	select {
	case p.ch <- m:
		return op.More, nil
	default:
	}
	defer Waits(ctx)()
	select {
	case p.ch <- m:
		return op.More, nil
	case <-p.stopped:
		m.Release()
		return op.Enough, nil
	case <-ctx.Done():
		m.Release()
		return op.Enough, context.Cause(ctx)
	}
}

// Release gives the batch back.
func (m Message) Release() {
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
		m, ok = p.orFar(m, ok)
		return m.out(), ok, nil
	case m = <-p.far:
		return m.out(), true, nil
	default:
	}
	defer Waits(ctx)()
	select {
	case m, ok = <-p.ch:
		m, ok = p.orFar(m, ok)
		return m.out(), ok, nil
	case m = <-p.far:
		return m.out(), true, nil
	case <-ctx.Done():
		return Message{}, false, context.Cause(ctx)
	}
}

// orFar gives what is left from elsewhere once all writers are done.
func (p *pipe) orFar(m Message, ok bool) (Message, bool) {
	if ok {
		return m, true
	}
	select {
	case m = <-p.far:
		return m, true
	default:
		return Message{}, false
	}
}

// out is a message that leaves its queue.
func (m Message) out() Message {
	if m.taken != nil {
		m.taken()
		m.taken = nil
	}
	return m
}

func (p *pipe) stop() { p.once.Do(func() { close(p.stopped) }) }

// drain releases what no one took. All writers are done, or will find the pipe stopped.
func (p *pipe) drain() {
	for {
		select {
		case m, ok := <-p.ch:
			if m, ok = p.orFar(m, ok); !ok {
				return
			}
			m.Release()
		case m := <-p.far:
			m.Release()
		default:
			return
		}
	}
}
