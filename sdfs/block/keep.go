package block

import (
	"cmp"
	"context"
	"errors"
	"hash/crc32"
	"path"
	"slices"
	"syscall"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

// SettleAll ends opening where nobody knows yet what is wanted, in place of Claim and Settle: every block that is found
// is claimed, what had been given up but was still there, too, and writing may begin. All that is claimed is durable.
//
// A segment without a whole index, that which was being filled above all, is read through, and of its blocks only
// those that match their checksums are claimed: the others may have been under way when the process ended. What stands
// behind the last whole one is cut off, unless the disk cannot read all of the segment. What is wrong before that is in
// Faults, and in time compaction copies the good blocks out of such a segment. Faults also names the files that can be no
// large block, which go to BadDir; what else is wrong with large blocks shows when they are read.
//
// An error leaves the store unusable, but for Close.
func (s *Store) SettleAll(ctx context.Context) error {
	s.keepAll = true
	if err := s.setOddAside(); err != nil {
		return err
	}
	for _, seg := range s.sortedSegments() {
		if err := ctx.Err(); err != nil {
			return err
		}
		if seg.sealed && !seg.damaged {
			continue
		}
		if err := s.sift(seg); err != nil {
			return err
		}
	}
	if err := s.chooseCopies(); err != nil {
		return err
	}
	for id, p := range s.index.all() {
		p.claimed = true
		s.index.set(id, p)
		if p.segment != 0 {
			s.segments[p.segment].live += recordSize(p.length)
		}
	}
	if err := s.settleSifted(); err != nil {
		return err
	}
	if err := s.removeStrays(); err != nil {
		return err
	}
	// Names may be those that the last process gave just before it was killed.
	for _, dir := range []string{blockDir, segmentDir} {
		if err := s.disk.SyncDir(dir); err != nil {
			return s.fail("making blocks durable", err)
		}
	}
	s.writer.Go(s.writeGroups)
	return nil
}

// setOddAside moves files that are called like blocks but can be none to the folder of bad ones.
func (s *Store) setOddAside() error {
	s.bad.Lock()
	defer s.bad.Unlock()
	for _, name := range s.odd {
		to, err := s.badName(name)
		if err != nil {
			return err
		}
		if err := s.disk.Rename(path.Join(blockDir, name), to); err != nil {
			return err
		}
		id, _ := parseBlockName(name)
		s.faults = append(s.faults, &CorruptError{Block: id, Chunk: -1, Path: s.disk.Path(to), Reason: "no block has a file of this size"})
		if err := s.settleBad(blockDir); err != nil {
			return err
		}
	}
	s.odd = nil
	return nil
}

// sift reads a segment without a whole index and takes in only the records that are whole. One that was being filled
// is cut behind the last of them, and what is left made durable.
func (s *Store) sift(seg *segment) error {
	s.unnote(seg)
	f, err := s.disk.Open(seg.name())
	if err != nil {
		return err
	}
	data, err := s.readSegment(f, seg)
	if err := errors.Join(err, f.Close()); err != nil {
		return err
	}
	l := parseSegment(data, seg.number)
	end := int64(segHeader)
	if len(seg.holes) > 0 {
		end = seg.size // nothing is cut off: what is behind the last whole one may be what the disk cannot read
	}
	var good []located
	var bad []*CorruptError
	for _, r := range l.records {
		if wrong := checkRecord(data, r, seg.holes); wrong != nil {
			wrong.Path = s.disk.Path(seg.name())
			bad = append(bad, wrong)
			continue
		}
		good = append(good, r)
		end = max(end, r.off+recordSize(r.blk.Length))
	}
	for _, g := range l.gaps {
		if holeIn(seg.holes, g.start, g.end) != nil {
			continue // reported
		}
		if g.start < end && !seg.sealed { // that of one with a damaged index was found on opening
			s.fault(seg, g.start, "what stands there is no record of a block")
			seg.damaged = true
		}
	}
	for _, wrong := range bad {
		if wrong.Offset < end || seg.sealed { // else it may just have been on its way
			s.faults = append(s.faults, wrong)
			seg.damaged = true
		}
	}
	s.note(seg, good)
	seg.records = nil
	if seg.sealed {
		return nil
	}
	seg.records = good
	return s.anchor(seg, data[:min(end, seg.size)])
}

// checkRecord says what is wrong with a record of a segment of which data is all but the holes, nil: nothing.
func checkRecord(data []byte, r located, holes []hole) *CorruptError {
	if h := holeIn(holes, r.off, r.off+recordSize(r.blk.Length)); h != nil {
		return &CorruptError{Block: r.blk.ID, Chunk: -1, Offset: max(r.off, h.start), Reason: h.err.reason(), Err: h.err.err}
	}
	rec := data[r.off : r.off+recordSize(r.blk.Length)]
	head := len(rec) - int(r.blk.Length)
	wrong := &CorruptError{Block: r.blk.ID, Chunk: badChunk(rec, r.blk), Offset: r.off, Reason: "its checksum is wrong"}
	switch {
	case wrong.Chunk >= 0:
		wrong.Offset += int64(head + wrong.Chunk*Chunk)
	case crc32.Checksum(rec[head:], castagnoli) == r.blk.CRC:
		return nil
	}
	return wrong
}

// unnote takes back what note took in of a segment.
func (s *Store) unnote(seg *segment) {
	for _, r := range seg.records {
		if p, ok := s.index.get(r.blk.ID); ok && p.segment == seg.number {
			s.index.remove(r.blk.ID)
		}
	}
	s.doubles = slices.DeleteFunc(s.doubles, func(c copyOf) bool { return c.at.segment == seg.number })
}

// anchor writes what is kept of a segment once more and makes it durable. The last process may have been killed
// before it was, or its fsync have failed: then another one would succeed without writing anything, and what others
// have been told is here would be gone with the power.
func (s *Store) anchor(seg *segment, keep []byte) error {
	f, err := s.disk.OpenWrite(seg.name())
	if err != nil {
		return err
	}
	seg.f = f // Close closes it
	// A hole stays as it is: what stands there may yet be got out of the disk.
	from := int64(0)
	for _, h := range seg.holes {
		if err == nil {
			err = s.writeAt(f, keep[from:h.start], from)
		}
		from = h.end
	}
	if err == nil {
		err = s.writeAt(f, keep[from:], from)
	}
	if errors.Is(err, syscall.ENOSPC) {
		err = nil // some disks want room to write what is there; to serve what is there is worth more
	}
	if err == nil && int64(len(keep)) < seg.size {
		err = f.Truncate(int64(len(keep)))
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return s.fail("making a segment durable", err)
	}
	seg.size = int64(len(keep))
	return nil
}

// chooseCopies decides which copy counts where a block was found more than once: the newest that is whole. An older one
// may have been found damaged, and the block been put again; a newer one may be what an unfinished compaction
// left.
func (s *Store) chooseCopies() error {
	found := map[namespace.BlockID][]place{}
	for _, c := range s.doubles {
		found[c.id] = append(found[c.id], c.at)
	}
	s.doubles = nil
	for id, list := range found {
		if p, ok := s.index.get(id); ok {
			list = append(list, p)
		}
		slices.SortFunc(list, newestFirst)
		best, oldest := slices.IndexFunc(list, func(p place) bool { return s.isWhole(id, p) }), list[len(list)-1]
		if best < 0 {
			best = len(list) - 1 // reading it will say what is wrong
		}
		s.index.set(id, list[best])
		if oldest.segment == 0 && list[best].segment != 0 {
			s.diskBytes -= int64(oldest.length) + footerSize(oldest.length)
			if err := s.toTrash(blockName(id)); err != nil {
				return err
			}
		}
	}
	return nil
}

func newestFirst(a, b place) int {
	if a.segment != b.segment {
		return cmp.Compare(b.segment, a.segment)
	}
	return cmp.Compare(b.off, a.off)
}

// isWhole reads a copy in a segment, or the footer of one that has a file.
func (s *Store) isWhole(id namespace.BlockID, at place) bool {
	name := blockName(id)
	if at.segment != 0 {
		name = s.segments[at.segment].name()
	}
	_, err := s.describeAt(id, at, name)
	return err == nil
}

// settleSifted goes on with the newest segment that is not full and gives up those without anything in them.
func (s *Store) settleSifted() error {
	list := s.sortedSegments()
	for i, seg := range list {
		switch {
		case seg.sealed:
		case seg.damaged:
			s.retire(seg)
		case i == len(list)-1 && seg.size < s.opts.SegmentBytes:
			s.open = seg
			continue
		default:
			if err := s.sealOrRetire(seg); err != nil {
				return err
			}
		}
		if s.segments[seg.number] == seg {
			if err := s.dropIfDead(seg); err != nil {
				return err
			}
		}
	}
	return nil
}
