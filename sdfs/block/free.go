package block

import (
	"context"
	"errors"
	"path"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Free gives up blocks that no one wants or reads any more. Their space is free after EmptyTrash,
// that of small ones once their whole segment is given up. An error concerns the space only.
func (s *Store) Free(ids ...namespace.BlockID) error {
	var errs []error
	for _, id := range ids {
		s.memory.remove(id)
		if err := s.free(id); err != nil {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (s *Store) free(id namespace.BlockID) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	p, ok := s.index[id]
	if !ok {
		return nil
	}
	delete(s.index, id)
	if p.segment == 0 {
		s.handles.drop(blockName(id))
		s.diskBytes -= int64(p.length) + footerSize(p.length)
		return s.toTrash(blockName(id))
	}
	seg := s.segments[p.segment]
	seg.live -= recordSize(p.length)
	if seg.live == 0 && (seg.sealed || seg.retired) && !seg.damaged {
		return s.dropSegment(seg)
	}
	return nil
}

// toTrash takes a file out of use. It need not be durable: if the file comes back, it is one
// that nothing names.
func (s *Store) toTrash(name string) error {
	err := s.disk.Rename(name, path.Join(trashDir, path.Base(name)))
	if notThere(err) {
		return nil
	}
	return err
}

// dropSegment gives up a segment of which nothing is wanted. Called with the lock held, or while opening.
func (s *Store) dropSegment(seg *segment) error {
	s.handles.drop(seg.name())
	delete(s.segments, seg.number)
	return s.toTrash(seg.name())
}

// EmptyTrash removes for good what was given up.
func (s *Store) EmptyTrash() error {
	s.trash.Lock()
	defer s.trash.Unlock()
	list, err := s.disk.List(trashDir)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range list {
		if err := s.disk.Remove(path.Join(trashDir, e.Name)); err != nil && !notThere(err) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// Compact copies what is wanted of a full segment that is mostly not, so that it can be given
// up. It does one segment, of which at most most bytes are wanted, and tells whether there was one. A segment in
// which a block is damaged stays. One at a time.
func (s *Store) Compact(ctx context.Context, most int64) (bool, error) {
	seg, blocks := s.worstSegment(most)
	if seg == nil {
		return false, nil
	}
	name := seg.name()
	h, err := s.handles.get(name, nil)
	if err != nil {
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
	for _, r := range blocks {
		if err := ctx.Err(); err != nil {
			return false, errors.Join(err, flush())
		}
		rec := make([]byte, recordSize(r.blk.Length))
		if err := readFull(h.f, rec, r.off); err != nil {
			return false, errors.Join(err, flush())
		}
		blk, ok := parseRecord(rec)
		if !ok || blk.ID != r.blk.ID || badChunk(rec, blk) >= 0 {
			s.mu.Lock()
			seg.damaged = true
			s.mu.Unlock()
			return true, flush()
		}
		p := &put{blk: blk, rec: rec, move: true, done: make(chan error, 1)}
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
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.segments[seg.number] != seg || seg.live != 0 {
		return true, nil
	}
	return true, s.dropSegment(seg)
}

// worstSegment finds the segment to compact, and its blocks that are wanted.
func (s *Store) worstSegment(most int64) (*segment, []located) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	worst := s.worst(most)
	if worst == nil {
		return nil, nil
	}
	var blocks []located
	for id, p := range s.index {
		if p.segment == worst.number {
			blocks = append(blocks, located{blk: namespace.Block{ID: id, Length: p.length}, off: p.off})
		}
	}
	return worst, blocks
}
