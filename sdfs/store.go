package sdfs

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Store is an open file store: files over whatever its Backend is. All methods may be called concurrently. After
// Close they give ErrClosed.
type Store struct {
	backend Backend
	sizes   Sizes

	life    sync.RWMutex // held for reading by every call, for writing by Close
	closed  bool
	ctx     context.Context // ends as Close begins
	cancel  context.CancelFunc
	workers sync.WaitGroup // blocks that are being finished
	merging chan struct{}  // has room for one: a merge
}

// New is a store over a backend, which is the store's from now on.
func New(b Backend, sizes Sizes) *Store {
	s := &Store{backend: b, sizes: sizes, merging: make(chan struct{}, 1)}
	s.ctx, s.cancel = context.WithCancel(context.Background())
	return s
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

// Close waits for calls under way and closes the backend. Files and Writers that are still open are of no use afterwards.
func (s *Store) Close() error {
	s.cancel()
	s.life.Lock()
	was := s.closed
	s.closed = true
	s.life.Unlock() // the backend's background may be about to begin a call
	if was {
		return fmt.Errorf("the file store is %w", ErrClosed)
	}
	s.workers.Wait()
	return s.backend.Close()
}

func timeOf(micros int64) time.Time { return time.UnixMicro(micros).UTC() }

// Stat describes a file.
func (s *Store) Stat(ctx context.Context, name string) (Info, error) {
	if err := s.begin(); err != nil {
		return Info{}, err
	}
	defer s.end()
	if err := CheckName(name); err != nil {
		return Info{}, err
	}
	return s.backend.Stat(ctx, name)
}

// List describes the files whose names fit a pattern (see Match), all of one moment, in the order
// of their names. "" stands for all files. That none fits is no error.
func (s *Store) List(ctx context.Context, pattern string) ([]Info, error) {
	if pattern == "" {
		pattern = "**"
	}
	g, err := parseGlob(pattern)
	if err != nil {
		return nil, err
	}
	if err := s.begin(); err != nil {
		return nil, err
	}
	defer s.end()
	all, err := s.backend.List(ctx, g.prefix())
	if err != nil {
		return nil, err
	}
	var list []Info
	for _, info := range all {
		if g.match(info.Name) {
			list = append(list, info)
		}
	}
	return list, nil
}

// Rename gives a file another name. It is refused with ErrExists if there is a file of that name.
func (s *Store) Rename(ctx context.Context, from, to string) error {
	if err := CheckName(to); err != nil {
		return err
	}
	return s.change(ctx, namespace.Entry{Kind: namespace.Rename, Name: from, To: to})
}

// Remove removes a file. Those who have it open can read on; its space is free after that.
func (s *Store) Remove(ctx context.Context, name string) error {
	return s.change(ctx, namespace.Entry{Kind: namespace.Remove, Name: name})
}

// change proposes an entry without blocks.
func (s *Store) change(ctx context.Context, e namespace.Entry) error {
	if err := s.begin(); err != nil {
		return err
	}
	defer s.end()
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := CheckName(e.Name); err != nil {
		return err
	}
	return s.backend.Explain(s.backend.Propose(ctx, e))
}
