package multi

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/rainsql/rainsql/connect"
)

// mostIdle is how many files are kept open that no one reads, for the next of
// their splits.
const mostIdle = 8

// handles opens files when they are needed and shares them among the readers
// of their splits. Safe for concurrent use.
type handles struct {
	openFile func(ctx context.Context, at int) (connect.Source, error)

	mu   sync.Mutex
	live map[int]*handle
	idle []int // the longest idle first
}

type handle struct {
	once   sync.Once
	source connect.Source
	err    error
	users  int
}

func newHandles(open func(ctx context.Context, at int) (connect.Source, error)) *handles {
	return &handles{openFile: open, live: map[int]*handle{}}
}

// take returns a file, opened; put gives it back.
func (h *handles) take(ctx context.Context, at int) (connect.Source, error) {
	h.mu.Lock()
	one := h.live[at]
	if one == nil {
		one = &handle{}
		h.live[at] = one
	}
	if one.users == 0 {
		h.idle = slices.DeleteFunc(h.idle, func(i int) bool { return i == at })
	}
	one.users++
	h.mu.Unlock()
	one.once.Do(func() { one.source, one.err = h.openFile(ctx, at) })
	if one.err == nil {
		return one.source, nil
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if one.users--; h.live[at] == one {
		delete(h.live, at)
	}
	return nil, one.err
}

// put gives a file back. It stays open for a while.
func (h *handles) put(at int) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	one := h.live[at]
	if one == nil {
		return nil // closed meanwhile
	}
	if one.users--; one.users > 0 {
		return nil
	}
	h.idle = append(h.idle, at)
	if len(h.idle) <= mostIdle {
		return nil
	}
	oldest := h.idle[0]
	h.idle = h.idle[1:]
	return h.drop(oldest)
}

// forget closes the idle files of which that holds.
func (h *handles) forget(of func(at int) bool) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var errs []error
	h.idle = slices.DeleteFunc(h.idle, func(at int) bool {
		if of(at) {
			errs = append(errs, h.drop(at))
			return true
		}
		return false
	})
	return errors.Join(errs...)
}

// drop closes a file. h.mu is held.
func (h *handles) drop(at int) error {
	one := h.live[at]
	delete(h.live, at)
	return one.source.Close()
}

// close closes all files; their readers are closed by then.
func (h *handles) close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	var errs []error
	for at, one := range h.live {
		if one.source != nil {
			errs = append(errs, one.source.Close())
		}
		delete(h.live, at)
	}
	h.idle = nil
	return errors.Join(errs...)
}
