package sdfs

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/rainsql/rainsql/internal/vfs/simdisk"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// What is refused for want of space stays refused: a loss of power must not bring back what part of it
// had been written, now that its blocks are given up.
func TestRefusedForSpaceStaysRefused(t *testing.T) {
	ctx := t.Context()
	for seed := range uint64(400) {
		disk := simdisk.New()
		s, err := Open(ctx, tiny(disk))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Append(ctx, "kept", []byte("kept")); err != nil {
			t.Fatal(err)
		}
		disk.SetHook(func(op simdisk.Op) simdisk.Fault {
			if op.Kind == "write" && strings.HasPrefix(op.Path, "log/") && op.Len > 0 && op.Len < 4096 && !strings.HasSuffix(op.Path, "committed") {
				return simdisk.Fault{Err: syscall.ENOSPC, Tear: op.Len - 1 + int(seed%2)} // to the last byte, or with it
			}
			return simdisk.Fault{}
		})
		if err := s.Append(ctx, "refused", []byte("refused")); !errors.Is(err, ErrNoSpace) {
			t.Fatal(err)
		}
		disk.Stop()
		_ = s.Close()
		if s, err = Open(ctx, tiny(disk.Restart(false, seed))); err != nil {
			t.Fatalf("seed %d: %v", seed, err)
		}
		mustHold(t, s, contents{"kept": "kept"})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// Some systems find out at an fsync only that the disk is full. What the fsync covered may be found on reopening,
// then with its blocks.
func TestFsyncFindsDiskFull(t *testing.T) {
	ctx := t.Context()
	for file, size := range map[string]int{"log/": 20 << 10, "segments/": 20} {
		disk := simdisk.New()
		s, err := Open(ctx, tiny(disk))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Append(ctx, "kept", []byte("kept")); err != nil {
			t.Fatal(err)
		}
		disk.SetHook(func(op simdisk.Op) simdisk.Fault {
			if op.Kind == "sync" && strings.HasPrefix(op.Path, file) {
				return simdisk.Fault{Err: syscall.ENOSPC}
			}
			return simdisk.Fault{}
		})
		if err := s.Append(ctx, "unknown", []byte(text("unknown", size))); !errors.Is(err, ErrReadOnly) {
			t.Errorf("%s: %v", file, err)
		}
		if err := s.Remove(ctx, "kept"); !errors.Is(err, ErrReadOnly) {
			t.Errorf("%s: %v", file, err)
		}
		disk.SetHook(nil)
		_ = s.Close()
		if s, err = Open(ctx, tiny(disk.Restart(true, 0))); err != nil {
			t.Fatal(err)
		}
		want := contents{"kept": "kept"}
		if _, err := s.Stat(t.Context(), "unknown"); err == nil {
			want["unknown"] = text("unknown", size)
		}
		mustHold(t, s, want)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// The torn tail of a segment, cut off on opening, must not come back as damage in a store that was then
// closed in order.
func TestCutTailStaysCut(t *testing.T) {
	ctx := t.Context()
	for seed := range uint64(40) {
		disk := simdisk.New()
		s, err := Open(ctx, tiny(disk))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Append(ctx, "a", []byte(text("a", 700))); err != nil {
			t.Fatal(err)
		}
		disk.SetHook(func(op simdisk.Op) simdisk.Fault {
			return simdisk.Fault{Stop: op.Kind == "write" && strings.HasPrefix(op.Path, "segments/"), Tear: 100}
		})
		if err := s.Append(ctx, "b", []byte(text("b", 700))); err == nil {
			t.Fatal("the process lives")
		}
		_ = s.Close()
		disk = disk.Restart(false, 1)
		disk = disk.Restart(true, 0)
		for range 2 { // the first cuts, and is closed in order; the second finds what is left of that
			if s, err = Open(ctx, tiny(disk)); err != nil {
				t.Fatal(err)
			}
			mustHold(t, s, contents{"a": text("a", 700)})
			if err := s.Close(); err != nil {
				t.Fatal(err)
			}
			disk = disk.Restart(false, seed)
		}
	}
}

// A block that is wanted and looks like a torn write keeps the tail of its segment from being cut: repaired, it
// is there.
func TestDamagedTailIsKept(t *testing.T) {
	ctx := t.Context()
	disk := simdisk.New()
	s, err := Open(ctx, tiny(disk))
	if err != nil {
		t.Fatal(err)
	}
	want := contents{"a": text("a", 700), "b": text("b", 700)}
	for _, name := range []string{"a", "b"} {
		if err := s.Append(ctx, name, []byte(want[name])); err != nil {
			t.Fatal(err)
		}
	}
	disk.Stop()
	_ = s.Close()
	disk = disk.Restart(true, 0)
	const segment, bit = "segments/0000000000000001.open", 8 * (20 + 36 + 700 + 5) // in the head of b
	for repaired := range 2 {
		if err := disk.FlipBit(segment, bit); err != nil {
			t.Fatal(err)
		}
		if s, err = Open(ctx, tiny(disk)); err != nil {
			t.Fatal(err)
		}
		got, err := readAllFiles(s)
		if repaired == 0 && err == nil {
			t.Error("the damage was not found")
		} else if repaired == 1 && (err != nil || !maps.Equal(got, want)) {
			t.Errorf("repaired: %s, %v", sizes(got), err)
		}
		if err := s.Append(ctx, "c", []byte("c")); err != nil {
			t.Fatal(err)
		}
		want["c"] += "c"
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// In a store that was closed in order the last record of the log cannot be torn, after a loss of power neither.
func TestLastRecordAfterClose(t *testing.T) {
	ctx := t.Context()
	closed := 0
	for seed := range uint64(60) {
		disk := simdisk.New()
		s, err := Open(ctx, tiny(disk))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Append(ctx, "a", []byte("a")); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		disk = disk.Restart(false, seed)
		if _, err := disk.Stat("log/closed"); err != nil {
			continue // the loss of power has undone that
		}
		closed++
		const log = "log/0000000000000001.wal"
		e, err := disk.Stat(log)
		if err != nil {
			t.Fatal(err)
		}
		if err := disk.FlipBit(log, 8*(e.Size-1)); err != nil {
			t.Fatal(err)
		}
		var damage *DamageError
		if s, err = Open(ctx, tiny(disk)); !errors.As(err, &damage) || damage.Path != log {
			if err == nil {
				err = s.Close()
			}
			t.Fatalf("seed %d: the damage is taken for a torn write: %v", seed, err)
		}
	}
	if closed == 0 {
		t.Error("no loss of power left the store closed")
	}
}

// A commit of more files than an entry may hold is refused before it is in the log, where it could not be read.
func TestCommitOfManyFiles(t *testing.T) {
	ctx := t.Context()
	disk := simdisk.New()
	for _, n := range []int{namespace.MaxList, namespace.MaxList + 1} {
		s, err := Open(ctx, Config{FS: disk, MergeBlocks: -1, ReserveBytes: 1})
		if err != nil {
			t.Fatal(err)
		}
		list := make([]*Writer, n)
		for i := range list {
			if list[i], err = s.Create(ctx, fmt.Sprint(n, "/", i), MustNotExist); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.Commit(ctx, list...); (err == nil) != (n <= namespace.MaxList) {
			t.Errorf("%d files: %v", n, err)
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		disk = disk.Restart(true, 0)
	}
	s, err := Open(ctx, Config{FS: disk, MergeBlocks: -1, ReserveBytes: 1})
	if err != nil {
		t.Fatal(err)
	}
	if got := s.Usage().Files; got != namespace.MaxList {
		t.Errorf("%d files", got)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestWriterMisuse(t *testing.T) {
	ctx := t.Context()
	dir := t.TempDir()
	s, err := Open(ctx, Config{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	w, err := write(ctx, s, "f", "one", Replace)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(ctx); err != nil {
		t.Fatal(err)
	}
	if err := w.Commit(ctx); !errors.Is(err, ErrClosed) {
		t.Errorf("committed twice: %v", err)
	}
	if _, err := w.Write([]byte("x")); !errors.Is(err, ErrClosed) {
		t.Errorf("written after Commit: %v", err)
	}
	if err := w.Abort(); err != nil {
		t.Errorf("aborted after Commit: %v", err)
	}
	if w, err = write(ctx, s, "g", "one", Replace); err != nil {
		t.Fatal(err)
	}
	if err := s.Commit(ctx, w, w); !errors.Is(err, ErrClosed) {
		t.Errorf("one writer twice: %v", err)
	}
	cancelled, cancel := context.WithCancel(ctx)
	if w, err = write(ctx, s, "g", "one", Replace); err != nil {
		t.Fatal(err)
	}
	cancel()
	if err := w.Commit(cancelled); !errors.Is(err, context.Canceled) || errors.Is(err, ErrUnknown) {
		t.Errorf("cancelled before Commit: %v", err)
	}
	open, err := write(ctx, s, "h", text("h", 1<<20), Replace)
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := open.Write([]byte("x")); !errors.Is(err, ErrClosed) {
		t.Errorf("written after the store's Close: %v", err)
	}
	if err := open.Abort(); !errors.Is(err, ErrClosed) {
		t.Errorf("aborted after the store's Close: %v", err)
	}
	if fds, err := os.ReadDir("/proc/self/fd"); err == nil {
		for _, fd := range fds {
			if at, _ := os.Readlink("/proc/self/fd/" + fd.Name()); strings.HasPrefix(at, dir) {
				t.Errorf("%s is still open", at)
			}
		}
	}
	if s, err = Open(ctx, Config{Dir: dir}); err != nil {
		t.Fatal(err)
	}
	mustHold(t, s, contents{"f": "one"})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}
