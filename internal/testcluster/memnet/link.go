package memnet

import (
	"math/rand/v2"
	"time"
)

const (
	segmentSize = 16 << 10               // of a stream: what is lost and sent again as one
	resend      = 200 * time.Millisecond // the first wait before a lost segment is sent again
	redial      = time.Second            // the same for the first segment of a connection
	maxResend   = 10 * time.Second       // waits double up to this
	maxFlying   = 8192                   // packets on their way in one direction
)

// link is one direction between two hosts, guarded by the network's lock.
type link struct {
	blocked       bool
	delay, jitter time.Duration
	loss          float64
	rng           *rand.Rand
	flying        int // packets on their way
}

func (l *link) closed() bool { return l.blocked || l.loss >= 1 }

func (l *link) lose() bool { return l.loss > 0 && l.rng.Float64() < l.loss }

// transit is how long what is sent now takes.
func (l *link) transit() time.Duration {
	if l.jitter <= 0 {
		return l.delay
	}
	return l.delay + time.Duration(l.rng.Int64N(int64(l.jitter)))
}

// resends is how long a segment is late because it, or its successors, got lost.
func (l *link) resends(wait time.Duration) time.Duration {
	var late time.Duration
	for !l.closed() && l.lose() {
		late += wait
		wait = min(2*wait, maxResend)
	}
	return late
}
