package block

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rainsql/rainsql/internal/vfs"
	"github.com/rainsql/rainsql/internal/vfs/simdisk"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

func inDir(disk *simdisk.Disk, dir string) []string {
	return slices.DeleteFunc(disk.Files(), func(name string) bool { return !strings.HasPrefix(name, dir+"/") })
}

func TestQuarantineLarge(t *testing.T) {
	disk := newDisk(t)
	s := openAll(t, tiny(disk))
	data := dataOf(1, 3*Chunk)
	b, err := writeFile(s, idOf(1), data)
	must(t, err)
	must(t, s.Read(b, 0, make([]byte, 10), true)) // a chunk is in the cache and the file open
	must(t, disk.FlipBit(blockName(b.ID), (Chunk+5)*8))
	var corrupt *CorruptError
	if err := s.Verify(t.Context(), b); !errors.As(err, &corrupt) || corrupt.Chunk != 1 {
		t.Errorf("Verify: %v", err)
	}
	must(t, outOfUse(s, b), outOfUse(s, b))
	if _, ok := s.Has(b.ID); ok || s.Len() != 0 {
		t.Error("it is still there")
	}
	for _, at := range []int64{0, Chunk} {
		if err := s.Read(b, at, make([]byte, 10), true); !errors.As(err, &corrupt) {
			t.Errorf("read: %v", err)
		}
	}
	if bad := inDir(disk, BadDir); len(bad) != 1 || !strings.HasSuffix(bad[0], b.ID.String()) {
		t.Errorf("bad: %v", bad)
	}
	if u := s.Usage(); u.DiskBytes != 0 {
		t.Errorf("usage %+v", u)
	}
	// Not even a loss of power brings it back.
	lost := openAll(t, tiny(disk.Restart(true, 0).Restart(false, 0)))
	if lost.Len() != 0 {
		t.Error("it is back")
	}
	must(t, lost.Close())
	s.Close()

	disk = disk.Restart(true, 0)
	s = openAll(t, tiny(disk))
	_, err = writeFile(s, b.ID, data)
	must(t, err, holds(s, b.ID, data), s.Close())
}

// TestQuarantineForgets: nothing of the copy is left in memory, were even other content put in its place.
func TestQuarantineForgets(t *testing.T) {
	disk := newDisk(t)
	s := openAll(t, tiny(disk))
	defer s.Close()
	b, err := writeFile(s, idOf(1), dataOf(1, 3*Chunk))
	must(t, err)
	must(t, holds(s, b.ID, dataOf(1, 3*Chunk)), outOfUse(s, b))
	_, err = writeFile(s, idOf(1), dataOf(2, 3*Chunk))
	must(t, err, holds(s, b.ID, dataOf(2, 3*Chunk)))
}

// meddling is a disk on which something happens just after a file was opened.
type meddling struct {
	vfs.FS
	opened func(name string)
}

func (d meddling) Open(name string) (vfs.File, error) {
	f, err := d.FS.Open(name)
	d.opened(name)
	return f, err
}

// TestQuarantineWhileRead: who opened the file just before it was taken out of use leaves nothing behind that
// later readers find in its place.
func TestQuarantineWhileRead(t *testing.T) {
	disk := newDisk(t)
	opts, done := tiny(disk), true
	var s *Store
	data := dataOf(1, 3*Chunk)
	opts.FS = meddling{disk, func(string) {
		if !done {
			done = true
			must(t, outOfUse(s, namespace.Block{ID: idOf(1)}))
			_, err := writeFile(s, idOf(1), data)
			must(t, err)
		}
	}}
	s = openAll(t, opts)
	defer s.Close()
	b, err := writeFile(s, idOf(1), data)
	must(t, err)
	must(t, disk.FlipBit(blockName(b.ID), 5*8))
	done = false
	var corrupt *CorruptError
	if err := s.Read(b, 0, make([]byte, 100), true); !errors.As(err, &corrupt) {
		t.Errorf("the damaged copy: %v", err)
	}
	must(t, holds(s, b.ID, data))
}

func TestQuarantineSmall(t *testing.T) {
	const length = 1000
	disk := newDisk(t)
	s := openAll(t, tiny(disk))
	putSmall(t, s, length, 0, 1, 2)
	b := blockOf(idOf(1), dataOf(1, length))
	must(t, outOfUse(s, b)) // it is in the memory tier
	var corrupt *CorruptError
	if err := s.Read(b, 0, make([]byte, 1), true); !errors.As(err, &corrupt) {
		t.Errorf("read: %v", err)
	}
	sameList(t, "without", present(t, s, length, 5), []int{0, 2})
	putSmall(t, s, length, 1)
	sameList(t, "put again", present(t, s, length, 5), []int{0, 1, 2})
	if u := s.Usage(); u.DeadBytes != 1036 || u.DiskBytes != 20+4*1036 {
		t.Errorf("usage %+v", u)
	}
	// The segment is filled, and all in it taken out of use: it goes.
	putSmall(t, s, length, 3, 4, 5, 6, 7, 8, 9, 10, 11)
	putSmall(t, s, length, 12)
	for n := range 12 {
		must(t, outOfUse(s, namespace.Block{ID: idOf(n)}))
	}
	if left := inDir(disk, segmentDir); len(left) != 1 {
		t.Errorf("segments %v", left)
	}
	sameList(t, "the last one", present(t, s, length, 20), []int{12})
	must(t, s.Close())
}

// TestQuarantinedIsNotListed: what was taken out of use while its segment was being filled is not in the index of that.
func TestQuarantinedIsNotListed(t *testing.T) {
	const length = 1000
	disk := newDisk(t)
	s := openAll(t, tiny(disk))
	putSmall(t, s, length, 0, 1, 2)
	must(t, outOfUse(s, namespace.Block{ID: idOf(1)}))
	putSmall(t, s, length, 3, 4, 5, 6, 7, 8, 9, 10, 11)
	putSmall(t, s, length, 12)
	must(t, s.Close())
	s = openAll(t, tiny(disk.Restart(true, 0)))
	sameList(t, "opened again", present(t, s, length, 20), []int{0, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
	must(t, s.Close())
}

// TestCompactionMeetsDamage: of a segment in which a block is damaged the others are copied, and it goes.
func TestCompactionMeetsDamage(t *testing.T) {
	const length = 1000
	disk := newDisk(t)
	opts := tiny(disk)
	var told []*CorruptError
	opts.OnBad = func(e *CorruptError) { told = append(told, e) }
	s := openAll(t, opts)
	putSmall(t, s, length, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
	putSmall(t, s, length, 12)
	for n := range 8 {
		must(t, s.Free(idOf(n)))
	}
	must(t, disk.FlipBit(sealedFile, (20+9*1036+700)*8))
	more, err := s.Compact(t.Context(), 1<<20)
	if !more || err != nil {
		t.Fatalf("compaction: %t, %v", more, err)
	}
	sameList(t, "compacted", present(t, s, length, 20), []int{8, 10, 11, 12})
	if slices.Contains(disk.Files(), sealedFile) || len(told) != 1 || told[0].Block != idOf(9) {
		t.Errorf("files %v, told %v", disk.Files(), told)
	}
	must(t, s.Close())
}

// TestDamagedIndex: the blocks of a full segment without an index are found, and compaction gets rid of it.
func TestDamagedIndex(t *testing.T) {
	const length = 1000
	disk := newDisk(t)
	s := openAll(t, tiny(disk))
	putSmall(t, s, length, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11)
	putSmall(t, s, length, 12)
	must(t, s.Close())
	disk = disk.Restart(true, 0)
	edit(t, disk, sealedFile, func(data []byte) []byte {
		data[len(data)-15] ^= 1
		data[20+5*1036+500] ^= 1
		return data
	})
	s = openAll(t, tiny(disk))
	sameList(t, "found", present(t, s, length, 20), []int{0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12})
	if f := s.Faults(); len(f) != 2 || f[1].Block != idOf(5) || f[1].Offset != 20+5*1036+36 {
		t.Errorf("faults %v", f)
	}
	must(t, s.Close())
	other := disk.Restart(true, 0)
	s = openAll(t, tiny(other))
	for n := range 12 {
		must(t, s.Free(idOf(n)))
	}
	if left := inDir(other, segmentDir); len(left) != 1 {
		t.Errorf("nothing in the segment is wanted, and it stays: %v", left)
	}
	must(t, s.Close())

	disk = disk.Restart(true, 0)
	s = openAll(t, tiny(disk))
	_, err := s.Compact(t.Context(), 1<<20)
	must(t, err)
	sameList(t, "compacted", present(t, s, length, 20), []int{0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12})
	if slices.Contains(disk.Files(), sealedFile) {
		t.Errorf("the segment stays: %v", disk.Files())
	}
	must(t, s.Close())
}

func TestCondemn(t *testing.T) {
	disk := newDisk(t)
	s := openAll(t, tiny(disk))
	defer s.Close()
	data := dataOf(1, 2*Chunk)
	b, err := writeFile(s, idOf(1), data)
	must(t, err)
	must(t, s.Condemn(t.Context(), b)) // good
	must(t, holds(s, b.ID, data))
	must(t, disk.FlipBit(blockName(b.ID), 70000*8))
	// Another notices first, and the block is put again before this one acts on what it read.
	at, _, _ := s.find(b.ID)
	var corrupt *CorruptError
	if err := s.Condemn(t.Context(), b); !errors.As(err, &corrupt) {
		t.Errorf("bad: %v", err)
	}
	_, err = writeFile(s, b.ID, data)
	must(t, err)
	if taken, err := s.quarantine(b.ID, at, &CorruptError{}); taken || err != nil {
		t.Errorf("the good copy was taken for the bad one: %t, %v", taken, err)
	}
	must(t, holds(s, b.ID, data))
	if err := s.Condemn(t.Context(), blockOf(idOf(9), data)); !errors.As(err, &corrupt) {
		t.Errorf("no block: %v", err)
	}
}

func TestBadIsBounded(t *testing.T) {
	disk := newDisk(t)
	opts := tiny(disk)
	opts.BadBytes = 5000
	s := openAll(t, opts)
	bad := func(n, length int) {
		t.Helper()
		b, err := writeFile(s, idOf(n), dataOf(n, length))
		must(t, err, outOfUse(s, b))
	}
	for n := range 10 {
		bad(n, 1000)
	}
	names := func() (list string) {
		for _, name := range inDir(disk, BadDir) {
			for n := range 100 {
				if strings.HasSuffix(name, idOf(n).String()) {
					list += fmt.Sprint(n, " ")
				}
			}
		}
		return list
	}
	if got := names(); got != "6 7 8 9 " { // 1044 bytes each
		t.Errorf("kept: %s", got)
	}
	must(t, s.Close())
	disk = disk.Restart(true, 0)
	opts.FS = disk
	s = openAll(t, opts)
	bad(20, 2000)
	if got := names(); got != "8 9 20 " {
		t.Errorf("kept after opening: %s", got)
	}
	for n := 30; n < 100; n++ {
		bad(n, 10)
	}
	if got := len(inDir(disk, BadDir)); got != mostBad {
		t.Errorf("%d files are kept", got)
	}
	must(t, s.EmptyBad(), s.EmptyBad())
	if got := inDir(disk, BadDir); len(got) > 0 {
		t.Errorf("left: %v", got)
	}
	must(t, s.Close())
}

// outOfUse takes a copy out of use as if it had been found damaged.
func outOfUse(s *Store, b namespace.Block) error {
	at, _, ok := s.find(b.ID)
	if !ok {
		return nil
	}
	_, err := s.quarantine(b.ID, at, &CorruptError{})
	return err
}
