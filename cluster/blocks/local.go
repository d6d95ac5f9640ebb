package blocks

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/internal/vfs"
	"github.com/rainsql/rainsql/sdfs/block"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// LocalConfig says what a server's block store may use. Zero values mean the defaults.
type LocalConfig struct {
	FS   vfs.FS
	Self state.Holder
	Log  Log

	CacheBytes  int64 // of what is read from disk in small pieces; default 64 MB
	MemoryBytes int64 // of small blocks written lately; default 64 MB
	// SpareBytes is how much room the disk must have for new blocks to be taken: the coordinator's log is on the same disk.
	// Default 256 MB.
	SpareBytes int64

	// Lost is told of a block whose copy here was found damaged, and taken out of use. It must not wait.
	Lost func(namespace.BlockID)
	// Now is the clock. Default time.Now.
	Now func() time.Time
}

// Local is the block store of this server. All methods may be called concurrently.
type Local struct {
	cfg   LocalConfig
	store *block.Store
	bad   damages // copies found damaged since the start

	confirming sync.RWMutex // held for reading while others are told what is here, for writing while copies are given up that belong elsewhere

	queued  atomic.Int64        // bytes of small blocks that were sent here and are not written yet
	writing *semaphore.Weighted // bounds those of them that the store has

	mu     sync.Mutex
	staged map[namespace.BlockID]staged // how blocks came that are here, or on their way
}

// What errors.Is finds in the errors of block stores, here and elsewhere.
var (
	// ErrFull means that a server's disk has no room for new blocks.
	ErrFull = errors.New("the disk has no room for new blocks")
	// ErrNoCopy means that all servers were asked for a block, and none has a copy that is whole.
	ErrNoCopy = errors.New("no server has a copy that is whole")
	// ErrAway means that none of those that answered has a copy that is whole, and others did not answer.
	ErrAway = errors.New("servers that may have a copy do not answer")
	// ErrTooFew means that fewer servers than must have a block could store it.
	ErrTooFew = errors.New("too few servers could store a block")
)

// MaxBlock is the most bytes of a block.
const MaxBlock = namespace.MaxBlock

// segmentBytes is how large a disk file of small blocks gets.
const segmentBytes = 64 << 20

// OpenLocal opens the block store of a data directory, or makes one there.
func OpenLocal(ctx context.Context, cfg LocalConfig) (*Local, error) {
	const mb = 1 << 20
	for _, d := range []struct {
		to  *int64
		def int64
	}{{&cfg.CacheBytes, 64 * mb}, {&cfg.MemoryBytes, 64 * mb}, {&cfg.SpareBytes, 256 * mb}} {
		if *d.to <= 0 {
			*d.to = d.def
		}
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Lost == nil {
		cfg.Lost = func(namespace.BlockID) {}
	}
	for _, dir := range block.Dirs() {
		if err := cfg.FS.Mkdir(dir); err != nil {
			return nil, err
		}
	}
	if err := cfg.FS.SyncDir(""); err != nil {
		return nil, err
	}
	l := &Local{cfg: cfg, writing: semaphore.NewWeighted(mostWriting), staged: map[namespace.BlockID]staged{}}
	var err error
	l.store, err = block.Open(ctx, block.Options{
		FS: cfg.FS, SegmentBytes: segmentBytes, BlockBytes: namespace.MaxBlock, CacheBytes: cfg.CacheBytes, MemoryBytes: cfg.MemoryBytes,
		MakeRoom: l.makeRoom, Now: cfg.Now, OnBad: l.lost,
	})
	if err != nil {
		return nil, err
	}
	if err := l.store.SettleAll(ctx); err != nil {
		return nil, errors.Join(err, l.store.Close())
	}
	return l, nil
}

// makeRoom gives up what is only kept for a while. If it does not help, the write says so.
func (l *Local) makeRoom() {
	_ = l.store.EmptyTrash()
	_ = l.store.EmptyBad()
}

// lost is told of a damaged copy that was taken out of use.
func (l *Local) lost(e *block.CorruptError) {
	if e.Path == "" {
		return // it was given up meanwhile
	}
	l.bad.add(e)
	l.cfg.Lost(e.Block)
}

// Close closes the store.
func (l *Local) Close() error { return l.store.Close() }

// Err is why nothing can be written any more, or nil.
func (l *Local) Err() error { return l.store.Err() }

// Has tells whether there is a copy of a block here, as far as is known without looking at the disk.
func (l *Local) Has(b namespace.Block) bool {
	length, ok := l.store.Has(b.ID)
	return ok && length == b.Length
}

// room tells whether new blocks are taken.
func (l *Local) room() error {
	free := vfs.Free(l.cfg.FS)
	if free >= 0 && free < l.cfg.SpareBytes {
		l.makeRoom()
		if free = vfs.Free(l.cfg.FS); free < l.cfg.SpareBytes {
			return fmt.Errorf("%w (%d MB are free, and %d MB are kept for the log)", ErrFull, free>>20, l.cfg.SpareBytes>>20)
		}
	}
	return nil
}

// explain marks errors of a full disk.
func explain(err error) error {
	if errors.Is(err, syscall.ENOSPC) && !errors.Is(err, ErrFull) {
		return fmt.Errorf("%w: %w", ErrFull, err)
	}
	return err
}

// Head is under what a block is written.
type Head struct {
	Lease uint64 // which keeps it until an entry names it; 0: one has
	Index uint64 // of the log, at which the lease is open
	Epoch uint64 // of the ring by which the writer goes
}

// admit waits until this server's log has what a writer goes by, and tells whether there is room.
func (l *Local) admit(ctx context.Context, h Head) error {
	if l.cfg.Log.State().Index() < h.Index {
		ctx, cancel := context.WithTimeout(ctx, admitTime)
		defer cancel()
		if _, err := l.cfg.Log.WaitApplied(ctx, h.Index); err != nil {
			return fmt.Errorf("this server is behind in the log: %w", err)
		}
	}
	return l.room()
}

// admitTime is how long a writer is kept waiting by a server that is behind in the log.
const admitTime = 2 * time.Second

// IDs gives all blocks that are here, in ascending order; see block.Store.IDs.
func (l *Local) IDs() iter.Seq[namespace.BlockID] { return l.store.IDs(0, 0) }

// Tidy gives space back to the disk: what was given up before a time, and disk files of small blocks most of which are wanted no
// more.
func (l *Local) Tidy(ctx context.Context, before time.Time) error {
	err := l.store.EmptyTrashBefore(before)
	if terr := l.store.Tidy(); err == nil {
		err = terr
	}
	for err == nil && ctx.Err() == nil {
		var more bool
		if more, err = l.store.Compact(ctx, segmentBytes); !more {
			break
		}
	}
	return err
}

// NewBlock begins a large block.
func (l *Local) NewBlock(ctx context.Context, h Head, id namespace.BlockID) (*LocalWriter, error) {
	if err := l.admit(ctx, h); err != nil {
		return nil, err
	}
	l.stage(h, id)
	w, err := l.store.NewFileAs(id)
	if err != nil {
		l.settle(id)
		return nil, explain(err)
	}
	return &LocalWriter{l: l, w: w, id: id}, nil
}

// LocalWriter writes a block to this server's disk. Finish or Abort must follow. It is used by one goroutine.
type LocalWriter struct {
	l    *Local
	w    *block.FileWriter
	id   namespace.BlockID
	over bool
}

// end is the end of the put, however it came out.
func (w *LocalWriter) end() {
	if !w.over {
		w.over = true
		w.l.settle(w.id)
	}
}

// Write adds bytes. After an error only Abort may follow.
func (w *LocalWriter) Write(p []byte) (int, error) {
	n, err := w.w.Write(p)
	return n, explain(err)
}

// Finish makes the block durable, if it is what it should be.
func (w *LocalWriter) Finish(want namespace.Block) error {
	defer w.end()
	_, err := w.w.FinishIf(func(got namespace.Block) error {
		if got != want {
			return fmt.Errorf("block %s came with %d bytes and checksum %08x, not with %d and %08x", want.ID, got.Length, got.CRC, want.Length, want.CRC)
		}
		return nil
	})
	if err == nil {
		err = w.l.store.SyncFolder()
	}
	return explain(err)
}

// Abort gives the block up.
func (w *LocalWriter) Abort() error {
	defer w.end()
	return w.w.Abort()
}

// Read fills p with a block's bytes from off on; each is checked. A copy that is not what its disk file says of it is taken out
// of use, and the error is a *block.CorruptError. That it is not what the caller says is his mistake: it stays.
func (l *Local) Read(ctx context.Context, b namespace.Block, off int64, p []byte, keep bool) error {
	err := l.store.Read(b, off, p, keep)
	var corrupt *block.CorruptError
	if errors.As(err, &corrupt) && l.Has(b) {
		err = errors.Join(err, l.condemn(ctx, b))
	}
	return err
}

// Sums gives the checksums of a large block's chunks.
func (l *Local) Sums(ctx context.Context, b namespace.Block) ([]uint32, error) {
	sums, err := l.store.Sums(b)
	var corrupt *block.CorruptError
	if errors.As(err, &corrupt) && l.Has(b) {
		err = errors.Join(err, l.condemn(ctx, b))
	}
	return sums, err
}

// Verify reads all of a block from disk. A copy that is not what the namespace says is taken out of use: b must come from there.
func (l *Local) Verify(ctx context.Context, b namespace.Block) error {
	err := l.store.Condemn(ctx, b)
	var corrupt *block.CorruptError
	if errors.As(err, &corrupt) {
		l.lost(corrupt)
	}
	return err
}

// condemn looks at a copy again that was found damaged, and takes it out of use if it is.
func (l *Local) condemn(ctx context.Context, b namespace.Block) error {
	if _, _, err := l.Examine(ctx, b.ID); ctx.Err() != nil {
		return err
	}
	return nil // the caller has the error already
}

// Confirming begins or ends an answer to another server about what is here, for which that may give up its copy.
func (l *Local) Confirming(begin bool) {
	if begin {
		l.confirming.RLock()
	} else {
		l.confirming.RUnlock()
	}
}

// FreeIf gives up copies that belong elsewhere, if still is true at a moment at which no other server is being told that they are
// here.
func (l *Local) FreeIf(still func() bool, ids ...namespace.BlockID) (bool, error) {
	l.confirming.Lock()
	defer l.confirming.Unlock()
	if !still() {
		return false, nil
	}
	return true, l.Free(ids...)
}

// Free gives up copies, but of blocks that are just being put once more. The bytes of large ones are in the trash for a while.
func (l *Local) Free(ids ...namespace.BlockID) error {
	return l.store.Free(l.forget(ids...)...)
}
