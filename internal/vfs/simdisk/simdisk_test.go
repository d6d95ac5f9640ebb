package simdisk

import (
	"errors"
	"io/fs"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/rainsql/rainsql/internal/vfs"
)

func must(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func create(t *testing.T, d *Disk, name, text string) vfs.File {
	t.Helper()
	f, err := d.Create(name)
	must(t, err)
	put(t, f, text, 0)
	return f
}

func put(t *testing.T, f vfs.File, text string, off int64) {
	t.Helper()
	_, err := f.WriteAt([]byte(text), off)
	must(t, err)
}

// content is the text of a file, or "-" where there is none.
func content(t *testing.T, d *Disk, name string) string {
	t.Helper()
	f, err := d.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return "-"
	}
	must(t, err)
	defer f.Close()
	size, err := f.Size()
	must(t, err)
	buf := make([]byte, size)
	_, err = f.ReadAt(buf, 0)
	must(t, err)
	return string(buf)
}

func TestLossOfPower(t *testing.T) {
	d := New()
	// a: synced with its folder, then changed. b: synced, folder not. c: folder only. e: renamed.
	a := create(t, d, "a", "old")
	e := create(t, d, "e", "e")
	create(t, d, "c", "lost")
	must(t, a.Sync(), e.Sync(), d.SyncDir(""))
	put(t, a, "NEWER", 0)
	b := create(t, d, "b", "b")
	must(t, b.Sync(), d.Rename("e", "f"))

	killed := d.Restart(true, 0)
	for name, want := range map[string]string{"a": "NEWER", "b": "b", "c": "lost", "e": "-", "f": "e"} {
		if got := content(t, killed, name); got != want {
			t.Errorf("killed: %s is %q, want %q", name, got, want)
		}
	}
	if got := content(t, killed.Restart(false, 0), "a"); got != "old" {
		t.Errorf("killed, then power lost: a is %q", got)
	}
	lost := d.Restart(false, 0)
	for name, want := range map[string]string{"a": "old", "b": "-", "c": "", "e": "e", "f": "-"} {
		if got := content(t, lost, name); got != want {
			t.Errorf("power lost: %s is %q, want %q", name, got, want)
		}
	}
	if _, err := d.Open("a"); !errors.Is(err, ErrStopped) {
		t.Errorf("the old process goes on: %v", err)
	}
}

func TestPartialLoss(t *testing.T) {
	d := New()
	f := create(t, d, "x", strings.Repeat("1", 2*page))
	must(t, f.Sync(), d.SyncDir(""))
	put(t, f, strings.Repeat("2", 4*page), 0)
	seen := map[string]bool{}
	torn := 0
	for seed := range uint64(400) {
		got := content(t, d.Restart(false, seed+1), "x")
		kind := ""
		for p := range len(got) / page {
			part := got[p*page : (p+1)*page]
			mixed := strings.Trim(part, part[:1]) != ""
			for s := range page / sector {
				if one := part[s*sector : (s+1)*sector]; strings.Trim(one, one[:1]) != "" {
					t.Fatalf("page %d, sector %d is mixed", p, s)
				}
			}
			if mixed {
				torn++
				kind += "?"
				continue
			}
			kind += part[:1]
		}
		seen[strings.ReplaceAll(kind, "\x00", "0")] = true
	}
	// Old or new below the synced size, zeros or new above; the size old or new.
	for _, kind := range []string{"11", "12", "21", "22", "1100", "1122", "2202", "2222"} {
		if !seen[kind] {
			t.Errorf("never saw %s", kind)
		}
	}
	if torn == 0 {
		t.Error("no page was torn")
	}
}

// What was there for a while between two syncs may be what a loss of power leaves.
func TestLossOfWhatCameBetween(t *testing.T) {
	d := New()
	f := create(t, d, "x", "one")
	must(t, f.Sync(), d.SyncDir(""))
	put(t, f, "two", 3)
	must(t, f.Truncate(3))
	seen := map[string]bool{}
	for seed := range uint64(100) {
		seen[content(t, d.Restart(false, seed), "x")] = true
	}
	if !seen["one"] || !seen["onetwo"] {
		t.Errorf("saw %v", seen)
	}
	d = d.Restart(true, 0)
	f, err := d.OpenWrite("x")
	must(t, err, f.Sync())
	if got := content(t, d.Restart(false, 3), "x"); got != "one" {
		t.Errorf("after Sync: %q", got)
	}
}

func TestFailedSync(t *testing.T) {
	d := New()
	f := create(t, d, "x", "old")
	must(t, f.Sync(), d.SyncDir(""))
	put(t, f, "new", 0)
	d.SetHook(func(op Op) Fault { return Fault{Err: syscall.EIO} })
	if err := f.Sync(); !errors.Is(err, syscall.EIO) {
		t.Fatal(err)
	}
	d.SetHook(nil)
	must(t, f.Sync()) // finds nothing to write
	killed := d.Restart(true, 0)
	if got := content(t, killed, "x"); got != "new" {
		t.Errorf("killed: %q", got)
	}
	if got := content(t, killed.Restart(false, 0), "x"); got != "old" {
		t.Errorf("a second Sync made durable what the first could not: %q", got)
	}
}

func TestRenameBetweenFolders(t *testing.T) {
	for synced, want := range map[string][]string{"": {"a/x"}, "a": nil, "b": {"a/x", "b/x"}, "a b": {"b/x"}} {
		d := New()
		must(t, d.Mkdir("a"), d.Mkdir("b"), d.SyncDir(""))
		f := create(t, d, "a/x", "x")
		must(t, f.Sync(), d.SyncDir("a"), d.Rename("a/x", "b/x"))
		for dir := range strings.FieldsSeq(synced) {
			must(t, d.SyncDir(dir))
		}
		if got := d.Restart(false, 0).Files(); !slices.Equal(got, want) {
			t.Errorf("synced %q: %v", synced, got)
		}
	}
}

func TestHook(t *testing.T) {
	eio := syscall.EIO
	d := New()
	f := create(t, d, "x", "")
	d.SetHook(func(op Op) Fault {
		if op.Kind == "write" {
			return Fault{Err: eio, Tear: 2}
		}
		return Fault{}
	})
	if _, err := f.WriteAt([]byte("abcd"), 0); !errors.Is(err, eio) {
		t.Errorf("write: %v", err)
	}
	d.SetHook(func(op Op) Fault { return Fault{Stop: op.Kind == "rename", Done: true} })
	if err := d.Rename("x", "y"); !errors.Is(err, ErrStopped) {
		t.Errorf("rename: %v", err)
	}
	if _, err := d.List(""); !errors.Is(err, ErrStopped) {
		t.Errorf("after the stop: %v", err)
	}
	must(t, f.Close())
	next := d.Restart(true, 0)
	if got := content(t, next, "y"); got != "ab" {
		t.Errorf("y is %q", got)
	}
	must(t, next.FlipBit("y", 9))
	if got := content(t, next, "y"); got != "a`" {
		t.Errorf("flipped y is %q", got)
	}
}

func TestSpace(t *testing.T) {
	d := New()
	d.SetCapacity(10)
	f := create(t, d, "x", "12345678")
	if n, err := f.WriteAt([]byte("78abc"), 6); n != 4 || !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("wrote %d, %v", n, err)
	}
	put(t, f, "zz", 0) // needs no room
	must(t, d.Remove("x"))
	if d.Used() != 10 {
		t.Errorf("an open file's space was freed: %d", d.Used())
	}
	must(t, f.Close())
	f = create(t, d, "y", "1234567890")
	must(t, f.Truncate(3), d.Rename("y", "z"), f.Close())
	if d.Used() != 3 || !slices.Equal(d.Files(), []string{"z"}) {
		t.Errorf("%d bytes in %v", d.Used(), d.Files())
	}
}

func TestFoldersAndLock(t *testing.T) {
	d := New()
	if _, err := d.Create("d/x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("create in no folder: %v", err)
	}
	must(t, d.Mkdir("d"), d.Mkdir("d"))
	f := create(t, d, "d/x", "1")
	must(t, f.Sync(), d.SyncDir("d"))
	if left := d.Restart(false, 0).Files(); len(left) != 0 {
		t.Errorf("a folder that was not synced keeps %v", left)
	}
	d = New()
	held, err := d.Lock("LOCK", "me")
	must(t, err)
	var locked *vfs.LockedError
	if _, err := d.Lock("LOCK", "you"); !errors.As(err, &locked) || locked.Holder != "me" {
		t.Errorf("second lock: %v", err)
	}
	must(t, held.Close())
	if _, err := d.Lock("LOCK", "you"); err != nil {
		t.Error(err)
	}
}
