package block

import (
	"encoding/binary"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/rainsql/rainsql/internal/vfs/simdisk"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// putSmall puts the blocks of some numbers, all of one length, in a group.
func putSmall(t testing.TB, s *Store, length int, numbers ...int) {
	t.Helper()
	var small []Small
	for _, n := range numbers {
		small = append(small, Small{idOf(n), dataOf(n, length)})
	}
	_, err := s.PutAll(t.Context(), small)
	must(t, err)
}

// present gives which of the blocks 0 to most there are, and checks that they are as putSmall has put them.
func present(t testing.TB, s *Store, length, most int) []int {
	t.Helper()
	var list []int
	for n := range most + 1 {
		if got, ok := s.Has(idOf(n)); ok {
			if int(got) != length {
				t.Errorf("block %d has %d bytes", n, got)
			}
			must(t, holds(s, idOf(n), dataOf(n, length)))
			list = append(list, n)
		}
	}
	if s.Len() != len(list) {
		t.Errorf("Len is %d with %d blocks", s.Len(), len(list))
	}
	return list
}

// edit changes a file of a disk.
func edit(t testing.TB, disk *simdisk.Disk, name string, change func([]byte) []byte) {
	t.Helper()
	f, err := disk.OpenWrite(name)
	must(t, err)
	size, err := f.Size()
	must(t, err)
	data := make([]byte, size)
	_, _ = f.ReadAt(data, 0)
	data = change(data)
	_, err = f.WriteAt(data, 0)
	must(t, err, f.Truncate(int64(len(data))), f.Sync(), f.Close())
}

const (
	openFile   = "segments/0000000000000001.open"
	sealedFile = "segments/0000000000000001.seg"
)

func sameList(t testing.TB, what string, got, want []int) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

func TestTornTail(t *testing.T) {
	const length, record = 1000, 32 + 4 + 1000
	for cut := 1; cut < record; cut += 103 {
		disk := newDisk(t)
		s := openAll(t, tiny(disk))
		putSmall(t, s, length, 0, 1, 2)
		must(t, s.Close())
		for _, zeros := range []bool{false, true} {
			left := disk.Restart(true, 0)
			edit(t, left, openFile, func(data []byte) []byte {
				if zeros {
					clear(data[len(data)-cut:])
					return data
				}
				return data[:len(data)-cut]
			})
			s := openAll(t, tiny(left))
			sameList(t, "after the tear", present(t, s, length, 20), []int{0, 1})
			if len(s.Faults()) > 0 {
				t.Errorf("a torn tail is called damage: %v", s.Faults())
			}
			// What comes behind the cut is well when the segment is full.
			putSmall(t, s, length, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
			putSmall(t, s, length, 13)
			must(t, s.Close())
			left = left.Restart(true, 0)
			if files := left.Files(); !slices.Contains(files, sealedFile) {
				t.Fatalf("no segment is full: %v", files)
			}
			s = openAll(t, tiny(left))
			sameList(t, "after another opening", present(t, s, length, 20), []int{0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13})
			if len(s.Faults()) > 0 {
				t.Errorf("faults: %v", s.Faults())
			}
			must(t, s.CheckSegments(t.Context(), func(e *CorruptError) { t.Errorf("check: %v", e) }, func(int64) {}))
			must(t, s.Close())
		}
	}
}

// TestLongTornTail: of a tail that is longer than what is written next nothing is left behind it.
func TestLongTornTail(t *testing.T) {
	disk := newDisk(t)
	s := openAll(t, tiny(disk))
	putSmall(t, s, 1000, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
	_, err := s.PutAll(t.Context(), []Small{{idOf(11), dataOf(11, 50000)}})
	must(t, err, s.Close())
	disk = disk.Restart(true, 0)
	must(t, disk.FlipBit(openFile, 40000*8))
	s = openAll(t, tiny(disk))
	putSmall(t, s, 1000, 12)
	putSmall(t, s, 1000, 13)
	must(t, s.Close())
	disk = disk.Restart(true, 0)
	s = openAll(t, tiny(disk))
	sameList(t, "there", present(t, s, 1000, 20), []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 13})
	if files := disk.Files(); len(s.Faults()) > 0 || !slices.Contains(files, sealedFile) {
		t.Errorf("faults %v, files %v", s.Faults(), files)
	}
	must(t, s.Close())
}

// TestDamagedRecord has a record in the middle of an open segment not verify. The others stay, what is damaged is reported, and
// compaction gets rid of it.
func TestDamagedRecord(t *testing.T) {
	const length, record = 1000, 32 + 4 + 1000
	for what, off := range map[string]int64{"content": 20 + record + 500, "head": 20 + record + 9, "checksum": 20 + record + 33, "header": 3} {
		disk := newDisk(t)
		s := openAll(t, tiny(disk))
		putSmall(t, s, length, 0, 1, 2)
		must(t, s.Close())
		disk = disk.Restart(true, 0)
		must(t, disk.FlipBit(openFile, off*8))
		want := []int{0, 2}
		if what == "header" {
			want = []int{0, 1, 2}
		}
		for range 2 { // opening again finds the same
			s = openAll(t, tiny(disk))
			sameList(t, what, present(t, s, length, 5), want)
			faults := s.Faults()
			if len(faults) != 1 || faults[0].Path != openFile || faults[0].Offset > off {
				t.Fatalf("%s: faults %v", what, faults)
			}
			if what == "content" && (faults[0].Block != idOf(1) || faults[0].Chunk != 0) {
				t.Errorf("fault %+v", faults[0])
			}
			must(t, s.Close())
		}
		s = openAll(t, tiny(disk))
		putSmall(t, s, length, 1) // from another server
		for range 2 {
			_, err := s.Compact(t.Context(), 1<<20)
			must(t, err)
		}
		must(t, s.EmptyTrash())
		sameList(t, what+", compacted", present(t, s, length, 5), []int{0, 1, 2})
		if slices.Contains(disk.Files(), openFile) {
			t.Errorf("%s: the damaged segment stays: %v", what, disk.Files())
		}
		must(t, s.Close())
		s = openAll(t, tiny(disk.Restart(true, 0)))
		sameList(t, what+", opened again", present(t, s, length, 5), []int{0, 1, 2})
		if len(s.Faults()) > 0 {
			t.Errorf("%s: faults stay: %v", what, s.Faults())
		}
		must(t, s.Close())
	}
}

// TestFlippedBits flips bits all over a closed store. No block is served with other bytes, none but the one
// that was hit is lost, and what is missing was reported, or is the torn tail.
func TestFlippedBits(t *testing.T) {
	const length, most = 1000, 16
	disk := newDisk(t)
	s := openAll(t, tiny(disk))
	all := []int{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}
	putSmall(t, s, length, all[:13]...)
	putSmall(t, s, length, all[13:]...)
	large := dataOf(99, 3*Chunk+10)
	_, err := writeFile(s, idOf(99), large)
	must(t, err, s.Close())
	disk = disk.Restart(true, 0)
	files := disk.Files()
	if len(files) != 3 || !strings.HasSuffix(files[1], ".seg") || !strings.HasSuffix(files[2], ".open") {
		t.Fatalf("files %v", files)
	}
	for _, name := range files {
		e, err := disk.Restart(true, 0).Stat(name)
		must(t, err)
		step := int64(11)
		if strings.HasPrefix(name, blockDir) {
			step = 997
		}
		for off := int64(0); off < e.Size; off += step {
			left := disk.Restart(true, 0)
			must(t, left.FlipBit(name, off*8+off%8))
			s := openAll(t, tiny(left))
			lost := 0
			for _, n := range all {
				if holds(s, idOf(n), dataOf(n, length)) != nil {
					lost++
				}
			}
			if holds(s, idOf(99), large) != nil {
				lost++
			}
			if lost > 1 {
				t.Errorf("%s at %d: %d blocks are lost", name, off, lost)
			}
			for id := range s.IDs(0, 0) { // what is claimed and bad can be told
				if id == idOf(99) {
					err = s.Condemn(t.Context(), blockOf(id, large))
				} else {
					err = s.Condemn(t.Context(), blockOf(id, dataOf(int(binary.BigEndian.Uint64(id[8:])), length)))
				}
				var corrupt *CorruptError
				if err != nil && (!errors.As(err, &corrupt) || corrupt.Path != name) {
					t.Errorf("%s at %d: %v", name, off, err)
				}
			}
			// Repair brings all back.
			putSmall(t, s, length, all...)
			_, err := writeFile(s, idOf(99), large)
			must(t, err)
			for _, n := range all {
				must(t, holds(s, idOf(n), dataOf(n, length)))
			}
			must(t, holds(s, idOf(99), large), s.Close())
		}
	}
}

func TestImpossibleSize(t *testing.T) {
	disk := newDisk(t)
	s := openAll(t, tiny(disk))
	data := dataOf(1, 100000)
	_, err := writeFile(s, idOf(1), data)
	must(t, err, s.Close())
	disk = disk.Restart(true, 0)
	edit(t, disk, blockName(idOf(1)), func(data []byte) []byte { return data[:20] })
	s = openAll(t, tiny(disk))
	if _, ok := s.Has(idOf(1)); ok || len(s.Faults()) != 1 || s.Faults()[0].Block != idOf(1) || !strings.HasPrefix(s.Faults()[0].Path, BadDir) {
		t.Errorf("Has says %t, faults %v", ok, s.Faults())
	}
	_, err = writeFile(s, idOf(1), data)
	must(t, err, holds(s, idOf(1), data), s.Close())
	disk = disk.Restart(false, 0)
	s = openAll(t, tiny(disk))
	must(t, holds(s, idOf(1), data), s.Close())
	if len(s.Faults()) > 0 {
		t.Errorf("faults %v", s.Faults())
	}
}

// TestNewestWholeCopyCounts: a copy that was found damaged is still in its segment when the store is opened again, beside
// the one that replaced it; and what an unfinished compaction left is beside a good one.
func TestNewestWholeCopyCounts(t *testing.T) {
	const length, record = 1000, 32 + 4 + 1000
	disk := newDisk(t)
	s := openAll(t, tiny(disk))
	putSmall(t, s, length, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
	putSmall(t, s, length, 13) // the first segment is full now
	must(t, disk.FlipBit(sealedFile, (20+3*record+200)*8))
	b := blockOf(idOf(3), dataOf(3, length))
	if err := s.Condemn(t.Context(), b); err == nil {
		t.Fatal("the damage is not seen")
	}
	putSmall(t, s, length, 3)
	must(t, s.Close())
	disk = disk.Restart(true, 0)
	s = openAll(t, tiny(disk))
	must(t, holds(s, idOf(3), dataOf(3, length)))
	must(t, s.Close())

	// Now the newer copy of 3 is damaged, too, in a segment with an index; an older one of 4 is good.
	s = openAll(t, tiny(disk))
	must(t, outOfUse(s, blockOf(idOf(4), dataOf(4, length))))
	putSmall(t, s, length, 4, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29)
	putSmall(t, s, length, 30)
	must(t, s.Close())
	disk = disk.Restart(true, 0)
	second := "segments/0000000000000002.seg"
	must(t, disk.FlipBit(second, (20+2*record+200)*8))
	s = openAll(t, tiny(disk))
	must(t, holds(s, idOf(4), dataOf(4, length)))
	if at, _ := s.index.get(idOf(4)); at.segment != 1 {
		t.Errorf("a damaged copy counts: %+v", at)
	}
	must(t, holds(s, idOf(3), dataOf(3, length)))
	must(t, s.Close())
}

// TestFileAndRecord: of a block that is in a segment and in a file of its own, one copy stays.
func TestFileAndRecord(t *testing.T) {
	disk := newDisk(t)
	s := openAll(t, tiny(disk))
	data := dataOf(0, 1000)
	_, err := writeFile(s, idOf(0), data)
	must(t, err)
	must(t, outOfUse(s, blockOf(idOf(0), data)))
	putSmall(t, s, 1000, 0)
	bad := disk.Files()[0]
	must(t, disk.Rename(bad, blockName(idOf(0))), disk.SyncDir(BadDir), disk.SyncDir(blockDir)) // as if it had never been durable
	must(t, s.Close())
	s = openAll(t, tiny(disk.Restart(true, 0)))
	sameList(t, "both", present(t, s, 1000, 3), []int{0})
	if u := s.Usage(); u.TrashBytes == 0 || u.Blocks != 1 || u.DeadBytes != 0 {
		t.Errorf("usage %+v", u)
	}
	must(t, s.EmptyTrash(), s.Close())
}

// TestLeftOverIsClaimed: nobody knows yet what is wanted, so what nothing names stays, and the trash does too.
func TestLeftOverIsClaimed(t *testing.T) {
	disk := newDisk(t)
	s := openAll(t, tiny(disk))
	putSmall(t, s, 1000, 0, 1)
	large := dataOf(9, 100000)
	for _, n := range []int{8, 9} {
		_, err := writeFile(s, idOf(n), large)
		must(t, err)
	}
	must(t, s.Free(idOf(1), idOf(8)), s.Close())
	disk = disk.Restart(true, 0)
	s = openAll(t, tiny(disk))
	var got []namespace.BlockID
	for _, n := range []int{0, 1, 8, 9} {
		if _, ok := s.Has(idOf(n)); ok {
			got = append(got, idOf(n))
		}
	}
	if !slices.Equal(got, []namespace.BlockID{idOf(0), idOf(1), idOf(9)}) { // a small one is there as long as its segment
		t.Errorf("there are %v", got)
	}
	if u := s.Usage(); u.TrashBytes < 100000 {
		t.Errorf("the trash is gone: %+v", u)
	}
	must(t, s.Close())
}
