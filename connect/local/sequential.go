package local

import (
	"fmt"
	"io"
	"sync"
)

// sequential gives a stream the shape of a file: what was read stays in a
// window until it is forgotten, and may be read again.
type sequential struct {
	mu     sync.Mutex
	r      io.Reader
	window []byte
	off    int64 // of the window's first byte
	err    error // what ended the stream, io.EOF in the good case
}

func newSequential(r io.Reader) *sequential { return &sequential{r: r} }

func (s *sequential) ReadAt(p []byte, off int64) (int, error) {
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
func (s *sequential) fill(need int) {
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

func (s *sequential) forget(off int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := min(off-s.off, int64(len(s.window)))
	if n <= 0 {
		return
	}
	s.window = s.window[:copy(s.window, s.window[n:])]
	s.off += n
}
