package engine

import (
	"errors"
	"io"
	"testing"

	"github.com/rainsql/rainsql/sdfs"
)

// TestVersions opens a file twice while a query is planned: the second time it is what it was the first time, or another.
func TestVersions(t *testing.T) {
	s, err := sdfs.Open(t.Context(), sdfs.Config{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	write := func(text string, mode sdfs.Mode) {
		t.Helper()
		w, err := s.Create(t.Context(), "a", mode)
		if err == nil {
			_, err = w.Write([]byte(text))
		}
		if err == nil {
			err = w.Commit(t.Context())
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	p := storePlace{ctx: t.Context(), store: &store{given: s.Store, remote: true}, batch: &batch{}, seen: newVersions()}
	read := func(off int64) (string, error) {
		in, err := p.Open("a", "a")
		if err != nil {
			return "", err
		}
		defer in.Close()
		b := make([]byte, 4)
		n, err := in.ReadAt(b, off)
		if in.Size() != 5 {
			t.Errorf("it has %d bytes", in.Size())
		}
		return string(b[:n]), err
	}
	write("12345", sdfs.Replace)
	for range 2 {
		for off, want := range []string{"1234", "2345", "345", "45", "5", "", ""} {
			if got, err := read(int64(off)); got != want || (err != nil) != (len(want) < 4) || err != nil && !errors.Is(err, io.EOF) {
				t.Errorf("from %d: %q, %v", off, got, err)
			}
		}
		write("678", sdfs.Append)
	}
	in, err := p.seen.inputs([]string{"a"})
	if err != nil || len(in) != 1 || in[0].Files[0].Size != 5 || in[0].Files[0].Generation != 1 {
		t.Errorf("%v, %v", in, err)
	}
	if _, err := p.seen.inputs([]string{"b"}); err == nil {
		t.Error("a file that was not looked at")
	}
	write("12345", sdfs.Replace)
	if _, err := read(0); !errors.Is(err, ErrChanged) {
		t.Errorf("replaced: %v", err)
	}
}
