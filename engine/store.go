package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/formats"
	"github.com/rainsql/rainsql/connect/scan"
	"github.com/rainsql/rainsql/sdfs"
)

// store is the engine's file store, opened when it is first needed: a query
// over local files alone neither opens it nor needs its lock. Safe for
// concurrent use.
type store struct {
	cfg sdfs.Config

	mu   sync.Mutex
	open *sdfs.Embedded
}

// Open returns the store, made if it does not exist yet.
func (s *store) Open(ctx context.Context) (*sdfs.Embedded, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open != nil {
		return s.open, nil
	}
	if s.cfg.Dir == "" && s.cfg.FS == nil {
		return nil, &connect.Error{Msg: "there is no file store: its folder is not known", Hint: "name one with --data DIR; a local file is written './name'"}
	}
	var err error
	s.open, err = sdfs.Open(ctx, s.cfg)
	return s.open, err
}

// Existing returns the store, or nil where none has been made: reading makes none.
func (s *store) Existing(ctx context.Context) (*sdfs.Embedded, error) {
	if s.cfg.FS == nil {
		if _, err := os.Stat(s.cfg.Dir); s.cfg.Dir == "" || errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
	}
	return s.Open(ctx)
}

// List returns the files whose names match a pattern, all for "", in name order.
func (s *store) List(pattern string) ([]sdfs.Info, error) {
	open, err := s.Existing(context.Background())
	if open == nil || err != nil {
		return nil, err
	}
	return Find(context.Background(), open.Store, pattern)
}

// Find returns the files of a store whose names match a pattern of the language, all for "", in name order.
func Find(ctx context.Context, s *sdfs.Store, pattern string) ([]sdfs.Info, error) {
	if pattern == "" {
		return s.List(ctx, "")
	}
	if !doublestar.ValidatePattern(pattern) {
		return nil, badPattern(pattern)
	}
	prefix := pattern
	if i := strings.IndexAny(pattern, `*?[{\`); i >= 0 {
		prefix = strings.TrimRight(pattern[:i], "/") // "a/**" is "a", too
	}
	all, err := s.List(ctx, prefix+"**") // what cannot match need not be sent
	if err != nil {
		return nil, err
	}
	var found []sdfs.Info
	for _, info := range all {
		if doublestar.MatchUnvalidated(pattern, info.Name) {
			found = append(found, info)
		}
	}
	return found, nil
}

// Close closes the store if it was opened.
func (s *store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open == nil {
		return nil
	}
	err := s.open.Close()
	s.open = nil
	return err
}

// storePlace is the store as a place of files. It implements place.
type storePlace struct {
	store *store
	batch *batch
}

// batch gathers the files of the store that one query writes, which appear in
// one step. Safe for concurrent use.
type batch struct {
	mu      sync.Mutex
	writers []*sdfs.Writer // whose sinks have committed
	names   []string
}

func (b *batch) add(w *sdfs.Writer, name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.writers, b.names = append(b.writers, w), append(b.names, name)
}

// commit makes all files visible, or none.
func (b *batch) commit(ctx context.Context, s *store) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.writers) == 0 {
		return nil
	}
	open, err := s.Open(ctx)
	if err != nil {
		return err
	}
	if err := open.Commit(ctx, b.writers...); err != nil {
		return storeError(err, strings.Join(b.names, ", "))
	}
	b.writers, b.names = nil, nil
	return nil
}

// abort drops what was not committed.
func (b *batch) abort() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var errs []error
	for _, w := range b.writers {
		errs = append(errs, w.Abort())
	}
	b.writers, b.names = nil, nil
	return errors.Join(errs...)
}

func (storePlace) path(path string) (string, error) { return path, nil }

func (p storePlace) glob(pattern string) ([]string, error) {
	found, err := p.store.List(pattern)
	names := make([]string, len(found))
	for i, info := range found {
		names[i] = info.Name
	}
	return names, err
}

func (p storePlace) exists(path string) bool {
	open, err := p.store.Existing(context.Background())
	if open == nil || err != nil {
		return false
	}
	_, err = open.Stat(context.Background(), path)
	return err == nil
}

// missing hints at a local file, or at a name of the store that is near.
func (p storePlace) missing(path string) error {
	e := &connect.Error{Msg: fmt.Sprintf("no file %q in SDFS", path), Hint: "a local file is written './" + path + "'", Err: fs.ErrNotExist}
	if _, err := os.Stat(path); err == nil {
		e.Hint = fmt.Sprintf("did you mean './%s'?", path)
		return e
	}
	all, err := p.glob("")
	if err != nil {
		return err // such as the lock of another process
	}
	if near := nearest(path, all); near != "" {
		e.Hint = fmt.Sprintf("did you mean '%s'?", near)
	}
	return e
}

func (storePlace) target(path string) error {
	return storeError(sdfs.CheckName(path), path)
}

// Open implements formats.Place.
func (p storePlace) Open(path, display string) (scan.Input, error) {
	open, err := p.store.Existing(context.Background())
	if err != nil {
		return nil, err
	}
	if open == nil {
		return nil, &connect.Error{File: display, Msg: "no such file", Err: fs.ErrNotExist}
	}
	f, err := open.OpenFile(context.Background(), path)
	if err != nil {
		return nil, storeError(err, display)
	}
	return storeInput{f}, nil
}

// Create implements formats.Place.
func (p storePlace) Create(path, display string, mode connect.WriteMode) (formats.Target, error) {
	open, err := p.store.Open(context.Background())
	if err != nil {
		return nil, err
	}
	how := map[connect.WriteMode]sdfs.Mode{connect.Replace: sdfs.Replace, connect.Append: sdfs.Append, connect.MustFail: sdfs.MustNotExist}[mode]
	w, err := open.Create(context.Background(), path, how)
	if err != nil {
		return nil, storeError(err, display)
	}
	return &storeTarget{Writer: w, place: p, path: path, display: display, tail: mode == connect.Append}, nil
}

// storeInput is a file of the store to read.
type storeInput struct{ *sdfs.File }

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
	in, err := t.place.Open(t.path, t.display)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, err
	case in.Size() == 0:
		return nil, in.Close()
	}
	return in, nil
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

// storeError tells a user what the store refused.
func storeError(err error, display string) error {
	if err == nil {
		return nil
	}
	e := &connect.Error{File: display, Msg: err.Error(), Err: err}
	if strings.HasPrefix(e.Msg, strconv.Quote(display)) {
		e.File = "" // it names the file itself
	}
	switch {
	case errors.Is(err, sdfs.ErrNotFound):
		e.Msg, e.Err = "no such file", fs.ErrNotExist
	case errors.Is(err, sdfs.ErrExists):
		e.Msg, e.Hint, e.Err = "exists already", "mode = 'replace' would replace it", fs.ErrExist
	}
	return e
}
