package block

import (
	"bytes"
	"context"
	"encoding/binary"
	"hash/crc32"
	"math/rand/v2"
	"testing"

	"github.com/rainsql/rainsql/internal/vfs/simdisk"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

func must(t testing.TB, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

// newDisk is a disk with the folders of a block store.
func newDisk(t testing.TB) *simdisk.Disk {
	t.Helper()
	disk := simdisk.New()
	for _, dir := range Dirs() {
		must(t, disk.Mkdir(dir))
	}
	must(t, disk.SyncDir(""))
	return disk
}

// tiny is options with which segments are soon full.
func tiny(disk *simdisk.Disk) Options {
	return Options{FS: disk, SegmentBytes: 12 << 10, BlockBytes: 1 << 20, CacheBytes: 1 << 20, MemoryBytes: 16 << 10}
}

// openAll opens a store as a server of a cluster does.
func openAll(t testing.TB, opts Options) *Store {
	t.Helper()
	s, err := tryOpenAll(opts)
	must(t, err)
	return s
}

func tryOpenAll(opts Options) (*Store, error) {
	s, err := Open(context.Background(), opts)
	if err != nil {
		return nil, err
	}
	if err := s.SettleAll(context.Background()); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// idOf is the id of the n-th block of a test, at a place of the ring that looks random.
func idOf(n int) namespace.BlockID {
	var id namespace.BlockID
	binary.BigEndian.PutUint64(id[:], uint64(n+1)*0x9e3779b97f4a7c15)
	binary.BigEndian.PutUint64(id[8:], uint64(n))
	return id
}

// dataOf is what is in it: as many bytes, which differ from block to block.
func dataOf(n, length int) []byte {
	data := make([]byte, length)
	_, _ = rand.NewChaCha8([32]byte{byte(n), byte(n >> 8), 1}).Read(data)
	return data
}

// blockOf is what the namespace says of a block.
func blockOf(id namespace.BlockID, data []byte) namespace.Block {
	return namespace.Block{ID: id, Length: uint32(len(data)), CRC: crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))}
}

func writeFile(s *Store, id namespace.BlockID, data []byte) (namespace.Block, error) {
	w, err := s.NewFileAs(id)
	if err != nil {
		return namespace.Block{}, err
	}
	if _, err := w.Write(data); err != nil {
		_ = w.Abort()
		return namespace.Block{}, err
	}
	b, err := w.Finish()
	if err == nil {
		err = s.SyncFolder()
	}
	return b, err
}

// holds checks that a store has a block, by reading it in two ways. One that takes no more writes cannot
// vouch for what it has, but reads it.
func holds(s *Store, id namespace.BlockID, data []byte) error {
	b := blockOf(id, data)
	if err := s.Verify(context.Background(), b); err != nil && s.Err() == nil {
		return err
	}
	got := make([]byte, len(data))
	if err := s.Read(b, 0, got, true); err != nil {
		return err
	}
	if !bytes.Equal(got, data) {
		return &CorruptError{Block: id, Reason: "other bytes were read"}
	}
	return nil
}
