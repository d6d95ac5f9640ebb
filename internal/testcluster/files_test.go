package testcluster

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"testing"

	"github.com/rainsql/rainsql/cluster/files"
	"github.com/rainsql/rainsql/sdfs"
)

// random is bytes that depend on a seed only.
func random(seed uint64, n int) []byte {
	data := make([]byte, n)
	_, _ = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)}).Read(data)
	return data
}

// put writes a file.
func put(t *testing.T, s *sdfs.Store, name string, data []byte) {
	t.Helper()
	w, err := s.Create(t.Context(), name, sdfs.MustNotExist)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// get reads a file.
func get(t *testing.T, s *sdfs.Store, name string) []byte {
	t.Helper()
	f, err := s.OpenFile(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestFiles: what is put by way of one server is read by way of another, and after any two are killed.
func TestFiles(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		s := files.Open(c.Client(0))
		defer s.Close()
		big := random(1, 3<<20+12345)
		put(t, s, "a/big", big)
		put(t, s, "a/small", []byte("small"))
		var log []byte
		for i := range 20 {
			line := fmt.Appendf(nil, "line %d\n", i)
			log = append(log, line...)
			if err := s.Append(t.Context(), "log", line); err != nil {
				t.Fatal(err)
			}
		}
		check := func(s *sdfs.Store) {
			t.Helper()
			for name, want := range map[string][]byte{"a/big": big, "a/small": []byte("small"), "log": log} {
				if got := get(t, s, name); !bytes.Equal(got, want) {
					t.Errorf("%s: %d bytes, want %d", name, len(got), len(want))
				}
			}
		}
		check(s)
		other := files.Open(c.Client(3))
		defer other.Close()
		check(other)
		if err := other.Merge(t.Context(), "log"); err != nil {
			t.Fatal(err)
		}
		check(other)
		c.Servers[0].Kill()
		c.Servers[1].Kill()
		check(other)
	})
}
