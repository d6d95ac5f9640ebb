// Package frame turns what travels over a link between processes (batches, ends
// of splits, the end of a producer, errors) into bytes and back.
//
// A frame is a head of 32 bytes, then for a batch a description of its columns
// in variable-length numbers, then the columns' buffers, each from a position
// that is a multiple of eight. Both ends know the types of the columns from the
// plan, so the description says only how many rows are NULL, how long lists'
// elements are, which texts views refer to, and whether a column of text comes
// as views or as codes of a dictionary. Lengths that follow from these are not
// sent. Numbers are little-endian, as the engine has them in memory.
//
// Nothing is copied that need not be: an encoded frame is pieces of the arrays'
// own memory, and the arrays of a decoded batch are slices of the received
// bytes. What comes from a peer is bounded before anything is made for it and
// checked before it is used: a frame that is not right is an error.
package frame

import (
	"io"
	"sync/atomic"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/vec"
)

// Frame is one message in bytes, either made by an Encoder, as pieces of the
// memory of the batch, or received, in one buffer. It counts references: the
// one who makes it has the first. Bytes are never changed once they are there,
// so that several goroutines may read them while each holds a reference.
type Frame struct {
	mem  memory.Allocator
	refs atomic.Int32
	back giveBack

	pieces [][]byte // of an encoded frame, in order
	size   int
	keep   []arrow.Array    // whose memory pieces refer to
	own    []*memory.Buffer // made for the frame alone

	body *memory.Buffer // of a received frame

	flight *Flight // told when the frame is freed; may be nil
}

// New returns an empty frame to receive into. Its bytes will be allocated from
// mem, aligned as Arrow has it, and freed when the frame and all arrays decoded
// from it have been released.
func New(mem memory.Allocator) *Frame {
	f := &Frame{mem: mem}
	f.back.f = f
	f.refs.Store(1)
	return f
}

// FromBytes returns a frame as if it had been received, over bytes that it keeps: they must not be changed, and begin where a word of
// eight bytes may, as those of a slice that was made do.
func FromBytes(b []byte) *Frame {
	f := New(nil)
	f.body, f.size = memory.NewBufferBytes(b), len(b)
	return f
}

// Len is the number of bytes.
func (f *Frame) Len() int { return f.size }

// Pieces returns the bytes in their order. They are borrowed from the frame.
func (f *Frame) Pieces() [][]byte {
	if f.body != nil {
		return [][]byte{f.body.Bytes()}
	}
	return f.pieces
}

// WriteTo implements io.WriterTo. It does not say where the frame ends: that is the reader's to know.
func (f *Frame) WriteTo(w io.Writer) (n int64, err error) {
	for _, p := range f.Pieces() {
		k, err := w.Write(p)
		n += int64(k)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// Copy returns the frame as if it had been received: its bytes in one buffer of
// mem, which the caller releases.
func (f *Frame) Copy(mem memory.Allocator) *Frame {
	c := New(mem)
	at := c.room(f.Len())
	for _, p := range f.Pieces() {
		at = at[copy(at, p):]
	}
	return c
}

// room makes the frame a received one of n bytes, which the caller fills. What it held is released.
func (f *Frame) room(n int) []byte {
	f.free()
	f.body = memory.NewResizableBuffer(f.mem)
	f.body.Resize(n)
	f.size = n
	return f.body.Bytes()
}

// more adds room for the next n bytes of a received frame that will have all of them. It takes no more than twice what has come.
func (f *Frame) more(n, all int) []byte {
	have := f.size
	if need := have + n; need > f.body.Cap() {
		f.body.Reserve(min(2*need, all))
	}
	f.body.ResizeNoShrink(have + n)
	f.size += n
	return f.body.Bytes()[have:]
}

// Retain adds a reference.
func (f *Frame) Retain() { f.refs.Add(1) }

// Release takes a reference back. With the last one an encoded frame lets go of
// the batch it was made of, a received one of its bytes, which arrays decoded
// from it go on to hold.
func (f *Frame) Release() {
	if f.refs.Add(-1) == 0 {
		f.end()
	}
}

func (f *Frame) end() {
	f.free()
	if f.flight != nil {
		f.flight.landed(f)
	}
}

func (f *Frame) free() {
	vec.ReleaseAll(f.keep)
	for _, b := range f.own {
		b.Release()
	}
	if f.body != nil {
		f.body.Release()
	}
	f.pieces, f.keep, f.own, f.body, f.size = nil, nil, nil, nil, 0
}

// scratch returns n bytes that live as long as the frame. What they hold is undefined.
func (f *Frame) scratch(n int) []byte {
	if n == 0 {
		return nil
	}
	b := memory.NewResizableBuffer(f.mem)
	b.Resize(n)
	f.own = append(f.own, b)
	return b.Bytes()
}

// kept hands an array to the frame, which releases it.
func (f *Frame) kept(a arrow.Array) arrow.Array {
	f.keep = append(f.keep, a)
	return a
}
