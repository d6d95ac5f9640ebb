package upkeep

import (
	"context"
	"sync"
	"time"
)

// pace bounds the bytes a second of something. It is safe for concurrent use.
type pace struct {
	rate float64 // bytes a second

	mu   sync.Mutex
	next time.Time // when what was let through has passed
}

func newPace(rate int64) *pace { return &pace{rate: float64(rate)} }

// wait waits until n more bytes may pass.
func (p *pace) wait(ctx context.Context, n int64) error {
	p.mu.Lock()
	now := time.Now()
	at := p.next
	if at.Before(now) {
		at = now
	}
	p.next = at.Add(time.Duration(float64(n) / p.rate * float64(time.Second)))
	p.mu.Unlock()
	if at.Equal(now) {
		return ctx.Err()
	}
	t := time.NewTimer(at.Sub(now))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
