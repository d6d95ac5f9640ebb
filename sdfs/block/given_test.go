package block

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/rainsql/rainsql/internal/vfs/simdisk"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// counting counts the operations of a kind.
func counting(disk *simdisk.Disk, kind string) *atomic.Int64 {
	n := new(atomic.Int64)
	disk.SetHook(func(op simdisk.Op) simdisk.Fault {
		if op.Kind == kind {
			n.Add(1)
		}
		return simdisk.Fault{}
	})
	return n
}

func TestPutAll(t *testing.T) {
	disk := newDisk(t)
	opts := tiny(disk)
	opts.SegmentBytes = 4 << 20
	s := openAll(t, opts)
	defer s.Close()
	var small []Small
	var want []namespace.Block
	for n, length := range []int{1, 10, Chunk, Chunk + 1, MaxSmall, 300} {
		small = append(small, Small{idOf(n), dataOf(n, length)})
		want = append(want, blockOf(idOf(n), dataOf(n, length)))
	}
	putSmall(t, s, 5, 100) // makes the segment
	syncs := counting(disk, "sync")
	got, err := s.PutAll(t.Context(), small)
	must(t, err)
	if !slices.Equal(got, want) {
		t.Errorf("gave %v, want %v", got, want)
	}
	if syncs.Load() != 1 {
		t.Errorf("a group took %d fsyncs", syncs.Load())
	}
	size := s.Usage().DiskBytes
	got, err = s.PutAll(t.Context(), append(small, Small{idOf(5), dataOf(5, 300)}))
	must(t, err)
	if !slices.Equal(got, append(want, want[5])) || syncs.Load() != 1 || s.Usage().DiskBytes != size {
		t.Errorf("again: %v, %d fsyncs, %d bytes more", got, syncs.Load(), s.Usage().DiskBytes-size)
	}
	for _, b := range small {
		must(t, holds(s, b.ID, b.Data))
	}
	if got, err := s.PutAll(t.Context(), nil); len(got) > 0 || err != nil {
		t.Errorf("nothing: %v, %v", got, err)
	}

	// The same id twice in a group: once is enough, but it must be the same.
	twice := Small{idOf(50), dataOf(50, 99)}
	if _, err := s.PutAll(t.Context(), []Small{twice, {idOf(51), []byte("x")}, twice}); err != nil {
		t.Error(err)
	}
	must(t, holds(s, twice.ID, twice.Data))
	if _, err := s.PutAll(t.Context(), []Small{{idOf(52), []byte("a")}, {idOf(52), []byte("b")}}); !errors.Is(err, ErrOtherContent) {
		t.Errorf("two contents in a group: %v", err)
	}
	for what, data := range map[string][]byte{"longer": dataOf(5, 301), "shorter": dataOf(5, 299), "other": dataOf(6, 300)} {
		if _, err := s.PutAll(t.Context(), []Small{{idOf(5), data}}); !errors.Is(err, ErrOtherContent) || !strings.Contains(err.Error(), idOf(5).String()) {
			t.Errorf("%s content: %v", what, err)
		}
	}
	must(t, holds(s, idOf(5), dataOf(5, 300)))
	for _, data := range [][]byte{nil, make([]byte, MaxSmall+1)} {
		if _, err := s.PutAll(t.Context(), []Small{{idOf(60), []byte("good")}, {idOf(61), data}}); err == nil {
			t.Errorf("%d bytes are taken", len(data))
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.PutAll(ended, []Small{{idOf(70), []byte("x")}}); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that has ended: %v", err)
	}
}

// TestPutAllHeals: a copy that has gone bad does not count as there.
func TestPutAllHeals(t *testing.T) {
	disk := newDisk(t)
	opts := tiny(disk)
	var told []*CorruptError
	opts.OnBad = func(e *CorruptError) { told = append(told, e) }
	s := openAll(t, opts)
	putSmall(t, s, 1000, 0, 1)
	must(t, disk.FlipBit(openFile, (20+500)*8))
	putSmall(t, s, 1000, 0, 1)
	if len(told) != 1 || told[0].Block != idOf(0) {
		t.Errorf("told of %v", told)
	}
	must(t, s.Close())
	s = openAll(t, tiny(disk.Restart(true, 0)))
	sameList(t, "there", present(t, s, 1000, 3), []int{0, 1})
	must(t, s.Close())
}

func TestMemoryTier(t *testing.T) {
	disk := newDisk(t)
	s := openAll(t, tiny(disk))
	defer s.Close()
	putSmall(t, s, 1000, 0)
	reads := counting(disk, "read")
	b := blockOf(idOf(0), dataOf(0, 1000))
	got := make([]byte, 1000)
	must(t, s.Read(b, 0, got, true))
	if reads.Load() > 0 || !bytes.Equal(got, dataOf(0, 1000)) {
		t.Errorf("%d reads", reads.Load())
	}
	must(t, disk.FlipBit(openFile, (20+500)*8)) // which only the disk shows
	var corrupt *CorruptError
	if err := s.Verify(t.Context(), b); !errors.As(err, &corrupt) || corrupt.Chunk != 0 {
		t.Errorf("Verify looks at memory: %v", err)
	}
}

func TestFileWriter(t *testing.T) {
	disk := newDisk(t)
	s := openAll(t, tiny(disk))
	for n, length := range []int{1, 100, MaxSmall, MaxSmall + 1, 5*Chunk + 3, 1 << 20} { // small ones, too
		data := dataOf(n, length)
		b, err := writeFile(s, idOf(n), data)
		must(t, err)
		if b != blockOf(idOf(n), data) {
			t.Errorf("gave %v", b)
		}
		must(t, holds(s, idOf(n), data))
	}
	w, err := s.NewFileAs(idOf(100))
	must(t, err)
	if w.Room() != 1<<20 {
		t.Errorf("room for %d bytes", w.Room())
	}
	if _, err := w.Finish(); err == nil {
		t.Error("a block of no bytes is taken")
	}
	// What is not what the sender says gets no name.
	for range 2 {
		w, err = s.NewFileAs(idOf(101))
		must(t, err)
		_, err = w.Write(dataOf(101, 70000))
		must(t, err)
		wrong := errors.New("another checksum")
		_, err = w.FinishIf(func(b namespace.Block) error {
			if b != blockOf(idOf(101), dataOf(101, 70000)) {
				t.Errorf("shown %v", b)
			}
			return wrong
		})
		if _, ok := s.Has(idOf(101)); ok || !errors.Is(err, wrong) {
			t.Errorf("refused: there %t, %v", ok, err)
		}
	}
	if _, err := writeFile(s, idOf(3), dataOf(4, MaxSmall+1)); !errors.Is(err, ErrOtherContent) {
		t.Errorf("other content: %v", err)
	}
	if _, err := s.PutAll(t.Context(), []Small{{idOf(1), dataOf(1, 100)}}); err != nil {
		t.Errorf("small, and there in a file: %v", err)
	}
	if _, err := s.PutAll(t.Context(), []Small{{idOf(1), dataOf(2, 100)}}); !errors.Is(err, ErrOtherContent) {
		t.Errorf("small, and other content in a file: %v", err)
	}
	putSmall(t, s, 100, 102)
	if _, err := writeFile(s, idOf(102), dataOf(102, 100)); err != nil {
		t.Errorf("a file, and there in a segment: %v", err)
	}
	for _, name := range disk.Files() {
		if strings.HasSuffix(name, tmpSuffix) {
			t.Errorf("%s is left", name)
		}
	}
	must(t, s.Close())
	s = openAll(t, tiny(disk.Restart(false, 0)))
	if s.Len() != 7 {
		t.Errorf("%d blocks after a loss of power", s.Len())
	}
	must(t, s.Close())
}

// TestTwoWriters: several write the same block at the same time, all but one for nothing.
func TestTwoWriters(t *testing.T) {
	disk := newDisk(t)
	s := openAll(t, tiny(disk))
	defer s.Close()
	data := dataOf(1, 200000)
	var writers []*FileWriter
	for range 3 {
		w, err := s.NewFileAs(idOf(1))
		must(t, err)
		writers = append(writers, w)
	}
	for i := range data { // byte by byte in turn, the last one only half
		for k, w := range writers {
			if k < 2 || i < len(data)/2 {
				_, err := w.Write(data[i : i+1])
				must(t, err)
			}
		}
	}
	for _, w := range writers[:2] {
		b, err := w.Finish()
		must(t, err)
		if b != blockOf(idOf(1), data) {
			t.Errorf("gave %v", b)
		}
	}
	if _, err := writers[2].Finish(); !errors.Is(err, ErrOtherContent) {
		t.Errorf("half of it: %v", err)
	}
	must(t, s.SyncFolder(), holds(s, idOf(1), data))
	if files := disk.Files(); !slices.Equal(files, []string{blockName(idOf(1))}) {
		t.Errorf("files %v", files)
	}
	if u := s.Usage(); u.DiskBytes != 200000+4*4+40 || u.Blocks != 1 {
		t.Errorf("usage %+v", u)
	}

	// At once, small ones against large ones.
	for n := 10; n < 30; n++ {
		data := dataOf(n, 2000)
		var wg sync.WaitGroup
		for k := range 6 {
			wg.Go(func() {
				var err error
				if k%2 == 0 {
					_, err = writeFile(s, idOf(n), data)
				} else {
					_, err = s.PutAll(context.Background(), []Small{{idOf(n), data}})
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		must(t, holds(s, idOf(n), data))
	}
	if s.Len() != 21 {
		t.Errorf("%d blocks", s.Len())
	}
}

// TestThereIsDurable: who is told that a block is there already may rely on it, though the one who wrote it has not
// made its name durable.
func TestThereIsDurable(t *testing.T) {
	for what, ask := range map[string]func(*Store) error{
		"PutAll": func(s *Store) error {
			_, err := s.PutAll(context.Background(), []Small{{idOf(1), dataOf(1, 100)}})
			return err
		},
		"Verify": func(s *Store) error { return s.Verify(context.Background(), blockOf(idOf(1), dataOf(1, 100))) },
		"Finish": func(s *Store) error {
			w, err := s.NewFileAs(idOf(1))
			if err == nil {
				_, _ = w.Write(dataOf(1, 100))
				_, err = w.Finish()
			}
			return err
		},
	} {
		disk := newDisk(t)
		s := openAll(t, tiny(disk))
		w, err := s.NewFileAs(idOf(1))
		must(t, err)
		_, err = w.Write(dataOf(1, 100))
		must(t, err)
		_, err = w.Finish()
		must(t, err, ask(s), s.Close())
		s = openAll(t, tiny(disk.Restart(false, 0)))
		if err := holds(s, idOf(1), dataOf(1, 100)); err != nil {
			t.Errorf("%s: %v", what, err)
		}
		must(t, s.Close())
	}
}

// TestFullDisk: a group that finds no room is refused as a whole or in part, and goes in when there is.
func TestFullDisk(t *testing.T) {
	disk := newDisk(t)
	s := openAll(t, tiny(disk))
	putSmall(t, s, 1000, 0)
	disk.SetCapacity(disk.Used() + 1500)
	var small []Small
	for n := range 4 {
		small = append(small, Small{idOf(n), dataOf(n, 1000)})
	}
	if _, err := s.PutAll(t.Context(), small); err == nil {
		t.Error("there was no room")
	}
	s.Spare(true)
	disk.SetCapacity(0)
	if _, err := s.PutAll(t.Context(), small); err == nil {
		t.Error("the room that is left was to be spared")
	}
	s.Spare(false)
	_, err := s.PutAll(t.Context(), small)
	must(t, err)
	sameList(t, "there", present(t, s, 1000, 5), []int{0, 1, 2, 3})
	must(t, s.Close())
	if _, err := s.PutAll(t.Context(), []Small{{idOf(9), []byte("x")}}); err == nil {
		t.Error("a closed store takes blocks")
	}
	s = openAll(t, tiny(disk.Restart(true, 0)))
	sameList(t, "there after opening", present(t, s, 1000, 5), []int{0, 1, 2, 3})
	if len(s.Faults()) > 0 {
		t.Error(fmt.Sprint(s.Faults()))
	}
	must(t, s.Close())
}
