package block

import (
	"context"
	"errors"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Free gives up blocks that no one wants or reads any more. Their space is free after EmptyTrash,
// that of small ones once their whole segment is given up. An error concerns the space only. A store opened with
// SettleAll may find small ones again when it is opened next.
func (s *Store) Free(ids ...namespace.BlockID) error {
	var errs []error
	for _, id := range ids {
		if err := s.free(id); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (s *Store) free(id namespace.BlockID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.index.get(id)
	if !ok {
		return nil
	}
	s.forget(id, p)
	if p.segment == 0 {
		return s.toTrash(blockName(id))
	}
	return s.dropIfDead(s.segments[p.segment])
}

// forget takes a copy of a block out of use. Its file, or its segment if that was the last in it, is the
// caller's to give up. Called with the lock held.
func (s *Store) forget(id namespace.BlockID, p place) {
	s.index.remove(id)
	s.memory.remove(id)
	if p.segment == 0 {
		s.handles.drop(blockName(id))
		s.diskBytes -= int64(p.length) + footerSize(p.length)
		return
	}
	s.segments[p.segment].live -= recordSize(p.length)
}

// dropIfDead gives up a segment that is filled no more if nothing in it is wanted. One that is damaged may
// hold a block that is missed, unless it is missed on other servers, too; one with holes is left to compaction, which sets it
// aside. Called with the lock held.
func (s *Store) dropIfDead(seg *segment) error {
	if seg.live == 0 && (seg.sealed || seg.retired) && (!seg.damaged || s.keepAll) && len(seg.holes) == 0 {
		return s.dropSegment(seg)
	}
	return nil
}

// dropSegment gives up a segment of which nothing is wanted. Called with the lock held, or while opening.
func (s *Store) dropSegment(seg *segment) error {
	s.handles.drop(seg.name())
	delete(s.segments, seg.number)
	return s.toTrash(seg.name())
}

// Compact copies what is wanted of a full segment that is mostly not, so that it can be given
// up. It does one segment, of which at most most bytes are wanted, and tells whether there was one. A segment in
// which a block is damaged stays; in a store opened with SettleAll, where other servers have it, the block is
// forgotten instead and OnBad told, and a damaged segment is copied however much of it is wanted; one that the disk cannot read
// all of then goes to BadDir. One at a time.
func (s *Store) Compact(ctx context.Context, most int64) (bool, error) {
	seg, blocks := s.worstSegment(most)
	if seg == nil {
		return false, nil
	}
	name := seg.name()
	h, err := s.handles.get(name, nil)
	if notThere(err) && s.isGone(seg) {
		return true, nil
	}
	if err != nil {
		if unreadable(err) {
			s.mu.Lock()
			seg.stuck = true // the next call goes on with others
			s.mu.Unlock()
		}
		return false, err
	}
	defer s.handles.put(h)
	var waiting []*put
	size := 0
	flush := func() error {
		var first error
		for _, p := range waiting {
			if err := <-p.done; err != nil && first == nil {
				first = err
			}
		}
		waiting, size = nil, 0
		return first
	}
	for _, c := range blocks {
		if err := ctx.Err(); err != nil {
			return false, errors.Join(err, flush())
		}
		blk, rec, err := loadRecord(h.f, s.disk.Path(name), c.id, c.at.length, c.at.off)
		var corrupt *CorruptError
		switch {
		case err == nil:
		case !errors.As(err, &corrupt):
			return false, errors.Join(err, flush())
		case !s.keepAll:
			s.mu.Lock()
			seg.damaged = true
			s.mu.Unlock()
			return true, flush()
		default:
			taken, err := s.quarantine(c.id, c.at, corrupt)
			if taken {
				s.tell(corrupt)
			}
			if err != nil {
				return false, errors.Join(err, flush())
			}
			continue
		}
		p := &put{blk: blk, rec: rec, move: true, from: c.at, done: make(chan error, 1)}
		if !s.queue.Put(p) {
			return false, errors.Join(errClosed, flush())
		}
		waiting = append(waiting, p)
		if size += len(rec); size >= mostGroup {
			if err := flush(); err != nil {
				return false, err
			}
		}
	}
	if err := flush(); err != nil {
		return false, err
	}
	return true, s.dropEmptied(seg)
}

// dropEmptied gives up a segment of which nothing should be wanted any more.
func (s *Store) dropEmptied(seg *segment) error {
	s.mu.Lock()
	if len(seg.holes) > 0 {
		s.mu.Unlock()
		return s.setAside(seg)
	}
	defer s.mu.Unlock()
	if s.segments[seg.number] != seg || seg.live != 0 {
		return nil
	}
	return s.dropSegment(seg)
}

// isGone tells that a segment has been given up.
func (s *Store) isGone(seg *segment) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.segments[seg.number] != seg
}

// copyOf is one copy of a block.
type copyOf struct {
	id namespace.BlockID
	at place
}

// worstSegment finds the segment to compact, and its blocks that are wanted.
func (s *Store) worstSegment(most int64) (*segment, []copyOf) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	worst := s.worst(most)
	if worst == nil {
		return nil, nil
	}
	var blocks []copyOf
	for id, p := range s.index.all() {
		if p.segment == worst.number {
			blocks = append(blocks, copyOf{id, p})
		}
	}
	return worst, blocks
}
