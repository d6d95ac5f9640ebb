package hungfs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fs"
	"github.com/hanwen/go-fuse/v2/fuse"
	"golang.org/x/sys/unix"
)

// FS is a mounted file system. It is safe for concurrent use.
type FS struct {
	at     string
	server *fuse.Server

	mu      sync.Mutex
	hang    bool
	errno   syscall.Errno
	gone    bool
	waiting int
	changed chan struct{} // closed, and made anew, when hang, errno or gone changes
}

// Available says why Mount cannot work here, if so.
func Available() error {
	fd, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("hungfs: /dev/fuse: %w", err)
	}
	_ = unix.Close(fd)
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var caps [2]unix.CapUserData
	if err := unix.Capget(&header, &caps[0]); err != nil {
		return fmt.Errorf("hungfs: capabilities: %w", err)
	}
	if caps[0].Effective&(1<<unix.CAP_SYS_ADMIN) == 0 {
		return errors.New("hungfs: mounting needs root or CAP_SYS_ADMIN")
	}
	return nil
}

// Mount shows the folder backing at the folder at; both are made if need be. While it is mounted the content
// must be changed through at alone, since the kernel keeps pages and names of it. Unmount it.
func Mount(backing, at string) (*FS, error) {
	backing, err := filepath.Abs(backing)
	if err != nil {
		return nil, err
	}
	if at, err = filepath.Abs(at); err != nil {
		return nil, err
	}
	for _, dir := range []string{backing, at} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return nil, err
		}
	}
	sweep()
	// Mounted here instead of by DirectMount of go-fuse, which lets children inherit the
	// device: they would keep the mount waiting for a server that has ended.
	dev, err := unix.Open("/dev/fuse", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: "/dev/fuse", Err: err}
	}
	options := fmt.Sprintf("fd=%d,rootmode=%o,user_id=%d,group_id=%d,allow_other", dev, syscall.S_IFDIR, os.Geteuid(), os.Getegid())
	if err := unix.Mount("hungfs", at, "fuse.hungfs", unix.MS_NOSUID|unix.MS_NODEV, options); err != nil {
		_ = unix.Close(dev)
		return nil, &os.PathError{Op: "mount", Path: at, Err: err}
	}
	f := &FS{at: at, changed: make(chan struct{})}
	root, err := fs.NewLoopbackRoot(backing)
	if err == nil {
		f.server, err = fs.Mount(fmt.Sprintf("/dev/fd/%d", dev), &node{LoopbackNode: root.(*fs.LoopbackNode), fs: f}, &fs.Options{
			MountOptions: fuse.MountOptions{
				// With it the kernel would write to the backing files past us.
				DisabledCapabilities: fuse.CAP_PASSTHROUGH,
				IgnoreSecurityLabels: true,
			},
		})
	}
	if err == nil {
		err = f.endPolls()
	}
	if err != nil {
		_ = unix.Unmount(at, unix.MNT_FORCE|unix.MNT_DETACH)
		return nil, fmt.Errorf("hungfs: %s: %w", at, err)
	}
	return f, nil
}

// sweep takes away what processes that were killed left mounted.
func sweep() {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return
	}
	for line := range strings.Lines(string(mounts)) {
		parts := strings.Fields(line)
		if len(parts) < 3 || parts[2] != "fuse.hungfs" {
			continue
		}
		if _, err := os.Stat(parts[1]); errors.Is(err, unix.ENOTCONN) {
			_ = unix.Unmount(parts[1], unix.MNT_DETACH) // another may do the same
		}
	}
}

// endPolls has the kernel ask once whether our files can be polled, and learn that they cannot. It would
// ask when this process first opens one, with a thread that Go does not know to be waiting. go-fuse has a file for that.
func (f *FS) endPolls() error {
	fd, err := unix.Open(filepath.Join(f.at, ".go-fuse-epoll-hack"), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	_, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, 0)
	return errors.Join(err, unix.Close(fd))
}

// Path is where it is mounted.
func (f *FS) Path() string { return f.at }

// Hang has all that changes files or makes them durable wait from now on: writes, fsyncs, creating, renaming,
// removing. Reading goes on. Hang(false) does what has waited.
//
// A thread that waits cannot be interrupted, as with a disk, but unlike
// there it ends soon if its process exits or is killed; what it asked for is not done.
func (f *FS) Hang(on bool) { f.change(func() { f.hang = on }) }

// Fail has the same operations fail with errno, those that wait included, but for removing and truncating, which a full
// disk (ENOSPC) lets through. 0 ends it.
func (f *FS) Fail(errno syscall.Errno) { f.change(func() { f.errno = errno }) }

// Waiting is how many operations hang.
func (f *FS) Waiting() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.waiting
}

// Unmount fails what waits with EIO and takes the file system away, from processes that still use it
// too. It may be called again.
func (f *FS) Unmount() error {
	f.mu.Lock()
	gone := f.gone
	f.mu.Unlock()
	if gone {
		return nil
	}
	f.change(func() { f.gone = true })
	var err error
	for range 20 { // those just answered have still to close their files
		if err = unix.Unmount(f.at, 0); !errors.Is(err, unix.EBUSY) {
			break
		}
		time.Sleep(10 * time.Millisecond)
	}
	if err != nil {
		// MNT_FORCE ends the connection even where it says that the mount is busy.
		_ = unix.Unmount(f.at, unix.MNT_FORCE)
		if err = unix.Unmount(f.at, unix.MNT_DETACH); errors.Is(err, unix.EINVAL) {
			err = nil // the one before did it
		}
	}
	if err != nil {
		return &os.PathError{Op: "unmount", Path: f.at, Err: err}
	}
	f.server.Wait()
	return nil
}

func (f *FS) change(fn func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	fn()
	close(f.changed)
	f.changed = make(chan struct{})
}
