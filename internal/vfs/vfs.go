// Package vfs is the disk behind a seam: the few operations that the file
// store needs, so that its tests can stop a process, tear a write or run out
// of space at any of them (package simdisk). OS is the real disk.
//
// Names are relative to the root of an FS, with '/' between their parts.
// Errors satisfy errors.Is for fs.ErrNotExist, fs.ErrExist and, where the disk
// is full, syscall.ENOSPC.
package vfs

import (
	"fmt"
	"io"
)

// FS is a folder of a disk. All methods may be called concurrently.
//
// Create, Rename, Remove and Mkdir change a folder; the change outlives a loss
// of power only after SyncDir of that folder (of both, for a Rename between two).
type FS interface {
	// Create makes a file that must not exist yet, to read and write.
	Create(name string) (File, error)
	// Open opens an existing file to read.
	Open(name string) (File, error)
	// OpenWrite opens an existing file to read and write.
	OpenWrite(name string) (File, error)
	// Rename moves a file, replacing one of the new name. It is atomic.
	Rename(from, to string) error
	// Remove removes a file. Open Files of it stay readable.
	Remove(name string) error
	// Mkdir makes a folder whose parent exists; one that is there is no error.
	// The name "" stands for the root itself, which is made with its parents.
	Mkdir(name string) error
	// List gives the entries of a folder in the order of their names.
	List(dir string) ([]Entry, error)
	// Stat describes a file or a folder.
	Stat(name string) (Entry, error)
	// SyncDir makes the changes of a folder durable.
	SyncDir(dir string) error
	// Lock takes the lock that a file stands for, making the file if need be, and writes
	// holder into it. It is held until Close or the end of the process. If another holds it,
	// the error is a *LockedError.
	Lock(name, holder string) (io.Closer, error)
	// Path is what to call a file in a message to a user.
	Path(name string) string
}

// File is an open file. Reads may run concurrently with everything but Close;
// writes to ranges that do not overlap may run concurrently.
type File interface {
	io.ReaderAt
	// WriteAt writes all of p or fails, in which case any part of p may have
	// been written. A gap before off reads as zeros.
	io.WriterAt
	// Sync makes the content and the size durable. After a failed Sync nothing
	// is known of what was written since the one before it: never retry.
	Sync() error
	Truncate(size int64) error
	Size() (int64, error)
	Close() error
}

// Entry is one name in a folder.
type Entry struct {
	Name string // the last part
	Size int64  // bytes; 0 for a folder
	Dir  bool
}

// LockedError says that another process holds a lock.
type LockedError struct {
	Path   string
	Holder string // what the holder wrote, empty where it cannot be read
}

func (e *LockedError) Error() string {
	holder := e.Holder
	if holder == "" {
		holder = "another process"
	}
	return fmt.Sprintf("%s is held by %s", e.Path, holder)
}

// Spacious is an FS that knows how much room there is.
type Spacious interface {
	// Free is how many bytes could still be written; errors.ErrUnsupported where the system does not tell.
	Free() (int64, error)
}

// Free is how many bytes can still be written to a disk, -1 where nobody knows.
func Free(disk FS) int64 {
	if s, ok := disk.(Spacious); ok {
		if n, err := s.Free(); err == nil {
			return n
		}
	}
	return -1
}
