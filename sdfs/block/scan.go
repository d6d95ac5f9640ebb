package block

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/rainsql/rainsql/internal/vfs"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

func parseBlockName(name string) (namespace.BlockID, bool) {
	b, err := hex.DecodeString(name)
	if err != nil || len(b) != 16 || strings.ToLower(name) != name {
		return namespace.BlockID{}, false
	}
	return namespace.BlockID(b), true
}

// findSegments reads the index of each segment, or the records where there is none.
func (s *Store) findSegments(ctx context.Context) error {
	list, err := s.disk.List(segmentDir)
	if err != nil {
		return err
	}
	for _, e := range list {
		if err := ctx.Err(); err != nil {
			return err
		}
		hexNumber, sealed := strings.CutSuffix(e.Name, sealedSuffix)
		hexNumber, open := strings.CutSuffix(hexNumber, openSuffix)
		number, err := strconv.ParseUint(hexNumber, 16, 63)
		if err != nil || sealed == open || number == 0 {
			continue
		}
		seg := &segment{number: number, sealed: sealed, size: e.Size}
		if err := s.findRecords(seg); err != nil {
			return err
		}
		s.next = max(s.next, number+1)
		s.segments[number] = seg
	}
	return nil
}

func (s *Store) findRecords(seg *segment) error {
	f, err := s.disk.Open(seg.name())
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }() // only read
	records, ok, err := readIndex(f, seg.size)
	var unread *readError
	if err != nil && !errors.As(err, &unread) {
		return fmt.Errorf("%s: %w", s.disk.Path(seg.name()), err)
	}
	if !ok {
		data, err := s.readSegment(f, seg)
		if err != nil {
			return err
		}
		layout := parseSegment(data, seg.number)
		records = layout.records
		seg.gaps = layout.gaps
		if seg.sealed {
			seg.damaged = true
			s.fault(seg, layout.firstGap(seg.size), "its index is wrong; its blocks were found without it")
		}
	}
	if !seg.sealed || seg.damaged {
		seg.records = records
	}
	s.note(seg, records)
	return nil
}

// note takes in what was found in a segment.
func (s *Store) note(seg *segment, records []located) {
	for _, r := range records {
		at := place{segment: seg.number, off: r.off, length: r.blk.Length}
		// Compaction may have been cut short: the copy, in a later segment, may not be whole.
		if _, ok := s.index.get(r.blk.ID); ok {
			s.doubles = append(s.doubles, copyOf{r.blk.ID, at})
			continue
		}
		s.index.set(r.blk.ID, at)
	}
}

// Judge finds, once all is claimed, the segments whose bytes are not those of a torn write: where
// something other than records stands before a block that is wanted, or anywhere if the store was closed in order.
func (s *Store) Judge() {
	for _, seg := range s.sortedSegments() {
		if seg.sealed || seg.damaged || len(seg.gaps) == 0 {
			continue
		}
		end := int64(0)
		for _, r := range seg.records {
			if p, _ := s.index.get(r.blk.ID); p.claimed && p.segment == seg.number {
				end = r.off
			}
		}
		if s.opts.Clean || seg.gaps[0].start < end {
			seg.damaged = true
			s.fault(seg, seg.gaps[0].start, "what stands there is no record of a block")
		}
	}
}

func (s *Store) fault(seg *segment, off int64, reason string) {
	s.faults = append(s.faults, &CorruptError{Chunk: -1, Path: s.disk.Path(seg.name()), Offset: off, Reason: reason})
}

// readIndex reads the index of a full segment; false where there is no whole one.
func readIndex(f vfs.File, size int64) ([]located, bool, error) {
	if size < segHeader+segEnd {
		return nil, false, nil
	}
	end := make([]byte, segEnd)
	if err := readFull(f, end, size-segEnd); err != nil {
		return nil, false, err
	}
	off, ok := parseSegEnd(end, size)
	if !ok {
		return nil, false, nil
	}
	data := make([]byte, size-off)
	if err := readFull(f, data, off); err != nil {
		return nil, false, err
	}
	records, ok := parseIndex(data, off)
	return records, ok, nil
}

// layout is what a segment's bytes are.
type layout struct {
	records []located
	gaps    []gap // what is neither header, record nor index
}

// gap is a stretch of a segment.
type gap struct{ start, end int64 }

func (l layout) firstGap(size int64) int64 {
	if len(l.gaps) > 0 {
		return l.gaps[0].start
	}
	return size
}

// parseSegment finds the records of a segment without its index, those behind damage too. It
// looks at their heads, not at the blocks.
func parseSegment(data []byte, number uint64) layout {
	var l layout
	size := int64(len(data))
	off := int64(segHeader)
	skip := func(start, end int64) {
		if n := len(l.gaps); n > 0 && l.gaps[n-1].end == start {
			l.gaps[n-1].end = end
			return
		}
		l.gaps = append(l.gaps, gap{start, end})
	}
	if !validSegHeader(data, number) {
		skip(0, min(off, size))
	}
	for off < size {
		blk, ok := parseRecord(data[off:])
		end := off + recordSize(blk.Length)
		if ok && end <= size {
			l.records = append(l.records, located{blk: blk, off: off})
			off = end
			continue
		}
		next := bytes.Index(data[off+1:], []byte(recMagic))
		end = size
		if next >= 0 {
			end = off + 1 + int64(next)
		}
		skip(off, end)
		off = end
	}
	return l
}

// settleSegments cuts torn tails off and goes on with the newest segment that is not full.
func (s *Store) settleSegments(missing bool) error {
	list := s.sortedSegments()
	for i, seg := range list {
		if seg.sealed {
			seg.records = nil
			if seg.live == 0 && !seg.damaged && !missing {
				if err := s.dropSegment(seg); err != nil {
					return err
				}
			}
			continue
		}
		if missing || seg.damaged {
			seg.damaged = true
			seg.records = nil
			continue
		}
		if err := s.cut(seg); err != nil {
			return err
		}
		if i == len(list)-1 && seg.size < s.opts.SegmentBytes {
			s.open = seg
			continue
		}
		if err := s.sealOrRetire(seg); err != nil {
			return err
		}
	}
	return nil
}

// cut opens a segment that was being filled and cuts it behind its last block that is wanted.
func (s *Store) cut(seg *segment) error {
	keep := slices.DeleteFunc(slices.Clone(seg.records), func(r located) bool {
		p, _ := s.index.get(r.blk.ID)
		return !p.claimed || p.segment != seg.number
	})
	end := int64(segHeader)
	if n := len(keep); n > 0 {
		end = keep[n-1].off + recordSize(keep[n-1].blk.Length)
	}
	seg.records = slices.DeleteFunc(seg.records, func(r located) bool { return r.off >= end })
	f, err := s.disk.OpenWrite(seg.name())
	if err != nil {
		return err
	}
	seg.f = f
	if end < seg.size {
		// If the store is closed in order before anything else is written, what was cut off must not come back.
		if err = f.Truncate(end); err == nil {
			err = f.Sync()
		}
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	seg.size = end
	return nil
}
