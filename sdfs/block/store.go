// Package block stores immutable blocks of bytes under random ids: large ones in
// a disk file each, small ones many to a segment. Which blocks are wanted is not known
// here; the owner claims them on opening and frees them later. A server of a cluster, which holds copies of blocks that
// others named, claims all it finds (SettleAll) and stores blocks under the ids it is given (PutAll, NewFileAs).
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
	"time"

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
	// Clean says that the store was closed in order, so that a torn tail is damage. SettleAll does not
	// look at it.
	Clean bool
	// Now is the clock by which things lie in the trash; nil: time.Now.
	Now func() time.Time
	// BadBytes bounds what is kept of large damaged blocks to be looked at; 0: 1 GB.
	BadBytes int64
	// OnBad is told of a copy that the store itself found bad and takes out of use while it does something else: compaction
	// of what SettleAll found, or a Put of a block that is there already. It may be called from any goroutine, and must
	// not wait for the store. nil: no one is told.
	OnBad func(*CorruptError)
}

// The folders of a block store.
const (
	blockDir   = "blocks"
	segmentDir = "segments"
	trashDir   = "trash"
)

// Dirs lists the folders that a block store needs.
func Dirs() []string { return []string{blockDir, segmentDir, trashDir} }

// Store holds blocks. Until Settle or SettleAll it is used by one goroutine; from then on all
// methods may run concurrently.
type Store struct {
	opts    Options
	disk    vfs.FS
	handles *handles
	cache   *bytesLRU[chunkKey]
	memory  *bytesLRU[namespace.BlockID]
	queue   *group.Queue[*put]
	writer  sync.WaitGroup
	faults  []*CorruptError // found on opening
	doubles []copyOf        // found on opening, beside those in the index
	odd     []string        // found on opening: files in the folder of blocks that can be none
	keepAll bool            // opened with SettleAll

	mu        sync.RWMutex // guards what follows
	index     index
	segments  map[uint64]*segment
	next      uint64   // number of the next segment
	open      *segment // being filled, or nil; changed with writing held
	diskBytes int64    // in files of their own
	failed    error    // why nothing can be written any more
	serial    uint16   // of the file that was named last

	trash   trash
	bad     sync.Mutex // held while the folder of bad copies is changed
	writing sync.Mutex // held while a group is written, and by whoever else changes the open segment

	spare  atomic.Bool   // the room that is left is not for new blocks
	temps  atomic.Uint64 // number of the last FileWriter of a given id
	named  atomic.Uint64 // files that got their name so far
	synced atomic.Uint64 // of these, those whose name is known to be durable
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
	holes   []hole    // in order: what the disk cannot read, as far as it is known. Such a segment goes to BadDir
	stuck   bool      // could not be opened: left as it is until the next opening
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
	if opts.Now == nil {
		opts.Now = time.Now
	}
	if opts.BadBytes == 0 {
		opts.BadBytes = 1 << 30
	}
	s := &Store{
		opts: opts, disk: opts.FS, handles: newHandles(opts.FS),
		cache: newBytesLRU[chunkKey](opts.CacheBytes), memory: newBytesLRU[namespace.BlockID](opts.MemoryBytes),
		queue: group.NewQueue[*put](), segments: map[uint64]*segment{}, next: 1,
	}
	if err := s.findBlocks(); err != nil {
		return nil, err
	}
	if err := s.findSegments(ctx); err != nil {
		return nil, err
	}
	if err := s.findTrash(); err != nil {
		return nil, err
	}
	return s, nil
}

// Claim says that a block is wanted, and whether it is there. Before Settle only.
func (s *Store) Claim(b namespace.Block) bool {
	p, ok := s.index.get(b.ID)
	if !ok || p.length != b.Length {
		return false
	}
	if !p.claimed {
		p.claimed = true
		s.index.set(b.ID, p)
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
	s.doubles, s.odd = nil, nil
	for id, p := range s.index.all() {
		if p.claimed {
			continue
		}
		s.index.remove(id)
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
	// What the log names was durable before the log named it. But the last process may have been killed
	// before the name of the segment was that is about to take more.
	if s.open != nil {
		if err := s.disk.SyncDir(segmentDir); err != nil {
			return s.fail("making a segment durable", err)
		}
	}
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
		if ok && !sized && !e.Dir {
			s.odd = append(s.odd, e.Name)
		}
		if !ok || !sized {
			continue // temporary, or not whole: Check tells of those that are wanted
		}
		s.index.set(id, place{length: length})
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
	u := Usage{Blocks: s.index.count, DiskBytes: s.diskBytes, MemoryBytes: s.memory.size(), CacheBytes: s.cache.size()}
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

// create makes a disk file; where somebody has removed its folder, that, too.
func (s *Store) create(name string) (vfs.File, error) {
	f, err := s.disk.Create(name)
	if !notThere(err) {
		return f, err
	}
	if err := s.disk.Mkdir(path.Dir(name)); err != nil {
		return nil, err
	}
	if err := s.disk.SyncDir(""); err != nil {
		return nil, s.fail("making a folder durable", err)
	}
	return s.disk.Create(name)
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
