package vfs

import (
	"errors"
	"os"

	"golang.org/x/sys/windows"
)

// tryLock takes the lock of an open file, or reports that it is taken. The locked
// byte lies beyond the text, which others may then read.
func tryLock(f *os.File) (bool, error) {
	at := &windows.Overlapped{OffsetHigh: 1}
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY, 0, 1, 0, at)
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return false, nil
	}
	return err == nil, err
}

func noSpace(err error) bool { return errors.Is(err, windows.ERROR_DISK_FULL) }

// syncDir does nothing: NTFS journals changes of folders, and offers no more.
func syncDir(string) error { return nil }
