package engine

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/formats"
	"github.com/rainsql/rainsql/internal/human"
	"github.com/rainsql/rainsql/parser/complete"
	"github.com/rainsql/rainsql/sdfs"
)

// paths offers files: of this machine where the path says so; otherwise of the
// store, and then those that could be meant with ./ before them.
func (c *completer) paths(ctx context.Context) {
	if !c.wants(complete.Files | complete.Targets | complete.Programs) {
		return
	}
	typed := c.want.Typed
	if c.want.Quote == '\'' {
		typed = strings.ReplaceAll(typed, "''", "'")
	}
	here := !c.engine.cfg.Remote || c.wants(complete.Targets) // what runs elsewhere does not read this machine's disk
	switch {
	case here && (typed == "." || typed == ".." || typed == "~"):
		for _, start := range []string{"./", "../", "~/"} {
			if strings.HasPrefix(start, typed) {
				c.folder(start)
			}
		}
	case connect.IsLocal(typed):
		if here {
			c.local(typed)
		}
	case strings.Contains(typed, "://"):
	default:
		if !c.wants(complete.Programs) {
			c.stored(ctx, typed)
		}
		if here {
			c.local("./" + typed)
		}
	}
}

func (c *completer) folder(path string) {
	c.add(Item{Text: "'" + strings.ReplaceAll(path, "'", "''"), Kind: "folder", Open: true})
}

func (c *completer) file(path string, size int64) {
	c.add(Item{Text: "'" + strings.ReplaceAll(path, "'", "''") + "'", Kind: "file", Detail: human.Bytes(size)})
}

// local lists a folder of this machine: folders first, then files whose names
// tell a format, then others.
func (c *completer) local(typed string) {
	cut := strings.LastIndexByte(typed, '/') + 1
	folder, base := typed[:cut], typed[cut:]
	if connect.HasPattern(folder) {
		return
	}
	dir, err := connect.LocalPath(folder)
	if err != nil {
		return
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	var known, others []fs.DirEntry
	left := mostItems
	for _, e := range entries {
		name := e.Name()
		hidden := strings.HasPrefix(name, ".") && !strings.HasPrefix(base, ".")
		if hidden || !begins(name, base) || !sayable(name) {
			continue
		}
		if left--; left < 0 {
			break
		}
		if e.IsDir() || e.Type()&fs.ModeSymlink != 0 && isFolder(filepath.Join(dir, name)) {
			c.folder(folder + name + "/")
		} else if _, ok := formats.Detect(name); ok && !c.wants(complete.Programs) {
			known = append(known, e)
		} else {
			others = append(others, e)
		}
	}
	for _, e := range append(known, others...) {
		info, err := os.Stat(filepath.Join(dir, e.Name()))
		if err == nil && info.Mode().IsRegular() {
			c.file(folder+e.Name(), info.Size())
		}
	}
}

// sayable reports whether a name can be typed.
func sayable(name string) bool {
	return utf8.ValidString(name) && strings.IndexFunc(name, unicode.IsControl) < 0
}

// stored lists files of the store, a level of their names at a time.
func (c *completer) stored(ctx context.Context, typed string) {
	if now := c.engine.cfg.Now(); c.seen.listed.IsZero() || now.Sub(c.seen.listed) >= fresh {
		c.seen.listed, c.seen.stored = now, nil
		if found, err := c.engine.store.peek(ctx); err == nil {
			c.seen.stored = found
		}
	}
	var files []sdfs.Info
	for _, info := range c.seen.stored {
		if !begins(info.Name, typed) || !sayable(info.Name) {
			continue
		}
		if next := strings.IndexByte(info.Name[len(typed):], '/'); next >= 0 {
			c.folder(info.Name[:len(typed)+next+1])
			continue
		}
		files = append(files, info)
	}
	slices.SortStableFunc(files, func(a, b sdfs.Info) int { return rank(a.Name) - rank(b.Name) })
	for _, info := range files {
		c.file(info.Name, info.Size)
	}
}

// rank puts files of known formats first.
func rank(name string) int {
	if _, ok := formats.Detect(name); ok {
		return 0
	}
	return 1
}

// peek lists the files of the store without keeping it: a store that is not
// open is opened for the while only, so that a look at its names does not keep
// others out. There are none where it does not exist or another process has it.
func (s *store) peek(ctx context.Context) (list []sdfs.Info, err error) {
	if s.given != nil {
		return s.given.List(ctx, "")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.open != nil {
		return s.open.List(ctx, "")
	}
	if !s.made() {
		return nil, nil
	}
	open, err := sdfs.Open(ctx, s.cfg)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, open.Close()) }()
	return open.List(ctx, "")
}

// exists reports whether there is a store. It makes none.
func (s *store) exists() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.given != nil || s.open != nil || s.made()
}

func (s *store) made() bool {
	return s.cfg.FS != nil || s.cfg.Dir != "" && sdfs.Exists(s.cfg.Dir)
}
