package frame

import (
	"math"
	"sync"
	"time"
)

// Flight is the frames of a stream that gRPC has been given and has not given back. It gives all of them back when a stream ends, but
// those it was about to write when a connection broke it forgets. It may be used concurrently.
type Flight struct {
	mu     sync.Mutex
	frames map[*Frame]bool
	none   chan struct{} // to be closed once there are none; nil: nobody waits
}

// Add counts a frame in, before it is sent.
func (l *Flight) Add(f *Frame) {
	f.flight = l
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.frames == nil {
		l.frames = map[*Frame]bool{}
	}
	l.frames[f] = true
}

func (l *Flight) landed(f *Frame) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.frames, f)
	if len(l.frames) == 0 && l.none != nil {
		close(l.none)
		l.none = nil
	}
}

// Wait waits until all have been given back, and tells whether they were within so much time. No more may be added.
func (l *Flight) Wait(within time.Duration) bool {
	l.mu.Lock()
	if len(l.frames) == 0 {
		l.mu.Unlock()
		return true
	}
	if l.none == nil {
		l.none = make(chan struct{})
	}
	none := l.none
	l.mu.Unlock()
	t := time.NewTimer(within)
	defer t.Stop()
	select {
	case <-none:
		return true
	case <-t.C:
		return false
	}
}

// Drop frees those that are left, for when nobody will read them any more.
func (l *Flight) Drop() {
	l.mu.Lock()
	left := l.frames
	l.frames = nil
	l.mu.Unlock()
	for f := range left {
		if f.refs.Swap(math.MinInt32/2) > 0 { // so that a reference that does come back means nothing
			f.free()
		}
	}
}
