package write

import (
	"errors"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/connect"
)

// Piece is an Out whose bytes are a part of a file that has more of them.
type Piece interface {
	Out
	// End says that all has been written to it: what it holds can go.
	End() error
}

// Pieces is a file of text that several tasks write in pieces, as one process has to do with it.
type Pieces struct {
	Encoder func() (Encoder, error)
	// First is the beginning of the file, the header if there is to be one; nil: another process has it.
	First Piece
	// Begin begins a piece. It comes behind First and behind those with a lower place, which are from 0 on.
	Begin func(place int64) (Piece, error)
}

// NewShared returns the file, to be written by the given tasks of this process, one at least.
// Commit hands it over piece by piece, in any order.
func NewShared(p Pieces, how connect.Sharing, tasks []int) connect.Shared {
	made := &made{Pieces: p}
	if how == connect.BySplit {
		return newOrdered(made, tasks)
	}
	return newUnordered(made, tasks)
}

// made are the pieces of a file that were begun.
type made struct {
	Pieces
	mu  sync.Mutex
	all []Piece // but First
}

// begin begins a piece.
func (m *made) begin(place int64) (Piece, error) {
	out, err := m.Begin(place)
	if err != nil {
		return nil, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.all = append(m.all, out)
	return out, nil
}

// commit hands all pieces over.
func (m *made) commit() error {
	if m.First != nil {
		if err := m.First.Commit(); err != nil {
			return err
		}
	}
	for _, out := range m.all {
		if err := out.Commit(); err != nil {
			return err
		}
	}
	m.First, m.all = nil, nil
	return nil
}

// Abort implements connect.Shared.
func (m *made) Abort() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	var errs []error
	if m.First != nil {
		errs = append(errs, m.First.Abort())
	}
	for _, out := range m.all {
		errs = append(errs, out.Abort())
	}
	m.First, m.all = nil, nil
	return errors.Join(errs...)
}

// rows are those of a task on their way into bytes.
type rows struct {
	enc Encoder
	buf []byte
}

func (m *made) rows() (rows, error) {
	enc, err := m.Encoder()
	return rows{enc: enc}, err
}

// add encodes rows; full is called whenever buf is, and takes what is in it.
func (r *rows) add(cols []arrow.Array, n int, full func() error) error {
	if r.buf == nil {
		r.buf = newBuffer()
	}
	row, err := r.enc.Row(cols)
	if err != nil {
		return err
	}
	for i := range n {
		if r.buf, err = row(r.buf, i); err != nil {
			return err
		}
		if len(r.buf) >= bufferBytes {
			if err := full(); err != nil {
				return err
			}
		}
	}
	return nil
}

func newBuffer() []byte { return make([]byte, 0, bufferBytes+4096) }
