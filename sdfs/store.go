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
	"time"

	"github.com/rainsql/rainsql/sdfs/block"
	"github.com/rainsql/rainsql/sdfs/group"
	"github.com/rainsql/rainsql/sdfs/namespace"
	"github.com/rainsql/rainsql/sdfs/wal"
)

// Store is an open file store. All methods may be called concurrently. After Close they
// give ErrClosed.
type Store struct {
	cfg    Config
	lock   io.Closer
	log    *wal.Log
	blocks *block.Store
	found  []Fault // what opening found wrong, for Check

	queue *group.Queue[*proposal]
	lease lease // the committer's

	life    sync.RWMutex // held for reading by every call, for writing by Close
	closed  bool
	ctx     context.Context // ends as Close begins
	cancel  context.CancelFunc
	workers sync.WaitGroup
	wake    chan struct{} // tells the background of work
	merging sync.Mutex    // held by a merge

	mu        sync.Mutex // guards what follows
	state     *namespace.State
	pins      map[uint64]map[*File]struct{} // by file id
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
func Open(ctx context.Context, cfg Config) (*Store, error) {
	cfg = cfg.withDefaults()
	lock, err := takeLock(cfg)
	if err != nil {
		return nil, err
	}
	s, err := open(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("opening the file store: %w", errors.Join(err, lock.Close()))
	}
	s.lock = lock
	return s, nil
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

func open(ctx context.Context, cfg Config) (*Store, error) {
	if err := prepare(cfg); err != nil {
		return nil, err
	}
	s := &Store{
		cfg: cfg, queue: group.NewQueue[*proposal](), state: namespace.New(), pins: map[uint64]map[*File]struct{}{},
		mergeable: map[string]struct{}{}, wake: make(chan struct{}, 1),
	}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	var err error
	if s.log, err = wal.Open(ctx, logOptions(cfg), (*replayer)(s)); err != nil {
		return nil, err
	}
	if s.blocks, err = block.Open(ctx, s.blockOptions(s.log.WasClean())); err == nil {
		err = s.blocks.Settle(s.claim() > 0)
	}
	if err != nil {
		errs := []error{err, s.log.Close(false)}
		if s.blocks != nil {
			errs = append(errs, s.blocks.Close())
		}
		return nil, errors.Join(errs...)
	}
	if damage := s.log.MarkDamage(); damage != nil {
		s.found = append(s.found, logFault(damage))
	}
	for _, damage := range s.blocks.Faults() {
		s.found = append(s.found, blockFault(damage))
	}
	for _, f := range s.found {
		cfg.OnEvent(Event{What: "damage", Err: f})
	}
	s.lease.old = s.state.Leases()
	s.keepReserve()
	s.workers.Go(s.commitGroups)
	s.workers.Go(s.background)
	s.poke()
	return s, nil
}

func logOptions(cfg Config) wal.Options {
	return wal.Options{FS: cfg.FS, Dir: logDir, FileBytes: max(1, cfg.LogBytes/4)}
}

func (s *Store) blockOptions(clean bool) block.Options {
	cfg := s.cfg
	return block.Options{
		FS: cfg.FS, SegmentBytes: cfg.SegmentBytes, BlockBytes: cfg.BlockBytes,
		CacheBytes: cfg.CacheBytes, MemoryBytes: cfg.MemoryBytes, Clean: clean,
		MakeRoom: s.tidySpace, Squeeze: s.squeeze,
	}
}

// claim tells the block store what the namespace names, and gives the number of blocks that
// are missing. Reading them, or Check, says which.
func (s *Store) claim() int {
	missing := 0
	for _, f := range s.state.Files("") {
		for _, b := range f.Blocks.All() {
			if !s.blocks.Claim(b) {
				missing++
			}
		}
	}
	return missing
}

// replayer reads the log into a store that is being opened.
type replayer Store

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

// begin starts a call; end must follow if it gives nil.
func (s *Store) begin() error {
	s.life.RLock()
	if s.closed {
		s.life.RUnlock()
		return fmt.Errorf("the file store is %w", ErrClosed)
	}
	return nil
}

func (s *Store) end() { s.life.RUnlock() }

// now is the clock in µs.
func (s *Store) now() int64 { return s.cfg.Now().UnixMicro() }

func timeOf(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

// poke wakes the background.
func (s *Store) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Close waits for calls under way, ends the lease and what runs in the background, and lets
// another process open the store. Files and Writers that are still open are of no use afterwards.
func (s *Store) Close() error {
	s.cancel()
	s.life.Lock()
	defer s.life.Unlock()
	if s.closed {
		return fmt.Errorf("the file store is %w", ErrClosed)
	}
	s.closed = true
	s.endLease()
	s.queue.Close()
	s.workers.Wait()
	s.tidySpace()
	err := s.blocks.Close()
	return errors.Join(err, s.log.Close(err == nil && s.blocks.Err() == nil), s.lock.Close())
}

const (
	lockName   = "LOCK"
	formatName = "FORMAT"
	logDir     = "log"
)

// formatText is what the file FORMAT holds.
const formatText = "rainsql file store, format 1\n"

func isFormat(data []byte) bool { return bytes.Equal(data, []byte(formatText)) }
