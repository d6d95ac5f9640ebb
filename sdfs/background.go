package sdfs

import (
	"context"
	"errors"
	"maps"
	"math"
	"slices"
)

// background gives back space, merges, compacts and takes snapshots, whenever it is woken.
func (l *local) background() {
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-l.wake:
		}
		l.tidySpace()
		if l.failure() != nil {
			continue
		}
		if l.isLow() {
			l.makeRoom()
		}
		if l.logIsLong() {
			l.takeSnapshot()
		}
		if !l.isLow() { // else the room that is left is for removing
			l.mergeInBackground()
			_ = l.compact(math.MaxInt64) // was reported; the next time it may go better
		}
	}
}

// logIsLong tells that reading the log on opening would take longer than reading a snapshot.
func (l *local) logIsLong() bool {
	return l.log.Bytes() > max(l.cfg.LogBytes, l.log.SnapshotBytes())
}

func (l *local) takeSnapshot() {
	state := l.snapshot()
	err := l.log.Snapshot(state.Index(), state.Snapshot)
	l.cfg.OnEvent(Event{What: "snapshot", Err: err})
}

func (l *local) mergeInBackground() {
	l.mu.Lock()
	names := slices.Sorted(maps.Keys(l.mergeable))
	clear(l.mergeable)
	l.mu.Unlock()
	for _, name := range names {
		_, err := l.files.MergeSmall(l.ctx, name)
		if errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound) || errors.Is(err, ErrClosed) || l.ctx.Err() != nil || errors.Is(err, context.Canceled) {
			continue // it was changed meanwhile, or the store is closing
		}
		l.cfg.OnEvent(Event{What: "merge", Err: err})
	}
}
