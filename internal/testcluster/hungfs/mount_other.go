//go:build !linux

package hungfs

import (
	"errors"
	"syscall"
)

var errOS = errors.New("hungfs: there is FUSE on Linux only")

// FS is a mounted file system; there is none on this system.
type FS struct{}

// Available says why Mount cannot work here.
func Available() error { return errOS }

// Mount fails.
func Mount(_, _ string) (*FS, error) { return nil, errOS }

// Path is where it is mounted.
func (f *FS) Path() string { return "" }

// Hang has changes wait.
func (f *FS) Hang(bool) {}

// Fail has changes fail.
func (f *FS) Fail(syscall.Errno) {}

// Waiting is how many operations hang.
func (f *FS) Waiting() int { return 0 }

// Unmount takes the file system away.
func (f *FS) Unmount() error { return nil }
