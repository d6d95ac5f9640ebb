package block

import (
	"errors"
	"fmt"
	"hash/crc32"
	"syscall"

	"github.com/rainsql/rainsql/internal/vfs"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// writeBuffer is how much a FileWriter gathers before it writes; a whole number of chunks.
const writeBuffer = 4 * Chunk

// FileWriter writes one large block to a disk file of its own. It is used by one goroutine.
type FileWriter struct {
	s    *Store
	f    vfs.File
	tmp  string
	blk  namespace.Block
	buf  []byte
	sums []byte
	off  int64
}

// NewFile begins a large block.
func (s *Store) NewFile() (*FileWriter, error) {
	if err := s.Err(); err != nil {
		return nil, err
	}
	w := &FileWriter{s: s, blk: namespace.Block{ID: NewID()}, buf: make([]byte, 0, writeBuffer)}
	w.tmp = blockName(w.blk.ID) + tmpSuffix
	var err error
	if w.f, err = s.disk.Create(w.tmp); err != nil {
		return nil, err
	}
	return w, nil
}

// Room is how many bytes the block still takes.
func (w *FileWriter) Room() int64 { return w.s.opts.BlockBytes - w.off - int64(len(w.buf)) }

// Write adds bytes, at most Room of them. After an error only Abort may follow.
func (w *FileWriter) Write(p []byte) (int, error) {
	if int64(len(p)) > w.Room() {
		return 0, fmt.Errorf("%d bytes more than the block takes", int64(len(p))-w.Room())
	}
	done := len(p)
	for len(p) > 0 {
		n := min(len(p), cap(w.buf)-len(w.buf))
		w.buf = append(w.buf, p[:n]...)
		p = p[n:]
		if len(w.buf) == cap(w.buf) {
			if err := w.flush(); err != nil {
				return done - len(p), err
			}
		}
	}
	return done, nil
}

func (w *FileWriter) flush() error {
	for start := 0; start < len(w.buf); start += Chunk {
		w.sums = le.AppendUint32(w.sums, crc32.Checksum(w.buf[start:min(start+Chunk, len(w.buf))], castagnoli))
	}
	w.blk.CRC = crc32.Update(w.blk.CRC, castagnoli, w.buf)
	err := w.writeAt(w.buf, w.off)
	w.off += int64(len(w.buf))
	w.buf = w.buf[:0]
	return err
}

// writeAt writes to the block's file, unless the room that is left is for something else.
func (w *FileWriter) writeAt(p []byte, off int64) error {
	try := func() error {
		if w.s.spare.Load() {
			return syscall.ENOSPC
		}
		return w.s.writeAt(w.f, p, off)
	}
	err := try()
	if w.s.squeeze(err) {
		err = try()
	}
	return err
}

// Finish completes the block, which is not empty, and makes its content durable; its name is
// only after SyncFolder. The block is claimed.
func (w *FileWriter) Finish() (namespace.Block, error) {
	if err := w.flush(); err != nil {
		return namespace.Block{}, errors.Join(err, w.Abort())
	}
	w.buf = nil
	w.blk.Length = uint32(w.off)
	if err := w.writeAt(encodeFooter(w.blk, w.sums), w.off); err != nil {
		return namespace.Block{}, errors.Join(err, w.Abort())
	}
	if err := w.f.Sync(); err != nil {
		return namespace.Block{}, errors.Join(w.s.fail("making a block durable", err), w.Abort())
	}
	if err := w.f.Close(); err != nil {
		return namespace.Block{}, errors.Join(w.s.fail("closing a block", err), w.s.disk.Remove(w.tmp))
	}
	w.s.mu.Lock() // whoever sees the file also finds what it is
	defer w.s.mu.Unlock()
	if err := w.s.disk.Rename(w.tmp, blockName(w.blk.ID)); err != nil {
		return namespace.Block{}, errors.Join(err, w.s.disk.Remove(w.tmp))
	}
	w.s.index[w.blk.ID] = place{length: w.blk.Length, claimed: true}
	w.s.diskBytes += w.off + footerSize(w.blk.Length)
	return w.blk, nil
}

// Abort gives the block up and removes its file.
func (w *FileWriter) Abort() error {
	return errors.Join(w.f.Close(), w.s.disk.Remove(w.tmp))
}

// Release closes the block's file and leaves it to the next opening, which removes it.
func (w *FileWriter) Release() error { return w.f.Close() }

// SyncFolder makes the names of all blocks finished so far durable.
func (s *Store) SyncFolder() error {
	if err := s.Err(); err != nil {
		return err
	}
	if err := s.disk.SyncDir(blockDir); err != nil {
		return s.fail("making a block durable", err)
	}
	return nil
}
