package coordinator

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/raft"
	"go.uber.org/zap"
)

// ClockSlack is how far, in µs, the time of a request may be ahead of the leader's, and the leader's clock from those of
// most voters: log time never goes back, and a clock that is a year ahead would end all leases.
const ClockSlack = 60 * 1e6

// clockEvery is how often a leader compares its clock.
const clockEvery = time.Minute

// setClock compares this node's clock with those of the other voters, as soon as a majority has told its. Where it is far from
// most of them, the cluster goes by theirs.
func (c *Coordinator) setClock() {
	ctx, cancel := context.WithTimeout(c.ctx, c.cfg.Timing.Heartbeat)
	defer cancel()
	var asked sync.WaitGroup
	told := make(chan time.Duration)
	voters := 0
	for _, s := range c.servers() {
		if s.Suffrage != raft.Voter {
			continue
		}
		voters++
		if s.ID != serverID(c.cfg.ID) {
			asked.Go(func() { c.askClock(ctx, plainAddress(s.Address), told) })
		}
	}
	go func() { asked.Wait(); close(told) }()
	offsets := []time.Duration{0}
	for offset := range told {
		if offsets = append(offsets, offset); 2*len(offsets) > voters {
			cancel()
			break
		}
	}
	if 2*len(offsets) <= voters {
		return // too few to say who is wrong
	}
	by := correction(offsets)
	if by != 0 && c.skew.Load() == 0 {
		c.cfg.Logger.Error("this node's clock is wrong; while it leads, the cluster goes by those of most voters", zap.Duration("they_are_ahead_by", by))
	}
	c.skew.Store(by.Microseconds())
}

// askClock tells how far the clock of another is ahead of this node's, unless ctx ends before.
func (c *Coordinator) askClock(ctx context.Context, addr string, told chan<- time.Duration) {
	began := time.Now()
	standing, err := c.cfg.Reach(ctx, addr)
	if err != nil {
		return
	}
	select {
	case told <- standing.Clock.Sub(began.Add(time.Since(began) / 2)):
	case <-ctx.Done():
	}
}

// correction is what a clock needs that is so far behind others, its own 0 among them: the median, where that is much.
func correction(offsets []time.Duration) time.Duration {
	slices.Sort(offsets)
	// Of an even number the one nearer to 0, which is the leader's own: it takes a majority to be wrong.
	low, high := offsets[(len(offsets)-1)/2], offsets[len(offsets)/2]
	by := low
	if high.Abs() < low.Abs() {
		by = high
	}
	if by.Abs() <= ClockSlack*time.Microsecond {
		return 0
	}
	return by
}
