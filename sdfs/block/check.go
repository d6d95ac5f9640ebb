package block

import (
	"context"
	"errors"
	"hash/crc32"
	"io"
	"path"

	"github.com/rainsql/rainsql/internal/vfs"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Verify reads all of a block from disk, past all that is kept in memory here, small blocks too, and checks
// it. A *CorruptError says what is wrong. In a store opened with SettleAll nil means besides that the copy is
// durable: others may rely on it.
func (s *Store) Verify(ctx context.Context, b namespace.Block) error {
	var err error
	for range tries {
		if err = s.verify(ctx, b); !notThere(err) {
			return err
		}
	}
	return &CorruptError{Block: b.ID, Chunk: -1, Path: s.pathOf(b), Reason: fileMissing}
}

func (s *Store) verify(ctx context.Context, b namespace.Block) error {
	at, name, ok := s.find(b.ID)
	if s.keepAll {
		// A file that lies there without being known is no copy.
		if err := s.mismatch(b, at, name, ok); err != nil {
			return err
		}
		if err := s.syncNames(at); err != nil {
			return err
		}
	}
	large := !ok || at.segment == 0
	f, err := s.disk.Open(name)
	if err != nil {
		if notThere(err) && !ok && b.Length <= MaxSmall {
			return &CorruptError{Block: b.ID, Chunk: -1, Reason: notHere}
		}
		return err
	}
	defer func() { _ = f.Close() }() // only read
	where := s.disk.Path(name)
	h := &handle{f: f}
	if !large {
		_, err := readRecord(h, b, at.off, where)
		return err
	}
	if h.foot, err = readFooter(f, where, b); err != nil {
		return err
	}
	buf := make([]byte, min(mostRun, int(b.Length)))
	sum := uint32(0)
	for off := int64(0); off < int64(b.Length); off += int64(len(buf)) {
		if err := ctx.Err(); err != nil {
			return err
		}
		buf = buf[:min(int64(len(buf)), int64(b.Length)-off)]
		if err := readChunks(h, b, off, buf, where); err != nil {
			return err
		}
		sum = crc32.Update(sum, castagnoli, buf)
	}
	if sum != b.CRC {
		return &CorruptError{Block: b.ID, Chunk: -1, Path: where, Reason: "it is not the block that the namespace names"}
	}
	return nil
}

// CheckSegments reads all segments from disk, what is wanted of them and what is not, and
// reports what is wrong. done is told of bytes read.
func (s *Store) CheckSegments(ctx context.Context, report func(*CorruptError), done func(int64)) error {
	s.mu.RLock()
	var list []segment
	for _, seg := range s.sortedSegments() {
		list = append(list, *seg)
	}
	s.mu.RUnlock()
	for i := range list {
		seg := &list[i]
		if err := ctx.Err(); err != nil {
			return err
		}
		f, err := s.disk.Open(seg.name())
		if err == nil {
			err = s.checkSegment(f, seg, report)
			err = errors.Join(err, f.Close())
		}
		if err != nil && (notThere(err) || errors.Is(err, io.ErrUnexpectedEOF)) {
			if !s.isAsBefore(seg) {
				continue // given up, or filled, since: its records are checked with the files they belong to
			}
			report(&CorruptError{Chunk: -1, Path: s.disk.Path(seg.name()), Offset: seg.size, Reason: "the disk file is missing or cut short"})
			err = nil
		}
		if err != nil {
			return err
		}
		done(seg.size)
	}
	return nil
}

func (s *Store) isAsBefore(seg *segment) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	now := s.segments[seg.number]
	return now != nil && now.sealed == seg.sealed
}

func (s *Store) checkSegment(f vfs.File, seg *segment, report func(*CorruptError)) error {
	data, holes, err := readAround(f, seg.size, nil)
	if err != nil {
		return err
	}
	for _, h := range holes {
		report(s.holeFault(seg, h))
	}
	where := s.disk.Path(seg.name())
	bad := func(id namespace.BlockID, chunk int, off int64, reason string) {
		report(&CorruptError{Block: id, Chunk: chunk, Path: where, Offset: off, Reason: reason})
	}
	body := seg.size
	if seg.sealed {
		off, ok := parseSegEnd(data[max(0, seg.size-segEnd):], seg.size)
		if ok {
			_, ok = parseIndex(data[off:], off)
		}
		if ok {
			body = off
		} else {
			bad(namespace.BlockID{}, -1, seg.size, "its index is wrong")
		}
		if !ok || seg.damaged {
			body = s.indexStart(data, seg.number)
		}
	}
	l := parseSegment(data[:body], seg.number)
	for _, g := range l.gaps {
		if (seg.sealed || seg.damaged) && holeIn(holes, g.start, g.end) == nil {
			bad(namespace.BlockID{}, -1, g.start, "what stands there is no record of a block")
		}
	}
	for _, r := range l.records {
		end := r.off + recordSize(r.blk.Length)
		if holeIn(holes, r.off, end) != nil {
			continue
		}
		rec := data[r.off:end]
		head := int64(len(rec)) - int64(r.blk.Length)
		if chunk := badChunk(rec, r.blk); chunk >= 0 {
			bad(r.blk.ID, chunk, r.off+head+int64(chunk)*Chunk, "its checksum is wrong")
		} else if crc32.Checksum(rec[head:], castagnoli) != r.blk.CRC {
			bad(r.blk.ID, -1, r.off, "its checksum is wrong")
		}
	}
	return nil
}

// indexStart is where the records of a full segment end whose index is damaged.
func (s *Store) indexStart(data []byte, number uint64) int64 {
	l := parseSegment(data, number)
	if n := len(l.records); n > 0 {
		last := l.records[n-1]
		return last.off + recordSize(last.blk.Length)
	}
	return int64(len(data))
}

// Strays lists the disk files that hold no block that is wanted: those that a crash left until
// the next opening, and those that do not belong here.
func (s *Store) Strays() ([]string, error) {
	var strays []string
	for _, dir := range []string{blockDir, segmentDir} {
		list, err := s.disk.List(dir)
		if err != nil {
			return nil, err
		}
		for _, e := range list {
			name := path.Join(dir, e.Name)
			if path.Ext(name) == tmpSuffix || s.knows(name) {
				continue
			}
			if _, err := s.disk.Stat(name); err == nil && !s.knows(name) { // it may just have gone, or been named
				strays = append(strays, s.disk.Path(name))
			}
		}
	}
	return strays, nil
}

func (s *Store) knows(name string) bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if dir, base := path.Split(name); dir == blockDir+"/" {
		id, ok := parseBlockName(base)
		at, found := s.index.get(id)
		return ok && found && at.claimed && at.segment == 0
	}
	for _, seg := range s.segments {
		if seg.name() == name {
			return true
		}
	}
	return false
}
