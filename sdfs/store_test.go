package sdfs

import (
	"bytes"
	"errors"
	"io"
	"math/rand/v2"
	"testing"

	"go.uber.org/goleak"

	"github.com/rainsql/rainsql/internal/vfs"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestWriteReadReopen(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	s, err := Open(ctx, Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	big := make([]byte, 70<<20+12345)
	_, _ = rand.NewChaCha8([32]byte{}).Read(big)
	w, err := s.Create(ctx, "a/big", MustNotExist)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write(big); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create(ctx, "a/big", MustNotExist); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
	for range 10 {
		if err := s.Append(ctx, "log", []byte("line\n")); err != nil {
			t.Fatal(err)
		}
	}
	var locked *vfs.LockedError
	if _, err := Open(ctx, Config{Dir: dir}); !errors.As(err, &locked) {
		t.Error(err)
	}
	check := func(s *Embedded) {
		t.Helper()
		list, err := s.List(ctx, "")
		if err != nil || len(list) != 2 || list[0].Size != int64(len(big)) || list[1].Size != 50 {
			t.Fatal(list, err)
		}
		f, err := s.OpenFile(ctx, "a/big")
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		got, err := io.ReadAll(io.NewSectionReader(f, 0, f.Size()))
		if err != nil || !bytes.Equal(got, big) {
			t.Fatal("content differs", err)
		}
		got = make([]byte, 1<<20)
		if _, err := f.ReadAt(got, 64<<20-5000); err != nil || !bytes.Equal(got, big[64<<20-5000:][:1<<20]) {
			t.Fatal("content differs", err)
		}
	}
	check(s)
	if err := s.Merge(ctx, "log"); err != nil {
		t.Fatal(err)
	}
	if info, _ := s.Stat(t.Context(), "log"); info.Blocks != 1 || info.Size != 50 {
		t.Fatal(info)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if s, err = Open(ctx, Config{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	check(s)
	if err := s.Remove(ctx, "a/big"); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
