package block

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"syscall"
	"testing"

	"github.com/rainsql/rainsql/internal/vfs/simdisk"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// long asks for all seeds, which takes a minute.
var long = os.Getenv("SDFS_LONG") != ""

// played is what a run put and what of it was acknowledged.
type played struct {
	data  map[namespace.BlockID][]byte // all that was begun
	acked map[namespace.BlockID]bool   // must be there
}

// play puts groups of small blocks and large ones, gives some up, takes one out of use and puts it again, and compacts, until
// something fails.
func play(s *Store) (played, error) {
	ctx := context.Background()
	p := played{data: map[namespace.BlockID][]byte{}, acked: map[namespace.BlockID]bool{}}
	n := 0
	group := func(sizes ...int) ([]Small, error) {
		var small []Small
		for _, size := range sizes {
			n++
			small = append(small, Small{idOf(n), dataOf(n, size)})
			p.data[idOf(n)] = dataOf(n, size)
		}
		_, err := s.PutAll(ctx, small)
		for _, b := range small {
			p.acked[b.ID] = p.acked[b.ID] || err == nil
		}
		return small, err
	}
	first, err := group(100, 5000, 1, 900)
	if err != nil {
		return p, err
	}
	for size := 300; size < 2000; size += 300 {
		if _, err := group(size, 700); err != nil {
			return p, err
		}
	}
	for range 2 {
		n++
		p.data[idOf(n)] = dataOf(n, 70000+n)
		if _, err := writeFile(s, idOf(n), p.data[idOf(n)]); err != nil {
			return p, err
		}
		p.acked[idOf(n)] = true
	}
	if _, err := s.PutAll(ctx, first); err != nil { // again
		return p, err
	}
	large := idOf(n)
	for _, id := range []namespace.BlockID{first[1].ID, idOf(6), idOf(8), large} {
		p.acked[id] = false
		if err := s.Free(id); err != nil {
			return p, err
		}
	}
	for _, id := range []namespace.BlockID{first[3].ID, idOf(n - 1)} { // a small and a large one
		p.acked[id] = false
		if err := outOfUse(s, namespace.Block{ID: id}); err != nil {
			return p, err
		}
	}
	if _, err := s.PutAll(ctx, first[3:]); err != nil {
		return p, err
	}
	p.acked[first[3].ID] = true
	if _, err := writeFile(s, idOf(n-1), p.data[idOf(n-1)]); err != nil {
		return p, err
	}
	p.acked[idOf(n-1)] = true
	for more := true; more; {
		if more, err = s.Compact(ctx, 1<<20); err != nil {
			return p, err
		}
	}
	if err := s.EmptyTrash(); err != nil {
		return p, err
	}
	_, err = group(200, 300)
	return p, err
}

// verify checks a store that was opened after a run: all that was acknowledged is there, and nothing that is there is torn.
func (p played) verify(s *Store) error {
	for id, acked := range p.acked {
		if err := holds(s, id, p.data[id]); err != nil && acked {
			return fmt.Errorf("acknowledged: %w", err)
		}
	}
	for id := range s.IDs(0, 0) {
		if p.data[id] == nil {
			return fmt.Errorf("block %s was never put", id)
		}
		if err := holds(s, id, p.data[id]); err != nil {
			return fmt.Errorf("claimed: %w", err)
		}
	}
	return nil
}

// again puts all once more, as those do who do not know what came of it, and marks it acknowledged.
func (p played) again(s *Store) error {
	for id, data := range p.data {
		var err error
		if len(data) > MaxSmall/4 {
			_, err = writeFile(s, id, data)
		} else {
			_, err = s.PutAll(context.Background(), []Small{{id, data}})
		}
		if err != nil {
			return err
		}
		p.acked[id] = true
	}
	return nil
}

// survives opens what a run left, and what that left when its power is lost too. disk has been stopped.
func (p played) survives(t *testing.T, disk *simdisk.Disk, what string) {
	t.Helper()
	open := func(d *simdisk.Disk, step string, check func(*Store) error) {
		t.Helper()
		s, err := tryOpenAll(tiny(d))
		if err == nil {
			err = check(s)
			s.Close()
		}
		if err != nil {
			t.Fatalf("%s, %s: %v\n%s", what, step, err, d.Files())
		}
	}
	first := disk.Restart(true, 0)
	there := played{data: p.data, acked: map[namespace.BlockID]bool{}}
	open(first, "opened", func(s *Store) error {
		for id := range s.IDs(0, 0) {
			there.acked[id] = true
		}
		return p.verify(s)
	})
	// Who has been told that a block is there may rely on it, whatever becomes of the process.
	open(first.Restart(false, 0), "opened, power lost", there.verify)
	p.acked = maps.Clone(p.acked)
	second := disk.Restart(true, 0)
	open(second, "put again", p.again)
	open(second.Restart(false, 0), "put again, power lost", p.verify)
}

func run(disk *simdisk.Disk) (played, error) {
	s, err := tryOpenAll(tiny(disk))
	if err != nil {
		return played{}, err
	}
	defer s.Close()
	return play(s)
}

// TestCrash stops a store at each operation that changes the disk, before, after and within it, and once more while it
// is opened again.
func TestCrash(t *testing.T) {
	disk := newDisk(t)
	p, err := run(disk)
	must(t, err)
	ops := disk.Ops()
	p.survives(t, disk, "not stopped")
	seeds := []uint64{0, 1, 2, 3}
	if long {
		seeds = make([]uint64, 30)
		for i := range seeds {
			seeds[i] = uint64(i)
		}
	}
	for n := 1; n <= ops; n++ {
		for kind, fault := range map[string]simdisk.Fault{"before": {Stop: true}, "after": {Stop: true, Done: true}, "within": {Stop: true, Tear: 1500}} {
			disk, hit := newDisk(t), false
			disk.SetHook(at(disk.Ops()+n-newDisk(t).Ops(), fault, &hit))
			p, _ := run(disk)
			if !hit {
				continue
			}
			p.survives(t, disk.Restart(true, 0), fmt.Sprintf("killed %s operation %d", kind, n))
			for _, seed := range seeds {
				what := fmt.Sprintf("power lost %s operation %d (seed %d)", kind, n, seed)
				left := disk.Restart(false, seed)
				p.survives(t, left, what)
				// Opening dies as well.
				again, hit := disk.Restart(false, seed), false
				again.SetHook(at(4+n%17, fault, &hit))
				if s, err := tryOpenAll(tiny(again)); err == nil {
					s.Close()
				}
				p.survives(t, again.Restart(false, seed), what+", and again on opening")
			}
		}
	}
}

// at has a fault at the n-th operation if that changes the disk.
func at(n int, fault simdisk.Fault, hit *bool) func(simdisk.Op) simdisk.Fault {
	return func(op simdisk.Op) simdisk.Fault {
		if op.N != n || !op.Mutates() || fault.Tear > 0 && op.Kind != "write" {
			return simdisk.Fault{}
		}
		*hit = true
		return fault
	}
}

// TestFailedOperation has each operation fail once. What failed may be tried again, in this process or the next one.
func TestFailedOperation(t *testing.T) {
	disk := newDisk(t)
	before := disk.Ops()
	_, err := run(disk)
	must(t, err)
	for n := before; n <= disk.Ops(); n++ {
		for _, fault := range []simdisk.Fault{{Err: syscall.EIO}, {Err: syscall.ENOSPC, Tear: 700}} {
			disk := newDisk(t)
			disk.SetHook(func(op simdisk.Op) simdisk.Fault {
				if op.N == n {
					return fault
				}
				return simdisk.Fault{}
			})
			s, err := tryOpenAll(tiny(disk))
			if err != nil {
				continue
			}
			p, err := play(s)
			disk.SetHook(nil) // a run may have taken fewer operations than the first: it is not what looks at it that is to fail
			if verr := p.verify(s); verr != nil {
				t.Fatalf("operation %d failed: %v", n, verr)
			}
			if err != nil && s.Err() == nil {
				if err := p.again(s); err != nil && s.Err() == nil {
					t.Fatalf("operation %d failed: again: %v", n, err)
				}
			}
			s.Close()
			p.survives(t, disk.Restart(true, 0), fmt.Sprintf("operation %d failed, then killed", n))
			p.survives(t, disk.Restart(false, uint64(n)), fmt.Sprintf("operation %d failed, then power lost", n))
		}
	}
}

// TestNewSegmentStays: a process is killed before the name of a new segment is durable; the next one fills it.
func TestNewSegmentStays(t *testing.T) {
	disk := newDisk(t)
	settle := func(claim ...namespace.Block) *Store {
		s, err := Open(t.Context(), tiny(disk))
		must(t, err)
		for _, b := range claim {
			if !s.Claim(b) {
				t.Errorf("block %s is gone: %v", b.ID, disk.Files())
			}
		}
		must(t, s.Settle(false))
		return s
	}
	s := settle()
	disk.SetHook(func(op simdisk.Op) simdisk.Fault {
		return simdisk.Fault{Stop: op.Kind == "syncdir" && op.Path == segmentDir}
	})
	if _, err := s.Put(t.Context(), []byte("x")); err == nil {
		t.Fatal("was not stopped")
	}
	s.Close()
	disk = disk.Restart(true, 0)
	if !slices.Contains(disk.Files(), "segments/0000000000000001.open") {
		t.Fatalf("no segment is left: %v", disk.Files())
	}
	s = settle()
	b, err := s.Put(t.Context(), []byte("y"))
	must(t, err, s.Close())
	disk = disk.Restart(false, 0)
	must(t, settle(b).Close())
}
