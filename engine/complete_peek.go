package engine

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/planner/analyze"
	"github.com/rainsql/rainsql/sdfs"
)

// seen is what completion has learned of files: it is asked at every key, and
// they seldom change.
type seen struct {
	tables map[string]seenTable
	stored []sdfs.Info // the files of the store
	listed time.Time   // when they were listed
}

type seenTable struct {
	table *analyze.Table
	size  int64
	time  time.Time // of the file's last change; of a pattern, when it was looked at
}

// fresh is how long completion trusts what it cannot check cheaply.
const fresh = 5 * time.Second

// mostSeen bounds how many tables are remembered.
const mostSeen = 256

// peeking is a catalog that looks at what is read, and does not care about what is written.
type peeking struct {
	files *files
	seen  *seen
	now   func() time.Time
}

// Table implements analyze.Catalog. It leaves alone what can be read once only.
func (p *peeking) Table(ctx context.Context, path string, o connect.Options) (*analyze.Table, error) {
	if connect.HasPattern(path) {
		first, err := p.first(ctx, path)
		if err != nil {
			return nil, err
		}
		if first != path {
			return p.Table(ctx, first, o)
		}
	}
	is := seenTable{time: p.now(), size: -1}
	exact := false
	if connect.IsLocal(path) {
		local, err := connect.LocalPath(path)
		if err != nil {
			return nil, err
		}
		info, err := os.Stat(local)
		switch {
		case err == nil && !info.Mode().IsRegular():
			return nil, readOnce(path)
		case err == nil:
			is.size, is.time, exact = info.Size(), info.ModTime(), true
		}
	} else if !p.files.store.exists() {
		return nil, fs.ErrNotExist // to open it would make it
	}
	key := sourceKey(path, o)
	if old, ok := p.seen.tables[key]; ok && old.size == is.size && (exact && old.time.Equal(is.time) || !exact && is.time.Sub(old.time) < fresh) {
		return old.table, nil
	}
	t, err := p.files.Table(ctx, path, o)
	if err != nil {
		return nil, err
	}
	if p.seen.tables == nil || len(p.seen.tables) >= mostSeen {
		p.seen.tables = map[string]seenTable{}
	}
	is.table = t
	p.seen.tables[key] = is
	return t, nil
}

// first is the first of the files that a pattern matches, whose columns stand
// for those of all. It walks through folders only as long as ctx allows.
func (p *peeking) first(ctx context.Context, pattern string) (string, error) {
	place, err := p.files.sourceOf(ctx, pattern)
	if err != nil {
		return "", err
	}
	if place.exists(pattern) {
		return pattern, nil
	}
	if !connect.IsLocal(pattern) {
		names, err := place.glob(pattern)
		if err != nil || len(names) == 0 {
			return "", errors.Join(err, fs.ErrNotExist)
		}
		return p.literal(names[0])
	}
	local, err := connect.LocalPath(pattern)
	if err != nil {
		return "", err
	}
	base, rest := doublestar.SplitPattern(filepath.ToSlash(filepath.Clean(local)))
	found := ""
	err = doublestar.GlobWalk(bounded{ctx, os.DirFS(base)}, rest, func(name string, _ fs.DirEntry) error {
		found = asWritten(pattern, local, filepath.Join(base, name))
		return fs.SkipAll
	}, doublestar.WithFilesOnly(), doublestar.WithNoHidden(), doublestar.WithFailOnIOErrors())
	if found == "" {
		return "", errors.Join(err, fs.ErrNotExist)
	}
	return p.literal(found)
}

// literal refuses a file whose own name reads as a pattern again.
func (p *peeking) literal(name string) (string, error) {
	if connect.HasPattern(name) {
		return "", badPattern(name)
	}
	return name, nil
}

// bounded is a file system that can be read until ctx ends.
type bounded struct {
	ctx context.Context
	fs.FS
}

// Open implements fs.FS.
func (b bounded) Open(name string) (fs.File, error) {
	if err := b.ctx.Err(); err != nil {
		return nil, err
	}
	return b.FS.Open(name)
}

// Target implements analyze.Catalog.
func (*peeking) Target(_ string, o connect.Options, _ types.Schema) (connect.Options, error) {
	return o, nil
}

// Program implements analyze.Catalog.
func (*peeking) Program(string) error { return nil }
