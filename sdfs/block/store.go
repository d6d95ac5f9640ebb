// Package block stores immutable blocks of bytes under random ids: large ones in
// a disk file each, small ones many to a segment. Which blocks are wanted is not known
// here; the owner claims them on opening and frees them later.
package block

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/rainsql/rainsql/internal/vfs"
	"github.com/rainsql/rainsql/sdfs/group"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Options says where blocks are and how much memory they may take.
type Options struct {
	FS           vfs.FS
	SegmentBytes int64 // a segment longer than this is full
	BlockBytes   int64 // most bytes of a block
	CacheBytes   int64 // of chunks read from disk
	MemoryBytes  int64 // of small blocks written lately
	// MakeRoom is called where the disk is full, from any goroutine that writes; the write is then tried
	// once more. It must not write blocks. nil: nothing can be done.
	MakeRoom func()
	// Squeeze is called where that was not enough, and tells whether trying once more may help. It may
	// compact. nil: nothing can be done.
	Squeeze func() bool
	// Clean says that the store was closed in order, so that a torn tail is damage.
	Clean bool
}

// The folders of a block store.
const (
	blockDir   = "blocks"
	segmentDir = "segments"
	trashDir   = "trash"
)

// Dirs lists the folders that a block store needs.
func Dirs() []string { return []string{blockDir, segmentDir, trashDir} }

// Store holds blocks. Until Settle it is used by one goroutine; from then on all methods
// may run concurrently.
type Store struct {
	opts    Options
	disk    vfs.FS
	handles *handles
	cache   *bytesLRU[chunkKey]
	memory  *bytesLRU[namespace.BlockID]
	queue   *group.Queue[*put]
	writer  sync.WaitGroup
	faults  []*CorruptError // found on opening

	mu        sync.RWMutex // guards what follows
	index     map[namespace.BlockID]place
	segments  map[uint64]*segment
	next      uint64   // number of the next segment
	open      *segment // being filled, or nil; changed with writing held
	diskBytes int64    // in files of their own
	failed    error    // why nothing can be written any more

	trash   sync.Mutex // held while the trash is emptied
	writing sync.Mutex // held while a group is written, and by whoever else changes the open segment

	spare atomic.Bool // the room that is left is not for new blocks
}

// place is where a block is.
type place struct {
	segment uint64 // 0: a file of its own
	off     int64
	length  uint32
	claimed bool // someone wants it
}

// segment is a disk file with many small blocks.
type segment struct {
	number  uint64
	sealed  bool      // full, with an index; else records may lack
	retired bool      // filled no more, though without an index
	damaged bool      // left as it is
	size    int64     // in bytes
	live    int64     // bytes of records that are claimed
	records []located // while it is open: what its index will say
	gaps    []gap     // found on opening: what is no record
	f       vfs.File  // while it is open
}

func (s *segment) name() string {
	if s.sealed {
		return fmt.Sprintf("%s/%016x%s", segmentDir, s.number, sealedSuffix)
	}
	return fmt.Sprintf("%s/%016x%s", segmentDir, s.number, openSuffix)
}

const (
	sealedSuffix = ".seg"
	openSuffix   = ".open"
	tmpSuffix    = ".tmp"
)

func blockName(id namespace.BlockID) string { return path.Join(blockDir, id.String()) }

// NewID is a fresh id.
func NewID() namespace.BlockID {
	var id namespace.BlockID
	_, _ = rand.Read(id[:]) // never fails
	return id
}

// Open finds what blocks there are. It changes nothing on disk.
func Open(ctx context.Context, opts Options) (*Store, error) {
	s := &Store{
		opts: opts, disk: opts.FS, handles: newHandles(opts.FS),
		cache: newBytesLRU[chunkKey](opts.CacheBytes), memory: newBytesLRU[namespace.BlockID](opts.MemoryBytes),
		queue: group.NewQueue[*put](), index: map[namespace.BlockID]place{}, segments: map[uint64]*segment{}, next: 1,
	}
	if err := s.findBlocks(); err != nil {
		return nil, err
	}
	if err := s.findSegments(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

// Claim says that a block is wanted, and whether it is there. Before Settle only.
func (s *Store) Claim(b namespace.Block) bool {
	p, ok := s.index[b.ID]
	if !ok || p.length != b.Length {
		return false
	}
	if !p.claimed {
		p.claimed = true
		s.index[b.ID] = p
		if p.segment != 0 {
			s.segments[p.segment].live += recordSize(b.Length)
		}
	}
	return true
}

// Settle ends opening: what was not claimed goes to the trash, torn tails of segments are
// cut off, and writing may begin. missing tells that a block that was claimed is not there: then nothing
// is cut or given up, for the block may be in what looks like a torn tail.
func (s *Store) Settle(missing bool) error {
	s.Judge()
	for id, p := range s.index {
		if p.claimed {
			continue
		}
		delete(s.index, id)
		if p.segment == 0 && !missing {
			if err := s.toTrash(blockName(id)); err != nil {
				return err
			}
			s.diskBytes -= int64(p.length) + footerSize(p.length)
		}
	}
	if err := s.settleSegments(missing); err != nil {
		return err
	}
	if err := s.removeStrays(); err != nil {
		return err
	}
	// Nothing needs to be synced: what the log names was, before the log named it.
	s.writer.Go(s.writeGroups)
	return nil
}

func (s *Store) removeStrays() error {
	for _, dir := range []string{blockDir, segmentDir} {
		list, err := s.disk.List(dir)
		if err != nil {
			return err
		}
		for _, e := range list {
			if path.Ext(e.Name) == tmpSuffix {
				if err := s.disk.Remove(path.Join(dir, e.Name)); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// findBlocks lists the blocks that have files of their own.
func (s *Store) findBlocks() error {
	list, err := s.disk.List(blockDir)
	if err != nil {
		return err
	}
	for _, e := range list {
		id, ok := parseBlockName(e.Name)
		length, sized := lengthOf(e.Size)
		if !ok || !sized {
			continue // temporary, or not whole: Check tells of those that are wanted
		}
		s.index[id] = place{length: length}
		s.diskBytes += e.Size
	}
	return nil
}

// Faults is what was found wrong on opening; the rest is found by reading.
func (s *Store) Faults() []*CorruptError { return s.faults }

// Err is why nothing can be written any more, or nil.
func (s *Store) Err() error {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.failed
}

// fail stops all writing for good: what is on disk is unknown after a failed fsync.
func (s *Store) fail(what string, err error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = fmt.Errorf("%s: %w", what, err)
	}
	return s.failed
}

// Usage is what the blocks take.
type Usage struct {
	Blocks      int   // wanted, or being written
	DiskBytes   int64 // in their files and in segments
	DeadBytes   int64 // of these, in segments and wanted no more
	TrashBytes  int64
	MemoryBytes int64 // in the memory tier
	CacheBytes  int64
}

// Usage tells what the blocks take now.
func (s *Store) Usage() Usage {
	s.mu.RLock()
	u := Usage{Blocks: len(s.index), DiskBytes: s.diskBytes, MemoryBytes: s.memory.size(), CacheBytes: s.cache.size()}
	for _, seg := range s.segments {
		u.DiskBytes += seg.size
		u.DeadBytes += max(0, seg.size-seg.live-segHeader)
	}
	s.mu.RUnlock()
	if list, err := s.disk.List(trashDir); err == nil {
		for _, e := range list {
			u.TrashBytes += e.Size
		}
	}
	return u
}

// Close waits for writes under way and closes all files. Put must not be called any more.
func (s *Store) Close() error {
	s.queue.Close()
	s.writer.Wait()
	s.handles.close()
	var errs []error
	for _, seg := range s.segments {
		if seg.f != nil {
			errs = append(errs, seg.f.Close())
		}
	}
	return errors.Join(errs...)
}

// writeAt writes to a file of the store, if need be after making room.
func (s *Store) writeAt(f vfs.File, p []byte, off int64) error {
	_, err := f.WriteAt(p, off)
	if errors.Is(err, syscall.ENOSPC) && s.opts.MakeRoom != nil {
		s.opts.MakeRoom()
		_, err = f.WriteAt(p, off)
	}
	return err
}

// squeeze tells whether something that failed is worth another try.
func (s *Store) squeeze(err error) bool {
	return errors.Is(err, syscall.ENOSPC) && s.Err() == nil && s.opts.Squeeze != nil && s.opts.Squeeze()
}

func notThere(err error) bool { return errors.Is(err, fs.ErrNotExist) }

func (s *Store) sortedSegments() []*segment {
	list := make([]*segment, 0, len(s.segments))
	for _, seg := range s.segments {
		list = append(list, seg)
	}
	slices.SortFunc(list, func(a, b *segment) int { return cmp.Compare(a.number, b.number) })
	return list
}
