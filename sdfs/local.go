package sdfs

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/rainsql/rainsql/sdfs/block"
	"github.com/rainsql/rainsql/sdfs/group"
	"github.com/rainsql/rainsql/sdfs/namespace"
	"github.com/rainsql/rainsql/sdfs/wal"
)

// Embedded is a store on one disk, held by one process.
type Embedded struct {
	*Store
	local *local
}

// local is the backend on one disk.
type local struct {
	cfg    Config
	lock   io.Closer
	log    *wal.Log
	blocks *block.Store
	found  []Fault // what opening found wrong, for Check

	queue *group.Queue[*proposal]
	lease lease // the committer's

	ctx     context.Context // ends as Close begins
	cancel  context.CancelFunc
	workers sync.WaitGroup
	wake    chan struct{} // tells the background of work
	files   *Store        // over this backend

	mu        sync.Mutex // guards what follows
	state     *namespace.State
	pins      map[uint64]map[*pin]struct{} // by file id
	freed     []freed
	mergeable map[string]struct{}

	space spaceKeeper
}

// freed is blocks that no manifest names since the entry of an index.
type freed struct {
	index uint64
	namespace.Freed
}

// Open opens the store of a folder, or makes one there. If another process has it open, the
// error is a *vfs.LockedError that says which; if the log is damaged, it is a *DamageError.
func Open(ctx context.Context, cfg Config) (*Embedded, error) {
	cfg = cfg.withDefaults()
	lock, err := takeLock(cfg)
	if err != nil {
		return nil, err
	}
	l, err := open(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("opening the file store: %w", errors.Join(err, lock.Close()))
	}
	l.lock = lock
	return &Embedded{Store: l.files, local: l}, nil
}

func takeLock(cfg Config) (io.Closer, error) {
	if err := cfg.FS.Mkdir(""); err != nil {
		return nil, fmt.Errorf("opening the file store: %w", err)
	}
	command := strings.Join(append([]string{filepath.Base(os.Args[0])}, os.Args[1:]...), " ")
	const most = 200
	if len(command) > most {
		command = command[:most] + "…"
	}
	lock, err := cfg.FS.Lock(lockName, fmt.Sprintf("process %d (%s)", os.Getpid(), command))
	if err != nil {
		return nil, fmt.Errorf("opening the file store: %w", err)
	}
	return lock, nil
}

func open(ctx context.Context, cfg Config) (*local, error) {
	if err := prepare(cfg); err != nil {
		return nil, err
	}
	l := &local{
		cfg: cfg, queue: group.NewQueue[*proposal](), state: namespace.New(), pins: map[uint64]map[*pin]struct{}{},
		mergeable: map[string]struct{}{}, wake: make(chan struct{}, 1),
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	var err error
	if l.log, err = wal.Open(ctx, logOptions(cfg), (*replayer)(l)); err != nil {
		return nil, err
	}
	if l.blocks, err = block.Open(ctx, l.blockOptions(l.log.WasClean())); err == nil {
		err = l.blocks.Settle(l.claim() > 0)
	}
	if err != nil {
		errs := []error{err, l.log.Close(false)}
		if l.blocks != nil {
			errs = append(errs, l.blocks.Close())
		}
		return nil, errors.Join(errs...)
	}
	if damage := l.log.MarkDamage(); damage != nil {
		l.found = append(l.found, logFault(damage))
	}
	for _, damage := range l.blocks.Faults() {
		l.found = append(l.found, blockFault(damage))
	}
	for _, f := range l.found {
		cfg.OnEvent(Event{What: "damage", Err: f})
	}
	l.lease.old = l.state.Leases()
	l.keepReserve()
	l.files = New(l, Sizes{Block: cfg.BlockBytes, Small: cfg.SmallBytes, Merge: cfg.MergeBlocks})
	l.workers.Go(l.commitGroups)
	l.workers.Go(l.background)
	l.poke()
	return l, nil
}

func logOptions(cfg Config) wal.Options {
	return wal.Options{FS: cfg.FS, Dir: logDir, FileBytes: max(1, cfg.LogBytes/4)}
}

func (l *local) blockOptions(clean bool) block.Options {
	cfg := l.cfg
	return block.Options{
		FS: cfg.FS, SegmentBytes: cfg.SegmentBytes, BlockBytes: cfg.BlockBytes,
		CacheBytes: cfg.CacheBytes, MemoryBytes: cfg.MemoryBytes, Clean: clean,
		MakeRoom: l.tidySpace, Squeeze: l.squeeze,
	}
}

// claim tells the block store what the namespace names, and gives the number of blocks that
// are missing. Reading them, or Check, says which.
func (l *local) claim() int {
	missing := 0
	for _, f := range l.state.Files("") {
		for _, b := range f.Blocks.All() {
			if !l.blocks.Claim(b) {
				missing++
			}
		}
	}
	return missing
}

// replayer reads the log into a store that is being opened.
type replayer local

func (r *replayer) Restore(in io.Reader) error {
	state, err := namespace.Restore(in)
	if err == nil {
		r.state = state
	}
	return err
}

func (r *replayer) Apply(index uint64, payload []byte) error {
	e, err := namespace.Decode(payload)
	if err != nil {
		return err
	}
	r.state, _ = namespace.Apply(r.state, index, e) // a refusal was told when it happened
	return nil
}

// now is the clock in µs.
func (l *local) now() int64 { return l.cfg.Now().UnixMicro() }

// poke wakes the background.
func (l *local) poke() {
	select {
	case l.wake <- struct{}{}:
	default:
	}
}

// Close ends the lease and what runs in the background, and lets another process open the store.
func (l *local) Close() error {
	l.cancel()
	l.endLease()
	l.queue.Close()
	l.workers.Wait()
	l.tidySpace()
	err := l.blocks.Close()
	return errors.Join(err, l.log.Close(err == nil && l.blocks.Err() == nil), l.lock.Close())
}

const (
	lockName   = "LOCK"
	formatName = "FORMAT"
	logDir     = "log"
)

// formatText is what the file FORMAT holds.
const formatText = "rainsql file store, format 1\n"

func isFormat(data []byte) bool { return bytes.Equal(data, []byte(formatText)) }
