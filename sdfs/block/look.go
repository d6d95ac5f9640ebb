package block

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"iter"
	"slices"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Has tells whether a block is there, and how long it is. It does not look at the disk. What FileWriters
// finished counts, though its name may not be durable yet.
func (s *Store) Has(id namespace.BlockID) (length uint32, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	p, ok := s.index.get(id)
	return p.length, ok
}

// Len is the number of blocks.
func (s *Store) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.index.count
}

// Position is where a block belongs on the ring: the first 8 bytes of its id, big-endian.
func Position(id namespace.BlockID) uint64 { return binary.BigEndian.Uint64(id[:]) }

// within tells whether a position lies in the interval (from, to] of the ring.
func within(at, from, to uint64) bool {
	return at-from-1 <= to-from-1 // modulo 2^64, as the ring is
}

// IDs gives the blocks whose positions lie in the interval (from, to] of the ring, in ascending order of
// their ids. The interval wraps around where to is below from; where they are equal it is the whole ring. It is
// not the picture of one moment: a block that comes or goes during the loop may be among them or not, all others are
// as they should be. Everything else may run meanwhile, in the loop's body too.
//
// It costs a look at every block of the 1/256ths of the ring that the interval touches, and sorting what
// lies in it; no more than one 256th is held in memory or keeps writers waiting.
func (s *Store) IDs(from, to uint64) iter.Seq[namespace.BlockID] {
	return func(yield func(namespace.BlockID) bool) {
		var ids []namespace.BlockID
		for part := range uint64(256) {
			if !within(part<<56, from, to) && from>>56 != part {
				continue // an interval that reaches into a part has its first place, or begins in it
			}
			ids = s.idsOf(ids[:0], byte(part), from, to)
			for _, id := range ids {
				if !yield(id) {
					return
				}
			}
		}
	}
}

// idsOf adds to ids those of one part of the index that lie in the interval, sorted.
func (s *Store) idsOf(ids []namespace.BlockID, part byte, from, to uint64) []namespace.BlockID {
	s.mu.RLock()
	for id := range s.index.parts[part] {
		if within(Position(id), from, to) {
			ids = append(ids, id)
		}
	}
	s.mu.RUnlock()
	slices.SortFunc(ids, func(a, b namespace.BlockID) int { return bytes.Compare(a[:], b[:]) })
	return ids
}

// find gives where a block is and its disk file.
func (s *Store) find(id namespace.BlockID) (at place, name string, ok bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	at, ok = s.index.get(id)
	name = blockName(id)
	if seg := s.segments[at.segment]; seg != nil {
		name = seg.name()
	}
	return at, name, ok
}

// tries is how often a look at the disk is repeated, where compaction may have moved a block, or sealing renamed
// its segment, between the look at its place and the opening of the file.
const tries = 3

// Describe reads what a block is from disk, past all caches: a small block and its checksum whole, of a large
// one the footer. A *CorruptError says that it is not there, or what is wrong.
func (s *Store) Describe(id namespace.BlockID) (namespace.Block, error) {
	b, _, err := s.describe(id)
	return b, err
}

// describe is Describe, and gives the copy that it looked at, too; the zero value where there is none.
func (s *Store) describe(id namespace.BlockID) (namespace.Block, place, error) {
	var last place
	for range tries {
		at, name, ok := s.find(id)
		if !ok {
			return namespace.Block{}, place{}, &CorruptError{Block: id, Chunk: -1, Reason: notHere}
		}
		b, err := s.describeAt(id, at, name)
		if !notThere(err) {
			return b, at, err
		}
		last = at
	}
	return namespace.Block{}, last, &CorruptError{Block: id, Chunk: -1, Path: s.pathOf(namespace.Block{ID: id}), Reason: fileMissing}
}

func (s *Store) describeAt(id namespace.BlockID, at place, name string) (namespace.Block, error) {
	f, err := s.disk.Open(name)
	if err != nil {
		return namespace.Block{}, err
	}
	defer func() { _ = f.Close() }() // only read
	if at.segment == 0 {
		foot, err := loadFooter(f, s.disk.Path(name), id, at.length)
		return foot.blk, err
	}
	b, _, err := loadRecord(f, s.disk.Path(name), id, at.length, at.off)
	return b, err
}

// Sums gives the CRC32C of each chunk of a block, in order; they were checked: CheckSums(b, sums) holds. A
// *CorruptError says that this copy is not the block or not whole. With them whoever reads the block from afar
// can check each chunk by itself against the checksum that the namespace states.
func (s *Store) Sums(b namespace.Block) ([]uint32, error) {
	for range tries - 1 {
		if sums, err := s.sums(b); !notThere(err) {
			return sums, err
		}
	}
	sums, err := s.sums(b)
	if notThere(err) {
		err = &CorruptError{Block: b.ID, Chunk: -1, Path: s.pathOf(b), Reason: fileMissing}
	}
	return sums, err
}

func (s *Store) sums(b namespace.Block) ([]uint32, error) {
	at, name, ok := s.find(b.ID)
	if err := s.mismatch(b, at, name, ok); err != nil {
		return nil, err
	}
	where := s.disk.Path(name)
	if at.segment != 0 {
		h, err := s.handles.get(name, nil)
		if err != nil {
			return nil, err
		}
		defer s.handles.put(h)
		data, err := readRecord(h, b, at.off, where)
		if err != nil {
			return nil, err
		}
		return sumsOf(data), nil
	}
	h, err := s.ownHandle(name, b)
	if err != nil {
		return nil, err
	}
	defer s.handles.put(h)
	sums := make([]uint32, chunksOf(b.Length))
	for i := range sums {
		sums[i] = h.foot.sum(i)
	}
	if !CheckSums(b, sums) {
		return nil, &CorruptError{Block: b.ID, Chunk: -1, Path: where, Offset: int64(b.Length), Reason: "the checksums of its chunks do not make up its own"}
	}
	return sums, nil
}

func sumsOf(data []byte) []uint32 {
	sums := make([]uint32, 0, chunksOf(uint32(len(data))))
	for part := range slices.Chunk(data, Chunk) {
		sums = append(sums, crc32.Checksum(part, castagnoli))
	}
	return sums
}
