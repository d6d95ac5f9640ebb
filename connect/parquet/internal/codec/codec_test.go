package codec

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"testing"

	"github.com/andybalholm/brotli"
	"github.com/pierrec/lz4/v4"

	"github.com/rainsql/rainsql/connect/parquet/internal/meta"
)

// block packs b as one block of LZ4.
func block(t *testing.T, b []byte) []byte {
	t.Helper()
	dst := make([]byte, lz4.CompressBlockBound(len(b)))
	n, err := lz4.CompressBlock(b, dst, nil)
	if err != nil || n == 0 {
		t.Fatalf("%d bytes, %v", n, err)
	}
	return dst[:n]
}

func be(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }

// The codec LZ4 is Hadoop's framing of blocks, or a block without any.
func TestHadoopLZ4(t *testing.T) {
	want := bytes.Repeat([]byte("some words, "), 1000)
	one, two := block(t, want[:5000]), block(t, want[5000:])
	join := func(parts ...[]byte) []byte { return bytes.Join(parts, nil) }
	for name, c := range map[string]struct {
		src []byte
		ok  bool
	}{
		"two frames":   {join(be(5000), be(len(one)), one, be(7000), be(len(two)), two), true},
		"two blocks":   {join(be(12_000), be(len(one)), one, be(len(two)), two), true},
		"an empty":     {join(be(0), be(5000), be(len(one)), one, be(7000), be(len(two)), two), true},
		"bare":         {block(t, want), true},
		"cut":          {join(be(12_000), be(len(one)), one), false},
		"too long":     {join(be(5000), be(len(one)), one, be(7000), be(len(two)), two, be(1)), false},
		"huge":         {join(be(1<<31), be(1<<31), one), false},
		"two of a few": {join(be(4000), be(len(one)), one, be(7000), be(len(two)), two), false},
	} {
		dst := make([]byte, len(want))
		if err := Unpack(meta.LZ4, dst, c.src); (err == nil) != c.ok {
			t.Errorf("%s: %v", name, err)
		} else if c.ok && !bytes.Equal(dst, want) {
			t.Errorf("%s: other bytes", name)
		}
	}
	r := rand.New(rand.NewPCG(1, 1))
	for range 2000 { // whatever comes, no panic
		src := join(be(r.IntN(100)), be(r.IntN(100)), one[:r.IntN(len(one))])
		src[r.IntN(len(src))] ^= byte(r.IntN(256))
		_ = Unpack(meta.LZ4, make([]byte, r.IntN(200)), src)
	}
}

// What compresses best is no more than MaxUnpacked allows.
func TestMaxUnpacked(t *testing.T) {
	zeros := make([]byte, 8<<20)
	var out bytes.Buffer
	w := brotli.NewWriterOptions(&out, brotli.WriterOptions{Quality: 11, LGWin: 24})
	if _, err := w.Write(zeros); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if most := MaxUnpacked(meta.Brotli, out.Len()); most < int64(len(zeros)) {
		t.Errorf("brotli: %d bytes may not be 8 MB", out.Len())
	}
	if most := MaxUnpacked(meta.Snappy, len(Pack(nil, zeros))); most < int64(len(zeros)) {
		t.Errorf("snappy: %d bytes are the most", most)
	}
	if most := MaxUnpacked(meta.LZ4Raw, len(block(t, zeros))); most < int64(len(zeros)) {
		t.Errorf("lz4: %d bytes are the most", most)
	}
}
