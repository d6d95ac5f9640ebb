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

func (l *local) isLow() bool {
	l.space.mu.Lock()
	defer l.space.mu.Unlock()
	return l.space.low
}

// keepReserve makes the reserve unless it is there, and tells whether it is.
func (l *local) keepReserve() bool {
	l.space.mu.Lock()
	defer l.space.mu.Unlock()
	e, err := l.cfg.FS.Stat(reserveName)
	if errors.Is(err, fs.ErrNotExist) || err == nil && e.Size != l.cfg.ReserveBytes {
		err = vfs.WriteFile(l.cfg.FS, reserveName, reserveText(l.cfg.ReserveBytes))
	}
	if errors.Is(err, syscall.ENOSPC) {
		if !l.space.low {
			l.cfg.OnEvent(Event{What: "reserve", Err: err})
			l.blocks.Spare(true)
		}
		l.space.low = true
		return false
	}
	if err != nil { // the store works without, as long as there is room
		l.cfg.OnEvent(Event{What: "reserve", Err: err})
	}
	if l.space.low {
		l.blocks.Spare(false)
	}
	l.space.low = false
	return true
}

// withReserve gives up the reserve for something that removes or compacts. Until that is done no one makes
// it anew.
func (l *local) withReserve(do func() error) error {
	l.space.mu.Lock()
	defer l.space.mu.Unlock()
	l.space.low = true
	l.blocks.Spare(true)
	err := l.cfg.FS.Remove(reserveName)
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	l.cfg.OnEvent(Event{What: "reserve given up", Err: err})
	return do()
}

// makeRoom tries to have the reserve back after it was given up: from what was removed, then by compaction.
func (l *local) makeRoom() bool {
	l.tidySpace()
	return l.keepReserve() || l.compactWithReserve()
}

// squeeze is for when a write found the disk full. It compacts with the help of the reserve, if there is
// something to gain, and tells whether trying again may help.
func (l *local) squeeze() bool {
	if l.failure() != nil {
		return false
	}
	l.tidySpace()
	return l.compactWithReserve()
}

// compactWithReserve compacts segments for which the reserve is room enough, while no one else may
// take that room, and tells whether the reserve is there.
func (l *local) compactWithReserve() bool {
	l.space.squeezing.Lock()
	defer l.space.squeezing.Unlock()
	most := l.cfg.ReserveBytes / 2
	if !l.blocks.Squeezable(most) {
		return !l.isLow() // someone else may have done it
	}
	_ = l.withReserve(func() error { return l.compact(most) }) // what it gave back shows now
	return l.keepReserve()
}

// compact copies what is left of segments that are mostly wanted no more, those of which at
// most most bytes are wanted.
func (l *local) compact(most int64) error {
	l.space.compacting.Lock()
	defer l.space.compacting.Unlock()
	for l.ctx.Err() == nil {
		done, err := l.blocks.Compact(l.ctx, most)
		if err != nil && !errors.Is(err, context.Canceled) {
			l.cfg.OnEvent(Event{What: "compact", Err: err})
		}
		if err != nil || !done {
			return err
		}
		l.tidySpace()
	}
	return l.ctx.Err()
}

// reserveText is what the reserve holds: numbers that no disk compresses away, the same in every
// store, so that Check can tell damage.
func reserveText(size int64) []byte {
	text := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte([]byte("rainsql file store: disk reserve"))).Read(text) // never fails
	return text
}

// tidySpace gives back to the disk what no manifest and no open file names any more.
func (l *local) tidySpace() {
	l.space.freeing.Lock()
	defer l.space.freeing.Unlock()
	for _, f := range l.takeFreed() {
		ids := make([]namespace.BlockID, 0, f.Blocks.Len())
		for _, b := range f.Blocks.All() {
			ids = append(ids, b.ID)
		}
		if err := l.blocks.Free(ids...); err != nil {
			l.cfg.OnEvent(Event{What: "free", Err: err})
		}
	}
	if err := l.blocks.Tidy(); err != nil {
		l.cfg.OnEvent(Event{What: "free", Err: err})
	}
	if err := l.blocks.EmptyTrash(); err != nil {
		l.cfg.OnEvent(Event{What: "trash", Err: err})
	}
}

// takeFreed gives what was freed and is not pinned.
func (l *local) takeFreed() []freed {
	l.mu.Lock()
	defer l.mu.Unlock()
	var take, keep []freed
	for _, f := range l.freed {
		pinned := false
		for reader := range l.pins[f.File] {
			pinned = pinned || reader.at < f.index
		}
		if pinned {
			keep = append(keep, f)
		} else {
			take = append(take, f)
		}
	}
	l.freed = keep
	return take
}
