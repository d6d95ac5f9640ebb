package frame

import (
	"encoding/binary"
	"fmt"
)

// writer lays the parts of a batch one behind the other.
type writer struct {
	f     *Frame
	meta  []byte // the head and the description
	body  [][]byte
	size  int    // of the body
	small []byte // short buffers and what is between buffers, copied
	done  int    // how much of small is in body
}

// smallPiece is up to which size bytes are copied rather than sent from where they
// are: a piece costs about as much as copying so many.
const smallPiece = 1 << 10

func (w *writer) number(n int) { w.meta = binary.AppendUvarint(w.meta, uint64(n)) }

var zeros [8]byte

// put adds a buffer to the body.
func (w *writer) put(b []byte) {
	w.size += align(len(b))
	if len(b) <= smallPiece {
		w.small = append(w.small, b...)
	} else {
		w.flush()
		w.body = append(w.body, b[:len(b):len(b)])
	}
	w.small = append(w.small, zeros[:align(len(b))-len(b)]...)
}

func (w *writer) flush() {
	if n := len(w.small); n > w.done {
		w.body = append(w.body, w.small[w.done:n:n])
		w.done = n
	}
}

func (w *writer) texts(t *texts) {
	w.number(len(t.sent))
	for _, b := range t.sent {
		w.number(len(b))
		w.put(b)
	}
}

func (w *writer) column(c *column, p *part) {
	if c.layout == nothing {
		return
	}
	if c.layout == text {
		w.number(int(p.as))
	}
	w.number(p.nulls)
	if p.nulls > 0 {
		w.put(p.valid)
	}
	switch c.layout {
	case text:
		w.text(c, p)
	case list:
		w.number(p.children[0].n)
		w.put(p.values)
	case structure:
	default:
		w.put(p.values)
	}
	for i, child := range p.children {
		w.column(c.children[i], child)
	}
}

func (w *writer) text(c *column, p *part) {
	switch p.as {
	case asCodesOver:
		w.number(p.slot)
		w.number(p.dict.n)
		// The size of what follows is not known before it is written, and its
		// description comes after it.
		outer, at := w.meta, w.size
		w.meta = nil
		w.texts(p.dictTexts)
		w.column(c, p.dict)
		inner := w.meta
		w.meta = outer
		w.number(w.size - at)
		w.meta = append(w.meta, inner...)
	case asCodes:
		w.number(p.slot)
	default:
		w.number(len(p.refs))
		for _, r := range p.refs {
			w.number(r)
		}
	}
	w.put(p.values)
}

// finish puts the description before the buffers.
func (w *writer) finish() error {
	w.flush()
	binary.LittleEndian.PutUint32(w.meta[atDescribe:], uint32(len(w.meta)))
	w.meta = append(w.meta, zeros[:align(len(w.meta))-len(w.meta)]...)
	size := len(w.meta) + w.size
	if size > MaxBytes {
		return fmt.Errorf("a batch of %d bytes is too large to be sent", size)
	}
	w.f.pieces, w.f.size = append([][]byte{w.meta}, w.body...), size
	return nil
}
