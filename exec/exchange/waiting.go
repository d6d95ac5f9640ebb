package exchange

import (
	"context"
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

// Waits begins to wait; the function it returns ends that.
func Waits(ctx context.Context) func() {
	w, ok := ctx.Value(waitingKey{}).(*Waiting)
	if !ok {
		return func() {}
	}
	begin := time.Now()
	return func() { w.Spent += time.Since(begin) }
}
