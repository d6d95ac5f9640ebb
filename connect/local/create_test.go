package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/rainsql/rainsql/connect"
)

// write makes a writer of path that holds text, not yet committed.
func write(t *testing.T, path, text string, mode connect.WriteMode) *Writer {
	t.Helper()
	w, err := Create(path, path, mode)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return w
}

func content(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// Two writers who both found no file may not both be told that theirs is written.
func TestSecondCreatorIsRefused(t *testing.T) {
	for _, mode := range []connect.WriteMode{connect.Append, connect.MustFail} {
		path := filepath.Join(t.TempDir(), "x")
		a, b := write(t, path, "a\n", mode), write(t, path, "b\n", mode)
		if err := a.Commit(); err != nil {
			t.Fatal(err)
		}
		if err := b.Commit(); !errors.Is(err, fs.ErrExist) {
			t.Errorf("mode %d: the second commit gives %v", mode, err)
		}
		if got := content(t, path); got != "a\n" {
			t.Errorf("mode %d: the file holds %q", mode, got)
		}
		if left, _ := os.ReadDir(filepath.Dir(path)); len(left) != 1 {
			t.Errorf("mode %d: left behind: %v", mode, left)
		}
	}
}

func TestAppendersTakeTurns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if err := write(t, path, "0\n", connect.Replace).Commit(); err != nil {
		t.Fatal(err)
	}
	a, b := write(t, path, "a\n", connect.Append), write(t, path, "b\n", connect.Append)
	for _, w := range []*Writer{b, a} {
		if err := w.Commit(); err != nil {
			t.Fatal(err)
		}
	}
	if got := content(t, path); got != "0\nb\na\n" {
		t.Errorf("the file holds %q", got)
	}
}

func TestAbortLeavesWhatWasThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x")
	if err := write(t, path, "old", connect.Replace).Commit(); err != nil {
		t.Fatal(err)
	}
	if err := write(t, path, "new", connect.Replace).Abort(); err != nil {
		t.Fatal(err)
	}
	if left, _ := os.ReadDir(filepath.Dir(path)); content(t, path) != "old" || len(left) != 1 {
		t.Errorf("the file holds %q among %v", content(t, path), left)
	}
}

// What the program has open already is written to where it stands; replacing
// the file behind it would lose what others wrote.
func TestOpenFileIsNotReplaced(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("before\n"); err != nil {
		t.Fatal(err)
	}
	name := fmt.Sprintf("/dev/fd/%d", f.Fd())
	if _, err := os.Stat(name); err != nil {
		t.Skipf("this machine has no %s", name)
	}
	w, err := Create(name, name, connect.Replace)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Write([]byte("rows\n")); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString("after\n"); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(b), "before\nrows\nafter\n"; got != want {
		t.Errorf("%q, not %q", got, want)
	}
	if _, err := Create("/dev/fd/99999", "/dev/fd/99999", connect.Replace); err == nil {
		t.Error("a file that is not open was opened")
	}
}
