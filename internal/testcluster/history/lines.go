package history

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/rainsql/rainsql/sdfs"
)

// Lines is what writers appended to a file, a line each time, and what came of it. It is safe for concurrent use.
type Lines struct {
	mu      sync.Mutex
	done    map[string]bool // acknowledged
	unknown map[string]bool
}

// NewLines is no lines.
func NewLines() *Lines { return &Lines{done: map[string]bool{}, unknown: map[string]bool{}} }

// Write has a writer append count lines, one after the other; pause is called before each. An append that fails
// ends it.
func (l *Lines) Write(ctx context.Context, s *sdfs.Store, name string, writer, count int, pause func()) error {
	for i := range count {
		pause()
		line := fmt.Sprintf("%d %d", writer, i)
		err := s.Append(ctx, name, []byte(line+"\n"))
		l.mu.Lock()
		switch {
		case err == nil:
			l.done[line] = true
		case errors.Is(err, sdfs.ErrUnknown):
			l.unknown[line] = true
		}
		l.mu.Unlock()
		if err != nil && !errors.Is(err, sdfs.ErrUnknown) {
			return fmt.Errorf("%q: %w", line, err)
		}
	}
	return nil
}

// Count is how many were acknowledged, and of how many it is not known.
func (l *Lines) Count() (done, unknown int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.done), len(l.unknown)
}

// Check finds what is wrong with a file: each acknowledged line must be there once, no other but those whose outcome is
// not known, and the lines of each writer in its order.
func (l *Lines) Check(content string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	next := map[int]int{}
	seen := map[string]bool{}
	for line := range strings.Lines(content) {
		line = strings.TrimSuffix(line, "\n")
		var writer, i int
		if _, err := fmt.Sscanf(line, "%d %d", &writer, &i); err != nil {
			return fmt.Errorf("a line %q that nobody wrote", line)
		}
		switch {
		case seen[line]:
			return fmt.Errorf("%q is there twice", line)
		case !l.done[line] && !l.unknown[line]:
			return fmt.Errorf("%q is there, though its append failed", line)
		case i < next[writer]:
			return fmt.Errorf("%q comes after a later one of its writer", line)
		}
		seen[line], next[writer] = true, i
	}
	for line := range l.done {
		if !seen[line] {
			return fmt.Errorf("%q was acknowledged, and is not there", line)
		}
	}
	return nil
}
