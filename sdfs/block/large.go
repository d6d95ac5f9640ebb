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
	id := NewID()
	return s.newFile(id, blockName(id)+tmpSuffix)
}

// NewFileAs begins a block of a given id, which may turn out to be there already, or to be written by another at the same
// time: neither disturbs the other. What is written stays in a file of its own, however short it is; PutAll is for
// blocks that are known to be small.
func (s *Store) NewFileAs(id namespace.BlockID) (*FileWriter, error) {
	return s.newFile(id, fmt.Sprintf("%s.%d%s", blockName(id), s.temps.Add(1), tmpSuffix))
}

func (s *Store) newFile(id namespace.BlockID, tmp string) (*FileWriter, error) {
	if err := s.Err(); err != nil {
		return nil, err
	}
	f, err := s.create(tmp)
	if err != nil {
		return nil, err
	}
	return &FileWriter{s: s, f: f, tmp: tmp, blk: namespace.Block{ID: id}, buf: make([]byte, 0, writeBuffer)}, nil
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
// only after SyncFolder. The block is claimed. If a block of a given id is there already, with the same length and
// checksum, the file is given up and that one is what Finish gives; with others the error matches ErrOtherContent.
// After an error the file is gone.
func (w *FileWriter) Finish() (namespace.Block, error) { return w.FinishIf(nil) }

// FinishIf is Finish, unless what was written is not what it should be: want is shown the block before it gets
// its name and before it is made durable, and an error of it is given back. nil asks no one.
func (w *FileWriter) FinishIf(want func(namespace.Block) error) (namespace.Block, error) {
	done, err := w.complete(want)
	if done || err != nil {
		if aerr := w.Abort(); err != nil {
			return namespace.Block{}, errors.Join(err, aerr)
		}
		return w.blk, nil // a file that stays behind goes at the next opening
	}
	if err := w.f.Close(); err != nil {
		return namespace.Block{}, errors.Join(w.s.fail("closing a block", err), w.s.disk.Remove(w.tmp))
	}
	done, err = w.name()
	if err != nil {
		return namespace.Block{}, errors.Join(err, w.s.disk.Remove(w.tmp))
	}
	if done {
		_ = w.s.disk.Remove(w.tmp) // else the next opening does it
	}
	return w.blk, nil
}

// complete makes the content durable. done tells that it need not be: the block is there.
func (w *FileWriter) complete(want func(namespace.Block) error) (done bool, err error) {
	if err := w.flush(); err != nil {
		return false, err
	}
	w.buf = nil
	w.blk.Length = uint32(w.off)
	if w.off == 0 {
		return false, errors.New("a block of no bytes")
	}
	if want != nil {
		if err := want(w.blk); err != nil {
			return false, err
		}
	}
	if done, err := w.s.have(w.blk); done || err != nil {
		return done, err
	}
	if err := w.writeAt(encodeFooter(w.blk, w.sums), w.off); err != nil {
		return false, err
	}
	if err := w.f.Sync(); err != nil {
		return false, w.s.fail("making a block durable", err)
	}
	return false, nil
}

// name gives the block its name. done tells that another was faster: the block is there.
func (w *FileWriter) name() (done bool, err error) {
	for {
		if free, err := w.rename(); free {
			return false, err
		}
		if done, err := w.s.have(w.blk); done || err != nil {
			return done, err
		}
	}
}

// rename gives the file its name if that is free.
func (w *FileWriter) rename() (free bool, err error) {
	s := w.s
	s.mu.Lock() // whoever sees the file also finds what it is
	defer s.mu.Unlock()
	if _, taken := s.index.get(w.blk.ID); taken {
		return false, nil
	}
	if err := s.disk.Rename(w.tmp, blockName(w.blk.ID)); err != nil {
		return true, err
	}
	s.serial++
	s.index.set(w.blk.ID, place{length: w.blk.Length, serial: s.serial, claimed: true})
	s.diskBytes += w.off + footerSize(w.blk.Length)
	s.named.Add(1)
	return true, nil
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
	named := s.named.Load()
	if err := s.disk.SyncDir(blockDir); err != nil {
		return s.fail("making a block durable", err)
	}
	for {
		before := s.synced.Load()
		if before >= named || s.synced.CompareAndSwap(before, named) {
			return nil
		}
	}
}

// syncNames sees to it that the name of a copy is durable.
func (s *Store) syncNames(at place) error {
	if at.segment != 0 || s.synced.Load() == s.named.Load() {
		return nil
	}
	return s.SyncFolder()
}
