package scan

import (
	"fmt"
	"io"
	"sync"
)

// Stream gives what can only be read from its beginning on, such as a pipe,
// the shape of an Input: what was read stays in a window until it is
// forgotten, and may be read again. Safe for concurrent use.
type Stream struct {
	mu     sync.Mutex
	r      io.Reader
	window []byte
	off    int64 // of the window's first byte
	err    error // what ended the stream, io.EOF in the good case
}

// NewStream returns a stream over r, which stays the caller's to close.
func NewStream(r io.Reader) *Stream { return &Stream{r: r} }

// Size is not known.
func (s *Stream) Size() int64 { return -1 }

// ReadAt fills p from offset off on, or returns how much there was and io.EOF.
// Only what Forget has left may be asked for.
func (s *Stream) ReadAt(p []byte, off int64) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if off < s.off {
		return 0, fmt.Errorf("cannot be read a second time: it is a stream")
	}
	for need := off + int64(len(p)) - s.off; int64(len(s.window)) < need && s.err == nil; {
		s.fill(int(need))
	}
	have := s.off + int64(len(s.window))
	if off >= have {
		return 0, s.err
	}
	n := copy(p, s.window[off-s.off:])
	if n < len(p) {
		return n, s.err
	}
	return n, nil
}

// fill reads once, towards a window of need bytes.
func (s *Stream) fill(need int) {
	n := len(s.window)
	if cap(s.window) < need {
		grown := make([]byte, n, max(need, 2*cap(s.window)))
		copy(grown, s.window)
		s.window = grown
	}
	got, err := s.r.Read(s.window[n:need])
	s.window = s.window[:n+got]
	s.err = err
}

// Forget says that nothing before off is read again.
func (s *Stream) Forget(off int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(off-s.off, int64(len(s.window)))
	if n <= 0 {
		return
	}
	s.window = s.window[:copy(s.window, s.window[n:])]
	s.off += n
}
