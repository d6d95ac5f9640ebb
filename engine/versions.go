package engine

import (
	"errors"
	"fmt"
	"io/fs"
	"sync"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/planner/dag"
	"github.com/rainsql/rainsql/sdfs"
)

// ErrChanged is what errors.Is finds where a file of the store is another than
// the one that the query was planned for. To run the query again, from its text, is all it takes.
var ErrChanged = errors.New("a file was replaced or removed while the query began")

// versions are the contents of the store's files that a query reads. Planning
// makes them: a file is what it was when it was opened first. A graph carries
// them to others, who read no other file. nil are those of a query that takes
// files as they are. Safe for concurrent use.
type versions struct {
	closed bool // no file is added any more

	mu    sync.Mutex
	paths map[string][]string // the files behind a pattern; of a graph also that behind a name
	files map[string]dag.InputFile
}

func newVersions() *versions {
	return &versions{paths: map[string][]string{}, files: map[string]dag.InputFile{}}
}

// versionsOf are those that a graph carries.
func versionsOf(g *dag.Graph) *versions {
	v := newVersions()
	v.closed = true
	for _, in := range g.Inputs {
		for _, f := range in.Files {
			v.paths[in.Path] = append(v.paths[in.Path], f.Name)
			v.files[f.Name] = f
		}
	}
	return v
}

// inputs are what a graph needs to carry: the files behind each path that it scans.
func (v *versions) inputs(paths []string) ([]dag.Input, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	var list []dag.Input
	for _, path := range paths {
		names, many := v.paths[path]
		if !many {
			names = []string{path}
		}
		in := dag.Input{Path: path}
		for _, name := range names {
			f, ok := v.files[name]
			if !ok {
				return nil, fmt.Errorf("internal: %s is read, and planning has not looked at %s", path, name)
			}
			in.Files = append(in.Files, f)
		}
		list = append(list, in)
	}
	return list, nil
}

// behind returns the files that a path is known to lead to. Of those that a
// graph carries it knows all there are.
func (v *versions) behind(path string) (names []string, ok bool) {
	if v == nil {
		return nil, false
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	names, ok = v.paths[path]
	return names, ok || v.closed
}

// matched notes the files that a pattern was found to match, and returns those that were found first.
func (v *versions) matched(pattern string, names []string) []string {
	if v == nil {
		return names
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if before, ok := v.paths[pattern]; ok {
		return before
	}
	if len(names) > 0 {
		v.paths[pattern] = names
	}
	return names
}

// allows reports that a file may be opened.
func (v *versions) allows(name string) error {
	if v == nil || !v.closed {
		return nil
	}
	if _, ok := v.files[name]; !ok {
		return &connect.Error{File: name, Msg: "is not among the files that the query was planned for"}
	}
	return nil
}

// hold notes a file that was opened for the first time, and refuses it later if
// it is another by then. It returns how many of its bytes are to be read.
func (v *versions) hold(info sdfs.Info) (size int64, err error) {
	if v == nil {
		return info.Size, nil
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	f, ok := v.files[info.Name]
	if !ok {
		v.files[info.Name] = dag.InputFile{Name: info.Name, ID: info.ID, Generation: info.Generation, Size: info.Size}
		return info.Size, nil
	}
	if f.ID != info.ID || f.Generation != info.Generation || f.Size > info.Size {
		return 0, changed(info.Name, "replaced")
	}
	return f.Size, nil
}

// gone tells why a file cannot be opened that could be before.
func (v *versions) gone(name string, err error) error {
	if v == nil || !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	if _, ok := v.files[name]; ok {
		return changed(name, "removed")
	}
	return err
}

func changed(name, how string) error {
	return &connect.Error{File: name, Msg: "was " + how + " while the query began", Hint: "run it again", Err: ErrChanged}
}
