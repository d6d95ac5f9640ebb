package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/formats"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/planner/analyze"
)

// files resolves the paths of a query to files of this machine. A source that
// planning opened is kept for the run that follows, so that its types are
// inferred once and it is the same file. It serves one statement at a time.
type files struct {
	tables  map[string]*analyze.Table // what planning has looked at, so that it looks once
	opened  map[string]connect.Source // and the sources it opened for that, for the first run that reads them
	streams map[string]*stream        // by path: what can be read once only
}

// stream is a pipe or terminal that planning has looked at. Its source is kept
// until the one run that reads it.
type stream struct {
	table  *analyze.Table
	key    string
	source connect.Source
}

// maxKept bounds the files that a long script holds open before it runs; those
// beyond it are opened again when their statement comes.
const maxKept = 64

func newFiles() *files {
	return &files{tables: map[string]*analyze.Table{}, opened: map[string]connect.Source{}, streams: map[string]*stream{}}
}

// Table implements analyze.Catalog.
func (f *files) Table(ctx context.Context, path string, o connect.Options) (*analyze.Table, error) {
	asked := sourceKey(path, o)
	if s := f.streams[path]; s != nil {
		if s.key != asked {
			return nil, readOnce(path)
		}
		return s.table, nil
	}
	if found := f.tables[asked]; found != nil {
		return found, nil
	}
	o, src, err := f.open(ctx, path, o)
	if err != nil {
		return nil, err
	}
	found := &analyze.Table{Options: o, Schema: src.Schema(), Size: src.Size()}
	if src.Size() < 0 {
		f.streams[path] = &stream{table: found, key: asked, source: src}
		return found, nil
	}
	f.tables[asked] = found
	key := sourceKey(path, o)
	if len(f.opened) >= maxKept || f.opened[key] != nil {
		return found, src.Close()
	}
	f.opened[key] = src
	return found, nil
}

func (f *files) open(ctx context.Context, path string, o connect.Options) (connect.Options, connect.Source, error) {
	local, err := localPath(path)
	if err != nil {
		return o, nil, err
	}
	if o, err = formats.Resolve(local, path, o); err != nil {
		if missing := notThere(local, path); missing != nil {
			err = missing
		} else if isFolder(local) {
			err = &connect.Error{File: path, Msg: "is a directory", Hint: "name a file in it"}
		}
		return o, nil, err
	}
	src, err := formats.OpenSource(ctx, local, path, o)
	if err != nil && errors.Is(err, os.ErrNotExist) {
		err = notThere(local, path)
	}
	return o, src, err
}

// OpenSource implements task.Opener.
func (f *files) OpenSource(ctx context.Context, path string, o connect.Options) (connect.Source, error) {
	if s := f.streams[path]; s != nil {
		src := s.source
		s.source = nil
		if src == nil {
			return nil, readOnce(path)
		}
		return src, nil
	}
	key := sourceKey(path, o)
	if have := f.opened[key]; have != nil {
		delete(f.opened, key)
		return have, nil
	}
	_, src, err := f.open(ctx, path, o)
	return src, err
}

// NewSink implements task.Opener.
func (f *files) NewSink(path string, schema types.Schema, o connect.Options) (connect.Sink, error) {
	local, err := localPath(path)
	if err != nil {
		return nil, err
	}
	return formats.NewSink(local, schema, o)
}

// Target implements analyze.Catalog.
func (f *files) Target(path string, o connect.Options, columns types.Schema) (connect.Options, error) {
	local, err := localPath(path)
	if err != nil {
		return o, err
	}
	if strings.HasSuffix(path, "/") {
		return o, &connect.Error{File: path, Msg: "writing a directory of parts is not supported yet", Hint: "name one file"}
	}
	if isFolder(local) {
		return o, &connect.Error{File: path, Msg: "is a directory", Hint: "name a file in it"}
	}
	if folder := filepath.Dir(local); !isFolder(folder) {
		return o, &connect.Error{File: path, Msg: "its folder does not exist", Hint: "create it first: mkdir -p " + folder}
	}
	if o, err = formats.Resolve(local, path, o); err != nil {
		return o, err
	}
	if columns != nil {
		if err := formats.CheckSink(path, columns, o); err != nil {
			return o, err
		}
	}
	return o, nil
}

// forget drops what is known of files, because statements have run since and
// may have written them. Streams stay: they cannot be opened again.
func (f *files) forget() error {
	var errs []error
	for _, s := range f.opened {
		errs = append(errs, s.Close())
	}
	f.tables, f.opened = map[string]*analyze.Table{}, map[string]connect.Source{}
	return errors.Join(errs...)
}

// close frees the sources that no run took over.
func (f *files) close() error {
	errs := []error{f.forget()}
	for _, s := range f.streams {
		if s.source != nil {
			errs = append(errs, s.source.Close())
		}
	}
	f.streams = nil
	return errors.Join(errs...)
}

func readOnce(path string) error {
	return &connect.Error{File: path, Msg: "can be read only once: it is a stream", Hint: "write it to a file first, with INTO"}
}

func sourceKey(path string, o connect.Options) string {
	b, err := json.Marshal(o)
	if err != nil {
		return path
	}
	return path + "\x00" + string(b)
}

// localPath turns a path of the language into one of the machine: ./ ../ / ~
// and file:// are local; anything else names a file of SDFS or a broker.
func localPath(path string) (string, error) {
	if rest, ok := strings.CutPrefix(path, "file://"); ok {
		return rest, nil
	}
	if scheme, _, ok := strings.Cut(path, "://"); ok {
		return "", &connect.Error{File: path, Msg: fmt.Sprintf("%s:// is not supported yet", scheme), Hint: "read a local file: ./name"}
	}
	if path == "~" || strings.HasPrefix(path, "~/") {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", &connect.Error{File: path, Msg: "the home directory is not known: " + err.Error()}
		}
		return filepath.Join(home, strings.TrimPrefix(path, "~")), nil
	}
	if path == "." || path == ".." {
		return path, nil
	}
	for _, p := range []string{"./", "../", "/"} {
		if strings.HasPrefix(path, p) {
			return path, checkGlob(path)
		}
	}
	e := &connect.Error{Msg: fmt.Sprintf("no file \"%s\" in SDFS, which is not supported yet", path), Hint: "a local file is written './" + path + "'"}
	if _, err := os.Stat(path); err == nil {
		e.Hint = fmt.Sprintf("did you mean './%s'?", path)
	}
	return "", e
}

func checkGlob(path string) error {
	if !strings.ContainsAny(path, "*?[") {
		return nil
	}
	if _, err := os.Stat(path); err == nil {
		return nil // a file that is really called so
	}
	return &connect.Error{File: path, Msg: "reading many files by a pattern is not supported yet", Hint: "name one file, or UNION ALL several"}
}

func isFolder(local string) bool {
	info, err := os.Stat(local)
	return err == nil && info.IsDir()
}

// notThere says that a file does not exist, and what is there instead; nil if it exists.
func notThere(local, display string) error {
	if _, err := os.Stat(local); !errors.Is(err, os.ErrNotExist) {
		return nil
	}
	e := &connect.Error{Msg: fmt.Sprintf("no file %q", display), Err: os.ErrNotExist}
	entries, err := os.ReadDir(filepath.Dir(local))
	if err != nil {
		e.Hint = fmt.Sprintf("there is no directory %q", filepath.Dir(display))
		return e
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	if near := nearest(filepath.Base(local), names); near != "" {
		e.Hint = fmt.Sprintf("did you mean '%s'?", strings.TrimSuffix(display, filepath.Base(display))+near)
	}
	return e
}
