// Package simdisk is a disk in memory that forgets what a real one may forget.
// It numbers its operations; a hook may fail one, tear one, or stop the process
// at it, and Restart gives the disk that the next process finds.
//
// What is promised: content after Sync of the file, names after SyncDir of the
// folder (of both, for a rename between two, of which either half may be lost). Of everything else any part may be lost: each change of a folder by itself,
// and each 4 KB page, sometimes each sector, by itself goes back to what it held at or since the last Sync,
// zeros beyond the synced size. What a failed Sync did not write stays in memory and
// is not written by the next one either, unless it is changed again.
package simdisk

import (
	"errors"
	"io"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"

	"github.com/rainsql/rainsql/internal/vfs"
)

// ErrStopped is what every operation gives once the process has been stopped.
var ErrStopped = errors.New("simdisk: the process was stopped")

// Op describes an operation to the hook.
type Op struct {
	N    int    // from 1
	Kind string // create, open, rename, remove, mkdir, list, stat, syncdir, lock, read, write, sync, truncate
	Path string
	Len  int // bytes, of a read or a write
}

// Mutates tells whether the operation changes the disk or what of it is durable.
func (o Op) Mutates() bool {
	switch o.Kind {
	case "open", "list", "stat", "lock", "read":
		return false
	}
	return true
}

// Fault is what the hook wants done with an operation; the zero value lets it pass.
type Fault struct {
	Err  error // the operation fails with this; with Stop it is ErrStopped instead
	Stop bool  // the process ends at this operation
	Done bool  // the operation takes effect all the same
	Tear int   // of a write, that many bytes land before it fails, 0: none
}

// Disk is the simulated disk. It is safe for concurrent use.
type Disk struct {
	mu       sync.Mutex
	hook     func(Op) Fault
	n        int
	stopped  bool
	capacity int64
	used     int64
	now      tree // what the process sees
	durable  tree // what a loss of power leaves at least
	pending  []change
	locks    map[string]string
}

// tree holds the folders and files by their paths; a folder has a nil inode.
type tree map[string]*inode

// change is one change of a folder that is not durable yet; it is kept or lost as a whole.
type change struct {
	dir  string
	set  tree // nil inode: a folder
	gone string
}

// New is an empty disk without bounds.
func New() *Disk {
	root := tree{"": nil}
	return &Disk{now: root, durable: maps.Clone(root), locks: map[string]string{}}
}

// SetHook has fn judge every operation from now on; nil ends that. fn runs under the
// disk's lock: it must not use the disk.
func (d *Disk) SetHook(fn func(Op) Fault) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.hook = fn
}

// SetCapacity bounds the bytes of all files; 0: no bound. Writes beyond fail with ENOSPC.
func (d *Disk) SetCapacity(bytes int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.capacity = bytes
}

// Used is the bytes in all files, those removed but still open included.
func (d *Disk) Used() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.used
}

// Ops is the number of operations so far.
func (d *Disk) Ops() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.n
}

// Stop ends the process: every operation from now on fails.
func (d *Disk) Stop() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stopped = true
}

// Files lists all files in order.
func (d *Disk) Files() []string {
	d.mu.Lock()
	defer d.mu.Unlock()
	var names []string
	for name, node := range d.now {
		if node != nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// FlipBit inverts one bit of a file, counted from its start, as a failing disk would.
func (d *Disk) FlipBit(name string, bit int64) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	node := d.now[name]
	if node == nil || bit/8 >= int64(len(node.data)) {
		return &fs.PathError{Op: "flip", Path: name, Err: fs.ErrNotExist}
	}
	node.data[bit/8] ^= 1 << (bit % 8)
	return nil
}

// do numbers an operation, asks the hook, and runs it as that says. tear runs
// instead of run where part of a write is to land.
func (d *Disk) do(op Op, run func() error, tear func(n int) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.stopped {
		return ErrStopped
	}
	d.n++
	op.N = d.n
	var f Fault
	if d.hook != nil {
		f = d.hook(op)
	}
	if f.Err == nil && !f.Stop {
		return run()
	}
	var err error
	switch {
	case f.Done:
		err = run()
	case f.Tear > 0 && tear != nil:
		err = tear(min(f.Tear, op.Len))
	}
	if f.Stop {
		d.stopped = true
		return ErrStopped
	}
	if err != nil {
		return err
	}
	return &fs.PathError{Op: op.Kind, Path: op.Path, Err: f.Err}
}

func dirOf(name string) string {
	if dir := path.Dir(name); dir != "." {
		return dir
	}
	return ""
}

// look finds a name, or says that it is not there.
func (d *Disk) look(op, name string) (*inode, error) {
	node, ok := d.now[name]
	if !ok {
		return nil, &fs.PathError{Op: op, Path: name, Err: fs.ErrNotExist}
	}
	return node, nil
}

// apply makes a change visible and remembers it until its folders are synced.
func (d *Disk) apply(c change) {
	for _, node := range c.set {
		if node != nil {
			node.links++
		}
	}
	if node := d.now[c.gone]; node != nil {
		node.drop(d)
	}
	for name := range c.set {
		if old := d.now[name]; old != nil {
			old.drop(d)
		}
	}
	c.to(d.now)
	d.pending = append(d.pending, c)
}

func (c change) to(t tree) {
	if c.gone != "" {
		delete(t, c.gone)
	}
	maps.Copy(t, c.set)
}

// Create implements vfs.FS.
func (d *Disk) Create(name string) (vfs.File, error) {
	var f *file
	err := d.do(Op{Kind: "create", Path: name}, func() error {
		if _, ok := d.now[name]; ok {
			return &fs.PathError{Op: "create", Path: name, Err: fs.ErrExist}
		}
		if _, err := d.look("create", dirOf(name)); err != nil {
			return err
		}
		node := newInode()
		d.apply(change{dir: dirOf(name), set: tree{name: node}})
		f = newFile(d, node, name, true)
		return nil
	}, nil)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Open implements vfs.FS.
func (d *Disk) Open(name string) (vfs.File, error) { return d.open(name, false) }

// OpenWrite implements vfs.FS.
func (d *Disk) OpenWrite(name string) (vfs.File, error) { return d.open(name, true) }

func (d *Disk) open(name string, write bool) (vfs.File, error) {
	var f *file
	err := d.do(Op{Kind: "open", Path: name}, func() error {
		node, err := d.look("open", name)
		if err != nil {
			return err
		}
		if node == nil {
			return &fs.PathError{Op: "open", Path: name, Err: syscall.EISDIR}
		}
		f = newFile(d, node, name, write)
		return nil
	}, nil)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// Rename implements vfs.FS.
func (d *Disk) Rename(from, to string) error {
	return d.do(Op{Kind: "rename", Path: from}, func() error {
		node, err := d.look("rename", from)
		if err != nil {
			return err
		}
		if _, err := d.look("rename", dirOf(to)); err != nil {
			return err
		}
		if dirOf(from) == dirOf(to) {
			d.apply(change{dir: dirOf(to), gone: from, set: tree{to: node}})
			return nil
		}
		d.apply(change{dir: dirOf(to), set: tree{to: node}})
		d.apply(change{dir: dirOf(from), gone: from})
		return nil
	}, nil)
}

// Remove implements vfs.FS.
func (d *Disk) Remove(name string) error {
	return d.do(Op{Kind: "remove", Path: name}, func() error {
		if _, err := d.look("remove", name); err != nil {
			return err
		}
		d.apply(change{dir: dirOf(name), gone: name})
		return nil
	}, nil)
}

// Mkdir implements vfs.FS. The root is always there.
func (d *Disk) Mkdir(name string) error {
	return d.do(Op{Kind: "mkdir", Path: name}, func() error {
		if node, ok := d.now[name]; ok {
			if node != nil {
				return &fs.PathError{Op: "mkdir", Path: name, Err: fs.ErrExist}
			}
			return nil
		}
		if _, err := d.look("mkdir", dirOf(name)); err != nil {
			return err
		}
		d.apply(change{dir: dirOf(name), set: tree{name: nil}})
		return nil
	}, nil)
}

// List implements vfs.FS.
func (d *Disk) List(dir string) ([]vfs.Entry, error) {
	var list []vfs.Entry
	err := d.do(Op{Kind: "list", Path: dir}, func() error {
		if _, err := d.look("list", dir); err != nil {
			return err
		}
		for name, node := range d.now {
			if name != "" && dirOf(name) == dir {
				list = append(list, node.entry(name))
			}
		}
		return nil
	}, nil)
	slices.SortFunc(list, func(a, b vfs.Entry) int { return strings.Compare(a.Name, b.Name) })
	return list, err
}

// Stat implements vfs.FS.
func (d *Disk) Stat(name string) (vfs.Entry, error) {
	var e vfs.Entry
	err := d.do(Op{Kind: "stat", Path: name}, func() error {
		node, err := d.look("stat", name)
		if err == nil {
			e = node.entry(name)
		}
		return err
	}, nil)
	return e, err
}

// SyncDir implements vfs.FS.
func (d *Disk) SyncDir(dir string) error {
	return d.do(Op{Kind: "syncdir", Path: dir}, func() error {
		if _, err := d.look("syncdir", dir); err != nil {
			return err
		}
		d.pending = slices.DeleteFunc(d.pending, func(c change) bool {
			if c.dir == dir {
				c.to(d.durable)
			}
			return c.dir == dir
		})
		return nil
	}, nil)
}

// Lock implements vfs.FS. The lock leaves no file.
func (d *Disk) Lock(name, holder string) (io.Closer, error) {
	err := d.do(Op{Kind: "lock", Path: name}, func() error {
		if by, held := d.locks[name]; held {
			return &vfs.LockedError{Path: name, Holder: by}
		}
		d.locks[name] = holder
		return nil
	}, nil)
	if err != nil {
		return nil, err
	}
	return unlocker(func() {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.locks, name)
	}), nil
}

type unlocker func()

func (u unlocker) Close() error {
	u()
	return nil
}

// Path implements vfs.FS.
func (d *Disk) Path(name string) string { return name }
