package block

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/rainsql/rainsql/internal/vfs"
	"github.com/rainsql/rainsql/internal/vfs/simdisk"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// sectors is a disk with sectors that it cannot read: all of a page is lost with one of them, wherever the file is moved.
type sectors struct {
	vfs.FS
	whole bool // nothing is given of a stretch with a bad page in it; else what is before that

	mu   sync.Mutex
	bad  map[string][]int64 // by file, where pages begin
	err  error
	once bool   // it fails once only
	shut string // a file that cannot be opened
	hurt []string
}

func newSectors(disk vfs.FS) *sectors {
	return &sectors{FS: disk, bad: map[string][]int64{}, err: syscall.EIO}
}

// ruin makes the page unreadable in which a byte stands.
func (d *sectors) ruin(name string, at int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.bad[name] = append(d.bad[name], at/pageBytes*pageBytes)
}

// hits gives where the first bad page begins that reaches into a stretch of a file.
func (d *sectors) hits(name string, from, to int64) (int64, bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	first, hit := int64(0), false
	for i, page := range d.bad[name] {
		if from < to && page < to && from < page+pageBytes && (!hit || page < first) {
			first, hit = page, true
			if d.once {
				d.bad[name] = slices.Delete(slices.Clone(d.bad[name]), i, i+1)
				break
			}
		}
	}
	return max(first, from), hit
}

func (d *sectors) open(name string, f vfs.File, err error) (vfs.File, error) {
	if err != nil {
		return nil, err
	}
	return sectorFile{f, d, name}, nil
}

func (d *sectors) Open(name string) (vfs.File, error) {
	if name == d.shut {
		return nil, d.err
	}
	f, err := d.FS.Open(name)
	return d.open(name, f, err)
}

func (d *sectors) OpenWrite(name string) (vfs.File, error) {
	f, err := d.FS.OpenWrite(name)
	return d.open(name, f, err)
}

func (d *sectors) Rename(from, to string) error {
	err := d.FS.Rename(from, to)
	d.mu.Lock()
	defer d.mu.Unlock()
	if pages, ok := d.bad[from]; ok && err == nil {
		d.bad[to] = pages
		delete(d.bad, from)
	}
	return err
}

func (d *sectors) Remove(name string) error {
	if _, hit := d.hits(name, 0, 1<<40); hit {
		d.hurt = append(d.hurt, "removed "+name)
	}
	return d.FS.Remove(name)
}

type sectorFile struct {
	vfs.File
	d    *sectors
	name string
}

func (f sectorFile) ReadAt(p []byte, off int64) (int, error) {
	at, hit := f.d.hits(f.name, off, off+int64(len(p)))
	if !hit {
		return f.File.ReadAt(p, off)
	}
	n := 0
	if !f.d.whole {
		n, _ = f.File.ReadAt(p[:at-off], off)
	}
	return n, f.d.err
}

func (f sectorFile) WriteAt(p []byte, off int64) (int, error) {
	if _, hit := f.d.hits(f.name, off, off+int64(len(p))); hit {
		f.d.hurt = append(f.d.hurt, fmt.Sprint("wrote into a bad page of ", f.name))
	}
	return f.File.WriteAt(p, off)
}

func (f sectorFile) Truncate(size int64) error {
	if _, hit := f.d.hits(f.name, size, 1<<40); hit {
		f.d.hurt = append(f.d.hurt, fmt.Sprint("cut ", f.name))
	}
	return f.File.Truncate(size)
}

// unreadableAt checks that an error says which copy the disk cannot read, where, and why.
func unreadableAt(t *testing.T, what string, err error, id namespace.BlockID, file string, off int64) {
	t.Helper()
	var corrupt *CorruptError
	if !errors.As(err, &corrupt) || !errors.Is(err, syscall.EIO) || corrupt.Block != id || path.Base(corrupt.Path) != path.Base(file) ||
		corrupt.Offset != off || !strings.Contains(err.Error(), "the disk cannot read it: input/output error") {
		t.Errorf("%s: %v", what, err)
	}
}

// copies are the kinds of copies that a bad sector may hit.
var copies = map[string]struct {
	length int
	off    int64 // in the file, of the page that cannot be read
}{
	"data":   {40 * Chunk, 3*Chunk + 8192},
	"footer": {40 * Chunk, 40 * Chunk},
	"small":  {1000, 0},
}

// putCopy puts a block, as a file of its own if it is long.
func putCopy(s *Store, length int) (namespace.Block, error) {
	if length > MaxSmall {
		return writeFile(s, idOf(1), dataOf(1, length))
	}
	list, err := s.PutAll(context.Background(), []Small{{idOf(1), dataOf(1, length)}})
	if err != nil {
		return namespace.Block{}, err
	}
	return list[0], nil
}

func ruinedCopy(t *testing.T, kind string, opts Options, d *sectors) (s *Store, b namespace.Block, file string, off int64) {
	t.Helper()
	c := copies[kind]
	opts.FS, opts.BlockBytes, opts.MemoryBytes = d, 8<<20, 1
	s = openAll(t, opts)
	b, err := putCopy(s, c.length)
	must(t, err)
	file, off = blockName(b.ID), c.off
	if kind == "small" {
		file = openFile
	}
	d.ruin(file, off)
	if kind == "small" {
		off = segHeader
	}
	return s, b, file, off
}

// TestUnreadable: a copy that the disk cannot read is damaged, as one with a wrong checksum, and the error says so.
func TestUnreadable(t *testing.T) {
	for kind := range copies {
		disk := newDisk(t)
		s, b, file, off := ruinedCopy(t, kind, tiny(disk), newSectors(disk))
		unreadableAt(t, kind+": Read", s.Read(b, 0, make([]byte, b.Length), false), b.ID, file, off)
		unreadableAt(t, kind+": Verify", s.Verify(t.Context(), b), b.ID, file, off)
		if kind != "data" {
			_, err := s.Sums(b)
			unreadableAt(t, kind+": Sums", err, b.ID, file, off)
			_, err = s.Describe(b.ID)
			unreadableAt(t, kind+": Describe", err, b.ID, file, off)
		}
		must(t, s.Close())
	}
}

// TestUnreadableIsTakenOut: Condemn and Examine take it out of use, and it can be put again; the file is kept.
func TestUnreadableIsTakenOut(t *testing.T) {
	for kind, c := range copies {
		for by, look := range map[string]func(*Store, namespace.Block) error{
			"Condemn": func(s *Store, b namespace.Block) error { return s.Condemn(context.Background(), b) },
			"Examine": func(s *Store, b namespace.Block) error {
				_, _, err := s.Examine(context.Background(), b.ID)
				return err
			},
		} {
			t.Run(kind+" "+by, func(t *testing.T) {
				disk := newDisk(t)
				d := newSectors(disk)
				s, b, file, off := ruinedCopy(t, kind, tiny(disk), d)
				unreadableAt(t, by, look(s, b), b.ID, file, off)
				if _, ok := s.Has(b.ID); ok {
					t.Fatal("it still is in use")
				}
				if kept := inDir(disk, BadDir); kind != "small" && len(kept) != 1 {
					t.Errorf("kept: %v", kept)
				}
				_, err := putCopy(s, c.length)
				must(t, err, holds(s, b.ID, dataOf(1, c.length)), s.Close())
			})
		}
	}
}

// TestUnreadablePutAgain: a copy that the disk cannot read is not there for one who puts the block: his takes its place.
func TestUnreadablePutAgain(t *testing.T) {
	for kind, c := range copies {
		t.Run(kind, func(t *testing.T) {
			disk := newDisk(t)
			opts, d := tiny(disk), newSectors(disk)
			var told []*CorruptError
			opts.OnBad = func(e *CorruptError) { told = append(told, e) }
			s, b, file, off := ruinedCopy(t, kind, opts, d)
			_, err := putCopy(s, c.length)
			must(t, err, holds(s, b.ID, dataOf(1, c.length)))
			if len(told) != 1 {
				t.Fatalf("told of %v", told)
			}
			unreadableAt(t, "told", told[0], b.ID, file, off)
			must(t, s.Close())
		})
	}
}

// TestReadAgain: what the disk can read the second time is no damage, and what the process lacks says nothing about the disk.
func TestReadAgain(t *testing.T) {
	for kind := range copies {
		disk := newDisk(t)
		d := newSectors(disk)
		d.once = true
		s, b, file, off := ruinedCopy(t, kind, tiny(disk), d)
		must(t, s.Condemn(t.Context(), b))
		d.once, d.err = false, syscall.ENOMEM
		d.ruin(file, off)
		var corrupt *CorruptError
		if err := s.Condemn(t.Context(), b); !errors.Is(err, syscall.ENOMEM) || errors.As(err, &corrupt) {
			t.Errorf("%s: %v", kind, err)
		}
		if _, ok := s.Has(b.ID); !ok {
			t.Errorf("%s: it was taken out of use", kind)
		}
		must(t, s.Close())
	}
}

// TestCompactUnreadable: compaction goes on past a block that the disk cannot read, and with other segments, and what it cannot read is
// kept.
func TestCompactUnreadable(t *testing.T) {
	disk := newDisk(t)
	opts, d := tiny(disk), newSectors(disk)
	opts.FS, opts.MemoryBytes = d, 1
	var told []*CorruptError
	opts.OnBad = func(e *CorruptError) { told = append(told, e) }
	s := openAll(t, opts)
	var all []int
	for n := range 50 { // four full segments of 12, and a little
		putSmall(t, s, 1000, n)
		all = append(all, n)
	}
	for _, n := range all {
		if n%12 >= 3 {
			must(t, s.Free(idOf(n)))
		}
	}
	all = slices.DeleteFunc(all, func(n int) bool { return n%12 >= 3 })
	d.ruin(sealedFile, 0)
	must(t, s.Free(idOf(0), idOf(1))) // of this one the least is wanted
	for more, rounds := true, 0; more; rounds++ {
		var err error
		more, err = s.Compact(t.Context(), 1<<20)
		must(t, err)
		if rounds > 10 {
			t.Fatal("compaction does not end")
		}
	}
	unreadableAt(t, "told", errors.Join(asErrors(told)...), idOf(2), sealedFile, 20+2*1036)
	if left := inDir(disk, segmentDir); len(told) != 1 || len(left) > 2 {
		t.Errorf("told %v, segments %v", told, left)
	}
	if kept := inDir(disk, BadDir); len(kept) != 1 || !strings.HasSuffix(kept[0], path.Base(sealedFile)) {
		t.Errorf("kept: %v", kept)
	}
	sameList(t, "compacted", present(t, s, 1000, 99), slices.DeleteFunc(all, func(n int) bool { return n < 3 }))
	must(t, s.EmptyTrash(), s.Close())
	if len(d.hurt) > 0 {
		t.Error(d.hurt)
	}
}

// TestCompactUnopened: a segment that the disk cannot open is an error once, and then compaction goes on with others.
func TestCompactUnopened(t *testing.T) {
	disk := newDisk(t)
	opts, d := tiny(disk), newSectors(disk)
	opts.FS, opts.MemoryBytes = d, 1
	s := openAll(t, opts)
	for n := range 30 { // two full segments of 12, and a little
		putSmall(t, s, 1000, n)
	}
	for n := range 24 {
		if n != 11 && n < 22 { // of the first one the least is wanted
			must(t, s.Free(idOf(n)))
		}
	}
	d.shut = sealedFile
	if _, err := s.Compact(t.Context(), 1<<20); !errors.Is(err, syscall.EIO) {
		t.Errorf("the first: %v", err)
	}
	for more := true; more; {
		var err error
		more, err = s.Compact(t.Context(), 1<<20)
		must(t, err)
	}
	if left := inDir(disk, segmentDir); len(left) != 2 || left[0] != sealedFile {
		t.Errorf("segments %v", left)
	}
	d.shut = ""
	sameList(t, "there", present(t, s, 1000, 30), []int{11, 22, 23, 24, 25, 26, 27, 28, 29})
	must(t, s.Close())
}

func asErrors(list []*CorruptError) (errs []error) {
	for _, e := range list {
		errs = append(errs, e)
	}
	return errs
}

// TestCompactUnreadableAlone: where there is one copy only, the segment with a block that the disk cannot read stays, the block is
// reported, and compaction goes on with other segments.
func TestCompactUnreadableAlone(t *testing.T) {
	disk := newDisk(t)
	opts, d := tiny(disk), newSectors(disk)
	opts.FS, opts.MemoryBytes = d, 1
	s, err := Open(t.Context(), opts)
	must(t, err, s.Settle(false))
	var list []namespace.Block
	for n := range 30 {
		b, err := s.Put(t.Context(), dataOf(n, 1000))
		must(t, err)
		list = append(list, b)
	}
	for n, b := range list {
		if n > 2 && n < 24 && n != 13 { // but for block 13 the second one is empty
			must(t, s.Free(b.ID))
		}
	}
	must(t, s.Free(list[0].ID))
	d.ruin(sealedFile, 0)
	for more, rounds := true, 0; more && rounds < 10; rounds++ {
		more, err = s.Compact(t.Context(), 1<<20)
		must(t, err)
	}
	if left := inDir(disk, segmentDir); len(left) != 2 || left[0] != sealedFile {
		t.Errorf("segments %v", left)
	}
	unreadableAt(t, "reported", s.Verify(t.Context(), list[1]), list[1].ID, sealedFile, 20+1036)
	must(t, s.Verify(t.Context(), list[13]))
	var found []*CorruptError
	must(t, s.CheckSegments(t.Context(), func(e *CorruptError) { found = append(found, e) }, func(int64) {}))
	if len(found) != 1 {
		t.Errorf("found %v", found)
	}
	unreadableAt(t, "found", errors.Join(asErrors(found)...), namespace.BlockID{}, sealedFile, 0)
	must(t, s.Close())
	if len(d.hurt) > 0 {
		t.Error(d.hurt)
	}
}

// unsync makes of what is in a file something that a loss of power takes away.
func unsync(t *testing.T, disk *simdisk.Disk, name string) {
	t.Helper()
	var good []byte
	edit(t, disk, name, func(data []byte) []byte {
		good = slices.Clone(data)
		clear(data)
		return data
	})
	f, err := disk.OpenWrite(name)
	must(t, err)
	_, err = f.WriteAt(good, 0)
	must(t, err, f.Close())
}

// TestOpenUnreadable: with a region of a segment that the disk cannot read the store opens, has what is whole around it, says what
// it cannot read, and throws nothing away.
func TestOpenUnreadable(t *testing.T) {
	const length = 1000
	count := func(from, to int) (list []int) {
		for n := from; n < to; n++ {
			list = append(list, n)
		}
		return list
	}
	for what, c := range map[string]struct {
		blocks int // 12 fill a segment
		at     []int64
		want   []int
	}{
		"open, its beginning": {10, []int64{0}, count(4, 10)},
		"open, in the midst":  {10, []int64{5000}, append(count(0, 3), 8, 9)},
		"open, its end":       {10, []int64{20 + 10*1036 - 1}, count(0, 7)},
		"open, two pages":     {10, []int64{0, 9000}, []int{4, 5, 6}},
		"open, all":           {10, []int64{0, 4096, 8192}, nil},
		"full, its index":     {14, []int64{20 + 12*1036}, append(count(0, 11), 12, 13)},
		"full, twice":         {14, []int64{0, 20 + 12*1036}, append(count(4, 11), 12, 13)},
	} {
		for _, whole := range []bool{false, true} {
			t.Run(fmt.Sprint(what, " ", whole), func(t *testing.T) {
				if pageBytes != 4096 {
					t.Skip("the numbers are of pages of 4096 bytes")
				}
				disk := newDisk(t)
				s := openAll(t, tiny(disk))
				for n := range c.blocks {
					putSmall(t, s, length, n)
				}
				must(t, s.Close())
				disk = disk.Restart(true, 0)
				file := openFile
				if c.blocks > 12 {
					file = sealedFile
				} else {
					unsync(t, disk, file)
				}
				before, err := disk.Stat(file)
				must(t, err)
				opts, d := tiny(disk), newSectors(disk)
				d.whole, opts.FS, opts.MemoryBytes = whole, d, 1
				for _, at := range c.at {
					d.ruin(file, at)
				}
				for range 2 { // opening again finds the same
					s = openAll(t, opts)
					sameList(t, what, present(t, s, length, 20), c.want)
					if !slices.ContainsFunc(s.Faults(), func(e *CorruptError) bool {
						return e.Path == file && e.Offset == c.at[0]/4096*4096 && errors.Is(e, syscall.EIO) && strings.Contains(e.Reason, "the disk cannot read it")
					}) {
						t.Errorf("faults %v", s.Faults())
					}
					must(t, s.EmptyTrash(), s.Close())
					if after, err := disk.Stat(file); err != nil || after.Size != before.Size {
						t.Errorf("the segment is cut, or gone: %+v, %v", after, err)
					}
				}
				d.FS = disk.Restart(false, 0)
				s = openAll(t, opts)
				sameList(t, "power lost", present(t, s, length, 20), c.want)
				must(t, s.Close())
				disk = disk.Restart(true, 0)
				d.FS = disk
				s = openAll(t, opts)
				for n := range c.blocks {
					putSmall(t, s, length, n) // from another server
				}
				for more := true; more; {
					more, err = s.Compact(t.Context(), 1<<20)
					must(t, err)
				}
				sameList(t, "put again", present(t, s, length, 20), count(0, c.blocks))
				if kept := inDir(disk, BadDir); len(kept) != 1 || !strings.HasSuffix(kept[0], path.Base(file)) || slices.Contains(disk.Files(), file) {
					t.Errorf("kept: %v, files %v", kept, disk.Files())
				}
				must(t, s.Close())
				s = openAll(t, opts)
				sameList(t, "opened again", present(t, s, length, 20), count(0, c.blocks))
				if len(s.Faults()) > 0 {
					t.Errorf("faults stay: %v", s.Faults())
				}
				must(t, s.Close())
				if len(d.hurt) > 0 {
					t.Error(d.hurt)
				}
			})
		}
	}
}

// TestOpenUnreadableAlone: the same where there is one copy only, and it is known what is wanted.
func TestOpenUnreadableAlone(t *testing.T) {
	for what, at := range map[string]int64{"content": 5000, "head": 20 + 3*recordSize(20000) + 10, "behind all that is wanted": 150_000} {
		disk := newDisk(t)
		opts := tiny(disk)
		opts.SegmentBytes, opts.MemoryBytes = 1<<20, 1
		s, err := Open(t.Context(), opts)
		must(t, err, s.Settle(false))
		var list []namespace.Block
		for n := range 8 {
			b, err := s.Put(t.Context(), dataOf(n, 20000))
			must(t, err)
			list = append(list, b)
		}
		must(t, s.Close())
		wanted := list
		if what == "behind all that is wanted" {
			wanted = list[:5]
		}
		disk = disk.Restart(true, 0)
		d := newSectors(disk)
		opts.FS = d
		d.ruin(openFile, at)
		for range 2 {
			s, err = Open(t.Context(), opts)
			must(t, err)
			missing := false
			for _, b := range wanted {
				missing = !s.Claim(b) || missing
			}
			must(t, s.Settle(missing))
			var bad []int
			for n, b := range wanted {
				if err := s.Verify(t.Context(), b); err != nil {
					bad = append(bad, n)
				}
			}
			want := map[string][]int{"content": {0}, "head": {2, 3}}[what] // the head of 3 is in the last page of 2
			sameList(t, what, bad, want)
			if len(s.Faults()) != 1 || !errors.Is(s.Faults()[0], syscall.EIO) || s.Faults()[0].Path != openFile {
				t.Errorf("%s: faults %v", what, s.Faults())
			}
			b, err := s.Put(t.Context(), []byte("more"))
			must(t, err, s.Free(b.ID), s.EmptyTrash(), s.Close())
		}
		if e, err := disk.Stat(openFile); err != nil || e.Size != 20+8*recordSize(20000) || len(d.hurt) > 0 {
			t.Errorf("%s: %+v, %v, %v", what, e, err, d.hurt)
		}
	}
}

// TestOpenUnreadableZeros: what cannot be read does not pass for zeros that match a checksum.
func TestOpenUnreadableZeros(t *testing.T) {
	disk := newDisk(t)
	s := openAll(t, tiny(disk))
	list, err := s.PutAll(t.Context(), []Small{{idOf(1), make([]byte, 3*pageBytes)}})
	must(t, err, s.Close())
	disk = disk.Restart(true, 0)
	opts, d := tiny(disk), newSectors(disk)
	opts.FS = d
	d.ruin(openFile, pageBytes)
	s = openAll(t, opts)
	if _, ok := s.Has(list[0].ID); ok {
		t.Error("it counts as whole")
	}
	must(t, s.Close())
}

// TestSalvage: all that can be read is, whatever the disk gives of a stretch that it cannot read all of.
func TestSalvage(t *testing.T) {
	const pages = 37
	want := dataOf(1, int(pages*pageBytes)-100)
	for seed := range 64 {
		disk := simdisk.New()
		f, err := disk.Create("x")
		must(t, err)
		_, err = f.WriteAt(want, 0)
		must(t, err)
		d := newSectors(disk)
		d.whole = seed%2 == 0
		bad := map[int64]bool{}
		for i := range seed % 5 * (1 + seed/20) {
			page := int64(seed*7+i*i*3) % pages
			bad[page] = true
			d.ruin("x", page*pageBytes)
		}
		r, err := d.Open("x")
		must(t, err)
		got, holes, err := readAround(r, int64(len(want)), nil)
		must(t, err)
		for page := range int64(pages) {
			start, end := page*pageBytes, min((page+1)*pageBytes, int64(len(want)))
			if (holeIn(holes, start, end) != nil) != bad[page] || !bad[page] && string(got[start:end]) != string(want[start:end]) {
				t.Errorf("seed %d, page %d: bad %t, holes %v", seed, page, bad[page], holes)
			}
		}
		if _, _, err := readAround(r, int64(len(want))+1, holes); !bad[pages-1] && !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Error("a file that is cut short is taken for whole")
		}
	}
}
