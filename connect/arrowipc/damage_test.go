package arrowipc

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rainsql/rainsql/connect/internal/damage"
)

// samples returns the files of testdata, and two of our own.
func samples(t testing.TB) (names []string, files map[string][]byte) {
	t.Helper()
	files = map[string][]byte{}
	paths, err := filepath.Glob("testdata/*.arrow*")
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
	cols := damage.Table(t, checked(t), 3, damage.Every(), 100)
	files["own.arrow"] = writeTable(t, damage.Every(), cols, 50, false)
	files["own.arrows"] = writeTable(t, damage.Every(), cols, 50, true)
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
	if failed < tries/8 { // there are no checksums
		t.Errorf("only %d of %d damaged files were noticed", failed, tries)
	}
}

// FuzzArrow reads arbitrary bytes.
func FuzzArrow(f *testing.F) {
	_, files := samples(f)
	for _, b := range files {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		_, _ = damage.Read(t, Open, data) // what matters is what Read makes sure of
	})
}
