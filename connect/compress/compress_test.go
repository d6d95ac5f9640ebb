package compress_test

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
	"go.uber.org/goleak"

	"github.com/rainsql/rainsql/connect/compress"
	"github.com/rainsql/rainsql/connect/internal/conntest"
	"github.com/rainsql/rainsql/connect/write"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pack compresses text.
func pack(t testing.TB, kind string, text []byte) []byte {
	t.Helper()
	var b bytes.Buffer
	out, err := compress.Create(write.Stream{Writer: &b}, kind)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := out.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := out.Commit(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// unpack reads compressed data to its end, a piece at a time.
func unpack(kind string, packed []byte) ([]byte, error) {
	in, err := compress.Open(conntest.File{Data: packed}, kind, "t."+kind)
	if err != nil {
		return nil, err
	}
	var all []byte
	piece := make([]byte, 10_000)
	for {
		n, err := in.ReadAt(piece, int64(len(all)))
		all = append(all, piece[:n]...)
		in.Forget(int64(len(all)))
		if errors.Is(err, io.EOF) {
			return all, in.Close()
		}
		if err != nil {
			return all, errors.Join(err, in.Close())
		}
	}
}

func text() []byte {
	r := rand.New(rand.NewPCG(1, 2))
	var b bytes.Buffer
	for b.Len() < 200_000 {
		b.WriteString(strings.Repeat("abc", r.IntN(20)))
		b.WriteByte(byte(r.IntN(256)))
	}
	return b.Bytes()
}

func TestRoundTrip(t *testing.T) {
	for _, kind := range []string{compress.Gzip, compress.Zstd} {
		for _, want := range [][]byte{nil, []byte("x"), text()} {
			packed := pack(t, kind, want)
			if got := compress.Detect(packed); got != kind {
				t.Errorf("%s is detected as %q", kind, got)
			}
			got, err := unpack(kind, packed)
			if err != nil || !bytes.Equal(got, want) {
				t.Errorf("%s: %d bytes of %d, %v", kind, len(got), len(want), err)
			}
			// One file behind the other is a file.
			got, err = unpack(kind, append(bytes.Clone(packed), packed...))
			if err != nil || !bytes.Equal(got, append(bytes.Clone(want), want...)) {
				t.Errorf("%s twice: %d bytes, %v", kind, len(got), err)
			}
		}
	}
}

// Whatever is cut off or flipped, it is an error: both formats have checksums.
func TestDamage(t *testing.T) {
	want := text()
	r := rand.New(rand.NewPCG(3, 4))
	for _, kind := range []string{compress.Gzip, compress.Zstd} {
		packed := pack(t, kind, want)
		for range 100 {
			cut := 1 + r.IntN(len(packed)-1)
			if _, err := unpack(kind, packed[:cut]); err == nil || !strings.HasPrefix(err.Error(), "t."+kind+": ") {
				t.Errorf("%s cut to %d of %d bytes: %v", kind, cut, len(packed), err)
			}
			damaged := bytes.Clone(packed)
			at := r.IntN(len(packed))
			damaged[at] ^= 1 << r.IntN(8)
			if got, err := unpack(kind, damaged); err == nil && !bytes.Equal(got, want) {
				t.Errorf("%s with byte %d flipped: no error", kind, at)
			}
		}
		if _, err := unpack(kind, []byte("n,m\n1,2\n3,4\n")); err == nil || !strings.Contains(err.Error(), "as its name says") {
			t.Errorf("%s: %v", kind, err)
		}
	}
}

// A file may not declare how much memory reading it takes.
func TestWindowIsBounded(t *testing.T) {
	var b bytes.Buffer
	z, err := zstd.NewWriter(&b, zstd.WithWindowSize(zstd.MaxWindowSize), zstd.WithSingleSegment(false))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := z.Write(text()); err != nil {
		t.Fatal(err)
	}
	if err := z.Flush(); err != nil { // so that its size is not known when the head is written
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = unpack(compress.Zstd, b.Bytes())
	runtime.ReadMemStats(&after)
	if err == nil || !strings.Contains(err.Error(), "128 MB") && !strings.Contains(err.Error(), "134 MB") {
		t.Errorf("%v", err)
	}
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 {
		t.Errorf("%d MB were allocated", grown>>20)
	}
}

// A bomb is unpacked only as far as it is read.
func TestBomb(t *testing.T) {
	zeros := make([]byte, 64<<20)
	for _, kind := range []string{compress.Gzip, compress.Zstd} {
		packed := pack(t, kind, zeros)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		in, err := compress.Open(conntest.File{Data: packed}, kind, "t")
		if err != nil {
			t.Fatal(err)
		}
		head := make([]byte, 1000)
		if _, err := in.ReadAt(head, 0); err != nil {
			t.Fatal(err)
		}
		if err := in.Close(); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 32<<20 {
			t.Errorf("%s: %d MB were allocated for 1 KB", kind, grown>>20)
		}
	}
}
