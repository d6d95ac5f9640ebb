package engine

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/sdfs"
)

// store is the engine's file store: one that it was given, or the embedded one,
// opened when it is first needed: a query over local files alone neither opens
// it nor needs its lock. Safe for concurrent use.
type store struct {
	cfg    sdfs.Config
	given  *sdfs.Store // the caller's; nil: the embedded one
	remote bool        // queries run where the store is, not here

	mu   sync.Mutex
	open *sdfs.Embedded
}

// Open returns the store, made if it does not exist yet.
func (s *store) Open(ctx context.Context) (*sdfs.Store, error) {
	if s.given != nil {
		return s.given, nil
	}
	open, err := s.Embedded(ctx)
	if err != nil {
		return nil, err
	}
	return open.Store, nil
}

// Embedded returns the embedded store, made if it does not exist yet.
func (s *store) Embedded(ctx context.Context) (*sdfs.Embedded, error) {
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
func (s *store) Existing(ctx context.Context) (*sdfs.Store, error) {
	if s.given == nil && s.cfg.FS == nil {
		if _, err := os.Stat(s.cfg.Dir); s.cfg.Dir == "" || errors.Is(err, fs.ErrNotExist) {
			return nil, nil
		}
	}
	return s.Open(ctx)
}

// List returns the files whose names match a pattern, all for "", in name order.
func (s *store) List(ctx context.Context, pattern string) ([]sdfs.Info, error) {
	open, err := s.Existing(ctx)
	if open == nil || err != nil {
		return nil, err
	}
	return Find(ctx, open, pattern)
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

// Close closes the store if the engine opened it.
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
		e.File, e.Msg, e.Err = display, "no such file", fs.ErrNotExist
	case errors.Is(err, sdfs.ErrExists):
		e.File, e.Msg, e.Hint, e.Err = display, "exists already", "mode = 'replace' would replace it", fs.ErrExist
	}
	return e
}
