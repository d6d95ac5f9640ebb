// Package local opens and writes files of this machine: regular files at any
// offset, pipes and terminals from beginning to end, and new files that appear
// whole or not at all.
package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/scan"
)

// File is an open file to read. ReadAt is safe for concurrent use.
type File struct {
	f    *os.File
	size int64
	seq  *scan.Stream // nil for a file that can be read at any offset
}

// Open opens path; what is wrong with it is told under the name display. A
// missing file satisfies errors.Is(err, fs.ErrNotExist).
func Open(path, display string) (*File, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, openError(err, display)
	}
	info, err := f.Stat()
	if err != nil {
		return nil, errors.Join(openError(err, display), f.Close())
	}
	if info.IsDir() {
		return nil, errors.Join(&connect.Error{File: display, Msg: "is a directory", Hint: "name a file in it"}, f.Close())
	}
	if !info.Mode().IsRegular() {
		return &File{f: f, size: -1, seq: scan.NewStream(f)}, nil
	}
	return &File{f: f, size: info.Size()}, nil
}

func openError(err error, display string) error {
	e := &connect.Error{File: display, Err: err}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		e.Msg = "no such file"
	case errors.Is(err, fs.ErrPermission):
		e.Msg, e.Hint = "permission denied", "check who may read it"
	default:
		e.Msg = cause(err)
	}
	return e
}

// cause is the innermost text of a file error, without the path said again.
func cause(err error) string {
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		return pe.Err.Error()
	}
	if le, ok := errors.AsType[*os.LinkError](err); ok {
		return le.Err.Error()
	}
	return fmt.Sprint(err)
}

// Size is the file's length in bytes when it was opened, or -1 where it cannot
// be known: such a file is read once, from its beginning.
func (f *File) Size() int64 { return f.size }

// ReadAt fills p from offset off on, or returns how much there was and io.EOF.
// A file of unknown size may only be asked for what Forget has left.
func (f *File) ReadAt(p []byte, off int64) (int, error) {
	if f.seq != nil {
		return f.seq.ReadAt(p, off)
	}
	return f.f.ReadAt(p, off)
}

// Interrupt ends a read that waits for a pipe or terminal, now or later. It may
// be called at any time, from any goroutine.
func (f *File) Interrupt() {
	if f.seq != nil {
		_ = f.f.SetReadDeadline(time.Unix(1, 0)) // where it is not supported the read goes on
	}
}

// Forget says that nothing before off is read again. It matters only to files
// of unknown size, which keep what was read until then.
func (f *File) Forget(off int64) {
	if f.seq != nil {
		f.seq.Forget(off)
	}
}

// Close closes the file.
func (f *File) Close() error { return f.f.Close() }
