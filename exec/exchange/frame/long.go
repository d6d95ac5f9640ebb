package frame

import (
	"errors"
	"io"
)

// MaxMessage is the most bytes of one message on a stream: what a server takes of any request (2 MB) is more. A frame that is
// longer, because it has a row that is, travels as several: first a head that says how long the frame is, then its bytes,
// MaxMessage in each message but the last.
const MaxMessage = 3 << 19

// stretch is a message of a longer frame: pieces of its bytes to be sent, or how many are to be received.
type stretch struct {
	of        *Frame
	pieces    [][]byte
	size, all int
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
		s := &stretch{of: f, size: min(left, MaxMessage)}
		left -= s.size
		for room := s.size; room > 0; {
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

// Receive receives what Send sends into a frame made by New. What it held is freed. Memory is allocated as bytes come, not for those
// that are only announced.
func Receive(st interface{ RecvMsg(m any) error }, f *Frame) error {
	if err := st.RecvMsg(f); err != nil {
		return err
	}
	b := f.body.Bytes()
	if Kind(b[atKind]) != inPieces {
		return nil
	}
	h, err := parseHead(b)
	if err != nil {
		return &BadError{err}
	}
	f.room(0)
	for all := h.Split; f.size < all; {
		err := st.RecvMsg(&stretch{of: f, size: min(all-f.size, MaxMessage), all: all})
		if errors.Is(err, io.EOF) {
			return &BadError{errors.New("it ends before its last message")}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// BadError says that a frame is not right: the peer does not keep to the protocol.
type BadError struct{ Err error }

// Error implements error.
func (e *BadError) Error() string { return "frame: " + e.Err.Error() }

// Unwrap returns what is wrong with it.
func (e *BadError) Unwrap() error { return e.Err }
