package arrowipc

import (
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect/scan"
)

// input reads pieces of a file whose length they are checked against, or of a
// pipe, which is read bit by bit: what a message declares costs no memory
// before it has arrived.
type input struct {
	in   scan.Input
	read *int64 // counts bytes taken
}

// pieceBytes is how much is asked of a pipe at once.
const pieceBytes = 1 << 20

// errEnd means that the file ends within what was asked for; errNothing, right before.
var (
	errEnd     = errors.New("the file ends within a message")
	errNothing = errors.New("the file ends")
)

// readError is a fault of the file's place, not of its content.
type readError struct{ err error }

func (e *readError) Error() string { return fmt.Sprintf("read failed: %v", e.err) }
func (e *readError) Unwrap() error { return e.err }

// fits reports whether n bytes can lie at off.
func (f input) fits(off, n int64) bool {
	size := f.in.Size()
	return off >= 0 && n >= 0 && (size < 0 || off <= size && n <= size-off)
}

// bytes reads n bytes that nobody else keeps.
func (f input) bytes(off int64, n int) ([]byte, error) {
	if !f.fits(off, int64(n)) {
		if off == f.in.Size() {
			return nil, errNothing
		}
		return nil, errEnd
	}
	step := n
	if f.in.Size() < 0 {
		step = min(n, pieceBytes)
	}
	b := make([]byte, step)
	for at := 0; ; {
		if err := f.fill(b[at:], off+int64(at), at == 0); err != nil {
			return nil, err
		}
		if at = len(b); at == n {
			return b, nil
		}
		b = append(b, make([]byte, min(n-at, max(at, pieceBytes)))...)
	}
}

// buffer reads n bytes into a buffer that the caller releases.
func (f input) buffer(mem memory.Allocator, off, n int64) (*memory.Buffer, error) {
	if !f.fits(off, n) || n > maxBody {
		return nil, errEnd
	}
	buf := memory.NewResizableBuffer(mem)
	for at := int64(0); at < n; {
		step := n - at
		if f.in.Size() < 0 {
			step = min(step, max(at, pieceBytes))
		}
		buf.Resize(int(at + step))
		// A pipe's window must not hold the body a second time.
		for from := at; from < at+step; from += pieceBytes {
			to := min(from+pieceBytes, at+step)
			if f.in.Size() >= 0 {
				from, to = at, at+step
			}
			if err := f.fill(buf.Bytes()[from:to], off+from, false); err != nil {
				buf.Release()
				return nil, err
			}
			f.in.Forget(off + to)
			if f.in.Size() >= 0 {
				break
			}
		}
		at += step
	}
	return buf, nil
}

func (f input) fill(b []byte, off int64, first bool) error {
	if len(b) == 0 {
		return nil
	}
	n, err := f.in.ReadAt(b, off)
	*f.read += int64(n)
	switch {
	case n == len(b):
		return nil
	case err != nil && !errors.Is(err, io.EOF):
		return &readError{err}
	case n == 0 && first:
		return errNothing
	}
	return errEnd
}
