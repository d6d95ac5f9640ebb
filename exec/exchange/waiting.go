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

type waitsKey struct{}

// CountWaits returns a context that has what waits add the time to a sum, in ns, beside what With says; nil: to none.
func CountWaits(ctx context.Context, sum *atomic.Int64) context.Context {
	return context.WithValue(ctx, waitsKey{}, sum)
}

// Waits begins to wait; the function it returns ends that.
func Waits(ctx context.Context) func() {
	w, _ := ctx.Value(waitingKey{}).(*Waiting)
	sum, _ := ctx.Value(waitsKey{}).(*atomic.Int64)
	if w == nil && sum == nil {
		return func() {}
	}
	begin := time.Now()
	return func() {
		spent := time.Since(begin)
		if w != nil {
			w.Spent += spent
		}
		if sum != nil {
			sum.Add(int64(spent))
		}
	}
}
