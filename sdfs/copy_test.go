package sdfs

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/rainsql/rainsql/internal/vfs/simdisk"
)

// mixed is a store with a file of small and large blocks, in any order, and what it holds.
func mixed(t *testing.T) (*Embedded, []byte) {
	t.Helper()
	s, err := Open(t.Context(), Config{FS: simdisk.New(), BlockBytes: 3<<20 + 100})
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.NewChaCha8([32]byte{1})
	var all []byte
	for _, size := range []int{5, 700_000, 9 << 20, 1, 1 << 20, 300, 40, 300_000, 300_000, 300_000, 300_000} {
		for range map[bool]int{true: 40, false: 1}[size < 100] {
			data := make([]byte, size)
			_, _ = rnd.Read(data)
			all = append(all, data...)
			if err := s.Append(t.Context(), "f", data); err != nil {
				t.Fatal(err)
			}
		}
	}
	return s, all
}

// TestCopyTo: what is read ahead comes in order, whole, in pieces that are not too large.
func TestCopyTo(t *testing.T) {
	s, want := mixed(t)
	f, err := s.OpenFile(t.Context(), "f")
	if err != nil {
		t.Fatal(err)
	}
	var got bytes.Buffer
	err = f.CopyTo(t.Context(), func(p []byte) error {
		if len(p) == 0 || len(p) > pieceBytes {
			t.Errorf("a piece of %d bytes", len(p))
		}
		got.Write(p)
		return nil
	})
	if err != nil || !bytes.Equal(got.Bytes(), want) {
		t.Errorf("%d bytes of %d, %v", got.Len(), len(want), err)
	}
	if err := s.Append(t.Context(), "empty", nil); err != nil {
		t.Fatal(err)
	}
	empty, err := s.OpenFile(t.Context(), "empty")
	if err == nil {
		err = empty.CopyTo(t.Context(), func([]byte) error { return errors.New("there is nothing") })
	}
	if err != nil {
		t.Error(err)
	}
	if err := errors.Join(empty.Close(), f.Close(), s.Close()); err != nil {
		t.Error(err)
	}
}

// TestCopyToEnds: the copy ends with its context, whose cause it gives, with an error of sink, and with the store.
func TestCopyToEnds(t *testing.T) {
	s, _ := mixed(t)
	f, err := s.OpenFile(t.Context(), "f")
	if err != nil {
		t.Fatal(err)
	}
	pressed := errors.New("pressed")
	ctx, cancel := context.WithCancelCause(t.Context())
	n := 0
	err = f.CopyTo(ctx, func([]byte) error {
		if n++; n == 3 {
			cancel(pressed)
		}
		return nil
	})
	if !errors.Is(err, pressed) {
		t.Errorf("%v after %d pieces", err, n)
	}
	if err := f.CopyTo(t.Context(), func([]byte) error { return pressed }); !errors.Is(err, pressed) {
		t.Error(err)
	}
	if err := errors.Join(f.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	if err := f.CopyTo(t.Context(), func([]byte) error { return nil }); err == nil {
		t.Error("a closed store is read")
	}
}
