package client

import (
	"context"
	"slices"
	"sync"

	"github.com/rainsql/rainsql/sdfs/retry"
)

// window gives out the sequence numbers of a client. The cluster remembers what came of the last retry.Window
// of them: a change that is slow while so many go past it would be refused as stale though it was never
// applied, so that none may run ahead of it that far.
type window struct {
	mu    sync.Mutex
	last  uint64
	under []uint64      // those under way, rising
	moved chan struct{} // closed when the oldest of them ends; nil if nobody waits
}

// take waits until there is a number that is not too far ahead of the oldest under way. release must follow.
func (w *window) take(ctx context.Context) (uint64, error) {
	for {
		seq, moved := w.next()
		if moved == nil {
			return seq, nil
		}
		select {
		case <-moved:
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
}

// next gives a number, or what to wait for.
func (w *window) next() (uint64, <-chan struct{}) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.under) > 0 && w.last+1 >= w.under[0]+retry.Window {
		if w.moved == nil {
			w.moved = make(chan struct{})
		}
		return 0, w.moved
	}
	w.last++
	w.under = append(w.under, w.last)
	return w.last, nil
}

func (w *window) release(seq uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	i := slices.Index(w.under, seq)
	w.under = slices.Delete(w.under, i, i+1)
	if i == 0 && w.moved != nil {
		close(w.moved)
		w.moved = nil
	}
}
