package sdfs

import (
	"context"
	"errors"
	"maps"
	"os"
	"path"
	"strings"
	"sync"
	"testing"

	"github.com/rainsql/rainsql/internal/vfs"
	"github.com/rainsql/rainsql/internal/vfs/simdisk"
)

// closedStore is a disk with a store that was closed in order, and what is in it: large blocks,
// full and open segments, dead blocks in both, a snapshot and records behind it.
func closedStore(t *testing.T) (*simdisk.Disk, contents) {
	t.Helper()
	ctx := t.Context()
	disk := simdisk.New()
	s, err := Open(ctx, tiny(disk))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := play(s); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z"} {
		if err := s.Append(ctx, name, []byte(text(name, 3000))); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Remove(ctx, "z"); err != nil { // the last record of the open segment is dead
		t.Fatal(err)
	}
	want, err := readAllFiles(s)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return disk, want
}

// readsTrue reads all it can of an open store. Errors are well, wrong bytes are not.
func readsTrue(t *testing.T, s *Embedded, want contents, what string) {
	t.Helper()
	for name, content := range want {
		f, err := s.OpenFile(t.Context(), name)
		if err != nil {
			t.Errorf("%s: %s is gone: %v", what, name, err)
			continue
		}
		for _, size := range []int{3000, 300 << 10} {
			buf := make([]byte, size)
			for off := 0; off < len(content); off += size {
				n, err := f.ReadAt(buf, int64(off))
				if string(buf[:n]) != content[off:off+n] {
					t.Errorf("%s: %s gives wrong bytes", what, name)
				}
				if err != nil {
					var corrupt *CorruptError
					if off+n < len(content) && (!errors.As(err, &corrupt) || corrupt.File != name || corrupt.Path == "" && corrupt.Reason != "the block is in no disk file") {
						t.Errorf("%s: reading %s: %v", what, name, err)
					}
					break
				}
			}
		}
		f.Close()
	}
}

func TestFlippedBits(t *testing.T) {
	disk, want := closedStore(t)
	if report, err := CheckDir(t.Context(), tiny(disk.Restart(true, 0))); err != nil || len(report.Faults)+len(report.Orphans) > 0 {
		t.Fatalf("before any damage: %+v, %v", report, err)
	}
	kinds := map[string]bool{}
	for _, name := range disk.Files() {
		f, err := disk.Restart(true, 0).Open(name)
		if err != nil {
			t.Fatal(err)
		}
		size, _ := f.Size()
		f.Close()
		kinds[path.Ext(name)] = true
		// Small parts of a file are tried at every byte, long ones at some.
		step := max(1, size/50)
		if long {
			step = max(1, size/2000)
		}
		if path.Ext(name) == ".open" {
			step = min(step, 30) // less than a record's head
		}
		for at := int64(0); at < size; at++ {
			if at%step != 0 && at > 24 && at < size-24 {
				continue
			}
			checkFlip(t, disk, want, name, at*8+at%8)
			if t.Failed() {
				return
			}
		}
	}
	for _, ext := range []string{".wal", ".snap", ".seg", ".open", ""} {
		if !kinds[ext] {
			t.Errorf("the store has no file %q", ext)
		}
	}
}

// checkFlip flips one bit of a closed store: CheckDir names the file, opening does not give wrong
// bytes, and if the store opens, it knows of the damage too.
func checkFlip(t *testing.T, disk *simdisk.Disk, want contents, name string, bit int64) {
	t.Helper()
	ctx := context.Background()
	damaged := disk.Restart(true, 0)
	if err := damaged.FlipBit(name, bit); err != nil {
		t.Fatal(err)
	}
	report, err := CheckDir(ctx, tiny(damaged))
	if err != nil {
		t.Errorf("%s bit %d: %v", name, bit, err)
	}
	named := false
	for _, f := range report.Faults {
		named = named || f.Path == name
	}
	if !named {
		t.Errorf("%s bit %d: found %v", name, bit, report.Faults)
	}
	s, err := Open(ctx, tiny(damaged))
	var damage *DamageError
	if errors.As(err, &damage) {
		if damage.Path != name {
			t.Errorf("%s bit %d: opening blames %v", name, bit, err)
		}
		return
	}
	if err != nil {
		t.Errorf("%s bit %d: %v", name, bit, err)
		return
	}
	defer s.Close()
	readsTrue(t, s, want, name)
	report, err = s.Check(ctx, nil)
	if err != nil {
		t.Errorf("%s bit %d: %v", name, bit, err)
	}
	named = false
	for _, f := range report.Faults {
		named = named || f.Path == name
	}
	if e, err := damaged.Stat(name); !named && err == nil && e.Size > bit/8 { // opening may have cut off what nothing names
		t.Errorf("%s bit %d: the open store found %v", name, bit, report.Faults)
	}
}

func TestMissingFiles(t *testing.T) {
	disk, want := closedStore(t)
	for _, name := range disk.Files() {
		if name == reserveName { // it is made anew
			continue
		}
		damaged := disk.Restart(true, 0)
		if err := damaged.Remove(name); err != nil {
			t.Fatal(err)
		}
		report, err := CheckDir(t.Context(), tiny(damaged))
		if err != nil {
			t.Errorf("without %s: %v", name, err)
		}
		harmless := len(report.Faults) == 0 // a segment of which nothing is wanted
		s, err := Open(t.Context(), tiny(damaged))
		if err != nil {
			if harmless {
				t.Errorf("without %s: nothing was found, yet opening fails: %v", name, err)
			}
			continue
		}
		if all, err := readAllFiles(s); harmless && (err != nil || !maps.Equal(all, want)) {
			t.Errorf("without %s: nothing was found, yet something is lost: %v", name, err)
		}
		for file, content := range want {
			f, err := s.OpenFile(t.Context(), file)
			if err != nil {
				t.Errorf("without %s: %v", name, err)
				continue
			}
			buf := make([]byte, len(content))
			if n, _ := f.ReadAt(buf, 0); string(buf[:n]) != content[:n] {
				t.Errorf("without %s: wrong bytes of %s", name, file)
			}
			f.Close()
		}
		s.Close()
	}
}

func TestForeignFolder(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(path.Join(dir, "letter.txt"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Config{Dir: dir}); err == nil || !strings.Contains(err.Error(), "letter.txt") {
		t.Errorf("opening a folder of something else: %v", err)
	}
	if _, err := CheckDir(t.Context(), Config{Dir: dir}); err == nil {
		t.Error("checking a folder of something else")
	}
}

func TestLockedStore(t *testing.T) {
	disk := simdisk.New()
	s, err := Open(t.Context(), tiny(disk))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var locked *vfs.LockedError
	if _, err := Open(t.Context(), tiny(disk)); !errors.As(err, &locked) || !strings.Contains(err.Error(), "held by process ") {
		t.Errorf("a second opening: %v", err)
	}
}

func TestFullDisk(t *testing.T) {
	ctx := t.Context()
	for _, large := range []bool{true, false} {
		disk := simdisk.New()
		disk.SetCapacity(600 << 10)
		cfg := tiny(disk)
		cfg.LogBytes = 1 << 20
		s, err := Open(ctx, cfg)
		if err != nil {
			t.Fatal(err)
		}
		content := text("keep", 3000)
		if err := s.Append(ctx, "keep", []byte(content)); err != nil {
			t.Fatal(err)
		}
		fill := func(name string) error {
			if !large {
				return s.Append(ctx, name, []byte(text(name, 4000)))
			}
			w, err := write(ctx, s, name, text(name, 40<<10), MustNotExist)
			if err != nil {
				return err
			}
			return w.Commit(ctx)
		}
		n := 0
		for ; err == nil && n < 1000; n++ {
			err = fill(strings.Repeat("f", n+1))
		}
		if !errors.Is(err, ErrNoSpace) {
			t.Fatalf("large %t: the disk is full: %v", large, err)
		}
		for s.Append(ctx, "keep2", []byte(text("x", 100))) == nil { // to the last byte
		}
		got := make([]byte, len(content))
		f, err := s.OpenFile(ctx, "keep")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.ReadAt(got, 0); err != nil || string(got) != content {
			t.Errorf("large %t: reading on a full disk: %v", large, err)
		}
		f.Close()
		for i := range n - 1 {
			if err := s.Remove(ctx, strings.Repeat("f", i+1)); err != nil {
				t.Fatalf("large %t: removing on a full disk: %v", large, err)
			}
		}
		if err := fill("again"); err != nil {
			t.Errorf("large %t: writing after room was made: %v", large, err)
		}
		if report, err := s.Check(ctx, nil); err != nil || len(report.Faults)+len(report.Orphans) > 0 {
			t.Errorf("large %t: %+v, %v", large, report, err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		next := disk.Restart(false, 0)
		if s, err = Open(ctx, tiny(next)); err != nil {
			t.Fatal(err)
		}
		all, err := readAllFiles(s)
		if err != nil || all["keep"] != content || len(all["again"]) == 0 {
			t.Errorf("large %t: after reopening: %s, %v", large, sizes(all), err)
		}
		s.Close()
	}
}

func TestPinnedReaders(t *testing.T) {
	ctx := t.Context()
	cfg := tiny(simdisk.New())
	cfg.MergeBlocks = -1 // none but the one below
	s, err := Open(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	want := ""
	for i := range 20 {
		line := text(string(rune('a'+i)), 900)
		want += line
		if err := s.Append(ctx, "f", []byte(line)); err != nil {
			t.Fatal(err)
		}
	}
	big := text("big", 200<<10)
	if w, err := write(ctx, s, "f", big, Append); err != nil || w.Commit(ctx) != nil {
		t.Fatal(err)
	}
	want += big
	f, err := s.OpenFile(ctx, "f")
	if err != nil {
		t.Fatal(err)
	}
	before := s.Usage().Blocks
	check := func(after string) {
		t.Helper()
		s.local.tidySpace()
		got := make([]byte, len(want))
		if _, err := f.ReadAt(got, 0); err != nil || string(got) != want {
			t.Errorf("after %s a reader sees something else: %v", after, err)
		}
	}
	if err := s.Merge(ctx, "f"); err != nil {
		t.Fatal(err)
	}
	if now := s.Usage().Blocks; now >= before {
		t.Errorf("%d blocks before the merge, %d after", before, now)
	}
	check("merge")
	if w, err := write(ctx, s, "f", "new", Replace); err != nil || w.Commit(ctx) != nil {
		t.Fatal(err)
	}
	check("replace")
	if err := s.Rename(ctx, "f", "g"); err != nil {
		t.Fatal(err)
	}
	if err := s.Remove(ctx, "g"); err != nil {
		t.Fatal(err)
	}
	check("remove")
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	s.local.tidySpace()
	if u := s.Usage(); u.DiskBytes-u.DeadBytes > 1000 || u.Blocks != 0 {
		t.Errorf("the space is not given back: %+v", u)
	}
}

func TestConcurrentAppends(t *testing.T) {
	ctx := t.Context()
	disk := simdisk.New()
	s, err := Open(ctx, tiny(disk))
	if err != nil {
		t.Fatal(err)
	}
	const each = 200
	var wg sync.WaitGroup
	for w := range parWriters {
		wg.Go(func() {
			for i := range each {
				line := []byte{byte('a' + w), byte(i), '\n'}
				if err := s.Append(ctx, "log", line); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	for _, reopened := range []bool{false, true} {
		all, err := readAllFiles(s)
		if err != nil {
			t.Fatal(err)
		}
		got := all["log"]
		seen := map[byte]int{}
		for i := 0; i+3 <= len(got); i += 3 {
			if got[i+1] != byte(seen[got[i]]) {
				t.Fatalf("reopened %t: line %d of writer %c comes where %d should", reopened, got[i+1], got[i], seen[got[i]])
			}
			seen[got[i]]++
		}
		if len(got) != 3*parWriters*each || !maps.Equal(seen, map[byte]int{'a': each, 'b': each, 'c': each, 'd': each}) {
			t.Errorf("reopened %t: %d bytes, lines by writer %v", reopened, len(got), seen)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if s, err = Open(ctx, tiny(disk.Restart(true, 0))); err != nil {
			t.Fatal(err)
		}
	}
	s.Close()
}
