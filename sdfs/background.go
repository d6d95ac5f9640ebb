package sdfs

import (
	"errors"
	"maps"
	"math"
	"slices"
)

// background gives back space, merges, compacts and takes snapshots, whenever it is woken.
func (s *Store) background() {
	for {
		select {
		case <-s.ctx.Done():
			return
		case <-s.wake:
		}
		s.tidySpace()
		if s.failure() != nil {
			continue
		}
		if s.isLow() {
			s.makeRoom()
		}
		if s.logIsLong() {
			s.takeSnapshot()
		}
		if !s.isLow() { // else the room that is left is for removing
			s.mergeInBackground()
			_ = s.compact(math.MaxInt64) // was reported; the next time it may go better
		}
	}
}

// logIsLong tells that reading the log on opening would take longer than reading a snapshot.
func (s *Store) logIsLong() bool {
	return s.log.Bytes() > max(s.cfg.LogBytes, s.log.SnapshotBytes())
}

func (s *Store) takeSnapshot() {
	state := s.snapshot()
	err := s.log.Snapshot(state.Index(), state.Snapshot)
	s.cfg.OnEvent(Event{What: "snapshot", Err: err})
}

func (s *Store) mergeInBackground() {
	s.mu.Lock()
	names := slices.Sorted(maps.Keys(s.mergeable))
	clear(s.mergeable)
	s.mu.Unlock()
	for _, name := range names {
		_, err := s.merge(s.ctx, name, s.smallRuns)
		if errors.Is(err, ErrConflict) || errors.Is(err, ErrNotFound) || s.ctx.Err() != nil {
			continue // it was changed meanwhile, or the store is closing
		}
		s.cfg.OnEvent(Event{What: "merge", Err: err})
	}
}
