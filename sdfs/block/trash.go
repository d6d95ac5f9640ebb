package block

import (
	"errors"
	"path"
	"strconv"
	"sync"
	"time"
)

// trash is what is known of the trash: its files are about to be removed.
type trash struct {
	emptying sync.Mutex // held while it is emptied
	mu       sync.Mutex // guards given
	given    map[string]time.Time
	opened   time.Time // those that were there before count from then
}

// add chooses the name in the trash of a file given up at a time. No name is given twice while a file has
// it: whoever removes that one must not hit this.
func (t *trash) add(base string, at time.Time) string {
	t.mu.Lock()
	defer t.mu.Unlock()
	name := base
	for n := 2; ; n++ {
		if _, taken := t.given[name]; !taken {
			t.given[name] = at
			return name
		}
		name = base + "." + strconv.Itoa(n)
	}
}

func (t *trash) forget(name string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.given, name)
}

// since is when a file was given up.
func (t *trash) since(name string) time.Time {
	t.mu.Lock()
	defer t.mu.Unlock()
	if at, ok := t.given[name]; ok {
		return at
	}
	return t.opened
}

// findTrash notes what is in the trash on opening.
func (s *Store) findTrash() error {
	s.trash.opened, s.trash.given = s.opts.Now(), map[string]time.Time{}
	list, err := s.disk.List(trashDir)
	if err != nil && !notThere(err) {
		return err
	}
	for _, e := range list {
		s.trash.given[e.Name] = s.trash.opened
	}
	return nil
}

// toTrash takes a file out of use. It need not be durable: if the file comes back, it is one
// that nothing names.
func (s *Store) toTrash(name string) error {
	to := s.trash.add(path.Base(name), s.opts.Now())
	err := s.disk.Rename(name, path.Join(trashDir, to))
	if err != nil {
		s.trash.forget(to)
	}
	if notThere(err) {
		return nil
	}
	return err
}

// EmptyTrash removes for good what was given up. It may run concurrently with everything.
func (s *Store) EmptyTrash() error {
	return s.emptyTrash(func(string) bool { return true })
}

// EmptyTrashBefore removes for good what was given up before a time by the clock of Options.Now: what Free gave up, and
// the segments of which nothing was wanted any more. What was in the trash on opening counts as given up
// then. It may run concurrently with everything.
func (s *Store) EmptyTrashBefore(t time.Time) error {
	return s.emptyTrash(func(name string) bool { return s.trash.since(name).Before(t) })
}

func (s *Store) emptyTrash(due func(name string) bool) error {
	s.trash.emptying.Lock()
	defer s.trash.emptying.Unlock()
	list, err := s.disk.List(trashDir)
	if err != nil {
		return err
	}
	var errs []error
	for _, e := range list {
		if !due(e.Name) {
			continue
		}
		if err := s.disk.Remove(path.Join(trashDir, e.Name)); err != nil && !notThere(err) {
			errs = append(errs, err)
			continue
		}
		s.trash.forget(e.Name)
	}
	return errors.Join(errs...)
}
