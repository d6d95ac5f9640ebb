package hungfs

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/hanwen/go-fuse/v2/fuse"
)

// gate is passed by what changes a file; frees: it needs no space. It waits while the file system hangs,
// and says with what to fail, if so.
func (f *FS) gate(ctx context.Context, frees bool) syscall.Errno {
	f.mu.Lock()
	defer f.mu.Unlock()
	for {
		switch {
		case f.gone:
			return syscall.EIO
		case f.errno != 0 && !frees:
			return f.errno
		case !f.hang:
			return 0
		}
		changed := f.changed
		f.waiting++
		f.mu.Unlock()
		dead := false
		select {
		case <-changed:
		case <-time.After(100 * time.Millisecond):
			// Asked again and again, since the kernel tells of the first signal only,
			// which may be a harmless one.
			dead = killed(ctx)
		}
		f.mu.Lock()
		f.waiting--
		if dead {
			return syscall.EINTR
		}
	}
}

// killed tells whether the thread that asks has been killed, which it will notice once it is answered.
func killed(ctx context.Context) bool {
	caller, ok := fuse.FromContext(ctx)
	if !ok || caller.Pid == 0 {
		return false
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", caller.Pid))
	if err != nil {
		return os.IsNotExist(err)
	}
	for line := range bytes.Lines(status) {
		if mask, ok := bytes.CutPrefix(line, []byte("SigPnd:")); ok {
			bits, err := strconv.ParseUint(string(bytes.TrimSpace(mask)), 16, 64)
			return err == nil && bits&(1<<(syscall.SIGKILL-1)) != 0
		}
	}
	return false
}
