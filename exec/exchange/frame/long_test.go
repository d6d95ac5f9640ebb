package frame

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc/mem"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/types"
)

// messages is a stream to itself.
type messages struct {
	t    testing.TB
	list [][]byte
}

func (s *messages) SendMsg(m any) error {
	data, err := Codec{}.Marshal(m)
	if err != nil {
		return err
	}
	s.list = append(s.list, data.Materialize())
	data.Free()
	return nil
}

func (s *messages) RecvMsg(m any) error {
	if len(s.list) == 0 {
		return io.EOF
	}
	b := s.list[0]
	s.list = s.list[1:]
	return Codec{}.Unmarshal(mem.BufferSlice{mem.SliceBuffer(b)}, m)
}

var errPending = errors.New("a frame is not complete")

// receive assembles the next frame.
func (s *messages) receive(mem memory.Allocator) (*Frame, error) {
	a := NewAssembly(mem)
	defer a.Release()
	for {
		var p Parcel
		err := s.RecvMsg(&p)
		if errors.Is(err, io.EOF) && a.Pending() {
			return nil, errPending
		}
		if err != nil {
			return nil, err
		}
		if f, err := a.Add(p); f != nil || err != nil {
			return f, err
		}
	}
}

// textOfSize encodes one row whose frame has so many bytes.
func textOfSize(t testing.TB, mem memory.Allocator, size int, more ...string) *Frame {
	t.Helper()
	l := newLink(t, mem, types.STRING)
	n := size
	for {
		b := &op.Batch{Rows: 1 + len(more), Cols: []arrow.Array{textsOf(mem, append(more, strings.Repeat("some text ", n/10+1)[:n])...)}}
		f, err := l.e.Encode(Message{Kind: Batch, Batch: b})
		b.Release()
		if err != nil {
			t.Fatal(err)
		}
		if f.Len() <= size {
			return f
		}
		n -= f.Len() - size
		f.Release()
	}
}

// TestLong sends frames as long as a message, and longer ones.
func TestLong(t *testing.T) {
	mem := checked(t)
	more := []string{strings.Repeat("x", 20<<10), strings.Repeat("y", 1<<20)}
	for size, want := range map[int]int{
		4096: 1, MaxMessage: 1, MaxMessage + 8: 3, 2 * MaxMessage: 3, 2*MaxMessage + 8: 4, 20 << 20: 15,
	} {
		for _, more := range [][]string{nil, more} {
			if len(more) > 0 && size <= MaxMessage {
				continue
			}
			f := textOfSize(t, mem, size, more...)
			if f.Len() != size {
				t.Fatalf("a frame of %d bytes, not %d", f.Len(), size)
			}
			s := &messages{t: t}
			if err := Send(s, f); err != nil {
				t.Fatal(err)
			}
			if len(s.list) != want {
				t.Errorf("%d bytes travel in %d messages, not %d", size, len(s.list), want)
			}
			for _, m := range s.list {
				if len(m) > MaxMessage {
					t.Errorf("a message of %d bytes", len(m))
				}
			}
			g, err := s.receive(mem)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(g.Pieces()[0], bytes.Join(f.Pieces(), nil)) {
				t.Errorf("%d bytes come as %d others", f.Len(), g.Len())
			}
			f.Release()
			g.Release()
		}
	}
}

// announce is the head of a long frame.
func announce(size int) []byte {
	b, err := appendHead(nil, &Message{Kind: inPieces, Split: size}, 0, 0)
	if err != nil {
		panic(err)
	}
	return b
}

func TestLongDamaged(t *testing.T) {
	full := make([]byte, MaxMessage)
	for want, list := range map[string][][]byte{
		"EOF":              nil,
		errPending.Error(): {announce(2 * MaxMessage), full},
		"frame: a message of 1 bytes where 1572864 of a frame are to come":       {announce(2 * MaxMessage), full, {1}},
		"frame: a message of 1572864 bytes where 100 of a frame are to come":     {announce(MaxMessage + 100), full, full},
		"frame: a message of 0 bytes where 1572864 of a frame are to come":       {announce(2 * MaxMessage), {}},
		"frame: 1572864 bytes are no frame in several messages":                  {announce(MaxMessage), full},
		"frame: 268435457 bytes are no frame in several messages":                {announce(MaxBytes + 1), full},
		"frame: -1 bytes are no frame in several messages":                       {announce(-1), full},
		"frame: a frame in several messages comes with more than belongs to it":  {append(announce(2*MaxMessage), 0), full},
		"frame: it begins with \"xF\\x01\", which no frame of this version does": {append([]byte("x"), announce(2 * MaxMessage)[1:]...), full},
		"frame: no frame comes in a message of 3 bytes":                          {{1, 2, 3}},
		"frame: no frame comes in a message of 1572865 bytes":                    {make([]byte, MaxMessage+1)},
		"frame: a message of 32 bytes where 1572864 of a frame are to come":      {announce(2 * MaxMessage), announce(2 * MaxMessage)},
	} {
		mem := &counting{Allocator: memory.NewGoAllocator()}
		_, err := (&messages{list: list}).receive(mem)
		if err == nil || err.Error() != want {
			t.Errorf("err = %v, want %s", err, want)
		}
		if mem.most > 2*MaxMessage {
			t.Errorf("%s: %d bytes are allocated", want, mem.most)
		}
	}
	l := newLink(t, checked(t), types.INT)
	if _, err := decodeBytes(t, l.mem, l.d, announce(2*MaxMessage)); err == nil || err.Error() != "frame: it is to come in several messages, and was not waited for" {
		t.Errorf("err = %v", err)
	}
}

// TestLongProportion announces the most that there is: memory comes with the bytes.
func TestLongProportion(t *testing.T) {
	mem := &counting{Allocator: memory.NewGoAllocator()}
	s := &messages{list: [][]byte{announce(MaxBytes)}}
	for range 3 {
		s.list = append(s.list, make([]byte, MaxMessage))
	}
	if _, err := s.receive(mem); !errors.Is(err, errPending) {
		t.Errorf("err = %v", err)
	}
	if mem.most > 2*3*MaxMessage {
		t.Errorf("%d bytes are allocated for %d", mem.most, 3*MaxMessage)
	}
}

func TestFlight(t *testing.T) {
	mem := checked(t)
	var l Flight
	if !l.Wait(0) {
		t.Error("none are not given back")
	}
	f, g := textOfSize(t, mem, 5000), textOfSize(t, mem, 6000)
	l.Add(f)
	l.Add(g)
	g.Retain()
	f.Release()
	g.Release()
	if l.Wait(1) {
		t.Error("all are given back")
	}
	l.Drop()
	g.Release() // comes too late to mean anything
	if !l.Wait(0) {
		t.Error("some are left")
	}
}
