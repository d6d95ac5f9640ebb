package task

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/rainsql/rainsql/exec/exchange"
)

// count is what one task has done so far. It is kept of every task: that costs a few additions a batch. What it says may be read while
// the task runs.
type count struct {
	in, out, bytes atomic.Int64
	began, ended   atomic.Int64 // µs since 1970; 0: not yet
	failed         atomic.Bool
	waited         exchange.Waited
}

// TaskCount is what a task has done, as of some moment.
type TaskCount struct {
	Stage, Task int
	In          int64         // rows that it read, made or received
	Out         int64         // rows that it passed on, wrote or gave to the caller; those that several get count once
	Bytes       int64         // that it read of files
	Began       time.Time     // zero: it has not
	Spent       time.Duration // since then, or until it ended
	Waited      time.Duration // of these, for other tasks: for rows of theirs, or for room for its own
	Over        bool
	Failed      bool // it is over, and has not done its work: it, or another, has failed
}

// Counts tells what each task that is here has done so far. It may be called while they run.
func (p *Running) Counts() []TaskCount {
	now := time.Now()
	list := make([]TaskCount, 0, len(p.r.tasks))
	for _, t := range p.r.tasks {
		c := t.count
		n := TaskCount{Stage: t.stage.ID, Task: t.index, In: c.in.Load(), Out: c.out.Load(), Bytes: c.bytes.Load(), Waited: c.waited.At(now)}
		end := c.ended.Load()
		if began := c.began.Load(); began != 0 {
			n.Began, n.Over, n.Failed = time.UnixMicro(began), end != 0, c.failed.Load()
			until := now
			if n.Over {
				until = time.UnixMicro(end)
			}
			n.Spent = max(0, until.Sub(n.Began))
		}
		list = append(list, n)
	}
	return list
}

// begin is the beginning of the task. What waits with the context that it gives is counted.
func (c *count) begin(ctx context.Context) context.Context {
	c.began.Store(time.Now().UnixMicro())
	return exchange.CountWaits(ctx, &c.waited)
}

// end is its end, with what came of it.
func (c *count) end(err error) {
	c.failed.Store(err != nil)
	c.ended.Store(time.Now().UnixMicro())
}
