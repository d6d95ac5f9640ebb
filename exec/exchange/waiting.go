package exchange

import (
	"context"
	"sync/atomic"
	"time"
)

// Waiting is how long a goroutine has waited for the other ends of its edges,
// as far as it is told of it: see With.
type Waiting struct{ Spent time.Duration }

type waitingKey struct{}

// With returns a context that has what waits count it here. It is for one
// goroutine at a time.
func (w *Waiting) With(ctx context.Context) context.Context {
	return context.WithValue(ctx, waitingKey{}, w)
}

// Waited is for how long a task has waited so far. Others may read it while it does.
type Waited struct {
	sum   atomic.Int64 // ns
	since atomic.Int64 // ns since 1970; 0: it does not wait now
}

// At is what it is at a moment, not long before now.
func (w *Waited) At(now time.Time) time.Duration {
	n := w.sum.Load()
	if since := w.since.Load(); since != 0 {
		n += max(0, now.UnixNano()-since)
	}
	return time.Duration(n)
}

type waitsKey struct{}

// CountWaits returns a context that has what waits count it there, too, beside what With says; nil: nowhere. Of the goroutines that it is for one
// waits at a time.
func CountWaits(ctx context.Context, w *Waited) context.Context {
	return context.WithValue(ctx, waitsKey{}, w)
}

// Waits begins to wait; the function it returns ends that.
func Waits(ctx context.Context) func() {
	w, _ := ctx.Value(waitingKey{}).(*Waiting)
	all, _ := ctx.Value(waitsKey{}).(*Waited)
	if w == nil && all == nil {
		return func() {}
	}
	begin := time.Now()
	if all != nil {
		all.since.Store(begin.UnixNano())
	}
	return func() {
		spent := time.Since(begin)
		if w != nil {
			w.Spent += spent
		}
		if all != nil {
			all.since.Store(0)
			all.sum.Add(int64(spent))
		}
	}
}
