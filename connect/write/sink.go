// Package write makes files of rows: the part that all formats written row by
// row share. The format is an Encoder, the place an Out.
package write

import (
	"errors"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
)

// Encoder puts rows into bytes: a format's half of a sink.
type Encoder interface {
	// Header appends what comes before the first row.
	Header(dst []byte) []byte
	// Row returns a function that appends row i of the columns. It is used
	// before the columns are released.
	Row(cols []arrow.Array) (func(dst []byte, i int) ([]byte, error), error)
}

// Footer is an Encoder whose files end with something more.
type Footer interface {
	// Footer appends what comes after the last row.
	Footer(dst []byte) []byte
}

// Out is where the bytes go: they appear at Commit, or not at all.
type Out interface {
	io.Writer
	Commit() error
	Abort() error
}

// bufferBytes is how much is gathered before it is written.
const bufferBytes = 256 << 10

// Sink writes rows through an encoder. It implements connect.Sink.
type Sink struct {
	enc     Encoder
	out     Out
	buf     []byte
	flushed int64
	done    bool
	err     error // what failed first; the sink is of no use then
}

// New returns a sink. header says whether the encoder's header is written: not
// when rows go to the end of a file that has one.
func New(enc Encoder, out Out, header bool) *Sink {
	s := &Sink{enc: enc, out: out, buf: make([]byte, 0, bufferBytes+4096)}
	if header {
		s.buf = enc.Header(s.buf)
	}
	return s
}

// Write appends rows.
func (s *Sink) Write(cols []arrow.Array, rows int) error {
	if s.err != nil {
		return s.err
	}
	row, err := s.enc.Row(cols)
	if err != nil {
		return s.fail(err)
	}
	for i := range rows {
		if s.buf, err = row(s.buf, i); err != nil {
			return s.fail(err)
		}
		if len(s.buf) >= bufferBytes {
			if err := s.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Sink) fail(err error) error {
	s.err = err
	return err
}

func (s *Sink) flush() error {
	n, err := s.out.Write(s.buf)
	s.flushed += int64(n)
	s.buf = s.buf[:0]
	if err != nil {
		return s.fail(err)
	}
	return nil
}

// Commit writes what is buffered and makes it all visible. If it fails,
// nothing is left behind.
func (s *Sink) Commit() error {
	if s.done {
		return s.err
	}
	if s.err == nil {
		if f, ok := s.enc.(Footer); ok {
			s.buf = f.Footer(s.buf)
		}
		s.err = s.flush()
	}
	if s.err != nil {
		return errors.Join(s.err, s.Abort())
	}
	s.done = true
	if err := s.out.Commit(); err != nil {
		return s.fail(err)
	}
	return nil
}

// Abort drops what was written.
func (s *Sink) Abort() error {
	if s.done {
		return nil
	}
	s.done = true
	return s.out.Abort()
}

// Bytes is how much has been written so far.
func (s *Sink) Bytes() int64 { return s.flushed + int64(len(s.buf)) }

// Stream is an Out over a plain writer, such as standard output: what is
// written is gone at once.
type Stream struct{ io.Writer }

// Commit does nothing more.
func (Stream) Commit() error { return nil }

// Abort can take nothing back.
func (Stream) Abort() error { return nil }
