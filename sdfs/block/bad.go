package block

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

// BadDir is the folder in which large blocks lie that were found damaged, to be looked at, and segments that the disk cannot read
// all of. It is made when it is first needed, and is not among Dirs.
const BadDir = "bad"

// mostBad bounds the files there; Options.BadBytes bounds their bytes.
const mostBad = 64

// Condemn reads all of a block from disk, as Verify does, and takes it out of use at once if it is not what it should
// be: that very copy, not one that was put in its place meanwhile. Nobody reads it any more, and the block can be put
// again. The file of a large one goes to the folder BadDir, where the newest ones are kept; a small one is forgotten,
// and its bytes go with its segment, to that folder if it is the disk that cannot read them. nil says that the copy is
// good; a *CorruptError that it was not, or is not there.
func (s *Store) Condemn(ctx context.Context, b namespace.Block) error {
	var err error
	for range tries {
		at, _, ok := s.find(b.ID)
		err = s.Verify(ctx, b)
		var corrupt *CorruptError
		if !ok || !errors.As(err, &corrupt) {
			return err
		}
		taken, qerr := s.quarantine(b.ID, at, corrupt)
		if taken || qerr != nil {
			return errors.Join(err, qerr)
		}
	}
	return err
}

// Examine is Condemn where only the id of a block is known: the copy must be what its own disk file says of it. It gives what it is; here is
// false where there is no such block.
func (s *Store) Examine(ctx context.Context, id namespace.BlockID) (b namespace.Block, here bool, err error) {
	for range tries {
		var at place
		b, at, err = s.describe(id)
		var corrupt *CorruptError
		switch {
		case at == place{}:
			return b, false, nil
		case err == nil && at.segment != 0: // all of it was read
			return b, true, nil
		case err == nil:
			return b, true, s.Condemn(ctx, b)
		case !errors.As(err, &corrupt):
			return b, true, err
		}
		taken, qerr := s.quarantine(id, at, corrupt)
		if taken || qerr != nil {
			return b, true, errors.Join(err, qerr)
		}
	}
	return b, true, err
}

// tell tells OnBad of a copy that was taken out of use.
func (s *Store) tell(why *CorruptError) {
	if s.opts.OnBad != nil {
		s.opts.OnBad(why)
	}
}

// quarantine takes a copy out of use and tells whether it still was in use. why is what is wrong with it.
func (s *Store) quarantine(id namespace.BlockID, at place, why *CorruptError) (bool, error) {
	s.bad.Lock()
	defer s.bad.Unlock()
	to, err := "", error(nil)
	if at.segment == 0 {
		to, err = s.badName(id.String())
	}
	taken, merr := s.takeOut(id, at, to, why)
	if !taken {
		return false, nil
	}
	for chunk := range chunksOf(at.length) {
		s.cache.remove(chunkKey{id, chunk})
	}
	if err = errors.Join(err, merr); err == nil && at.segment == 0 {
		err = s.settleBad(blockDir)
	}
	return true, err
}

// takeOut forgets a copy and moves its file; to is empty if that has no place to go.
func (s *Store) takeOut(id namespace.BlockID, at place, to string, why *CorruptError) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now, ok := s.index.get(id); !ok || now != at {
		return false, nil
	}
	s.forget(id, at)
	if at.segment != 0 {
		seg := s.segments[at.segment]
		if why.Err != nil {
			seg.addHole(hole{gap{at.off, at.off + recordSize(at.length)}, &readError{why.Offset, why.Err}})
		}
		return true, s.dropIfDead(seg)
	}
	if to == "" {
		return true, s.toTrash(blockName(id))
	}
	if err := s.disk.Rename(blockName(id), to); err != nil && !notThere(err) {
		return true, err
	}
	return true, nil
}

// badName is a free name for a file in the folder of bad ones, which is made if need be. The names count, so
// that their order is that of age. Called with bad held.
func (s *Store) badName(base string) (string, error) {
	if err := s.disk.Mkdir(BadDir); err != nil {
		return "", err
	}
	list, err := s.disk.List(BadDir)
	if err != nil {
		return "", err
	}
	last := uint64(0)
	for _, e := range list {
		count, _, _ := strings.Cut(e.Name, "-")
		if n, err := strconv.ParseUint(count, 16, 63); err == nil {
			last = max(last, n)
		}
	}
	return path.Join(BadDir, fmt.Sprintf("%016x-%s", last+1, base)), nil
}

// setAside moves a segment of which nothing is wanted any more, and which the disk cannot read all of, to the folder of bad ones:
// somebody may yet get out of it what no other server has.
func (s *Store) setAside(seg *segment) error {
	s.bad.Lock()
	defer s.bad.Unlock()
	to, err := s.badName(path.Base(seg.name()))
	s.mu.Lock()
	if s.segments[seg.number] != seg || seg.live != 0 {
		s.mu.Unlock()
		return nil
	}
	if err != nil {
		defer s.mu.Unlock()
		return errors.Join(err, s.dropSegment(seg))
	}
	s.handles.drop(seg.name())
	delete(s.segments, seg.number)
	err = s.disk.Rename(seg.name(), to)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return s.settleBad(segmentDir)
}

// settleBad makes durable that a file is in the folder of bad ones and not in the one it was in, and removes the
// oldest there beyond the bounds. Called with bad held.
func (s *Store) settleBad(from string) error {
	err := errors.Join(s.disk.SyncDir(""), s.disk.SyncDir(BadDir), s.disk.SyncDir(from))
	list, lerr := s.disk.List(BadDir)
	if lerr != nil {
		return errors.Join(err, lerr)
	}
	bytes := int64(0)
	for _, e := range list {
		bytes += e.Size
	}
	for len(list) > mostBad || bytes > s.opts.BadBytes && len(list) > 0 {
		err = errors.Join(err, s.disk.Remove(path.Join(BadDir, list[0].Name)))
		bytes -= list[0].Size
		list = list[1:]
	}
	return err
}

// EmptyBad removes what was kept of blocks that were found damaged. It may run concurrently with everything.
func (s *Store) EmptyBad() error {
	s.bad.Lock()
	defer s.bad.Unlock()
	list, err := s.disk.List(BadDir)
	if notThere(err) {
		return nil
	}
	errs := []error{err}
	for _, e := range list {
		errs = append(errs, s.disk.Remove(path.Join(BadDir, e.Name)))
	}
	return errors.Join(errs...)
}
