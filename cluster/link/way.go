package link

import (
	"context"
	"sync"

	"github.com/rainsql/rainsql/exec/exchange"
	"github.com/rainsql/rainsql/exec/exchange/frame"
	"github.com/rainsql/rainsql/exec/op"
)

// aimBytes is about how much travels in one frame; a row that is longer travels as it is.
const aimBytes = 1 << 20

// way is that of a pair. It is used by the producer's goroutine, but for what its Out does.
type way struct {
	out    *Out
	pair   Pair
	credit chan struct{} // holds what there is
	enough chan struct{} // closed once the consumer wants no more
	once   sync.Once
}

// Send implements exchange.Away.
func (w *way) Send(ctx context.Context, m exchange.Message) (op.Flow, error) {
	if m.Batch == nil {
		return w.send(ctx, frame.Message{Kind: frame.EndSplit, Split: m.Split})
	}
	defer m.Batch.Release()
	flow, err := op.More, error(nil)
	for b := range frame.Cut(m.Batch, aimBytes) {
		if flow, err = w.send(ctx, frame.Message{Kind: frame.Batch, Split: m.Split, Batch: b}); flow == op.Enough {
			break
		}
	}
	return flow, err
}

func (w *way) send(ctx context.Context, m frame.Message) (op.Flow, error) {
	if flow, err := w.wait(ctx); flow == op.Enough {
		return flow, err
	}
	m.Producer, m.Consumer = w.pair.Producer, w.pair.Consumer
	if err := w.out.send(m); err != nil {
		return op.Enough, err
	}
	return op.More, nil
}

// wait takes one of the credit. Enough, with or without an error, means that there is nothing to be sent.
func (w *way) wait(ctx context.Context) (op.Flow, error) {
	if w.Stopped() {
		return op.Enough, nil
	}
	select {
	case <-w.out.opened:
		select {
		case <-w.credit:
			return op.More, nil
		default:
		}
	default:
	}
	defer exchange.Waits(ctx)()
	defer w.out.edge.Stats.waits()()
	opened := w.out.opened
	var credit chan struct{} // once it is opened
	for {
		select {
		case <-opened:
			opened, credit = nil, w.credit
		case <-credit:
			return op.More, nil
		case <-w.enough:
			return op.Enough, nil
		case <-ctx.Done():
			return op.Enough, context.Cause(ctx)
		case <-w.out.ctx.Done():
			return op.Enough, context.Cause(w.out.ctx)
		}
	}
}

// Stopped implements exchange.Away.
func (w *way) Stopped() bool {
	select {
	case <-w.enough:
		return true
	default:
		return false
	}
}

// Done implements exchange.Away.
func (w *way) Done() { w.out.isDone(w.pair) }
