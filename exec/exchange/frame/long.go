package frame

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc/mem"
)

// MaxMessage is the most bytes of one message on a stream: what a server takes of any request (2 MB) is more. A frame that is
// longer, because it has a row that is, travels as several: first a head that says how long the frame is, then its bytes,
// MaxMessage in each message but the last.
const MaxMessage = 3 << 19

// stretch is a message of a longer frame.
type stretch struct {
	of     *Frame
	pieces [][]byte
}

// Send sends a frame, which it borrows as SendMsg does, in as many messages as it takes. No other message may come between:
// the caller sees to that.
func Send(st interface{ SendMsg(m any) error }, f *Frame) error {
	if f.Len() <= MaxMessage {
		return st.SendMsg(f)
	}
	head, err := appendHead(make([]byte, 0, headSize), &Message{Kind: inPieces, Split: f.Len()}, 0, 0)
	if err != nil {
		return err
	}
	announced := New(nil) // holds nothing that is to be freed
	announced.pieces, announced.size = [][]byte{head}, len(head)
	if err := st.SendMsg(announced); err != nil {
		return err
	}
	rest := f.Pieces()
	skip := 0 // of the first of rest
	for left := f.Len(); left > 0; {
		s := &stretch{of: f}
		room := min(left, MaxMessage)
		left -= room
		for room > 0 {
			p := rest[0][skip:]
			if len(p) > room {
				p = p[:room]
				skip += room
			} else {
				rest, skip = rest[1:], 0
			}
			s.pieces = append(s.pieces, p)
			room -= len(p)
		}
		if err := st.SendMsg(s); err != nil {
			return err
		}
	}
	return nil
}

// Parcel is a received message: a frame, or a part of one. RecvMsg fills it. It holds gRPC's memory until it is released.
type Parcel struct{ data mem.BufferSlice }

// Release gives the memory back. It may be called again.
func (p *Parcel) Release() {
	p.data.Free()
	p.data = nil
}

// Assembly makes frames of parcels. It is used by one goroutine at a time.
type Assembly struct {
	mem memory.Allocator
	f   *Frame // the long one that is coming; may be nil
	all int    // bytes that it will have
}

// NewAssembly returns an assembly whose frames are allocated from mem. The caller releases it.
func NewAssembly(mem memory.Allocator) *Assembly { return &Assembly{mem: mem} }

// Add takes the next message over. The caller owns the frame that it completes, if it does: nil means that more is to come. Memory is allocated
// as bytes come, not for those that are only announced. An error means a message that is not right.
func (a *Assembly) Add(p Parcel) (*Frame, error) {
	defer p.Release()
	n := p.data.Len()
	if a.f != nil {
		if want := min(a.all-a.f.size, MaxMessage); n != want {
			return nil, fmt.Errorf("frame: a message of %d bytes where %d of a frame are to come", n, want)
		}
		p.data.CopyTo(a.f.more(n, a.all))
		if a.f.size < a.all {
			return nil, nil
		}
		f := a.f
		a.f = nil
		return f, nil
	}
	if n < headSize || n > MaxMessage {
		return nil, fmt.Errorf("frame: no frame comes in a message of %d bytes", n)
	}
	f := New(a.mem)
	b := f.room(n)
	p.data.CopyTo(b)
	if Kind(b[atKind]) != inPieces {
		return f, nil
	}
	h, err := parseHead(b)
	if err != nil {
		f.Release()
		return nil, fmt.Errorf("frame: %w", err)
	}
	f.room(0)
	a.f, a.all = f, h.Split
	return nil, nil
}

// Pending tells whether a frame has begun and is not complete.
func (a *Assembly) Pending() bool { return a.f != nil }

// Release gives up a frame that is not complete.
func (a *Assembly) Release() {
	if a.f != nil {
		a.f.Release()
		a.f = nil
	}
}
