package process

import (
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// endWithParent has a process killed when its parent ends, however that may be.
func endWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// smallDisk mounts a file system of some bytes, in memory, and gives what takes it away.
func smallDisk(at string, bytes int64) (func() error, error) {
	if err := os.MkdirAll(at, 0o755); err != nil {
		return nil, err
	}
	if err := unix.Mount("tmpfs", at, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, fmt.Sprint("size=", bytes)); err != nil {
		return nil, &os.PathError{Op: "mount", Path: at, Err: err}
	}
	return func() error { return unix.Unmount(at, unix.MNT_DETACH) }, nil
}
