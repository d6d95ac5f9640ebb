package compress

import "io"

// Pieces in which data is unpacked ahead of its reader, and how many.
const (
	aheadBytes  = 256 << 10
	aheadPieces = 3
)

// ahead reads in a goroutine of its own, so that unpacking and what is done
// with the data take two cores.
type ahead struct {
	full  chan piece
	free  chan []byte
	stop  chan struct{}
	ended chan struct{}
	cur   piece
	rest  []byte // of cur
}

type piece struct {
	buf []byte
	n   int
	err error // after the n bytes
}

func newAhead(r io.Reader) *ahead {
	a := &ahead{full: make(chan piece, aheadPieces), free: make(chan []byte, aheadPieces), stop: make(chan struct{}), ended: make(chan struct{})}
	for range aheadPieces {
		a.free <- nil // allocated when it is needed
	}
	go a.run(r)
	return a
}

func (a *ahead) run(r io.Reader) {
	defer close(a.ended)
	defer close(a.full)
	for {
		var buf []byte
		select {
		case buf = <-a.free:
		case <-a.stop:
			return
		}
		if buf == nil {
			buf = make([]byte, aheadBytes)
		}
		n, err := io.ReadAtLeast(r, buf, 1)
		select {
		case a.full <- piece{buf, n, err}:
		case <-a.stop:
			return
		}
		if err != nil {
			return
		}
	}
}

// Read implements io.Reader.
func (a *ahead) Read(p []byte) (int, error) {
	for len(a.rest) == 0 {
		if a.cur.err != nil {
			return 0, a.cur.err
		}
		if a.cur.buf != nil {
			a.free <- a.cur.buf
		}
		var ok bool
		if a.cur, ok = <-a.full; !ok {
			return 0, io.ErrClosedPipe
		}
		a.rest = a.cur.buf[:a.cur.n]
	}
	n := copy(p, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// cancel makes the goroutine end; wait returns when it has.
func (a *ahead) cancel() { close(a.stop) }
func (a *ahead) wait()   { <-a.ended }
