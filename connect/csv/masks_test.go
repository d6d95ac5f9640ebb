package csv

import (
	"math/rand/v2"
	"slices"
	"testing"
)

func TestClassifyAgreesWithWords(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	for blocks := range 9 {
		data := make([]byte, blocks*blockBytes)
		for i := range data {
			data[i] = ",\n\"x\x00\x8a\xac\xa2"[rnd.IntN(8)]
		}
		var a, b masks
		a.resize(blocks)
		b.resize(blocks)
		got, want := classify(data, ',', '"', &a), classifyWords(data, ',', '"', &b)
		if (got.high != 0) != (want.high != 0) || got.quote != want.quote {
			t.Fatalf("summary %v, want %v", got, want)
		}
		if !slices.Equal(a.sep, b.sep) || !slices.Equal(a.nl, b.nl) || !slices.Equal(a.quote, b.quote) {
			t.Fatalf("masks differ at %d blocks", blocks)
		}
		for i, c := range data {
			bit := b.sep[i/64]>>(i%64)&1 | b.nl[i/64]>>(i%64)&1<<1 | b.quote[i/64]>>(i%64)&1<<2
			if want := map[byte]uint64{',': 1, '\n': 2, '"': 4}[c]; bit != want {
				t.Fatalf("byte %q at %d: masks %b, want %b", c, i, bit, want)
			}
		}
	}
}
