package column

import (
	"encoding/binary"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/text"
)

// view is an arrow.ViewHeader in two words: length and the first four bytes;
// then either the next eight bytes or the buffer's index and an offset in it.
// The words are those of a little-endian machine, the only kind we build for.
type view struct{ lo, hi uint64 }

const inlineMax = 12 // the longest string that fits in the header

// inlineMask holds, by length, which bytes of prefix and rest belong to it.
var inlineMask = func() (m [inlineMax + 1]view) {
	for n := range m {
		m[n].lo = 1<<(8*min(n, 4)) - 1
		if n == inlineMax {
			m[n].hi = ^uint64(0)
		} else if n > 4 {
			m[n].hi = 1<<(8*(n-4)) - 1
		}
	}
	return m
}()

// viewColumn is a STRING or BYTES column: views into the chunk, or into a side
// buffer where escapes had to be undone.
type viewColumn struct {
	vector[view]
	dt      arrow.DataType
	utf8    bool
	long    bool // some value lies in a buffer
	scratch []byte
}

// The buffers of a column, in this order.
const (
	chunkBuffer = 0
	sideBuffer  = 1
)

func (c *viewColumn) Convert(t *Text, spans []Span, at int) int {
	vals := c.vals[at : at+len(spans)]
	data := t.Data[:len(t.Data):cap(t.Data)]
	padded := data[:len(data)+Padding]
	check := c.utf8 && t.High
	if !c.utf8 && !t.RawBytes && text.HasByteEscape(t.Data) {
		return c.convertBytes(t, spans, at)
	}
	for i, s := range spans {
		kind := s.Kind()
		if kind >= Escaped {
			if kind == Null {
				c.setNull(at + i)
			} else if v, ok := c.unescape(t, s); ok {
				vals[i] = v
			} else {
				return i
			}
			continue
		}
		start, end := int(s.start), int(s.end&^uint32(kindMask))
		if check && !utf8.Valid(data[start:end]) {
			return i
		}
		vals[i] = viewOf(padded, start, end-start, chunkBuffer, start)
		c.long = c.long || end-start > inlineMax
	}
	return -1
}

// convertBytes is Convert for BYTES some of which are written as \xNN.
func (c *viewColumn) convertBytes(t *Text, spans []Span, at int) int {
	for i, s := range spans {
		if s.Kind() == Null {
			c.setNull(at + i)
			continue
		}
		c.scratch = text.UnescapeBytes(c.scratch[:0], t.value(s))
		c.vals[at+i] = c.keep(t, c.scratch)
	}
	return -1
}

// viewOf makes the view of n bytes of data, which has Padding bytes after them.
func viewOf(data []byte, start, n, buffer, offset int) view {
	head := data[start : start+inlineMax : len(data)]
	lo := uint64(binary.LittleEndian.Uint32(head))
	if n > inlineMax {
		return view{uint64(n) | lo<<32, uint64(buffer) | uint64(offset)<<32}
	}
	m := &inlineMask[n]
	return view{uint64(n) | lo&m.lo<<32, binary.LittleEndian.Uint64(head[4:]) & m.hi}
}

func (c *viewColumn) unescape(t *Text, s Span) (view, bool) {
	t.scratch = t.Unescape(t.scratch[:0], s.Bytes(t.Data))
	if c.utf8 && t.High && !utf8.Valid(t.scratch) {
		return view{}, false
	}
	return c.keep(t, t.scratch), true
}

// keep makes the view of a value that is not in the chunk as it is.
func (c *viewColumn) keep(t *Text, b []byte) view {
	n := len(b)
	if n > inlineMax {
		c.long = true
		return viewOf(b, 0, n, sideBuffer, t.side.add(c.alloc, b))
	}
	var short [inlineMax]byte
	copy(short[:], b)
	return viewOf(short[:], 0, n, 0, 0)
}

func (c *viewColumn) Finish(t *Text, rows int) arrow.Array {
	var more []*memory.Buffer
	if c.long {
		more = append(more, t.Buffer)
		if t.side.buf != nil {
			more = append(more, t.side.buf)
		}
	}
	c.long = false
	return c.finish(c.dt, rows, more...)
}

func (c *viewColumn) Release() {
	c.long = false
	c.vector.Release()
}

// side holds the strings of a batch that are not in the chunk as they are.
type side struct {
	buf *memory.Buffer
	n   int
}

// add copies b in and returns its offset.
func (s *side) add(alloc memory.Allocator, b []byte) int {
	if s.buf == nil {
		s.buf, s.n = memory.NewResizableBuffer(alloc), 0
	}
	if need := s.n + len(b); need > s.buf.Len() {
		const least = 4096
		s.buf.Resize(max(least, need, 2*s.buf.Len()))
	}
	at := s.n
	s.n += copy(s.buf.Bytes()[at:], b)
	return at
}

func (s *side) release() {
	if s.buf != nil {
		s.buf.Release()
		s.buf = nil
	}
}
