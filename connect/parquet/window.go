package parquet

import (
	"errors"
	"fmt"
	"io"

	"github.com/rainsql/rainsql/connect/parquet/internal/encoding"
	"github.com/rainsql/rainsql/connect/scan"
)

// How much is read at once. A chunk is read ahead by a share of aheadInAll;
// chunks that are small and lie side by side come with one read.
const (
	aheadInAll = 16 << 20 // of all columns of a row group together
	aheadMost  = 1 << 20
	aheadLeast = 64 << 10
	smallChunk = 256 << 10
	smallGap   = 32 << 10 // worth reading over rather than asking twice
)

// window is the part of a chunk that is in memory.
type window struct {
	in    scan.Input
	read  *int64 // counts bytes taken from the file
	end   int64  // of the chunk
	ahead int
	off   int64 // of data
	data  []byte
	own   []byte // what data lies in, unless it is shared with other chunks
}

// at returns n bytes from off on, which stay until the next call; more may
// follow them in the slice's capacity, encoding.Padding at least. Both lie in
// the chunk, or it is an error.
func (w *window) at(off int64, n int) ([]byte, error) {
	if off < 0 || n < 0 || off > w.end || int64(n) > w.end-off {
		return nil, errors.New("a page reaches beyond the end of its column")
	}
	if off >= w.off && off+int64(n) <= w.off+int64(len(w.data)) {
		from := int(off - w.off)
		return w.data[from : from+n : cap(w.data)], nil
	}
	want := int(min(int64(max(n, w.ahead)), w.end-off))
	var tail []byte // what is here already
	if off >= w.off && off < w.off+int64(len(w.data)) {
		tail = w.data[off-w.off:]
		tail = tail[:min(len(tail), want)]
	}
	into := w.own
	if cap(into) < want+encoding.Padding {
		into = make([]byte, want+encoding.Padding)
	}
	have := copy(into[:want], tail)
	w.own, w.data, w.off = into, into[:want], off
	if err := readFull(w.in, w.data[have:], off+int64(have)); err != nil {
		w.data = nil
		return nil, err
	}
	*w.read += int64(want - have)
	return w.data[:n:cap(w.data)], nil
}

// most returns how many bytes there can be from off on, up to n.
func (w *window) most(off int64, n int) int { return int(max(0, min(int64(n), w.end-off))) }

func readFull(in io.ReaderAt, b []byte, off int64) error {
	n, err := in.ReadAt(b, off)
	if n == len(b) {
		return nil
	}
	if err == nil || errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return &readError{err}
}

// readError is a fault of the file's place, not of its content.
type readError struct{ err error }

func (e *readError) Error() string { return fmt.Sprintf("read failed: %v", e.err) }
func (e *readError) Unwrap() error { return e.err }

// prefetch reads chunks that are small and lie side by side at once. They come
// in the order of the file.
func prefetch(ws []*window, starts []int64) error {
	for i := 0; i < len(ws); {
		j := i + 1
		for j < len(ws) && starts[j] >= ws[j-1].end && starts[j]-ws[j-1].end <= smallGap &&
			ws[j].end-starts[j] <= smallChunk && ws[j].end-starts[i] <= aheadMost {
			j++
		}
		if j > i+1 && ws[i].end-starts[i] <= smallChunk {
			n := int(ws[j-1].end - starts[i])
			b := make([]byte, n, n+encoding.Padding)
			if err := readFull(ws[i].in, b, starts[i]); err != nil {
				return err
			}
			*ws[i].read += int64(n)
			for _, w := range ws[i:j] {
				w.data, w.off = b, starts[i]
			}
		}
		i = j
	}
	return nil
}
