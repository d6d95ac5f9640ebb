package sdfs

import (
	"context"
	"errors"
	"io/fs"
	"math/rand/v2"
	"sync"
	"syscall"

	"github.com/rainsql/rainsql/internal/vfs"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

const reserveName = "reserve"

// spaceKeeper is the disk space kept back for removing files on a full disk.
type spaceKeeper struct {
	mu  sync.Mutex
	low bool // the reserve was given up: nothing but removing is allowed

	freeing    sync.Mutex // held while blocks are freed
	compacting sync.Mutex // held while segments are compacted
	squeezing  sync.Mutex // held while that is done with the help of the reserve
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
		err = vfs.WriteFile(s.cfg.FS, reserveName, reserveText(s.cfg.ReserveBytes))
	}
	if errors.Is(err, syscall.ENOSPC) {
		if !s.space.low {
			s.cfg.OnEvent(Event{What: "reserve", Err: err})
			s.blocks.Spare(true)
		}
		s.space.low = true
		return false
	}
	if err != nil { // the store works without, as long as there is room
		s.cfg.OnEvent(Event{What: "reserve", Err: err})
	}
	if s.space.low {
		s.blocks.Spare(false)
	}
	s.space.low = false
	return true
}

// withReserve gives up the reserve for something that removes or compacts. Until that is done no one makes
// it anew.
func (s *Store) withReserve(do func() error) error {
	s.space.mu.Lock()
	defer s.space.mu.Unlock()
	s.space.low = true
	s.blocks.Spare(true)
	err := s.cfg.FS.Remove(reserveName)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	s.cfg.OnEvent(Event{What: "reserve given up", Err: err})
	return do()
}

// makeRoom tries to have the reserve back after it was given up: from what was removed, then by compaction.
func (s *Store) makeRoom() bool {
	s.tidySpace()
	return s.keepReserve() || s.compactWithReserve()
}

// squeeze is for when a write found the disk full. It compacts with the help of the reserve, if there is
// something to gain, and tells whether trying again may help.
func (s *Store) squeeze() bool {
	if s.failure() != nil {
		return false
	}
	s.tidySpace()
	return s.compactWithReserve()
}

// compactWithReserve compacts segments for which the reserve is room enough, while no one else may
// take that room, and tells whether the reserve is there.
func (s *Store) compactWithReserve() bool {
	s.space.squeezing.Lock()
	defer s.space.squeezing.Unlock()
	most := s.cfg.ReserveBytes / 2
	if !s.blocks.Squeezable(most) {
		return !s.isLow() // someone else may have done it
	}
	_ = s.withReserve(func() error { return s.compact(most) }) // what it gave back shows now
	return s.keepReserve()
}

// compact copies what is left of segments that are mostly wanted no more, those of which at
// most most bytes are wanted.
func (s *Store) compact(most int64) error {
	s.space.compacting.Lock()
	defer s.space.compacting.Unlock()
	for s.ctx.Err() == nil {
		done, err := s.blocks.Compact(s.ctx, most)
		if err != nil && !errors.Is(err, context.Canceled) {
			s.cfg.OnEvent(Event{What: "compact", Err: err})
		}
		if err != nil || !done {
			return err
		}
		s.tidySpace()
	}
	return s.ctx.Err()
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
	if err := s.blocks.Tidy(); err != nil {
		s.cfg.OnEvent(Event{What: "free", Err: err})
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
