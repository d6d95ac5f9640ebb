package local

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"syscall"

	"github.com/rainsql/rainsql/connect"
)

// Writer writes a file that appears whole, at Commit, or not at all. It is
// used by one goroutine at a time.
type Writer struct {
	f        *os.File
	display  string
	target   string // where it goes; "" for a device, written as it comes
	tail     bool   // Commit appends to target rather than replacing it
	lines    bool   // what is extended is text, whose last line must have an end
	fresh    bool   // target was not there, and must still not be at Commit
	finished bool
}

// Create begins to write path: in a temporary file beside it, which Commit
// renames (mode replace, or error where the path must be free) or appends
// (mode append). A device or pipe is written to directly, and so is a file that
// the program has open already (/dev/stdout, /dev/fd/3). A symbolic link is
// followed, and a replaced file's permissions are kept.
func Create(path, display string, mode connect.WriteMode) (*Writer, error) {
	w := &Writer{display: display}
	if fd, ok := descriptor(path); ok {
		f, err := openDescriptor(fd, display)
		if err != nil {
			return nil, err
		}
		w.f = f
		return w, nil
	}
	info, err := os.Stat(path)
	switch {
	case err == nil && info.IsDir():
		return nil, &connect.Error{File: display, Msg: "is a directory", Hint: "name a file to write"}
	case err == nil && !info.Mode().IsRegular():
		f, err := os.OpenFile(path, os.O_WRONLY, 0)
		if err != nil {
			return nil, w.fail("cannot be written", err)
		}
		w.f = f
		return w, nil
	case err == nil && mode == connect.MustFail:
		return nil, &connect.Error{File: display, Msg: "exists already", Hint: "mode = 'replace' would replace it", Err: fs.ErrExist}
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, w.fail("cannot be written", err)
	}
	w.target = path
	w.tail = mode == connect.Append && err == nil
	w.fresh = mode != connect.Replace && err != nil
	perm := fs.FileMode(0o666)
	if err == nil {
		if w.target, err = filepath.EvalSymlinks(path); err != nil {
			return nil, w.fail("cannot be written", err)
		}
		perm = info.Mode().Perm()
		if err := writable(w.target); err != nil {
			return nil, w.fail("cannot be written", err)
		}
	}
	if w.f, err = createBeside(w.target, perm); err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, &connect.Error{File: display, Msg: "its folder does not exist", Hint: "create it first: mkdir -p " + filepath.Dir(path), Err: err}
		}
		return nil, w.fail("cannot be written", err)
	}
	if info != nil {
		// The umask applied to the new file must not narrow the old one's permissions.
		if err := w.f.Chmod(perm); err != nil {
			return nil, errors.Join(w.fail("cannot be written", err), w.Abort())
		}
	}
	return w, nil
}

// writable asks whether the file may be written at all, as a write in place
// would: a rename alone would pass over a file that is read-only.
func writable(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return f.Close()
}

// createBeside makes a new file in the folder of path under a name of its own.
func createBeside(path string, perm fs.FileMode) (*os.File, error) {
	dir, base := filepath.Split(path)
	for range 100 {
		name := fmt.Sprintf("%s.%s.%08x.tmp", dir, base, rand.Uint32())
		f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
		if !errors.Is(err, fs.ErrExist) {
			return f, err
		}
	}
	return nil, fs.ErrExist
}

func (w *Writer) fail(what string, err error) error {
	if told := (*connect.Error)(nil); errors.As(err, &told) {
		return told
	}
	e := &connect.Error{File: w.display, Msg: what + ": " + cause(err), Err: err}
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		e.Msg, e.Hint = what+": the disk is full", "free some space; nothing was left behind"
	case errors.Is(err, fs.ErrPermission):
		e.Hint = "check who may write it"
	}
	return e
}

// Write appends p to what is going to be the file.
func (w *Writer) Write(p []byte) (int, error) {
	n, err := w.f.Write(p)
	if err != nil {
		return n, w.fail("write failed", err)
	}
	return n, nil
}

// Existing opens the file that an append will extend, for a look at its head;
// nil where there is none or it is empty. The caller closes it.
func (w *Writer) Existing() (*File, error) {
	if !w.tail {
		return nil, nil
	}
	f, err := Open(w.target, w.display)
	if err != nil || f.Size() != 0 {
		return f, err
	}
	return nil, f.Close()
}

// EndLine says that the file which an append extends is text: if its last line
// does not end, it is ended first.
func (w *Writer) EndLine() { w.lines = true }

// Commit makes what was written visible under the path and durable. If it
// fails, whatever was there before is still there.
func (w *Writer) Commit() error {
	if w.finished {
		return nil
	}
	if w.target == "" {
		w.finished = true
		if err := w.f.Close(); err != nil {
			return w.fail("write failed", err)
		}
		return nil
	}
	err := w.f.Sync()
	if err == nil && w.tail {
		err = w.extend()
	}
	switch {
	case err != nil || w.tail:
	case w.fresh:
		err = w.publish()
	default:
		err = os.Rename(w.f.Name(), w.target)
	}
	if err != nil {
		return errors.Join(w.fail("write failed", err), w.Abort())
	}
	w.finished = true
	var cleaned error
	if w.tail || w.fresh {
		cleaned = os.Remove(w.f.Name())
	}
	if err := errors.Join(cleaned, w.f.Close(), syncDir(filepath.Dir(w.target))); err != nil {
		return w.fail("write failed", err)
	}
	return nil
}

// publish gives the file its name unless another process has made one of that
// name meanwhile: neither may lose what it was told is written.
func (w *Writer) publish() error {
	err := os.Link(w.f.Name(), w.target)
	if errors.Is(err, fs.ErrExist) {
		return &connect.Error{File: w.display, Msg: "was written by another process meanwhile", Hint: "run the query again", Err: err}
	}
	return err
}

// extend appends the temporary file to the target, and cuts the target back to
// where it was if that fails.
func (w *Writer) extend() (err error) {
	t, err := os.OpenFile(w.target, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.Close()) }() // which also unlocks
	if err := syscall.Flock(int(t.Fd()), syscall.LOCK_EX); err != nil {
		return err
	}
	end, err := t.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	if _, err = w.f.Seek(0, io.SeekStart); err != nil {
		return err
	}
	if w.lines {
		err = endLine(t, end)
	}
	if err == nil {
		_, err = io.Copy(t, w.f)
	}
	if err == nil {
		err = t.Sync()
	}
	if err != nil {
		return errors.Join(err, t.Truncate(end))
	}
	return nil
}

// endLine ends the last line of a text file whose writer did not.
func endLine(t *os.File, size int64) error {
	if size == 0 {
		return nil
	}
	var last [1]byte
	if _, err := t.ReadAt(last[:], size-1); err != nil || last[0] == '\n' {
		return err
	}
	_, err := t.Write([]byte{'\n'})
	return err
}

// syncDir makes a rename in dir durable. File systems that cannot sync a
// folder say EINVAL; there the rename is as durable as it gets.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close() //nolint:errcheck // only synced
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) {
		return err
	}
	return nil
}

// Abort drops what was written. Idempotent, and nothing after Commit.
func (w *Writer) Abort() error {
	if w.finished {
		return nil
	}
	w.finished = true
	err := w.f.Close()
	if w.target != "" {
		err = errors.Join(err, os.Remove(w.f.Name()))
	}
	return err
}
