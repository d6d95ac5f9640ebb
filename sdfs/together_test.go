package sdfs

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/rainsql/rainsql/internal/vfs/simdisk"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// wanted are the bytes on disk that are not given up.
func wanted(s *Embedded) int64 {
	s.local.tidySpace()
	u := s.Usage()
	return u.DiskBytes - u.DeadBytes
}

// fill writes to a Writer that was begun without an error.
func fill(t *testing.T, w *Writer, err error, content string) *Writer {
	t.Helper()
	if err == nil {
		_, err = w.Write([]byte(content))
	}
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func openTiny(t *testing.T) *Embedded {
	t.Helper()
	s, err := Open(t.Context(), tiny(simdisk.New()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

// Pieces make one file, in the order of their places, whoever committed first; some are whole before.
func TestPieces(t *testing.T) {
	ctx := t.Context()
	s := openTiny(t)
	want := contents{}
	for _, mode := range []Mode{MustNotExist, Replace, Append} {
		parts := []string{"head\n", "", text("a", 10), text("b", 9000), text("c", 3), ""}
		list := make([]*Writer, len(parts))
		for i, part := range parts {
			var err error
			if i == 0 {
				list[i], err = s.Create(ctx, "f", mode)
			} else {
				list[i], err = s.CreatePiece(ctx, "f", int64(10*i))
			}
			fill(t, list[i], err, part)
			if i%2 == 1 {
				if err := list[i].End(); err != nil {
					t.Fatal(err)
				}
				if _, err := list[i].Write([]byte("x")); !errors.Is(err, ErrClosed) {
					t.Errorf("written after End: %v", err)
				}
			}
		}
		other, err := s.Create(ctx, "other", Replace)
		fill(t, other, err, "other")
		slices.Reverse(list)
		if err := s.Commit(ctx, append(list, other)...); err != nil {
			t.Fatal(err)
		}
		if mode == Append {
			want["f"] += strings.Join(parts, "")
		} else {
			want["f"] = strings.Join(parts, "")
		}
		want["other"] = "other"
		mustHold(t, s, want)
	}
}

// A file that was replaced while pieces of it were written is not half of both; the blocks are given up.
func TestPiecesRefused(t *testing.T) {
	ctx := t.Context()
	s := openTiny(t)
	if err := s.Append(ctx, "f", []byte("old")); err != nil {
		t.Fatal(err)
	}
	first, err := s.Create(ctx, "f", Append)
	fill(t, first, err, "a")
	w, err := write(ctx, s, "f", "new", Replace)
	if err == nil {
		err = w.Commit(ctx)
	}
	if err != nil {
		t.Fatal(err)
	}
	before := wanted(s)
	second, err := s.CreatePiece(ctx, "f", 1)
	fill(t, second, err, text("b", 9000))
	if err := second.End(); err != nil {
		t.Fatal(err)
	}
	if wanted(s) < before+9000 {
		t.Error("it is not on disk")
	}
	if err := s.Commit(ctx, second, first); !errors.Is(err, ErrConflict) {
		t.Error(err)
	}
	mustHold(t, s, contents{"f": "new"})
	third, err := s.CreatePiece(ctx, "f", 1)
	fill(t, third, err, text("c", 9000))
	if err := errors.Join(third.End(), third.Abort(), third.Abort()); err != nil {
		t.Fatal(err)
	}
	mustHave(t, s, before)
}

// mustHave checks that nothing is left of what was given up.
func mustHave(t *testing.T, s *Embedded, bytes int64) {
	t.Helper()
	report, err := s.Check(t.Context(), nil)
	if err != nil || len(report.Faults) > 0 || len(report.Orphans) > 0 {
		t.Error(report, err)
	}
	if got := wanted(s); got != bytes {
		t.Errorf("%d bytes are wanted on disk, not %d", got, bytes)
	}
}

// inFolder writes files into a folder; of "" the first is a spare one.
func inFolder(ctx context.Context, t *testing.T, s *Embedded, f Folder, parts ...string) error {
	t.Helper()
	var list []*Writer
	for i, part := range parts {
		w, err := s.CreatePart(ctx, f, i, ".csv")
		if err != nil {
			return err
		}
		list = append(list, w)
		if fill(t, w, nil, part); part == "" {
			w.Spare()
		}
	}
	slices.Reverse(list)
	return s.Commit(ctx, list...)
}

func TestFolders(t *testing.T) {
	ctx := t.Context()
	s := openTiny(t)
	want := contents{"d": "no folder", "dd/x": "another folder"}
	for name, content := range want {
		if err := s.Append(ctx, name, []byte(content)); err != nil {
			t.Fatal(err)
		}
	}
	step := func(mode Mode, change map[string]string, parts ...string) {
		t.Helper()
		if err := inFolder(ctx, t, s, Folder{Name: "d/", Mode: mode}, parts...); err != nil {
			t.Fatal(err)
		}
		if mode == Replace {
			maps.DeleteFunc(want, func(name, _ string) bool { return strings.HasPrefix(name, "d/") })
		}
		maps.Copy(want, change)
		mustHold(t, s, want)
	}
	step(MustNotExist, map[string]string{"d/part-00000.csv": "a", "d/part-00001.csv": "b"}, "a", "b")
	if err := inFolder(ctx, t, s, Folder{Name: "d/", Mode: MustNotExist}, "c"); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
	step(Append, map[string]string{"d/part-00002.csv": "c", "d/part-00003.csv": "d"}, "c", "d")
	if err := s.Rename(ctx, "d/part-00003.csv", "d/part-00041.json.gz"); err != nil {
		t.Fatal(err)
	}
	want["d/part-00041.json.gz"] = want["d/part-00003.csv"]
	delete(want, "d/part-00003.csv")
	for name := range map[string]bool{"d/e/part-99999.csv": true, "d/part-": true, "d/part-x": true, "d/part-99999999999999999999": true} {
		want[name] = "x"
		if err := s.Append(ctx, name, []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	step(Append, map[string]string{"d/part-00042.csv": "e"}, "e")
	step(Append, map[string]string{"d/part-00044.csv": "f"}, "", "f") // the first had nothing
	step(Replace, map[string]string{"d/part-00001.csv": "b2"}, "", "b2")
	step(Replace, map[string]string{"d/part-00000.csv": ""}, "")
	step(Replace, map[string]string{"d/part-00000.csv": text("a", 9000)}, text("a", 9000), "")
}

// What is added to a folder while it is filled is not lost, nor does it make half of the files appear.
func TestFolderRefused(t *testing.T) {
	ctx := t.Context()
	s := openTiny(t)
	f := Folder{Name: "d/", Mode: MustNotExist}
	one, err := s.CreatePart(ctx, f, 0, ".csv")
	fill(t, one, err, text("a", 9000))
	two, err := s.CreatePart(ctx, f, 1, ".csv")
	fill(t, two, err, "b")
	if err := s.Append(ctx, "d/x", []byte("x")); err != nil {
		t.Fatal(err)
	}
	before := wanted(s)
	if err := s.Commit(ctx, one, two); !errors.Is(err, ErrExists) {
		t.Error(err)
	}
	mustHold(t, s, contents{"d/x": "x"})
	mustHave(t, s, before)
	for _, name := range []string{"/", "d//", "../"} {
		if _, err := s.CreatePart(ctx, Folder{Name: name}, 0, ".csv"); !errors.Is(err, ErrName) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What others wrote is put together as here.
func TestTogether(t *testing.T) {
	ctx := t.Context()
	s := openTiny(t)
	first, err := s.Create(ctx, "f", Replace)
	fill(t, first, err, "head\n")
	second, err := s.CreatePiece(ctx, "f", 7)
	fill(t, second, err, "tail\n")
	list, err := s.Detach(ctx, second, first)
	if err != nil {
		t.Fatal(err)
	}
	e, err := s.Together(ctx, list)
	if err != nil || e.Kind != namespace.Replace || e.Name != "f" || len(e.Blocks) != 2 {
		t.Fatalf("%+v, %v", e, err)
	}
	if err := s.backend.Propose(ctx, e); err != nil {
		t.Fatal(err)
	}
	mustHold(t, s, contents{"f": "head\ntail\n"})
}
