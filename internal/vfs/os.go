package vfs

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// OS is the folder root of this machine's disk. root need not exist yet; see Mkdir.
func OS(root string) FS { return osFS{root: root} }

type osFS struct{ root string }

func (d osFS) Path(name string) string { return filepath.Join(d.root, filepath.FromSlash(name)) }

func (d osFS) open(name string, flag int) (File, error) {
	f, err := os.OpenFile(d.Path(name), flag, 0o600)
	if err != nil {
		return nil, full(err)
	}
	return osFile{f}, nil
}

// full makes what systems say of a full disk, or of a quota used up, match syscall.ENOSPC.
func full(err error) error {
	if noSpace(err) && !errors.Is(err, syscall.ENOSPC) {
		return fmt.Errorf("%w: %w", syscall.ENOSPC, err)
	}
	return err
}

func (d osFS) Create(name string) (File, error) {
	return d.open(name, os.O_RDWR|os.O_CREATE|os.O_EXCL)
}

func (d osFS) Open(name string) (File, error) { return d.open(name, os.O_RDONLY) }

func (d osFS) OpenWrite(name string) (File, error) { return d.open(name, os.O_RDWR) }

func (d osFS) Rename(from, to string) error { return full(os.Rename(d.Path(from), d.Path(to))) }

func (d osFS) Remove(name string) error { return os.Remove(d.Path(name)) }

func (d osFS) Mkdir(name string) error {
	if name == "" {
		return d.makeRoot()
	}
	err := os.Mkdir(d.Path(name), 0o700)
	if errors.Is(err, fs.ErrExist) {
		if st, serr := os.Stat(d.Path(name)); serr == nil && st.IsDir() {
			return nil
		}
	}
	return err
}

// makeRoot makes the root. While it is empty, who made it may have died before its name was durable, and that of
// its parents; or it was made by hand.
func (d osFS) makeRoot() error {
	root, err := filepath.Abs(d.root)
	if err != nil {
		return err
	}
	if err := mkdirDurably(root); err != nil {
		return err
	}
	if list, err := os.ReadDir(root); err != nil || len(list) > 0 {
		return err
	}
	for dir := filepath.Dir(root); ; dir = filepath.Dir(dir) {
		// Folders that this user may not open were there before.
		if err := syncDir(dir); err != nil && !errors.Is(err, fs.ErrPermission) {
			return err
		}
		if dir == filepath.Dir(dir) {
			return nil
		}
	}
}

// mkdirDurably makes a folder and its parents, and syncs each folder it added to:
// no one else will sync those above the root.
func mkdirDurably(dir string) error {
	st, err := os.Stat(dir)
	if err == nil {
		if !st.IsDir() {
			return fmt.Errorf("%s is not a folder", dir)
		}
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(dir)
	if err := mkdirDurably(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return syncDir(parent)
}

func (d osFS) List(dir string) ([]Entry, error) {
	found, err := os.ReadDir(d.Path(dir))
	if err != nil {
		return nil, err
	}
	list := make([]Entry, 0, len(found))
	for _, e := range found {
		entry := Entry{Name: e.Name(), Dir: e.IsDir()}
		if !entry.Dir {
			st, err := e.Info()
			if errors.Is(err, fs.ErrNotExist) {
				continue // removed since it was listed
			}
			if err != nil {
				return nil, err
			}
			entry.Size = st.Size()
		}
		list = append(list, entry)
	}
	return list, nil
}

func (d osFS) Stat(name string) (Entry, error) {
	st, err := os.Stat(d.Path(name))
	if err != nil {
		return Entry{}, err
	}
	e := Entry{Name: st.Name(), Dir: st.IsDir()}
	if !e.Dir {
		e.Size = st.Size()
	}
	return e, nil
}

func (d osFS) SyncDir(dir string) error { return syncDir(d.Path(dir)) }

// mostHolder bounds what is read of a lock file that someone else wrote.
const mostHolder = 512

func (d osFS) Lock(name, holder string) (io.Closer, error) {
	f, err := os.OpenFile(d.Path(name), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	free, err := tryLock(f)
	if err == nil && !free {
		text, _ := io.ReadAll(io.LimitReader(f, mostHolder)) // unreadable: the error does without
		err = &LockedError{Path: d.root, Holder: strings.TrimSpace(string(text))}
	}
	if err == nil {
		if err = f.Truncate(0); err == nil {
			_, err = f.WriteAt([]byte(holder+"\n"), 0)
		}
		if noSpace(err) {
			err = nil // the lock holds without its text; a full disk must not keep a store from being opened
		}
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// osFile adds to os.File what File has beyond it.
type osFile struct{ *os.File }

func (f osFile) Size() (int64, error) {
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return st.Size(), nil
}

func (f osFile) WriteAt(p []byte, off int64) (int, error) {
	n, err := f.File.WriteAt(p, off)
	return n, full(err)
}

func (f osFile) Sync() error { return syncData(f.File) }

// Free implements Spacious.
func (d osFS) Free() (int64, error) { return freeBytes(d.root) }
