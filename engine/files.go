package engine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/formats"
	"github.com/rainsql/rainsql/connect/multi"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/planner/analyze"
)

// files resolves the paths of a query. A source that planning opened is kept
// for the run that follows, so that its types are inferred once and it is the
// same file. It serves one statement at a time.
type files struct {
	store   *store                    // files whose names are not local
	tables  map[string]*analyze.Table // what planning has looked at, so that it looks once
	opened  map[string]connect.Source // and the sources it opened for that, for the first run that reads them
	streams map[string]*stream        // by path: what can be read once only
	batch   batch                     // files of the store that the statement at hand writes
	seen    *versions                 // what the statement at hand reads, if others run it
	faults  []error                   // of the store, that planning has met

	noPrograms bool
	notices    []string // what the user should know of the files that planning has looked at
	told       []string // those that the user knows
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

func newFiles(s *store) *files {
	f := &files{store: s, tables: map[string]*analyze.Table{}, opened: map[string]connect.Source{}, streams: map[string]*stream{}}
	if s.remote {
		f.seen = newVersions()
	}
	return f
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
	p, err := f.sourceOf(ctx, path)
	if err != nil {
		return nil, err
	}
	o, src, err := openSource(ctx, p, path, o)
	if err != nil {
		f.faults = append(f.faults, err)
		return nil, err
	}
	found := &analyze.Table{Options: o, Schema: src.Schema(), Size: src.Size()}
	if other := found.OtherDelimiter(); other != "" {
		f.notices = append(f.notices, fmt.Sprintf("%s has one column, %q: if %s separates its fields, write (delimiter = '%[3]s') behind its name", path, found.Schema[0].Name, other))
	}
	if there, err := p.path(path); err == nil && isStream(p, there) {
		f.streams[path] = &stream{table: found, key: asked, source: src}
		return found, nil
	}
	f.tables[asked] = found
	key := sourceKey(path, o)
	if len(f.opened) >= maxKept || f.opened[key] != nil || f.store.remote {
		return found, src.Close()
	}
	f.opened[key] = src
	return found, nil
}

// openSource opens what a path names: a file, or all that a pattern matches. The
// options it returns are complete.
func openSource(ctx context.Context, p place, path string, o connect.Options) (connect.Options, connect.Source, error) {
	if connect.HasPattern(path) && !p.exists(path) {
		return openMany(ctx, p, path, o)
	}
	there, err := p.path(path)
	if err != nil {
		return o, nil, err
	}
	resolved, err := formats.Resolve(there, path, o)
	if err != nil {
		if _, local := p.(localPlace); local && isFolder(there) {
			err = &connect.Error{File: path, Msg: "is a directory", Hint: "read its files by a pattern: " + strings.TrimSuffix(path, "/") + "/*.csv"}
		} else if !p.exists(path) {
			err = p.missing(path)
		}
		return o, nil, err
	}
	src, err := formats.OpenSource(ctx, p, there, path, resolved)
	if errors.Is(err, fs.ErrNotExist) {
		err = p.missing(path)
	}
	return resolved, src, err
}

// openMany opens the files of a pattern as one table.
func openMany(ctx context.Context, p place, pattern string, o connect.Options) (connect.Options, connect.Source, error) {
	names, err := p.glob(pattern)
	if err != nil {
		return o, nil, err
	}
	if len(names) == 0 {
		return o, nil, &connect.Error{Msg: fmt.Sprintf("no file matches %q", pattern), Hint: "* stays within a folder, ** goes into them; hidden files are left out", Err: fs.ErrNotExist}
	}
	if o, err = resolveMany(pattern, names, o); err != nil {
		return o, nil, err
	}
	src, err := multi.Open(ctx, names, o, func(ctx context.Context, name string, o connect.Options) (connect.Source, error) {
		there, err := p.path(name)
		if err != nil {
			return nil, err
		}
		return formats.OpenSource(ctx, p.during(ctx), there, name, o)
	})
	if err != nil {
		return o, nil, err // not src: a nil *Source would be a Source
	}
	return o, src, nil
}

// resolveMany decides the one format of many files: said, or told by the
// pattern, or by the files, which must then agree.
func resolveMany(pattern string, names []string, o connect.Options) (connect.Options, error) {
	if _, ok := formats.Detect(pattern); ok || o.Format != "" {
		return formats.Resolve(pattern, pattern, o)
	}
	resolved, err := formats.Resolve(names[0], names[0], o)
	if err != nil {
		return o, err
	}
	for _, name := range names[1:] {
		other, err := formats.Resolve(name, name, o)
		if err != nil {
			return o, err
		}
		if formats.Base(other.Format) != formats.Base(resolved.Format) {
			return o, &connect.Error{File: name, Msg: fmt.Sprintf("is %s and %s is %s", other.Format, names[0], resolved.Format), Hint: "a pattern reads files of one format: make it narrower, or say (format = '…')"}
		}
	}
	resolved.Format = formats.Base(resolved.Format) // each name tells its own compression
	return resolved, nil
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
	p, err := f.sourceOf(ctx, path)
	if err != nil {
		return nil, err
	}
	_, src, err := openSource(ctx, p, path, o)
	return src, err
}

// NewSink implements task.Opener.
func (f *files) NewSink(ctx context.Context, path string, schema types.Schema, o connect.Options) (connect.Sink, error) {
	p, err := f.placeOf(ctx, path)
	if err != nil {
		return nil, err
	}
	return newSink(p, path, schema, o)
}

func newSink(p place, path string, schema types.Schema, o connect.Options) (connect.Sink, error) {
	there, err := p.path(path)
	if err != nil {
		return nil, err
	}
	return formats.NewSink(p, there, path, schema, o)
}

// Commit implements task.Opener: the files of the store appear in one step.
func (f *files) Commit(ctx context.Context) error { return f.batch.commit(ctx, f.store) }

// Target implements analyze.Catalog.
func (f *files) Target(path string, o connect.Options, columns types.Schema) (connect.Options, error) {
	p, err := f.placeOf(context.Background(), path) // nothing is opened
	if err != nil {
		return o, err
	}
	if strings.HasSuffix(path, "/") {
		return folderTarget(p, path, o, columns)
	}
	if err := p.target(path); err != nil {
		return o, err
	}
	there, err := p.path(path)
	if err != nil {
		return o, err
	}
	if o, err = formats.Resolve(there, path, o); err != nil {
		return o, err
	}
	if columns != nil {
		if err := formats.CheckSink(path, columns, o); err != nil {
			return o, err
		}
	}
	return o, nil
}

// folderTarget is Target for a folder of files, one of each task.
func folderTarget(p place, path string, o connect.Options, columns types.Schema) (connect.Options, error) {
	if _, ok := p.(formats.Divided); !ok {
		return o, &connect.Error{File: path, Msg: "a directory of parts is written in SDFS only", Hint: fmt.Sprintf("where all parts appear in one step: INTO '%s/', or name one file", filepath.Base(path))}
	}
	if err := p.target(strings.TrimSuffix(path, "/")); err != nil {
		return o, err
	}
	o, err := formats.FolderFormat(path, path, o)
	if err == nil && columns != nil {
		err = formats.CheckParts(path, columns, o)
	}
	return o, err
}

// forget drops what is known of files, because statements have run since and
// may have written them. Streams stay: they cannot be opened again.
func (f *files) forget() error {
	var errs []error
	for _, s := range f.opened {
		errs = append(errs, s.Close())
	}
	f.tables, f.opened = map[string]*analyze.Table{}, map[string]connect.Source{}
	if f.seen != nil {
		f.seen = newVersions()
	}
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

// tell hands over the notices that have gathered, each once.
func (f *files) tell(h Handler) {
	for _, n := range f.notices {
		if !slices.Contains(f.told, n) {
			f.told = append(f.told, n)
			h.Notice(n)
		}
	}
	f.notices = nil
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
