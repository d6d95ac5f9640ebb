package simdisk

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"path"
	"sync/atomic"
	"syscall"

	"github.com/rainsql/rainsql/internal/vfs"
)

// page is the unit in which a system writes back; sector the one that a disk writes whole.
const (
	page   = 4096
	sector = 512
)

// mostVersions bounds what is remembered of a page between two syncs.
const mostVersions = 6

// inode is the content of a file, whatever its name.
type inode struct {
	data   []byte
	synced int64              // durable size
	sizes  []int64            // those it had since the last sync
	old    map[int64][][]byte // pages changed since the last sync: what they held since then, the durable content first
	failed map[int64]bool     // of these, pages that a Sync failed to write: the next one takes them for written
	links  int
	opens  int
}

func newInode() *inode { return &inode{old: map[int64][][]byte{}, failed: map[int64]bool{}} }

func (n *inode) entry(name string) vfs.Entry {
	if n == nil {
		return vfs.Entry{Name: path.Base(name), Dir: true}
	}
	return vfs.Entry{Name: path.Base(name), Size: int64(len(n.data))}
}

// drop takes away a name; the space is free once the last name and the last open file are gone.
func (n *inode) drop(d *Disk) {
	n.links--
	n.free(d)
}

func (n *inode) free(d *Disk) {
	if n.links == 0 && n.opens == 0 {
		d.used -= int64(len(n.data))
	}
}

// touch remembers what the pages of a range about to change hold.
func (n *inode) touch(from, to int64) {
	for p := from / page; p*page < to; p++ {
		delete(n.failed, p) // the next Sync writes it again
		start, end := p*page, min(p*page+page, int64(len(n.data)))
		versions := n.old[p]
		if len(versions) == 0 {
			end = min(end, n.synced)
		}
		if len(versions) < mostVersions {
			n.old[p] = append(versions, bytes.Clone(n.data[min(start, end):end]))
		}
	}
}

func (n *inode) resize(d *Disk, size int64) {
	old := int64(len(n.data))
	n.touch(min(old, size), max(old, size))
	n.sizes = append(n.sizes, old)
	if size <= old {
		n.data = n.data[:size]
	} else {
		n.data = append(n.data, make([]byte, size-old)...)
	}
	d.used += size - old
}

func (n *inode) sync() {
	n.synced, n.sizes = int64(len(n.data)), nil
	for p := range n.old {
		if !n.failed[p] {
			delete(n.old, p)
		}
	}
}

// failSync does what systems do after a failed write-back: the pages stay as they are in memory, but
// count as written. The next Sync succeeds without them.
func (n *inode) failSync() {
	for p := range n.old {
		n.failed[p] = true
	}
}

// file is an open inode.
type file struct {
	d      *Disk
	node   *inode
	name   string
	write  bool
	closed atomic.Bool
}

// newFile is called under the disk's lock.
func newFile(d *Disk, node *inode, name string, write bool) *file {
	node.opens++
	return &file{d: d, node: node, name: name, write: write}
}

func (f *file) fail(op string, err error) error {
	return &fs.PathError{Op: op, Path: f.name, Err: err}
}

func (f *file) usable(op string, write bool) error {
	if f.closed.Load() {
		return f.fail(op, fs.ErrClosed)
	}
	if write && !f.write {
		return f.fail(op, fs.ErrPermission)
	}
	return nil
}

func (f *file) ReadAt(p []byte, off int64) (int, error) {
	var n int
	err := f.d.do(Op{Kind: "read", Path: f.name, Len: len(p)}, func() error {
		if err := f.usable("read", false); err != nil {
			return err
		}
		if off < int64(len(f.node.data)) {
			n = copy(p, f.node.data[off:])
		}
		if n < len(p) {
			return io.EOF
		}
		return nil
	}, nil)
	return n, err
}

func (f *file) WriteAt(p []byte, off int64) (int, error) {
	var n int
	put := func(most int) error {
		if err := f.usable("write", true); err != nil {
			return err
		}
		part, full := p[:most], false
		if grow := off + int64(len(part)) - int64(len(f.node.data)); f.d.capacity > 0 && grow > 0 && f.d.used+grow > f.d.capacity {
			room := max(0, f.d.capacity-f.d.used-max(0, off-int64(len(f.node.data))))
			part, full = part[:max(0, min(int64(len(part)), int64(len(f.node.data))-off+room))], true
		}
		if end := off + int64(len(part)); len(part) > 0 {
			f.node.touch(off, end)
			if end > int64(len(f.node.data)) {
				f.node.resize(f.d, end)
			}
			n = copy(f.node.data[off:end], part)
		}
		if full {
			return f.fail("write", syscall.ENOSPC)
		}
		return nil
	}
	err := f.d.do(Op{Kind: "write", Path: f.name, Len: len(p)}, func() error { return put(len(p)) }, put)
	return n, err
}

func (f *file) Sync() error {
	ran := false
	err := f.d.do(Op{Kind: "sync", Path: f.name}, func() error {
		ran = true
		if err := f.usable("sync", true); err != nil {
			return err
		}
		f.node.sync()
		return nil
	}, nil)
	if err != nil && !ran && !errors.Is(err, ErrStopped) {
		f.d.mu.Lock()
		defer f.d.mu.Unlock()
		f.node.failSync()
	}
	return err
}

func (f *file) Truncate(size int64) error {
	return f.d.do(Op{Kind: "truncate", Path: f.name}, func() error {
		if err := f.usable("truncate", true); err != nil {
			return err
		}
		f.node.resize(f.d, size)
		return nil
	}, nil)
}

func (f *file) Size() (int64, error) {
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	if f.d.stopped {
		return 0, ErrStopped
	}
	return int64(len(f.node.data)), f.usable("size", false)
}

// Close works after a stop too, so that a test can end its goroutines.
func (f *file) Close() error {
	if f.closed.Swap(true) {
		return f.fail("close", fs.ErrClosed)
	}
	f.d.mu.Lock()
	defer f.d.mu.Unlock()
	f.node.opens--
	f.node.free(f.d)
	return nil
}
