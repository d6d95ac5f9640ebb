package process

import (
	"os"
	"path/filepath"
	"testing"
)

// writeDisk writes a file of the test's disk, syncs and removes it.
func writeDisk(b *testing.B, data []byte, size int) {
	b.Helper()
	name := filepath.Join(b.TempDir(), "f")
	f, err := os.Create(name)
	if err != nil {
		b.Fatal(err)
	}
	for n := 0; n < size; n += len(data) {
		if _, err := f.Write(data); err != nil {
			b.Fatal(err)
		}
	}
	if err := f.Sync(); err != nil {
		b.Fatal(err)
	}
	if err := f.Close(); err != nil {
		b.Fatal(err)
	}
	if err := os.Remove(name); err != nil {
		b.Fatal(err)
	}
}
