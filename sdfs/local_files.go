package sdfs

import (
	"context"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

// snapshot is the state as of now.
func (l *local) snapshot() *namespace.State {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.state
}

// Ready implements Backend. It tries to make room.
func (l *local) Ready() error {
	if err := l.failure(); err != nil {
		return l.Explain(err)
	}
	if l.isLow() && !l.makeRoom() {
		return ErrNoSpace
	}
	return nil
}

// Stat implements Backend.
func (l *local) Stat(_ context.Context, name string) (Info, error) {
	f, ok := l.snapshot().Get(name)
	if !ok {
		return Info{}, notFound(name)
	}
	return InfoOf(name, f), nil
}

// List implements Backend.
func (l *local) List(_ context.Context, prefix string) ([]Info, error) {
	var list []Info
	for name, f := range l.snapshot().Files(prefix) {
		list = append(list, InfoOf(name, f))
	}
	return list, nil
}

// pin is a reader, who sees a file as it was at some entry.
type pin struct{ at uint64 }

// Open implements Backend.
func (l *local) Open(_ context.Context, name string) (Content, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	file, ok := l.state.Get(name)
	if !ok {
		return Content{}, notFound(name)
	}
	p := &pin{at: l.state.Index()}
	if l.pins[file.ID] == nil {
		l.pins[file.ID] = map[*pin]struct{}{}
	}
	l.pins[file.ID][p] = struct{}{}
	return Content{File: file, Release: func() { l.unpin(file.ID, p) }}, nil
}

func (l *local) unpin(file uint64, p *pin) {
	l.mu.Lock()
	defer l.mu.Unlock()
	readers := l.pins[file]
	delete(readers, p)
	if len(readers) == 0 {
		delete(l.pins, file)
	}
	if len(l.freed) > 0 {
		l.poke()
	}
}

func notFound(name string) error {
	return &namespace.Refusal{Reason: ErrNotFound, Name: name}
}
