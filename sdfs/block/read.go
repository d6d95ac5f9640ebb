package block

import (
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/rainsql/rainsql/internal/vfs"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// chunkKey is a chunk in the cache; a small block is one entry, under chunk 0.
type chunkKey struct {
	id    namespace.BlockID
	chunk int
}

// Read fills p with the block's bytes from off on; the range lies within the block. Every
// chunk is checked before any of its bytes is given out; one that fails is a *CorruptError.
// With keep, what is read from disk stays in the cache.
func (s *Store) Read(b namespace.Block, off int64, p []byte, keep bool) error {
	if off < 0 || off+int64(len(p)) > int64(b.Length) {
		return fmt.Errorf("bytes %d to %d of a block of %d", off, off+int64(len(p)), b.Length)
	}
	if data, ok := s.memory.get(b.ID); ok && len(data) == int(b.Length) {
		copy(p, data[off:])
		return nil
	}
	for range tries - 1 {
		if err := s.readAt(b, off, p, keep); !notThere(err) {
			return err
		}
	}
	err := s.readAt(b, off, p, keep)
	if notThere(err) {
		err = &CorruptError{Block: b.ID, Chunk: -1, Path: s.pathOf(b), Reason: fileMissing}
	}
	return err
}

func (s *Store) pathOf(b namespace.Block) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	at, _ := s.index.get(b.ID)
	if seg := s.segments[at.segment]; seg != nil {
		return s.disk.Path(seg.name())
	}
	return s.disk.Path(blockName(b.ID))
}

func (s *Store) readAt(b namespace.Block, off int64, p []byte, keep bool) error {
	at, name, ok := s.find(b.ID)
	if err := s.mismatch(b, at, name, ok); err != nil {
		return err
	}
	if at.segment != 0 {
		return s.readSmall(b, at, name, off, p, keep)
	}
	return s.readLarge(b, name, off, p, keep)
}

// mismatch says what is wrong with what find gave for a block, as far as that tells.
func (s *Store) mismatch(b namespace.Block, at place, name string, ok bool) error {
	switch {
	case !ok:
		path := ""
		if b.Length > MaxSmall {
			path = s.disk.Path(name)
		}
		return &CorruptError{Block: b.ID, Chunk: -1, Path: path, Reason: notHere}
	case at.length != b.Length:
		return &CorruptError{Block: b.ID, Chunk: -1, Path: s.disk.Path(name), Offset: at.off,
			Reason: fmt.Sprintf("it has %d bytes instead of %d", at.length, b.Length)}
	}
	return nil
}

func (s *Store) readSmall(b namespace.Block, at place, name string, off int64, p []byte, keep bool) error {
	k := chunkKey{id: b.ID}
	if data, ok := s.cache.get(k); ok {
		copy(p, data[off:])
		return nil
	}
	h, err := s.handles.get(name, nil)
	if err != nil {
		return err
	}
	defer s.handles.put(h)
	data, err := readRecord(h, b, at.off, s.disk.Path(name))
	if err != nil {
		return err
	}
	copy(p, data[off:])
	if keep {
		s.cache.add(k, data)
	}
	return nil
}

// readRecord reads and checks the record of a small block, and gives the block.
func readRecord(h *handle, want namespace.Block, off int64, path string) ([]byte, error) {
	found, rec, err := loadRecord(h.f, path, want.ID, want.Length, off)
	if err != nil {
		return nil, err
	}
	if found.CRC != want.CRC {
		return nil, &CorruptError{Block: want.ID, Chunk: -1, Path: path, Offset: off, Reason: "it is not the block that the namespace names"}
	}
	return rec[len(rec)-int(want.Length):], nil
}

// loadRecord reads and checks the record of a small block of which id and length are known, and gives what the block is, and
// the record.
func loadRecord(f vfs.File, path string, id namespace.BlockID, length uint32, off int64) (namespace.Block, []byte, error) {
	bad := func(chunk int, at int64, reason string) (namespace.Block, []byte, error) {
		return namespace.Block{}, nil, &CorruptError{Block: id, Chunk: chunk, Path: path, Offset: at, Reason: reason}
	}
	rec := make([]byte, recordSize(length))
	if err := readFull(f, rec, off); err != nil {
		return namespace.Block{}, nil, lacking(err, id, path, off)
	}
	found, ok := parseRecord(rec)
	if !ok {
		return bad(-1, off, "the head of its record is wrong")
	}
	if found.ID != id || found.Length != length {
		return bad(-1, off, "another block stands in its place")
	}
	if chunk := badChunk(rec, found); chunk >= 0 {
		return bad(chunk, off+int64(len(rec)-int(length)+chunk*Chunk), "its checksum is wrong")
	}
	return found, rec, nil
}

func (s *Store) readLarge(b namespace.Block, name string, off int64, p []byte, keep bool) error {
	for len(p) > 0 {
		chunk := int(off / Chunk)
		start := int64(chunk) * Chunk
		end := min(start+Chunk, int64(b.Length))
		n := int(min(int64(len(p)), end-off))
		if data, ok := s.cache.get(chunkKey{b.ID, chunk}); ok {
			copy(p[:n], data[off-start:])
			off += int64(n)
			p = p[n:]
			continue
		}
		h, err := s.ownHandle(name, b)
		if err != nil {
			return err
		}
		if !keep && off == start && n == int(end-start) {
			// A run of whole chunks goes straight to the caller.
			n = len(p) / Chunk * Chunk
			if off+int64(len(p)) == int64(b.Length) {
				n = len(p)
			}
			n = max(min(n, mostRun), int(min(int64(len(p)), end-start)))
			err = readChunks(h, b, off, p[:n], s.disk.Path(name))
		} else {
			data := make([]byte, end-start)
			if err = readChunks(h, b, start, data, s.disk.Path(name)); err == nil {
				copy(p[:n], data[off-start:])
				s.cache.add(chunkKey{b.ID, chunk}, data)
			}
		}
		s.handles.put(h)
		if err != nil {
			return err
		}
		off += int64(n)
		p = p[n:]
	}
	return nil
}

// ownHandle opens the file of a large block, or finds it open. The caller hands it to handles.put.
func (s *Store) ownHandle(name string, b namespace.Block) (*handle, error) {
	h, err := s.handles.get(name, &b)
	if err == nil && h.foot.blk != b { // opened by one who took it for another
		s.handles.put(h)
		return nil, otherBlock(b, s.disk.Path(name))
	}
	return h, err
}

// mostRun is the bytes that one system call reads; they are still in the processor's cache when
// they are checked.
const mostRun = 8 * Chunk

// readChunks reads whole chunks of a large block and checks them; on an error p holds zeros.
func readChunks(h *handle, b namespace.Block, off int64, p []byte, path string) error {
	if err := readFull(h.f, p, off); err != nil {
		clear(p)
		err = lacking(err, b.ID, path, off)
		var corrupt *CorruptError
		if errors.As(err, &corrupt) {
			corrupt.Chunk = int(corrupt.Offset / Chunk)
		}
		return err
	}
	for start := 0; start < len(p); start += Chunk {
		at := off + int64(start)
		chunk := int(at / Chunk)
		if crc32.Checksum(p[start:min(start+Chunk, len(p))], castagnoli) != h.foot.sum(chunk) {
			clear(p)
			return &CorruptError{Block: b.ID, Chunk: chunk, Path: path, Offset: at, Reason: "its checksum is wrong"}
		}
	}
	return nil
}
