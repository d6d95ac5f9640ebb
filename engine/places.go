package engine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/formats"
)

// place is where a path of the language leads: this machine's disk, or the store.
type place interface {
	formats.Place
	// path turns a path of the language into one of the place.
	path(path string) (string, error)
	// glob returns the files that a pattern matches, in name order, as the
	// language names them.
	glob(pattern string) ([]string, error)
	// exists reports whether there is a file of that very name.
	exists(path string) bool
	// missing says that a file is not there, and what to do.
	missing(path string) error
	// target checks that a file of that name can be written.
	target(path string) error
	// during is the place for what ctx bounds: it lasts as long as what is
	// written there is.
	during(ctx context.Context) place
}

// placeOf returns where a path leads.
func (f *files) placeOf(ctx context.Context, path string) (place, error) {
	if connect.IsLocal(path) {
		return localPlace{}, nil
	}
	if err := inStore(path, f.store); err != nil {
		return nil, err
	}
	return storePlace{ctx: ctx, store: f.store, batch: &f.batch, seen: f.seen}, nil
}

// sourceOf is placeOf for what is read.
func (f *files) sourceOf(ctx context.Context, path string) (place, error) {
	if f.store.remote && connect.IsLocal(path) {
		return nil, notThere(path)
	}
	return f.placeOf(ctx, path)
}

// inStore refuses a path that is neither local nor a name of the store.
func inStore(path string, s *store) error {
	if scheme, _, ok := strings.Cut(path, "://"); ok {
		e := &connect.Error{File: path, Msg: fmt.Sprintf("%s:// is not supported yet", scheme), Hint: "read a local file: ./name"}
		if s.remote {
			e.Hint = "name a file of SDFS"
		}
		return e
	}
	return nil
}

// localPlace is the disk of this machine.
type localPlace struct{ formats.Local }

func (p localPlace) during(context.Context) place { return p }

func (localPlace) path(path string) (string, error) { return connect.LocalPath(path) }

func (p localPlace) exists(path string) bool {
	local, err := p.path(path)
	if err != nil {
		return false
	}
	_, err = os.Lstat(local)
	return err == nil
}

// glob leaves out hidden files, which programs keep for themselves, unless the
// pattern names them, and whatever is not a regular file.
func (p localPlace) glob(pattern string) ([]string, error) {
	local, err := p.path(pattern)
	if err != nil {
		return nil, err
	}
	found, err := doublestar.FilepathGlob(filepath.Clean(local), doublestar.WithFilesOnly(), doublestar.WithNoHidden(), doublestar.WithFailOnIOErrors())
	switch {
	case errors.Is(err, doublestar.ErrBadPattern):
		return nil, badPattern(pattern)
	case err != nil:
		return nil, &connect.Error{File: pattern, Msg: "its folders cannot be read: " + err.Error(), Err: err}
	}
	names := make([]string, 0, len(found))
	for _, name := range found {
		info, err := os.Stat(name)
		if err == nil && info.Mode().IsRegular() {
			names = append(names, asWritten(pattern, local, name))
		}
	}
	slices.Sort(names)
	return names, nil
}

// asWritten gives a file that was found the beginning that the pattern has.
func asWritten(pattern, local, found string) string {
	fixed, _ := doublestar.SplitPattern(filepath.ToSlash(filepath.Clean(local)))
	written, _ := doublestar.SplitPattern(pattern)
	rest := found
	if fixed != "." {
		rest = strings.TrimPrefix(strings.TrimPrefix(found, fixed), "/")
	}
	if written == "/" {
		return "/" + rest
	}
	return strings.TrimSuffix(written, "/") + "/" + rest
}

func badPattern(pattern string) error {
	return &connect.Error{File: pattern, Msg: "is not a valid pattern", Hint: "close its brackets; * ? [a-z] {a,b} and ** have a meaning"}
}

// missing says what is there instead of a file.
func (p localPlace) missing(path string) error {
	e := &connect.Error{Msg: fmt.Sprintf("no file %q", path), Err: fs.ErrNotExist}
	local, err := p.path(path)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(filepath.Dir(local))
	if err != nil {
		e.Hint = fmt.Sprintf("there is no directory %q", filepath.Dir(path))
		return e
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if near := nearest(filepath.Base(local), names); near != "" {
		e.Hint = fmt.Sprintf("did you mean '%s'?", strings.TrimSuffix(path, filepath.Base(path))+near)
	}
	return e
}

func (p localPlace) target(path string) error {
	local, err := p.path(path)
	if err != nil {
		return err
	}
	if isFolder(local) {
		return &connect.Error{File: path, Msg: "is a directory", Hint: "name a file in it"}
	}
	if folder := filepath.Dir(local); !isFolder(folder) {
		return &connect.Error{File: path, Msg: "its folder does not exist", Hint: "create it first: mkdir -p " + folder}
	}
	return nil
}

func isFolder(local string) bool {
	info, err := os.Stat(local)
	return err == nil && info.IsDir()
}

// isStream reports whether a file can be read once only: a pipe or terminal.
func isStream(p place, path string) bool {
	if _, ok := p.(localPlace); !ok {
		return false
	}
	info, err := os.Stat(path)
	return err == nil && !info.Mode().IsRegular() && !info.IsDir()
}
