package engine

import (
	"time"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/exec/task"
)

// Watcher is a Handler that wants to see how far a query has come.
type Watcher interface {
	// Watch comes as a query begins to run. The function that it returns is
	// called once, when the query has ended and before anything is told of it.
	// Rows may be handed out in between, by another goroutine.
	Watch(p *Progress) (done func())
}

// Progress is how far a query has come. It is safe for concurrent use, and may
// be kept when the query has ended.
type Progress struct {
	begin time.Time
	stats *task.Stats
	mem   *op.Memory
}

// Snapshot is what a query has done so far.
type Snapshot struct {
	Elapsed     time.Duration
	Rows, Bytes int64 // that have been read
	Done, Total int64 // bytes of its files that are behind it, and all; Total is -1 where that is not known
	Memory      int64 // bytes that its operators hold now
	Spilled     int64 // bytes written to temporary files
}

// Snapshot tells how far the query has come at this moment.
func (p *Progress) Snapshot() Snapshot {
	done, total := p.stats.Covered()
	return Snapshot{
		Elapsed: time.Since(p.begin),
		Rows:    p.stats.Rows.Load() + p.stats.Made.Load(), Bytes: p.stats.Bytes.Load(),
		Done: done, Total: total,
		Memory: p.mem.Used(), Spilled: p.mem.Spilled(),
	}
}

// watch begins to show progress, if the handler wants to.
func watch(h Handler, p *Progress) (done func()) {
	if w, ok := h.(Watcher); ok {
		return w.Watch(p)
	}
	return func() {}
}
