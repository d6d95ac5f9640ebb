package engine

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"

	"github.com/rainsql/rainsql/sdfs"
)

// batch gathers the files of the store that one query writes, which appear in
// one step. Safe for concurrent use.
type batch struct {
	mu      sync.Mutex
	writers []*sdfs.Writer // whose sinks have committed
	names   []string       // as messages call the files, each once
}

func (b *batch) add(w *sdfs.Writer, name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.writers = append(b.writers, w)
	if !slices.Contains(b.names, name) {
		b.names = append(b.names, name)
	}
}

// commit makes all files visible, or none.
func (b *batch) commit(ctx context.Context, s *store) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.writers) == 0 {
		return nil
	}
	open, err := s.Open(ctx)
	if err != nil {
		return err
	}
	if err := open.Commit(ctx, b.writers...); err != nil {
		return storeError(err, strings.Join(b.names, ", "))
	}
	b.writers, b.names = nil, nil
	return nil
}

// take hands over the writers, in the order in which their sinks have committed.
func (b *batch) take() []*sdfs.Writer {
	b.mu.Lock()
	defer b.mu.Unlock()
	list := b.writers
	b.writers, b.names = nil, nil
	return list
}

// abort drops what was not committed.
func (b *batch) abort() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	var errs []error
	for _, w := range b.writers {
		errs = append(errs, w.Abort())
	}
	b.writers, b.names = nil, nil
	return errors.Join(errs...)
}
