package sdfs

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// TestSmallDisk fills a real disk: SDFS_SMALL_DISK names a folder on one of 20 to 60 MB, such as
//
//	mount -t tmpfs -o size=20m none /mnt/small
//
// Several writers append, put and merge until it is full. Nothing acknowledged may be lost, removing must work, and
// the space must come back.
func TestSmallDisk(t *testing.T) {
	dir := os.Getenv("SDFS_SMALL_DISK")
	if dir == "" {
		t.Skip("SDFS_SMALL_DISK names no folder on a small disk")
	}
	dir = filepath.Join(dir, "store")
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	for round := range 4 {
		s, err := Open(t.Context(), Config{Dir: dir, ReserveBytes: 2 << 20})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		want, err := readAllFiles(s)
		if err != nil {
			t.Fatal(err)
		}
		fillDisk(t, s, round, want)
		mustHold(t, s, want)
		if round%2 == 1 { // the next process finds a full disk
			if err := s.Close(); err != nil {
				t.Errorf("closing on a full disk: %v", err)
			}
			if s, err = Open(t.Context(), Config{Dir: dir, ReserveBytes: 2 << 20}); err != nil {
				t.Fatalf("opening on a full disk: %v", err)
			}
			mustHold(t, s, want)
		}
		i := 0
		for name := range want {
			if i++; i%50 == 0 {
				continue // a few stay
			}
			if err := s.Remove(t.Context(), name); err != nil {
				t.Fatalf("round %d: removing on a full disk: %v", round, err)
			}
			delete(want, name)
		}
		mustHold(t, s, want)
		for i := range 20 { // 5 MB
			name := fmt.Sprint("after", round, "/", i)
			w, err := write(t.Context(), s, name, text(name, 250_000), Replace)
			if err == nil {
				err = w.Commit(t.Context())
			}
			if err != nil {
				t.Fatalf("round %d: writing %d after removing: %v; %+v", round, i, err, s.Usage())
			}
			if err := s.Remove(t.Context(), name); err != nil {
				t.Fatal(err)
			}
		}
		mustHold(t, s, want)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// fillDisk adds what is acknowledged to want.
func fillDisk(t *testing.T, s *Embedded, round int, want contents) {
	t.Helper()
	var mu sync.Mutex
	note := func(name, more string) {
		mu.Lock()
		defer mu.Unlock()
		want[name] += more
	}
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				name, size := fmt.Sprintf("%d/%d/%d", round, w, i), 20_000
				var err error
				switch {
				case w == 0 && i%10 == 0:
					size = 700_000
					var wr *Writer
					if wr, err = write(t.Context(), s, name, text(name, size), MustNotExist); err == nil {
						err = wr.Commit(t.Context())
					}
				case w == 1:
					if name = fmt.Sprintf("%d/log", round); i%100 == 99 {
						if err := s.Merge(t.Context(), name); err != nil && !errors.Is(err, ErrNoSpace) {
							t.Errorf("merge: %v", err)
						}
					}
					fallthrough
				default:
					err = s.Append(t.Context(), name, []byte(text(name, size)))
				}
				if err != nil {
					if !errors.Is(err, ErrNoSpace) || strings.Contains(err.Error(), "restart") {
						t.Errorf("writer %d: %v", w, err)
					}
					return
				}
				note(name, text(name, size))
			}
		})
	}
	wg.Wait()
}
