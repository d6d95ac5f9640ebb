package vfs

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// syncData leaves out times and other metadata that reading back does not need.
func syncData(f *os.File) error {
	for {
		err := unix.Fdatasync(int(f.Fd()))
		if !errors.Is(err, unix.EINTR) {
			if err != nil {
				return &os.PathError{Op: "fdatasync", Path: f.Name(), Err: err}
			}
			return nil
		}
	}
}
