package sdfs

import (
	"context"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

// snapshot is the state as of now.
func (s *Store) snapshot() *namespace.State {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state
}

// Stat describes a file.
func (s *Store) Stat(name string) (Info, error) {
	if err := s.begin(); err != nil {
		return Info{}, err
	}
	defer s.end()
	f, ok := s.snapshot().Get(name)
	if !ok {
		return Info{}, notFound(name)
	}
	return infoOf(name, f), nil
}

// List describes the files whose names fit a pattern (see Match), all of one moment, in the order
// of their names. "" stands for all files. That none fits is no error.
func (s *Store) List(pattern string) ([]Info, error) {
	if pattern == "" {
		pattern = "**"
	}
	g, err := parseGlob(pattern)
	if err != nil {
		return nil, err
	}
	if err := s.begin(); err != nil {
		return nil, err
	}
	defer s.end()
	var list []Info
	for name, f := range s.snapshot().Files(g.prefix()) {
		if g.match(name) {
			list = append(list, infoOf(name, f))
		}
	}
	return list, nil
}

// Rename gives a file another name. It is refused with ErrExists if there is a file of that name.
func (s *Store) Rename(ctx context.Context, from, to string) error {
	return s.change(ctx, namespace.Entry{Kind: namespace.Rename, Name: from, To: to})
}

// Remove removes a file. Those who have it open can read on; its space is free after that.
func (s *Store) Remove(ctx context.Context, name string) error {
	return s.change(ctx, namespace.Entry{Kind: namespace.Remove, Name: name})
}

// change proposes an entry without blocks.
func (s *Store) change(ctx context.Context, e namespace.Entry) error {
	if err := s.begin(); err != nil {
		return err
	}
	defer s.end()
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.failure() != nil {
		return s.explain(s.failure())
	}
	// What can be seen now to be refused needs no entry.
	if _, ok := s.snapshot().Get(e.Name); !ok {
		return notFound(e.Name)
	}
	if e.Kind == namespace.Rename {
		if err := CheckName(e.To); err != nil {
			return err
		}
	}
	_, err := s.propose(ctx, e)
	return err
}

// Usage is what a store holds and takes.
type Usage struct {
	Files        int
	LogicalBytes int64 // in all files
	Blocks       int64 // in all files
	DiskBytes    int64 // in the disk files of blocks
	DeadBytes    int64 // of these, wanted no more but not given back yet
	LogBytes     int64 // of the log since its last snapshot
	TrashBytes   int64 // about to be removed
	MemoryBytes  int64 // small blocks kept in memory
	CacheBytes   int64 // chunks kept in memory
}

// Usage tells what the store holds and takes now. A closed store takes nothing.
func (s *Store) Usage() Usage {
	if s.begin() != nil {
		return Usage{}
	}
	defer s.end()
	state := s.snapshot()
	blocks := s.blocks.Usage()
	u := Usage{
		Files: state.Len(), DiskBytes: blocks.DiskBytes, DeadBytes: blocks.DeadBytes, TrashBytes: blocks.TrashBytes,
		MemoryBytes: blocks.MemoryBytes, CacheBytes: blocks.CacheBytes, LogBytes: s.log.Bytes(),
	}
	u.Blocks, u.LogicalBytes = state.Size()
	return u
}
