package frame

import (
	"fmt"

	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/mem"
)

// CodecName is the content subtype of streams of frames: what a client passes
// to grpc.CallContentSubtype. A server finds the codec by it.
const CodecName = "rainsql-frame"

func init() { encoding.RegisterCodecV2(Codec{}) }

// Codec passes a *Frame through gRPC. What is sent is handed over as pieces of
// the arrays' own memory, which gRPC copies once, to its write buffer; what is
// received is copied once, out of gRPC's read buffers into one that is aligned.
// A message of another type is an error.
//
// SendMsg borrows the frame: the caller releases it when SendMsg returns, while
// its bytes stay until they are written. RecvMsg fills a frame made by New, and
// frees what it held; or a Parcel, whose bytes stay where gRPC has them.
type Codec struct{}

// Name implements encoding.CodecV2.
func (Codec) Name() string { return CodecName }

// Marshal implements encoding.CodecV2. The buffers hold a reference to the frame each.
func (Codec) Marshal(v any) (mem.BufferSlice, error) {
	var f *Frame
	var pieces [][]byte
	switch v := v.(type) {
	case *Frame:
		if f = v; f != nil {
			pieces = f.Pieces()
		}
	case *stretch:
		f, pieces = v.of, v.pieces
	}
	if f == nil {
		return nil, fmt.Errorf("frame: a %T cannot be sent where frames are", v)
	}
	out := make(mem.BufferSlice, len(pieces))
	for i := range pieces {
		if mem.IsBelowBufferPoolingThreshold(len(pieces[i])) {
			// gRPC tells no one when it is done with buffers as short as this.
			out[i] = mem.SliceBuffer(append([]byte(nil), pieces[i]...))
			continue
		}
		f.Retain()
		out[i] = mem.NewBuffer(&pieces[i], &f.back)
	}
	return out, nil
}

// Unmarshal implements encoding.CodecV2.
func (Codec) Unmarshal(data mem.BufferSlice, v any) error {
	n := data.Len()
	switch v := v.(type) {
	case *Frame:
		if v == nil {
			break
		}
		if n < headSize || n > MaxBytes {
			return fmt.Errorf("frame: no frame has %d bytes", n)
		}
		data.CopyTo(v.room(n))
		return nil
	case *Parcel:
		v.Release()
		data.Ref()
		v.data = data
		return nil
	}
	return fmt.Errorf("frame: a frame cannot be received as %T", v)
}

// giveBack is where gRPC puts the pieces of a frame when it is done with them:
// to gRPC a pool, from which nothing is ever taken.
type giveBack struct{ f *Frame }

// Get implements mem.BufferPool.
func (giveBack) Get(n int) *[]byte {
	b := make([]byte, n)
	return &b
}

// Put implements mem.BufferPool.
func (g *giveBack) Put(*[]byte) { g.f.Release() }
