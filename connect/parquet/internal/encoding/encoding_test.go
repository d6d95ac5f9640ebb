package encoding

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/rainsql/rainsql/connect/parquet/internal/meta"
)

// Worked by hand from the format's description: the numbers 0 to 7 in three
// bits, then 300 times the value 4 of ten bits.
func TestHybridByHand(t *testing.T) {
	var h Hybrid
	for _, c := range []struct {
		data  []byte
		width int
		want  []int32
	}{
		{[]byte{0x03, 0x88, 0xC6, 0xFA}, 3, []int32{0, 1, 2, 3, 4, 5, 6, 7}},
		{[]byte{0xD8, 0x04, 0x04, 0x00}, 10, slices.Repeat([]int32{4}, 300)},
	} {
		data := append(slices.Clone(c.data), make([]byte, Padding)...)[:len(c.data)]
		if err := h.Reset(data, c.width); err != nil {
			t.Fatal(err)
		}
		got := make([]int32, len(c.want))
		if err := Decode(&h, got); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%x: %v, %v", c.data, got, err)
		}
		if err := Decode(&h, make([]int32, 1)); err == nil {
			t.Errorf("%x: more values than there are", c.data)
		}
	}
}

// What is encoded decodes again, in pieces of any size, whatever its runs and width.
func TestHybridRoundTrip(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for width := range 32 {
		for range 20 {
			var vals []int32
			for len(vals) < 500 {
				v := int32(r.Uint32() & (1<<width - 1))
				vals = append(vals, slices.Repeat([]int32{v}, []int{1, 1, 1, 7, 8, 9, 100}[r.IntN(7)])...)
			}
			data := AppendHybrid(nil, vals, width)
			n := len(data)
			data = append(data, make([]byte, Padding)...)[:n]
			var h Hybrid
			if err := h.Reset(data, width); err != nil {
				t.Fatal(err)
			}
			for at := 0; at < len(vals); {
				k := min(1+r.IntN(50), len(vals)-at)
				if r.IntN(4) == 0 {
					if err := h.Skip(k); err != nil {
						t.Fatal(err)
					}
				} else {
					got := make([]int32, k)
					if err := Decode(&h, got); err != nil || !slices.Equal(got, vals[at:at+k]) {
						t.Fatalf("width %d at %d: %v, want %v: %v", width, at, got, vals[at:at+k], err)
					}
				}
				at += k
			}
		}
	}
}

// The examples of the format's description: 1 to 5, and 7 5 3 1 2 3 4 5.
func TestDelta(t *testing.T) {
	for _, c := range []struct {
		data []byte
		want []int64
	}{
		{[]byte{0x80, 0x01, 0x04, 0x05, 0x02, 0x02, 0, 0, 0, 0}, []int64{1, 2, 3, 4, 5}},
		{append([]byte{0x80, 0x01, 0x04, 0x08, 0x0E, 0x03, 2, 0, 0, 0, 0xC0, 0x3F}, make([]byte, 6)...), []int64{7, 5, 3, 1, 2, 3, 4, 5}},
	} {
		var d Delta
		n, err := d.Reset(append(slices.Clone(c.data), make([]byte, Padding)...)[:len(c.data)])
		if err != nil || n != len(c.want) {
			t.Fatalf("%x: %d values: %v", c.data, n, err)
		}
		got := make([]int64, n)
		if err := DecodeDelta(&d, got); err != nil || !slices.Equal(got, c.want) {
			t.Errorf("%x: %v: %v", c.data, got, err)
		}
	}
}

// A page of NULLs has no values, of which each writer makes something else.
func TestNoValues(t *testing.T) {
	header := []byte{0x80, 1, 4, 0, 0} // blocks of 128, four parts, no value
	for name, data := range map[string][]byte{
		"nothing": {}, "header": header, "two headers": append(bytes.Clone(header), header...),
		"header and an empty block": append(bytes.Clone(header), append(make([]byte, 5), header...)...), // by arrow-go
	} {
		data = append(data, make([]byte, Padding)...)[:len(data)]
		var s Strings
		var n Numbers[int64]
		var b Bools
		for _, enc := range []meta.Encoding{meta.DeltaByteArray, meta.DeltaLengthByteArray} {
			if err := s.Page(enc, data, 5); err != nil {
				t.Errorf("%s, encoding %d: %v", name, enc, err)
			}
			if _, err := s.Read(make([]Span, 1), func(n int) []byte { return make([]byte, n) }); err == nil {
				t.Errorf("%s, encoding %d: a value is read", name, enc)
			}
		}
		if err := n.Page(meta.DeltaBinaryPacked, data); err != nil || n.Read(make([]int64, 1)) == nil {
			t.Errorf("%s, numbers: %v", name, err)
		}
		if len(data) > 0 {
			continue
		}
		if err := b.Page(meta.RLE, data); err != nil || b.Read(make([]uint8, 1)) == nil {
			t.Errorf("%s, booleans: %v", name, err)
		}
	}
}
