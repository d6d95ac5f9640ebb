package sdfs

import (
	"errors"
	"io/fs"
	"math/rand/v2"
	"sync"
	"syscall"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

const reserveName = "reserve"

// spaceKeeper is the disk space kept back for removing files on a full disk.
type spaceKeeper struct {
	mu  sync.Mutex
	low bool // the reserve was given up: nothing but removing is allowed

	freeing sync.Mutex // held while blocks are freed
}

func (s *Store) isLow() bool {
	s.space.mu.Lock()
	defer s.space.mu.Unlock()
	return s.space.low
}

// keepReserve makes the reserve unless it is there, and tells whether it is.
func (s *Store) keepReserve() bool {
	s.space.mu.Lock()
	defer s.space.mu.Unlock()
	e, err := s.cfg.FS.Stat(reserveName)
	if errors.Is(err, fs.ErrNotExist) || err == nil && e.Size != s.cfg.ReserveBytes {
		err = writeFile(s.cfg.FS, reserveName, reserveText(s.cfg.ReserveBytes))
	}
	if errors.Is(err, syscall.ENOSPC) {
		if !s.space.low {
			s.cfg.OnEvent(Event{What: "reserve", Err: err})
		}
		s.space.low = true
		return false
	}
	if err != nil { // the store works without, as long as there is room
		s.cfg.OnEvent(Event{What: "reserve", Err: err})
	}
	s.space.low = false
	return true
}

// giveUpReserve frees the space that was kept back.
func (s *Store) giveUpReserve() {
	s.space.mu.Lock()
	defer s.space.mu.Unlock()
	s.space.low = true
	err := s.cfg.FS.Remove(reserveName)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	s.cfg.OnEvent(Event{What: "reserve given up", Err: err})
}

// reserveText is what the reserve holds: numbers that no disk compresses away, the same in every
// store, so that Check can tell damage.
func reserveText(size int64) []byte {
	text := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte([]byte("rainsql file store: disk reserve"))).Read(text) // never fails
	return text
}

// tidySpace gives back to the disk what no manifest and no open file names any more.
func (s *Store) tidySpace() {
	s.space.freeing.Lock()
	defer s.space.freeing.Unlock()
	for _, f := range s.takeFreed() {
		ids := make([]namespace.BlockID, 0, f.Blocks.Len())
		for _, b := range f.Blocks.All() {
			ids = append(ids, b.ID)
		}
		if err := s.blocks.Free(ids...); err != nil {
			s.cfg.OnEvent(Event{What: "free", Err: err})
		}
	}
	if err := s.blocks.EmptyTrash(); err != nil {
		s.cfg.OnEvent(Event{What: "trash", Err: err})
	}
}

// takeFreed gives what was freed and is not pinned.
func (s *Store) takeFreed() []freed {
	s.mu.Lock()
	defer s.mu.Unlock()
	var take, keep []freed
	for _, f := range s.freed {
		pinned := false
		for reader := range s.pins[f.File] {
			pinned = pinned || reader.at < f.index
		}
		if pinned {
			keep = append(keep, f)
		} else {
			take = append(take, f)
		}
	}
	s.freed = keep
	return take
}
