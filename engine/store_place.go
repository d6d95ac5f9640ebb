package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/formats"
	"github.com/rainsql/rainsql/connect/scan"
	"github.com/rainsql/rainsql/sdfs"
)

// storePlace is the store as a place of files. It implements place.
type storePlace struct {
	ctx   context.Context //nolint:containedctx // of all that is done by way of it: a formats.Place takes none
	store *store
	batch *batch
	seen  *versions       // what files are read as; nil: as they are
	life  context.Context //nolint:containedctx // whose end ends all reads of the files that are opened; nil: nothing does
}

func (storePlace) path(path string) (string, error) { return path, nil }

func (p storePlace) during(ctx context.Context) place {
	p.ctx = ctx
	return p
}

func (p storePlace) glob(pattern string) ([]string, error) {
	if names, ok := p.seen.behind(pattern); ok {
		return names, nil
	}
	found, err := p.store.List(p.ctx, pattern)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(found))
	for i, info := range found {
		names[i] = info.Name
	}
	return p.seen.matched(pattern, names), nil
}

func (p storePlace) exists(path string) bool {
	if names, ok := p.seen.behind(path); ok {
		return len(names) == 1 && names[0] == path
	}
	open, err := p.store.Existing(p.ctx)
	if open == nil || err != nil {
		return false
	}
	_, err = open.Stat(p.ctx, path)
	return err == nil
}

// missing hints at a local file, or at a name of the store that is near.
func (p storePlace) missing(path string) error {
	e := &connect.Error{Msg: fmt.Sprintf("no file %q in SDFS", path), Hint: "a local file is written './" + path + "'", Err: fs.ErrNotExist}
	if p.store.remote {
		e.Hint = "SHOW FILES lists what is there"
	}
	if _, err := os.Stat(path); err == nil {
		e.Hint = fmt.Sprintf("did you mean './%s'?", path)
		if p.store.remote {
			e.Hint = "there is one on this machine's disk; put it into SDFS first: " + putCommand("./"+path)
		}
		return e
	}
	all, err := p.store.List(p.ctx, "")
	if err != nil {
		return err // such as the lock of another process
	}
	names := make([]string, len(all))
	for i, info := range all {
		names[i] = info.Name
		if folder := strings.TrimSuffix(path, "/") + "/"; strings.HasPrefix(info.Name, folder) {
			e.Msg, e.Hint = fmt.Sprintf("%q is a folder of SDFS", path), "read its files by a pattern: '"+folder+"*'"
			return e
		}
	}
	if near := nearest(path, names); near != "" {
		e.Hint = fmt.Sprintf("did you mean '%s'?", near)
	}
	return e
}

func (storePlace) target(path string) error {
	return storeError(sdfs.CheckName(path), path)
}

// Open implements formats.Place. What has been read once is read again as it was then.
func (p storePlace) Open(path, display string) (scan.Input, error) {
	if err := p.seen.allows(path); err != nil {
		return nil, err
	}
	f, err := p.open(path, display)
	if err != nil {
		return nil, p.seen.gone(path, err)
	}
	size, err := p.seen.hold(f.Info())
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	in := storeInput{f, size, func() bool { return true }}
	if p.life != nil {
		in.stop = context.AfterFunc(p.life, f.Interrupt)
	}
	return in, nil
}

// open opens a file as it is.
func (p storePlace) open(path, display string) (*sdfs.File, error) {
	open, err := p.store.Existing(p.ctx)
	if err != nil {
		return nil, err
	}
	if open == nil {
		return nil, &connect.Error{File: display, Msg: "no such file", Err: fs.ErrNotExist}
	}
	f, err := open.OpenFile(p.ctx, path)
	return f, storeError(err, display)
}

// Create implements formats.Place.
func (p storePlace) Create(path, display string, mode connect.WriteMode) (formats.Target, error) {
	open, err := p.store.Open(p.ctx)
	if err != nil {
		return nil, err
	}
	w, err := open.Create(p.ctx, path, modes[mode])
	if err != nil {
		return nil, storeError(err, display)
	}
	return &storeTarget{Writer: w, place: p, path: path, display: display, tail: mode == connect.Append}, nil
}

var modes = map[connect.WriteMode]sdfs.Mode{connect.Replace: sdfs.Replace, connect.Append: sdfs.Append, connect.MustFail: sdfs.MustNotExist}

// storeInput is a file of the store to read, from its beginning up to size. It
// is no longer than that, however much was appended since.
type storeInput struct {
	*sdfs.File
	size int64
	stop func() bool // looking for the end of the place's life
}

// Close implements scan.Input.
func (in storeInput) Close() error {
	in.stop()
	return in.File.Close()
}

// Size implements scan.Input.
func (in storeInput) Size() int64 { return in.size }

// ReadAt implements scan.Input.
func (in storeInput) ReadAt(p []byte, off int64) (int, error) {
	if left := in.size - off; int64(len(p)) > left {
		n := 0
		var err error
		if left > 0 {
			n, err = in.File.ReadAt(p[:left], off)
		}
		if err == nil {
			err = io.EOF
		}
		return n, err
	}
	return in.File.ReadAt(p, off)
}

// Forget does nothing: any part of the file can be read again.
func (storeInput) Forget(int64) {}

// storeTarget is a file of the store that is being written.
type storeTarget struct {
	*sdfs.Writer
	place         storePlace
	path, display string
	tail          bool
}

// Write implements io.Writer.
func (t *storeTarget) Write(p []byte) (int, error) {
	n, err := t.Writer.Write(p)
	return n, storeError(err, t.display)
}

// Commit implements write.Out. The file appears with the others of its query.
func (t *storeTarget) Commit() error {
	t.place.batch.add(t.Writer, t.display)
	return nil
}

// Existing implements formats.Target.
func (t *storeTarget) Existing() (scan.Input, error) {
	if !t.tail {
		return nil, nil
	}
	f, err := t.place.open(t.path, t.display)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case f.Size() == 0:
		return nil, f.Close()
	}
	return storeInput{f, f.Size(), func() bool { return true }}, nil
}

// EndLine implements formats.Target.
func (t *storeTarget) EndLine() error {
	in, err := t.Existing()
	if in == nil || err != nil {
		return err
	}
	defer in.Close() //nolint:errcheck // only read
	var last [1]byte
	if _, err := in.ReadAt(last[:], in.Size()-1); err != nil || last[0] == '\n' {
		return err
	}
	_, err = t.Write([]byte{'\n'})
	return err
}
