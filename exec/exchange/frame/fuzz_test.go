package frame

import (
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// fuzzed is a batch with everything in it; a fuzzer changes bytes, not types.
var fuzzed = []types.Type{
	types.INT, types.BOOL, types.STRING, types.BYTES, types.NULL, types.DecimalOf(20, 3), types.STRING,
	types.ListOf(types.STRING), types.StructOf(types.Field{Name: "a", Type: types.ListOf(types.NULL)}, types.Field{Name: "b", Type: types.STRING}, types.Field{Name: "c", Type: types.StructOf()}),
	types.ListOf(types.ListOf(types.BOOL)), types.INTERVAL, types.DATE, types.TIMESTAMP, types.FLOAT32,
}

// walk reads what a decoder gave, by several of the engine's ways.
func walk(t *testing.T, a arrow.Array) {
	for i := range a.Len() {
		vec.ValueAt(a, i)
	}
	hashes := make([]uint64, a.Len())
	vec.Hash(a, hashes, false)
	if n := a.Len(); n > 1 {
		vec.Compare(a, 0, a, n-1)
		if vec.IsText(a.DataType()) {
			r := vec.Strings(a)
			e := r.EqualTo([]byte("a text that is too long for a view to hold"))
			for i := range n {
				if r.Valid(i) {
					e.At(i)
				}
			}
		}
	}
	mem := checked(t)
	for _, f := range []func() (arrow.Array, error){
		func() (arrow.Array, error) { return vec.Compact(mem, a) },
		func() (arrow.Array, error) { return vec.Plain(mem, a) },
		func() (arrow.Array, error) { return vec.Concat(mem, []arrow.Array{a, a}) },
	} {
		if b, err := f(); err == nil {
			b.Release()
		}
	}
	mem.AssertSize(t, 0)
}

// FuzzDecode damages good frames, two of one stream after each other. Whatever
// comes out must be safe to read, and no memory may stay.
func FuzzDecode(f *testing.F) {
	mem := checked(f)
	for seed := range uint64(24) {
		r := rand.New(rand.NewPCG(seed, 3))
		l := newLink(f, mem, fuzzed...)
		b := randomBatch(f, r, mem, fuzzed, int(seed)%9)
		var both []byte
		for range 2 {
			frame := l.received(f, Message{Kind: Batch, Split: b.Split, Batch: b})
			bytes := frame.Pieces()[0]
			both = binary.LittleEndian.AppendUint32(both, uint32(len(bytes)))
			both = append(both, bytes...)
			frame.Release()
		}
		b.Release()
		f.Add(both)
	}
	l := newLink(f, mem, fuzzed...)
	for _, kind := range []Kind{EndSplit, Close, Error, Credit, Enough} {
		sign := l.received(f, Message{Kind: kind, Split: 3, Text: "it broke"})
		f.Add(append([]byte{byte(sign.Len()), 0, 0, 0}, sign.Pieces()[0]...))
		sign.Release()
	}
	f.Add(append([]byte{headSize, 0, 0, 0}, announce(2*MaxMessage)...))
	f.Fuzz(func(t *testing.T, b []byte) {
		mem := checked(t)
		d, err := NewDecoder(mem, fuzzed)
		if err != nil {
			t.Fatal(err)
		}
		defer d.Release()
		for len(b) >= 4 {
			n := min(int(binary.LittleEndian.Uint32(b)), len(b)-4)
			m, err := decodeBytes(t, mem, d, b[4:4+n])
			b = b[4+n:]
			if err != nil {
				continue
			}
			if m.Kind == Credit && (m.Split < 1 || m.Split > MaxCredit) || m.Kind == Enough && m.Split != -1 || m.Kind > Enough {
				t.Fatalf("%s comes as %+v", m.Kind, m)
			}
			if m.Batch != nil {
				if m.Batch.Rows > 1000 {
					t.Fatalf("%d rows in %d bytes", m.Batch.Rows, n)
				}
				for _, a := range m.Batch.Cols {
					walk(t, a)
				}
				m.Batch.Release()
			}
		}
	})
}

// FuzzReceive changes the messages of a long frame, and cuts them.
func FuzzReceive(f *testing.F) {
	f.Add(announce(MaxMessage+8), uint32(MaxMessage), uint32(8))
	f.Add(announce(2*MaxMessage), uint32(MaxMessage), uint32(MaxMessage))
	f.Add(announce(MaxBytes), uint32(MaxMessage), uint32(MaxMessage))
	f.Add(made(Close, 0, 0, ""), uint32(0), uint32(0))
	f.Fuzz(func(t *testing.T, head []byte, one, two uint32) {
		most := uint32(MaxMessage + 1)
		mem := &counting{Allocator: memory.NewGoAllocator()}
		s := &messages{list: [][]byte{head, make([]byte, one%most), make([]byte, two%most)}}
		if g, err := s.receive(mem); err == nil {
			if g.Len() != len(head) && g.Len() != int(one%most+two%most) {
				t.Fatalf("%d bytes come of %d", g.Len(), one%most+two%most)
			}
			g.Release()
		}
		if mem.most > len(head)+64+2*int(one%most+two%most) {
			t.Fatalf("%d bytes are allocated", mem.most)
		}
	})
}
