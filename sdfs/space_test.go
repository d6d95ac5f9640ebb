package sdfs

import (
	"errors"
	"fmt"
	"maps"
	"testing"

	"github.com/rainsql/rainsql/internal/vfs/simdisk"
)

// fillSmall appends to one file after the other until the disk is full, and gives their number.
func fillSmall(t *testing.T, s *Embedded, size int) int {
	t.Helper()
	for n := 0; ; n++ {
		err := s.Append(t.Context(), fmt.Sprint("f", n), []byte(text(fmt.Sprint("f", n), size)))
		if errors.Is(err, ErrNoSpace) {
			return n
		}
		if err != nil || n > 10000 {
			t.Fatalf("after %d appends the disk is full: %v", n, err)
		}
	}
}

// On a disk no larger than one segment, what removing frees comes back in the same process and in
// the next one, even where some blocks of the segment are still wanted.
func TestSpaceOfOpenSegmentComesBack(t *testing.T) {
	for _, kept := range []string{"none", "first", "last", "some"} {
		for _, reopen := range []bool{false, true} {
			t.Run(fmt.Sprint(kept, "/reopen ", reopen), func(t *testing.T) {
				ctx := t.Context()
				disk := simdisk.New()
				const capacity = 600 << 10
				disk.SetCapacity(capacity)
				cfg := tiny(disk)
				cfg.SegmentBytes, cfg.ReserveBytes, cfg.MergeBlocks = 1<<20, 100<<10, -1
				s, err := Open(ctx, cfg)
				if err != nil {
					t.Fatal(err)
				}
				n := fillSmall(t, s, 2000)
				if reopen {
					disk.Stop()
					_ = s.Close() // the process was killed
					disk = disk.Restart(true, 0)
					disk.SetCapacity(capacity)
					cfg.FS = disk
					if s, err = Open(ctx, cfg); err != nil {
						t.Fatalf("opening on a full disk: %v", err)
					}
				}
				want := contents{}
				for i := range n {
					name := fmt.Sprint("f", i)
					if kept == "first" && i == 0 || kept == "last" && i == n-1 || kept == "some" && i%80 == 7 {
						want[name] = text(name, 2000)
						continue
					}
					if err := s.Remove(ctx, name); err != nil {
						t.Fatalf("removing %s of %d: %v", name, n, err)
					}
				}
				for i := range n / 2 {
					name := fmt.Sprint("new", i)
					if err := s.Append(ctx, name, []byte(text(name, 2000))); err != nil {
						t.Fatalf("append %d of %d: %v", i, n, err)
					}
					want[name] = text(name, 2000)
				}
				mustHold(t, s, want)
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
				cfg.FS = disk.Restart(false, 0)
				if s, err = Open(ctx, cfg); err != nil {
					t.Fatal(err)
				}
				mustHold(t, s, want)
				if err := s.Close(); err != nil {
					t.Fatal(err)
				}
			})
		}
	}
}

// A segment that is full but could not be given its index, for want of space, keeps no store from being
// opened.
func TestOpenOnFullDisk(t *testing.T) {
	ctx := t.Context()
	for room := range int64(40) {
		disk := simdisk.New()
		cfg := tiny(disk)
		cfg.SegmentBytes, cfg.MergeBlocks = 20<<10, -1
		s, err := Open(ctx, cfg)
		if err != nil {
			t.Fatal(err)
		}
		want := contents{}
		for i := range 35 {
			name := fmt.Sprint("f", i)
			want[name] = text(name, 1500)
			if err := s.Append(ctx, name, []byte(want[name])); err != nil {
				t.Fatal(err)
			}
			if i == 27 { // the segment is full
				break
			}
		}
		disk.Stop()
		_ = s.Close() // the process was killed
		disk = disk.Restart(true, 0)
		disk.SetCapacity(disk.Used() + room)
		cfg.FS = disk
		if s, err = Open(ctx, cfg); err != nil {
			t.Fatalf("opening with room for %d bytes: %v", room, err)
		}
		mustHold(t, s, want)
		for name := range want {
			if err := s.Remove(ctx, name); err != nil {
				t.Fatalf("removing with room for %d bytes: %v", room, err)
			}
		}
		if err := s.Append(ctx, "new", []byte("x")); err != nil {
			t.Fatalf("with room for %d bytes, after removing all: %v", room, err)
		}
		mustHold(t, s, contents{"new": "x"})
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// mustHold fails unless the store holds these files and nothing else, and is sound.
func mustHold(t *testing.T, s *Embedded, want contents) {
	t.Helper()
	got, err := readAllFiles(s)
	if err != nil || !maps.Equal(got, want) {
		t.Fatalf("the store holds %s, want %s: %v", sizes(got), sizes(want), err)
	}
	if report, err := s.Check(t.Context(), nil); err != nil || len(report.Faults) > 0 {
		t.Fatalf("%+v, %v", report, err)
	}
}
