package block

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTrashDelay(t *testing.T) {
	disk := newDisk(t)
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	opts := tiny(disk)
	opts.Now = func() time.Time { return now }
	s := openAll(t, opts)
	put := func(n int) {
		t.Helper()
		_, err := writeFile(s, idOf(n), dataOf(n, 1000))
		must(t, err)
	}
	inTrash := func(want ...int) {
		t.Helper()
		var names []string
		for _, n := range want {
			names = append(names, "trash/"+idOf(n).String())
		}
		slices.Sort(names)
		if got := inDir(disk, trashDir); !slices.Equal(got, names) {
			t.Errorf("in the trash: %v, want %v", got, want)
		}
	}
	for n := range 4 {
		put(n)
	}
	start := now
	must(t, s.Free(idOf(0)))
	now = start.Add(time.Minute)
	must(t, s.Free(idOf(1)))
	must(t, s.EmptyTrashBefore(start))
	inTrash(0, 1)
	must(t, s.EmptyTrashBefore(start.Add(time.Second)))
	inTrash(1)
	must(t, s.EmptyTrashBefore(start.Add(time.Minute))) // not before
	inTrash(1)

	// Given up, put and given up once more: the later one stays its time.
	put(1)
	now = start.Add(10 * time.Minute)
	must(t, s.Free(idOf(1)))
	if got := inDir(disk, trashDir); len(got) != 2 { // one must not go in place of the other
		t.Errorf("in the trash: %v", got)
	}
	must(t, s.EmptyTrashBefore(start.Add(5*time.Minute)))
	if got := inDir(disk, trashDir); len(got) != 1 || !strings.HasPrefix(got[0], "trash/"+idOf(1).String()) {
		t.Errorf("in the trash: %v", got)
	}
	must(t, s.EmptyTrashBefore(start.Add(11*time.Minute)))
	inTrash()
	must(t, s.Free(idOf(2)), s.Close())

	// What is found on opening counts from then.
	disk = disk.Restart(true, 0)
	now = start.Add(time.Hour)
	opts.FS = disk
	s = openAll(t, opts)
	must(t, s.EmptyTrashBefore(now))
	inTrash(2)
	put(2)
	now = now.Add(time.Minute)
	must(t, s.Free(idOf(2))) // beside the one of the same name
	must(t, s.EmptyTrashBefore(now))
	if got := inDir(disk, trashDir); len(got) != 1 {
		t.Errorf("in the trash: %v", got)
	}
	must(t, s.EmptyTrash())
	inTrash()
	must(t, s.Free(idOf(3)))
	inTrash(3)
	must(t, s.Close())
}
