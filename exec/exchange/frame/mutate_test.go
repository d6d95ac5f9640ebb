package frame

import (
	"math/rand/v2"
	"testing"

	"github.com/rainsql/rainsql/expr/types"
)

// TestMutations changes single bytes of good frames of random types, and cuts them.
func TestMutations(t *testing.T) {
	for seed := range uint64(60) {
		mem := checked(t)
		r := rand.New(rand.NewPCG(seed, 11))
		ts := append(randomTypes(r), types.STRING, types.INT8)
		l := newLink(t, mem, ts...)
		b := randomBatch(t, r, mem, ts, 1+r.IntN(20))
		f := l.received(t, Message{Kind: Batch, Batch: b})
		b.Release()
		good := f.Pieces()[0]
		for range 200 {
			bad := append([]byte(nil), good...)
			for range 1 + r.IntN(2) {
				bad[r.IntN(len(bad))] ^= 1 << r.IntN(8)
			}
			if r.IntN(8) == 0 {
				bad = bad[:r.IntN(len(bad))]
			}
			d, err := NewDecoder(mem, ts)
			if err != nil {
				t.Fatal(err)
			}
			if m, err := decodeBytes(t, mem, d, bad); err == nil && m.Batch != nil {
				for _, a := range m.Batch.Cols {
					if a.Len() < 1000 {
						walk(t, a)
					}
				}
				m.Batch.Release()
			}
			d.Release()
		}
		f.Release()
	}
}
