package sdfs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"testing"

	"github.com/rainsql/rainsql/internal/vfs/simdisk"
)

// TestModel does random things to a store and to a map, with reopenings after kills and orderly
// ends, and compares.
func TestModel(t *testing.T) {
	seeds, steps := 3, 250
	if long {
		seeds, steps = 40, 1000
	}
	for seed := range seeds {
		rnd := rand.New(rand.NewPCG(uint64(seed), 7))
		disk := simdisk.New()
		s, err := Open(t.Context(), tiny(disk))
		if err != nil {
			t.Fatal(err)
		}
		want := contents{}
		readers := map[*File]string{}
		for i := range steps {
			what, err := randomStep(s, rnd, want, readers)
			if err != nil {
				t.Fatalf("seed %d, step %d, %s: %v", seed, i, what, err)
			}
			if rnd.IntN(25) == 0 {
				got, err := readAllFiles(s)
				if err != nil || !maps.Equal(got, want) {
					t.Fatalf("seed %d, step %d, %s: the store holds %s, want %s: %v", seed, i, what, sizes(got), sizes(want), err)
				}
				if report, err := s.Check(t.Context(), nil); err != nil || len(report.Faults)+len(report.Orphans) > 0 {
					t.Fatalf("seed %d, step %d: %+v, %v", seed, i, report, err)
				}
			}
			if rnd.IntN(60) == 0 {
				clear(readers)
				orderly := rnd.IntN(2) == 0
				if orderly {
					if err := s.Close(); err != nil {
						t.Fatal(err)
					}
				}
				next := disk.Restart(rnd.IntN(2) == 0, rnd.Uint64())
				if !orderly {
					_ = s.Close() // the disk has stopped
				}
				disk = next
				if s, err = Open(t.Context(), tiny(disk)); err != nil {
					t.Fatalf("seed %d, step %d: %v", seed, i, err)
				}
			}
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func randomStep(s *Embedded, rnd *rand.Rand, want contents, readers map[*File]string) (string, error) {
	ctx := context.Background()
	pick := func() string { return string(rune('a' + rnd.IntN(6))) }
	name, other := pick(), pick()
	old, exists := want[name]
	size := rnd.IntN(6000)
	if rnd.IntN(10) == 0 {
		size = rnd.IntN(300 << 10)
	}
	content := text(fmt.Sprint(rnd.Uint64()), size)
	expect := func(err, reason error) error {
		switch {
		case errors.Is(err, reason):
			return nil
		case err == nil:
			return fmt.Errorf("not refused with %w", reason)
		}
		return err
	}
	put := func(mode Mode) error {
		w, err := write(ctx, s, name, content, mode)
		if err != nil {
			return err
		}
		return w.Commit(ctx)
	}
	switch n := rnd.IntN(20); {
	case n < 8:
		want[name] = old + content[:min(len(content), 900)]
		return "append", s.Append(ctx, name, []byte(content[:min(len(content), 900)]))
	case n < 10:
		want[name] = content
		return "replace", put(Replace)
	case n < 11:
		if exists {
			return "create", expect(put(MustNotExist), ErrExists)
		}
		want[name] = content
		return "create", put(MustNotExist)
	case n < 12:
		want[name] = old + content
		return "append large", put(Append)
	case n < 14:
		if !exists {
			return "remove", expect(s.Remove(ctx, name), ErrNotFound)
		}
		delete(want, name)
		return "remove", s.Remove(ctx, name)
	case n < 15:
		err := s.Rename(ctx, name, other)
		_, taken := want[other]
		switch {
		case !exists:
			return "rename", expect(err, ErrNotFound)
		case taken:
			return "rename", expect(err, ErrExists)
		}
		want[other] = old
		delete(want, name)
		return "rename", err
	case n < 16:
		if !exists {
			return "merge", expect(s.Merge(ctx, name), ErrNotFound)
		}
		return "merge", s.Merge(ctx, name)
	case n < 17: // an append to what is replaced meanwhile
		w, err := write(ctx, s, name, "lost", Append)
		if err != nil {
			return "conflict", err
		}
		if err := put(Replace); err != nil {
			return "conflict", err
		}
		want[name] = content
		if !exists { // there was nothing to be replaced
			want[name] += "lost"
			return "no conflict", w.Commit(ctx)
		}
		return "conflict", expect(w.Commit(ctx), ErrConflict)
	case n < 19:
		if !exists {
			return "open", nil
		}
		f, err := s.OpenFile(ctx, name)
		if err == nil {
			readers[f] = old
		}
		return "open", err
	}
	for f, content := range readers {
		got := make([]byte, len(content))
		if _, err := f.ReadAt(got, 0); err != nil {
			return "read", err
		}
		if string(got) != content {
			return "read", errors.New("a reader sees something else")
		}
		delete(readers, f)
		return "read", f.Close()
	}
	return "nothing", nil
}
