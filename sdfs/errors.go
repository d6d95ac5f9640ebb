package sdfs

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/rainsql/rainsql/sdfs/block"
	"github.com/rainsql/rainsql/sdfs/namespace"
	"github.com/rainsql/rainsql/sdfs/wal"
)

// What errors.Is finds in the errors of a store.
var (
	ErrNotFound = namespace.ErrNotFound // there is no such file
	ErrExists   = namespace.ErrExists   // there is one already
	ErrConflict = namespace.ErrConflict // the file was removed or replaced meanwhile
	ErrName     = namespace.ErrName     // not a name for a file

	// ErrNoSpace means that the disk is full. Reads and Remove still work.
	ErrNoSpace = errors.New("the disk of the file store is full: remove files (rainsql fs rm NAME) or make room on it, then try again")
	// ErrReadOnly means that writing to the disk failed in a way that leaves unknown what is on it.
	// Reads go on; reopening the store finds out.
	ErrReadOnly = errors.New("the file store takes no more changes after a disk error; reopen it (restart the process)")
	// ErrUnknown means that the caller stopped waiting: the change may or may not take effect.
	ErrUnknown = errors.New("the change may still take effect")
	// ErrClosed means that the store, the file or the writer is closed.
	ErrClosed = errors.New("closed")
)

// CorruptError says that stored bytes are not those that were written, naming file, block,
// chunk, disk file and offset.
type CorruptError = block.CorruptError

// DamageError says that the log, without which no file can be found, is not what was written.
type DamageError = wal.DamageError

// Explain implements Backend.
func (l *local) Explain(err error) error {
	switch {
	case err == nil:
		return nil
	case l.failure() != nil:
		return fmt.Errorf("%w: %w", ErrReadOnly, l.failure())
	case errors.Is(err, syscall.ENOSPC) && !errors.Is(err, ErrNoSpace):
		return fmt.Errorf("%w (%w)", ErrNoSpace, err)
	}
	return err
}

// failure is why nothing can be written any more, or nil.
func (l *local) failure() error {
	if err := l.log.Err(); err != nil {
		return err
	}
	return l.blocks.Err()
}
