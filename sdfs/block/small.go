package block

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"syscall"

	"github.com/rainsql/rainsql/internal/vfs"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// mostGroup bounds the bytes that one write and fsync of a segment take.
const mostGroup = 8 << 20

// put is a small block on its way into a segment.
type put struct {
	blk   namespace.Block
	rec   []byte
	move  bool       // by compaction: of no use if the block is no longer at from
	from  place      // of a move
	given bool       // the id was given, so that the block may be there already
	done  chan error // has room for the answer
}

// Put stores a small block, 1 to MaxSmall bytes; it is durable, claimed, and in the memory
// tier when Put returns. data is copied. If ctx ends first, the block is freed once written.
func (s *Store) Put(ctx context.Context, data []byte) (namespace.Block, error) {
	if len(data) == 0 || len(data) > MaxSmall {
		return namespace.Block{}, fmt.Errorf("a small block of %d bytes: 1 to %d are allowed", len(data), MaxSmall)
	}
	rec, blk := encodeRecord(NewID(), data)
	err := s.submit(ctx, &put{blk: blk, rec: rec, done: make(chan error, 1)})
	if s.squeeze(err) {
		err = s.submit(ctx, &put{blk: blk, rec: rec, done: make(chan error, 1)})
	}
	return blk, err
}

var errClosed = errors.New("the store is closed")

func (s *Store) submit(ctx context.Context, p *put) error {
	if err := s.Err(); err != nil {
		return err
	}
	if !s.queue.Put(p) {
		return errClosed
	}
	select {
	case err := <-p.done:
		return err
	case <-ctx.Done():
		s.writer.Go(func() {
			if <-p.done == nil {
				_ = s.Free(p.blk.ID) // concerns the space only
			}
		})
		return ctx.Err()
	}
}

// writeGroups writes what is queued, group by group, until the queue is closed.
func (s *Store) writeGroups() {
	for {
		batch := s.queue.Take(mostGroup, func(p *put) int { return len(p.rec) })
		if batch == nil {
			return
		}
		for len(batch) > 0 {
			written, again, err := s.writeGroup(batch)
			for _, p := range written {
				p.done <- err
			}
			batch = again
		}
	}
}

// writeGroup writes a group and answers those of which there is nothing to write. The others are to
// be answered with the error, or to be looked at again: a block of the same id was faster.
func (s *Store) writeGroup(batch []*put) (written, again []*put, err error) {
	if err := s.Err(); err != nil {
		return batch, nil, err
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	if batch = s.screen(s.refuseNew(batch)); len(batch) == 0 {
		return nil, nil, nil
	}
	again, err = s.write(batch)
	if len(again) > 0 {
		batch = slices.DeleteFunc(batch, func(p *put) bool { return slices.Contains(again, p) })
	}
	return batch, again, err
}

// write makes a group durable. It gives those whose id another took since they were screened, or before them in the
// group: what was written of them is dead. Called with writing held.
func (s *Store) write(batch []*put) (taken []*put, err error) {
	if err := s.endOpen(); err != nil {
		return nil, err
	}
	s.mu.RLock()
	seg := s.open
	s.mu.RUnlock()
	if seg == nil {
		if seg, err = s.newSegment(); err != nil {
			return nil, err
		}
	}
	buf := batch[0].rec
	if len(batch) > 1 {
		parts := make([][]byte, len(batch))
		for i, p := range batch {
			parts[i] = p.rec
		}
		buf = slices.Concat(parts...)
	}
	if err := s.writeAt(seg.f, buf, seg.size); err != nil {
		if !errors.Is(err, syscall.ENOSPC) {
			return nil, s.fail("writing a segment", err)
		}
		return nil, errors.Join(err, s.cutBack(seg))
	}
	if err := seg.f.Sync(); err != nil {
		return nil, s.fail("making a segment durable", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range batch {
		r := located{blk: p.blk, off: seg.size}
		seg.records = append(seg.records, r)
		size := int64(len(p.rec))
		seg.size += size
		old, there := s.index.get(p.blk.ID)
		switch {
		case p.move && (!there || old != p.from): // given up since, and perhaps put again
			continue
		case p.move:
			s.segments[old.segment].live -= size
		case there:
			taken = append(taken, p)
			continue
		}
		seg.live += size
		s.index.set(p.blk.ID, place{segment: seg.number, off: r.off, length: p.blk.Length, claimed: true})
		if !p.move {
			s.memory.add(p.blk.ID, p.rec[len(p.rec)-int(p.blk.Length):])
		}
	}
	return taken, nil
}

func (s *Store) newSegment() (*segment, error) {
	s.mu.Lock()
	seg := &segment{number: s.next, size: segHeader}
	s.next++
	s.mu.Unlock()
	tmp := seg.name() + tmpSuffix
	err := s.writeFile(tmp, encodeSegHeader(seg.number))
	if err == nil {
		s.mu.Lock() // whoever sees the file also finds what it is
		if err = s.disk.Rename(tmp, seg.name()); err == nil {
			s.segments[seg.number] = seg
		}
		s.mu.Unlock()
	}
	if err != nil {
		_ = s.disk.Remove(tmp) // else the next opening does it
		return nil, err
	}
	if err := s.disk.SyncDir(segmentDir); err != nil {
		return nil, s.fail("making a segment durable", err)
	}
	f, err := s.disk.OpenWrite(seg.name())
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	seg.f = f
	s.open = seg
	return seg, nil
}

func (s *Store) writeFile(name string, data []byte) error {
	var f vfs.File
	f, err := s.create(name)
	if err != nil {
		return err
	}
	if err = s.writeAt(f, data, 0); err == nil {
		if err = f.Sync(); err != nil {
			err = s.fail("making a segment durable", err)
		}
	}
	return errors.Join(err, f.Close())
}

// cutBack takes away what a full disk let be written of a group. It must not come back with a loss of
// power: in a store that was closed in order it would be damage.
func (s *Store) cutBack(seg *segment) error {
	err := seg.f.Truncate(seg.size)
	if err == nil {
		err = seg.f.Sync()
	}
	if err != nil {
		return s.fail("writing a segment", err)
	}
	return nil
}

// listed is what the index of a segment that is full will say. Where all that an index names is taken for
// wanted, it leaves out what is not: a copy that was found damaged, above all.
func (s *Store) listed(seg *segment) []located {
	if !s.keepAll {
		return seg.records
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return slices.DeleteFunc(slices.Clone(seg.records), func(r located) bool {
		p, ok := s.index.get(r.blk.ID)
		return !ok || p.segment != seg.number || p.off != r.off
	})
}

// seal writes the index of a segment, which is then full.
func (s *Store) seal(seg *segment) error {
	end := encodeSegEnd(s.listed(seg), seg.size)
	if err := s.writeAt(seg.f, end, seg.size); err != nil {
		if !errors.Is(err, syscall.ENOSPC) {
			return s.fail("writing a segment", err)
		}
		return errors.Join(err, s.cutBack(seg))
	}
	if err := seg.f.Sync(); err != nil {
		return s.fail("making a segment durable", err)
	}
	// Readers find the file by its name under the lock; those who have it open keep it.
	s.mu.Lock()
	defer s.mu.Unlock()
	open := seg.name()
	sealed := *seg
	sealed.sealed = true
	if err := s.disk.Rename(open, sealed.name()); err != nil {
		if errors.Is(err, syscall.ENOSPC) && seg.f.Truncate(seg.size) == nil && seg.f.Sync() == nil {
			return err
		}
		s.failed = fmt.Errorf("naming a segment: %w", err)
		return s.failed
	}
	s.handles.drop(open)
	_ = seg.f.Close() // all of it is synced
	seg.sealed, seg.records, seg.f = true, nil, nil
	seg.size += int64(len(end))
	if s.open == seg {
		s.open = nil
	}
	return s.dropIfDead(seg)
}
