package block

import (
	"errors"
	"syscall"
)

// Spare keeps, while on, the room that is left on the disk for compaction: Put and FileWriters are
// refused with an error that matches syscall.ENOSPC.
func (s *Store) Spare(on bool) {
	s.writing.Lock() // what is being written counts as written before
	defer s.writing.Unlock()
	s.spare.Store(on)
}

// refuseNew answers the puts that must not take room, and gives the others.
func (s *Store) refuseNew(batch []*put) []*put {
	if !s.spare.Load() {
		return batch
	}
	var rest []*put
	for _, p := range batch {
		if p.move {
			rest = append(rest, p)
		} else {
			p.done <- syscall.ENOSPC
		}
	}
	return rest
}

// Tidy gives up the open segment if nothing in it is wanted and it is worth it. While
// a group is being written it does nothing: the writer looks for itself.
func (s *Store) Tidy() error {
	if !s.writing.TryLock() {
		return nil
	}
	defer s.writing.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil || !s.isWaste(s.open) {
		return nil
	}
	return s.dropOpen()
}

// isWaste tells whether nothing in a segment is wanted and it is worth being given up. Called with the lock held.
func (s *Store) isWaste(seg *segment) bool {
	const enough = 1 << 20
	return seg.live == 0 && seg.size > min(enough, s.opts.SegmentBytes/2)
}

// dropOpen gives up the open segment, in which nothing is wanted. Called with the lock and writing held.
func (s *Store) dropOpen() error {
	seg := s.open
	s.retire(seg)
	return s.dropIfDead(seg)
}

// retire ends the filling of a segment without an index: for that it is no use, or there is no room. The next
// opening seals it. Called with the lock and writing held, or while opening.
func (s *Store) retire(seg *segment) {
	_ = seg.f.Close() // all of it is synced
	seg.retired, seg.records, seg.f = true, nil, nil
	if s.open == seg {
		s.open = nil
	}
}

// endOpen gives up the open segment, or seals it, if it is time. Called with writing held.
func (s *Store) endOpen() error {
	s.mu.Lock()
	seg := s.open
	if seg != nil && s.isWaste(seg) {
		defer s.mu.Unlock()
		return s.dropOpen()
	}
	if seg != nil && len(seg.holes) > 0 { // what the disk cannot read it may not be able to write beside either
		s.retire(seg)
		seg = nil
	}
	s.mu.Unlock()
	if seg == nil || seg.size < s.opts.SegmentBytes {
		return nil
	}
	return s.sealOrRetire(seg)
}

func (s *Store) sealOrRetire(seg *segment) error {
	err := s.seal(seg)
	if !errors.Is(err, syscall.ENOSPC) || s.Err() != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.retire(seg)
	return nil
}

// Squeezable tells whether compacting segments, of which at most most bytes are wanted, would give space
// back; the open one is retired if it is one of them.
func (s *Store) Squeezable(most int64) bool {
	s.writing.Lock()
	defer s.writing.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	if seg := s.open; seg != nil && seg.live <= most && mostlyDead(seg) {
		s.retire(seg)
	}
	return s.worst(most) != nil
}

// mostlyDead tells whether compacting a segment is worth it.
func mostlyDead(seg *segment) bool { return seg.live*2 < seg.size-segHeader }

// worst finds the segment with the least wanted bytes among those that are filled no more, worth it,
// and of which at most most bytes are wanted. Called with the lock held.
func (s *Store) worst(most int64) *segment {
	var worst *segment
	for _, seg := range s.segments {
		worth := mostlyDead(seg) && !seg.damaged || s.keepAll && seg.damaged
		if (seg.sealed || seg.retired) && worth && !seg.stuck && seg.live <= most && (worst == nil || seg.live < worst.live) {
			worst = seg
		}
	}
	return worst
}
