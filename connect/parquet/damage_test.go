package parquet

import (
	"bytes"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/rainsql/rainsql/connect/internal/damage"
)

// samples returns the files of testdata, and one of our own.
func samples(t testing.TB) (names []string, files map[string][]byte) {
	t.Helper()
	files = map[string][]byte{}
	paths, err := filepath.Glob("testdata/*.parquet")
	if err != nil || len(paths) == 0 {
		t.Fatal("no files in testdata", err)
	}
	for _, p := range paths {
		b, err := os.ReadFile(p)
		if err != nil {
			t.Fatal(err)
		}
		files[filepath.Base(p)] = b
	}
	files["own.parquet"] = writeTable(t, damage.Every(), damage.Table(t, checked(t), 3, damage.Every(), 200), 200, 100)
	for n := range files {
		names = append(names, n)
	}
	slices.Sort(names)
	return names, files
}

// A damaged file is an error or rows; it costs no panic, no leak and no absurd memory.
func TestDamage(t *testing.T) {
	names, files := samples(t)
	r := rand.New(rand.NewPCG(7, 7))
	failed := 0
	const tries = 600
	for i := range tries {
		name := names[i%len(names)]
		broken := damage.Break(r, files[name])
		if _, err := damage.Read(t, Open, broken); err != nil {
			failed++
		}
		if t.Failed() {
			t.Fatalf("file %s, try %d", name, i)
		}
	}
	if failed < tries/4 {
		t.Errorf("only %d of %d damaged files were noticed", failed, tries)
	}
}

// Where pages have checksums, damage to their bytes is always noticed.
func TestChecksums(t *testing.T) {
	_, files := samples(t)
	r := rand.New(rand.NewPCG(8, 8))
	for _, name := range []string{"snappy-v1-dict.parquet", "zstd-v2-dict.parquet", "own.parquet"} {
		data := files[name]
		want, err := damage.Read(t, Open, data)
		if err != nil {
			t.Fatal(err)
		}
		pages := len(data) - 8 - int(binary.LittleEndian.Uint32(data[len(data)-8:]))
		noticed := 0
		const tries = 300
		for range tries {
			broken := bytes.Clone(data)
			broken[4+r.IntN(pages-4)] ^= 1 << r.IntN(8)
			got, err := damage.Read(t, Open, broken)
			if err != nil {
				noticed++
			} else if !reflect.DeepEqual(got, want) { // statistics in page headers have no checksum, and are not used
				t.Fatalf("%s: rows changed without an error", name)
			}
		}
		if noticed < tries/2 {
			t.Errorf("%s: only %d of %d were noticed", name, noticed, tries)
		}
	}
}

// FuzzParquet reads arbitrary bytes.
func FuzzParquet(f *testing.F) {
	_, files := samples(f)
	for _, b := range files {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = damage.Read(t, Open, data) // what matters is what Read makes sure of
	})
}
