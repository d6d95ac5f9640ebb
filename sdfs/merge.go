package sdfs

import (
	"context"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

// run is blocks in a row that are to become one.
type run struct {
	off         int64 // in the file
	size        int64
	count       int
	first, last namespace.BlockID
}

// runs cuts a file's blocks into runs, of at least least blocks each smaller than below, which fit
// into one block.
func runs(blocks namespace.Blocks, below, most int64, least int) []run {
	var found []run
	var r run
	end := func() {
		if r.count >= max(2, least) {
			found = append(found, r)
		}
		r = run{}
	}
	for off, b := range blocks.All() {
		size := int64(b.Length)
		if size >= below {
			end()
			continue
		}
		if r.size+size > most {
			end()
		}
		if r.count == 0 {
			r.off, r.first = off, b.ID
		}
		r.last = b.ID
		r.size += size
		r.count++
	}
	end()
	return found
}

// smallRuns is what is merged in the background.
func (s *Store) smallRuns(blocks namespace.Blocks) []run {
	return runs(blocks, int64(s.sizes.Small), s.sizes.Block, s.sizes.Merge)
}

// allRuns is what is merged on request.
func (s *Store) allRuns(blocks namespace.Blocks) []run {
	return runs(blocks, max(2, s.sizes.Block/4), s.sizes.Block, 2)
}

// Merge puts the small blocks of a file together, so that it is read faster and takes less space. Its
// content and its Version stay the same, and those who read it notice nothing. Where there is nothing to
// merge it does nothing.
func (s *Store) Merge(ctx context.Context, name string) error {
	_, err := s.mergeWith(ctx, name, s.allRuns)
	return err
}

// MergeSmall is Merge for the background: it leaves alone what is not worth it yet. It gives the number of runs of blocks that it merged.
func (s *Store) MergeSmall(ctx context.Context, name string) (int, error) {
	return s.mergeWith(ctx, name, s.smallRuns)
}

func (s *Store) mergeWith(ctx context.Context, name string, find func(namespace.Blocks) []run) (int, error) {
	if err := s.begin(); err != nil {
		return 0, err
	}
	defer s.end()
	if err := CheckName(name); err != nil {
		return 0, err
	}
	if err := s.backend.Ready(); err != nil {
		return 0, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	n, err := s.merge(ctx, name, find)
	return n, s.backend.Explain(err)
}

// merge merges the runs that find finds, and gives their number.
func (s *Store) merge(ctx context.Context, name string, find func(namespace.Blocks) []run) (int, error) {
	select {
	case s.merging <- struct{}{}:
	case <-ctx.Done():
		return 0, ctx.Err()
	}
	defer func() { <-s.merging }()
	f, err := s.openFile(ctx, name)
	if err != nil {
		return 0, err
	}
	defer func() { _ = f.Close() }() // closed by no one else
	list := find(f.file.Blocks)
	for i, r := range list {
		if err := s.mergeRun(ctx, f, r); err != nil {
			return i, err
		}
	}
	return len(list), nil
}

func (s *Store) mergeRun(ctx context.Context, f *File, r run) error {
	st := stage{s: s}
	buf := make([]byte, min(r.size, 4*largeRead))
	for done := int64(0); done < r.size; {
		part := buf[:min(int64(len(buf)), r.size-done)]
		err := ctx.Err()
		if err == nil {
			_, err = f.readAt(ctx, part, r.off+done, false)
		}
		if err == nil {
			err = st.write(ctx, part)
		}
		if err != nil {
			st.abort()
			return err
		}
		done += int64(len(part))
	}
	if err := st.complete(ctx); err != nil {
		st.abort()
		return err
	}
	return s.backend.Propose(ctx, namespace.Entry{
		Kind: namespace.Merge, Name: f.name, File: f.file.ID, Generation: f.file.Generation,
		Offset: r.off, First: r.first, Last: r.last, Count: r.count, Blocks: st.blocks,
	})
}
