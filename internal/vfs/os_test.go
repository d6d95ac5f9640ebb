package vfs

import (
	"errors"
	"io/fs"
	"path/filepath"
	"testing"
)

func TestOS(t *testing.T) {
	root := filepath.Join(t.TempDir(), "a", "b")
	disk := OS(root)
	for _, dir := range []string{"", "d", "d"} {
		if err := disk.Mkdir(dir); err != nil {
			t.Fatal(err)
		}
	}
	f, err := disk.Create("d/x")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := disk.Create("d/x"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("creating a file twice: %v", err)
	}
	if _, err := f.WriteAt([]byte("abc"), 2); err != nil {
		t.Fatal(err)
	}
	for _, err := range []error{f.Sync(), f.Truncate(4), disk.Rename("d/x", "d/y"), disk.SyncDir("d")} {
		if err != nil {
			t.Fatal(err)
		}
	}
	buf := make([]byte, 4)
	if _, err := f.ReadAt(buf, 0); err != nil || string(buf) != "\x00\x00ab" {
		t.Errorf("read %q, %v", buf, err)
	}
	list, err := disk.List("d")
	if err != nil || len(list) != 1 || list[0] != (Entry{Name: "y", Size: 4}) {
		t.Errorf("list %v, %v", list, err)
	}
	if _, err := disk.Open("d/x"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("opening what is gone: %v", err)
	}
}

func TestLock(t *testing.T) {
	disk := OS(t.TempDir())
	held, err := disk.Lock("LOCK", "process 12 (rainsql server)")
	if err != nil {
		t.Fatal(err)
	}
	var locked *LockedError
	if _, err := disk.Lock("LOCK", "x"); !errors.As(err, &locked) || locked.Holder != "process 12 (rainsql server)" {
		t.Errorf("second lock: %v", err)
	}
	if err := held.Close(); err != nil {
		t.Fatal(err)
	}
	held, err = disk.Lock("LOCK", "x")
	if err != nil {
		t.Fatal(err)
	}
	held.Close()
}
