package frame

import (
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/types"
)

// Encoder makes the frames of one stream of one edge. The frames must reach one
// Decoder, all of them, in the order in which they were made: the two remember
// the same dictionaries. It is used by one goroutine at a time.
type Encoder struct {
	mem  memory.Allocator
	cols []*column
	told told
	err  error
}

// NewEncoder returns an encoder of batches whose columns are of types cols, in
// any of the layouts that operators make. What a frame needs beside the batch's
// own memory is allocated from mem. The caller releases the encoder.
func NewEncoder(mem memory.Allocator, cols []types.Type) (*Encoder, error) {
	c, err := columnsOf(cols)
	if err != nil {
		return nil, fmt.Errorf("frame: %w", err)
	}
	return &Encoder{mem: mem, cols: c}, nil
}

// Held is how many bytes of dictionaries the encoder keeps in memory, at most 64 MB.
func (e *Encoder) Held() int64 { return e.told.mass }

// Release forgets the dictionaries. Frames that were made live on.
func (e *Encoder) Release() { e.told.release() }

// Encode makes a frame of m, which the caller releases once it is sent. A batch
// is borrowed: the frame holds references of its own, so that the caller may
// release it at once, and no one may change it. Arrays that other goroutines
// use too must be settled, as op.Batch.Retain does. Where rows came from
// (Origin) does not travel.
//
// An error means a batch that has a selection, is not of the planned types or
// is too large for a frame; the encoder is of no use after that, since the
// other end no longer knows what it does.
func (e *Encoder) Encode(m Message) (*Frame, error) {
	if e.err != nil {
		return nil, e.err
	}
	f := New(e.mem)
	if err := e.encode(f, &m); err != nil {
		f.Release()
		e.err = fmt.Errorf("frame: %w", err)
		return nil, e.err
	}
	return f, nil
}

func (e *Encoder) encode(f *Frame, m *Message) error {
	switch m.Kind {
	case Batch:
		return e.batch(f, m)
	case EndSplit, Close, Error, Credit, Enough:
		rest := *m
		if !m.Kind.counts() {
			rest.Split = -1
		}
		if m.Kind == Credit && (m.Split < 1 || m.Split > MaxCredit) {
			return fmt.Errorf("%d is no credit", m.Split)
		}
		b, err := appendHead(make([]byte, 0, headSize), &rest, 0, 0)
		if err != nil {
			return err
		}
		if m.Kind == Error {
			b = append(b, cutText(m.Text)...)
		}
		f.pieces, f.size = [][]byte{b}, len(b)
		return nil
	}
	return fmt.Errorf("there is no %s", m.Kind)
}

// cutText returns as much of an error's text as travels, as valid UTF-8.
func cutText(s string) string {
	s = strings.ToValidUTF8(s, "\uFFFD")
	if len(s) <= MaxText {
		return s
	}
	n := MaxText
	for !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

func (e *Encoder) batch(f *Frame, m *Message) error {
	b := m.Batch
	switch {
	case b == nil:
		return errors.New("there is no batch")
	case b.Sel != nil:
		return errors.New("a batch with a selection must be compacted before it is sent")
	case len(b.Cols) != len(e.cols):
		return fmt.Errorf("a batch of %d columns where %d are planned", len(b.Cols), len(e.cols))
	case b.Rows < 0 || b.Rows > MaxRows:
		return fmt.Errorf("a batch of %d rows is too large to be sent", b.Rows)
	}
	p := preparation{e: e, f: f, texts: newTexts(f)}
	e.told.frame++
	parts := make([]*part, len(b.Cols))
	for i, a := range b.Cols {
		c := e.cols[i]
		if a.Len() != b.Rows {
			return c.errorf("%d rows in a batch of %d", a.Len(), b.Rows)
		}
		a.Retain()
		var err error
		if parts[i], err = p.column(c, f.kept(a)); err != nil {
			return err
		}
	}
	if err := p.texts.settle(); err != nil {
		return err
	}
	w := writer{f: f}
	var err error
	if w.meta, err = appendHead(make([]byte, 0, 256), m, b.Rows, len(b.Cols)); err != nil {
		return err
	}
	w.number(len(p.forget))
	for _, slot := range p.forget {
		w.number(slot)
	}
	w.texts(p.texts)
	for i, c := range e.cols {
		w.column(c, parts[i])
	}
	return w.finish()
}
