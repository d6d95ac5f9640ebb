package frame

import (
	"errors"
	"fmt"
	"unicode/utf8"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// Decoder reads the frames of one Encoder, all of them, in their order. It is
// used by one goroutine at a time; what it returns may go to any.
type Decoder struct {
	mem   memory.Allocator
	cols  []*column
	heard heard
	err   error
}

// NewDecoder returns a decoder of batches whose columns are of types cols.
// Dictionaries that outlive their frame are copied into memory of mem. The
// caller releases the decoder.
func NewDecoder(mem memory.Allocator, cols []types.Type) (*Decoder, error) {
	c, err := columnsOf(cols)
	if err != nil {
		return nil, fmt.Errorf("frame: %w", err)
	}
	return &Decoder{mem: mem, cols: c}, nil
}

// Held is how many bytes of dictionaries the decoder remembers, at most 64 MB.
func (d *Decoder) Held() int64 { return d.heard.mass }

// Release forgets the dictionaries. Batches that were decoded live on.
func (d *Decoder) Release() { d.heard.release() }

// Decode reads a received frame, which it borrows. The caller owns the batch of
// the message, whose arrays hold the frame's memory until they are released, so
// that the frame itself may be released at once; a batch that is kept for long
// while few of its rows count should be compacted.
//
// An error means a frame that is not right, and says what is wrong with it and
// in which column, counted from 1, and row, from 0. Nothing is allocated for a
// frame but for its dictionaries, which are within it, and what describes arrays. The decoder is
// of no use after an error: it may lack a dictionary.
func (d *Decoder) Decode(f *Frame) (Message, error) {
	if d.err != nil {
		return Message{}, d.err
	}
	m, err := d.decode(f)
	if err != nil {
		d.err = fmt.Errorf("frame: %w", err)
		return Message{}, d.err
	}
	return m, nil
}

func (d *Decoder) decode(f *Frame) (Message, error) {
	if f.body == nil {
		return Message{}, errors.New("it has not been received")
	}
	b := f.body.Bytes()
	h, err := parseHead(b)
	if err != nil {
		return Message{}, err
	}
	switch h.Kind {
	case Batch:
		h.Batch, err = d.batch(f.body, h)
	case Error:
		if t := b[headSize:]; len(t) > MaxText || !utf8.Valid(t) {
			err = errors.New("it brings an error that is no text")
		}
		h.Text = string(b[headSize:min(len(b), headSize+MaxText)])
	case inPieces:
		err = errors.New("it is to come in several messages, and was not waited for")
	}
	return h.Message, err
}

func (d *Decoder) batch(body *memory.Buffer, h head) (*op.Batch, error) {
	if h.columns != len(d.cols) {
		return nil, fmt.Errorf("a batch of %d columns where %d are planned", h.columns, len(d.cols))
	}
	b := body.Bytes()
	if uintptr(unsafe.Pointer(unsafe.SliceData(b)))%8 != 0 {
		return nil, errors.New("it was received into memory that is not aligned")
	}
	r := &reader{d: d, describe: b[headSize:h.describe]}
	start := align(h.describe)
	if start > len(b) || !blank(b[h.describe:start]) {
		return nil, errors.New("its description is not padded")
	}
	if err := r.forget(); err != nil {
		return nil, err
	}
	s := &section{reader: r, from: body, at: start, end: len(b)}
	if err := s.readTexts(); err != nil {
		return nil, err
	}
	out := &op.Batch{Rows: h.rows, Split: h.Split, Cols: make([]arrow.Array, 0, len(d.cols))}
	for _, c := range d.cols {
		data, err := s.column(c, h.rows)
		if err != nil {
			out.Release()
			s.release()
			return nil, err
		}
		out.Cols = append(out.Cols, array.MakeFromData(data))
		data.Release()
	}
	s.release()
	if s.at != s.end || len(r.describe) != 0 {
		out.Release()
		return nil, errors.New("there is more than its columns")
	}
	for _, c := range out.Cols {
		vec.Settle(c)
	}
	return out, nil
}

// reader reads the description of a batch.
type reader struct {
	d        *Decoder
	describe []byte
}

var errDescription = errors.New("its description is damaged")

// number reads a number that may be most.
func (r *reader) number(most int) (int, error) {
	n, shift := 0, 0
	for i, b := range r.describe {
		if i == 5 {
			break
		}
		n |= int(b&0x7f) << shift
		shift += 7
		if b < 0x80 {
			if i > 0 && b == 0 || n < 0 || n > most {
				break
			}
			r.describe = r.describe[i+1:]
			return n, nil
		}
	}
	return 0, errDescription
}

func (r *reader) forget() error {
	n, err := r.number(maxDictionaries)
	for ; n > 0 && err == nil; n-- {
		var slot int
		if slot, err = r.number(maxDictionaries - 1); err == nil && !r.d.heard.forget(slot) {
			err = fmt.Errorf("dictionary %d is to be forgotten and is not there", slot)
		}
	}
	return err
}

func blank(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// section is a run of buffers with the texts that views among them refer to:
// those of a frame, or those of a dictionary.
type section struct {
	*reader
	from    *memory.Buffer
	at, end int
	isDict  bool // no codes may come
	texts   []passage
}

// passage is a text of the peer's.
type passage struct {
	buf    *memory.Buffer
	bytes  []byte
	state  utf8State
	faults *faults
}

// take passes over the next buffer, which has n bytes and comes padded. The caller releases it.
func (s *section) take(n int) (*memory.Buffer, error) {
	if n > s.end-s.at || align(n) > s.end-s.at {
		return nil, fmt.Errorf("a buffer of %d bytes where %d are left", n, s.end-s.at)
	}
	if !blank(s.from.Bytes()[s.at+n : s.at+align(n)]) {
		return nil, errors.New("a buffer is not padded")
	}
	b := memory.SliceBuffer(s.from, s.at, n)
	s.at += align(n)
	return b, nil
}

func (s *section) readTexts() error {
	n, err := s.number(maxTexts)
	if err != nil {
		return err
	}
	if n > (s.end-s.at)/8 {
		return errDescription
	}
	s.texts = make([]passage, 0, n)
	for range n {
		size, err := s.number(MaxBytes)
		if err == nil && size == 0 {
			err = errDescription
		}
		var b *memory.Buffer
		if err == nil {
			if b, err = s.take(size); err != nil {
				err = fmt.Errorf("text: %w", err)
			}
		}
		if err != nil {
			s.release()
			return err
		}
		s.texts = append(s.texts, passage{buf: b, bytes: b.Bytes()})
	}
	return nil
}

func (s *section) release() {
	for _, t := range s.texts {
		t.buf.Release()
	}
	s.texts = nil
}
