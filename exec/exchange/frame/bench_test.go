package frame

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// benchBatch makes about 1 MB of columns.
func benchBatch(mem memory.Allocator, kind string) ([]types.Type, *op.Batch) {
	r := rand.New(rand.NewPCG(1, 1))
	b := &op.Batch{Split: -1}
	switch kind {
	case "ints", "floats":
		typ := types.INT
		if kind == "floats" {
			typ = types.FLOAT
		}
		b.Rows = 1 << 15
		var ts []types.Type
		for range 4 {
			c := vec.NewFixed[int64](mem, typ.Arrow(), b.Rows)
			for i := range c.Values {
				c.Values[i] = r.Int64()
			}
			if kind == "floats" {
				for i := 0; i < b.Rows; i += 10 {
					c.Set(i)
				}
			}
			ts, b.Cols = append(ts, typ), append(b.Cols, c.Finish())
		}
		return ts, b
	case "views", "sparse":
		b.Rows = 1 << 14
		var vals []string
		for i := range b.Rows {
			vals = append(vals, fmt.Sprintf("line %d has some more text: %d, %d", i, r.Uint32(), r.Uint32()))
		}
		b.Cols = []arrow.Array{textsOf(mem, vals...)}
		if kind == "sparse" {
			rows := make([]int32, 4096)
			for i := range rows {
				rows[i] = int32(i) * 4
			}
			all := b.Cols[0]
			b.Cols[0], _ = vec.Take(mem, all, rows)
			b.Rows = len(rows)
			all.Release()
		}
		return []types.Type{types.STRING}, b
	case "runes":
		b.Rows = 1 << 14
		var vals []string
		for i := range b.Rows {
			vals = append(vals, fmt.Sprintf("Zeile %d enthält ein wenig Text – über dies und jenes", i))
		}
		b.Cols = []arrow.Array{textsOf(mem, vals...)}
		return []types.Type{types.STRING}, b
	}
	b.Rows = 1 << 17
	values := wordList(mem, "bench", 1000)
	defer values.Release()
	codes := make([]int32, b.Rows)
	for i := range codes {
		codes[i] = r.Int32N(1000)
	}
	b.Cols = []arrow.Array{vec.NewDictionary(mem, codes, values, nil), vec.NewDictionary(mem, codes, values, nil)}
	return []types.Type{types.STRING, types.STRING}, b
}

var benchKinds = []string{"ints", "floats", "views", "runes", "sparse", "codes"}

func BenchmarkEncode(b *testing.B) {
	for _, kind := range benchKinds {
		b.Run(kind, func(b *testing.B) {
			ts, batch := benchBatch(memory.DefaultAllocator, kind)
			mem := NewPool(memory.DefaultAllocator, 8<<20)
			defer mem.Close()
			l := newLink(b, mem, ts...)
			b.ReportAllocs()
			for b.Loop() {
				f, err := l.e.Encode(Message{Kind: Batch, Batch: batch})
				if err != nil {
					b.Fatal(err)
				}
				b.SetBytes(int64(f.Len()))
				f.Release()
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, kind := range benchKinds {
		b.Run(kind, func(b *testing.B) {
			ts, batch := benchBatch(memory.DefaultAllocator, kind)
			l := newLink(b, memory.DefaultAllocator, ts...)
			first := l.received(b, Message{Kind: Batch, Batch: batch}) // with the dictionary
			if m, err := l.d.Decode(first); err != nil {
				b.Fatal(err)
			} else {
				m.Batch.Release()
			}
			f := l.received(b, Message{Kind: Batch, Batch: batch})
			b.SetBytes(int64(f.Len()))
			b.ReportAllocs()
			for b.Loop() {
				m, err := l.d.Decode(f)
				if err != nil {
					b.Fatal(err)
				}
				m.Batch.Release()
			}
		})
	}
}
