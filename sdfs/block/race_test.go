package block

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

// TestEverythingAtOnce has all calls run at the same time over the same few blocks. None gives wrong bytes or an error
// of another kind, and afterwards the books are right.
func TestEverythingAtOnce(t *testing.T) {
	const blocks = 60
	disk := newDisk(t)
	opts := tiny(disk)
	opts.MemoryBytes, opts.CacheBytes = 8<<10, 32<<10 // little, so that much is read from disk
	s := openAll(t, opts)
	content := func(n int) []byte { return dataOf(n, 1+n*n*3) } // up to 10 KB
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
	defer cancel()
	fine := func(err error) {
		var corrupt *CorruptError
		if err == nil || errors.Is(err, context.DeadlineExceeded) || errors.As(err, &corrupt) && (corrupt.Reason == notHere || corrupt.Reason == fileMissing) {
			return
		}
		t.Error(err)
		cancel()
	}
	var wg sync.WaitGroup
	loop := func(times int, do func(n int, id namespace.BlockID)) {
		for range times {
			wg.Go(func() {
				for ctx.Err() == nil {
					n := rand.IntN(blocks)
					do(n, idOf(n))
				}
			})
		}
	}
	loop(2, func(n int, _ namespace.BlockID) {
		var small []Small
		for i := n; i < min(n+5, blocks); i++ {
			small = append(small, Small{idOf(i), content(i)})
		}
		_, err := s.PutAll(ctx, small)
		fine(err)
	})
	loop(2, func(n int, id namespace.BlockID) {
		_, err := writeFile(s, id, content(n))
		fine(err)
	})
	loop(1, func(_ int, id namespace.BlockID) { fine(s.Free(id)) })
	loop(1, func(_ int, id namespace.BlockID) { fine(outOfUse(s, namespace.Block{ID: id})) })
	loop(1, func(n int, id namespace.BlockID) { fine(s.Condemn(ctx, blockOf(id, content(n)))) })
	loop(1, func(int, namespace.BlockID) {
		_, err := s.Compact(ctx, 1<<20)
		fine(err)
		fine(s.Tidy())
	})
	loop(2, func(n int, id namespace.BlockID) {
		want := content(n)
		got := make([]byte, len(want))
		err := s.Read(blockOf(id, want), 0, got, n%2 == 0)
		fine(err)
		if err == nil && !bytes.Equal(got, want) {
			t.Error("wrong bytes")
		}
	})
	loop(1, func(n int, id namespace.BlockID) {
		b := blockOf(id, content(n))
		sums, err := s.Sums(b)
		fine(err)
		if err == nil && !CheckSums(b, sums) {
			t.Error("wrong checksums")
		}
		_, err = s.Describe(id)
		fine(err)
	})
	loop(1, func(n int, id namespace.BlockID) {
		last := namespace.BlockID{}
		for id := range s.IDs(Position(id), Position(idOf(n/2))) {
			if bytes.Compare(id[:], last[:]) <= 0 {
				t.Error("out of order")
			}
			last = id
		}
		s.Usage()
		fine(s.CheckSegments(ctx, func(e *CorruptError) { t.Error(e) }, func(int64) {}))
		fine(s.EmptyTrashBefore(time.Now().Add(-10 * time.Millisecond)))
	})
	wg.Wait()
	// Calls whose context ended have left some in the queue; behind this it is empty.
	_, err := s.PutAll(t.Context(), []Small{{NewID(), []byte("last")}})
	must(t, err)

	books := func(s *Store) {
		t.Helper()
		live, own, count := map[uint64]int64{}, int64(0), 0
		for _, p := range s.index.all() {
			if count++; p.segment == 0 {
				own += int64(p.length) + footerSize(p.length)
			} else {
				live[p.segment] += recordSize(p.length)
			}
		}
		for number, seg := range s.segments {
			if seg.live != live[number] {
				t.Errorf("segment %d: %d bytes are wanted, %d is noted", number, live[number], seg.live)
			}
			delete(live, number)
		}
		if len(live) > 0 || own != s.diskBytes || count != s.Len() {
			t.Errorf("blocks in segments that are gone: %v; %d bytes in files, %d noted; %d blocks, %d noted", live, own, s.diskBytes, count, s.Len())
		}
		for n := range blocks {
			if _, ok := s.Has(idOf(n)); ok {
				must(t, holds(s, idOf(n), content(n)))
			}
		}
	}
	books(s)
	must(t, s.Err(), s.Close())
	s = openAll(t, tiny(disk.Restart(true, 0)))
	books(s)
	if len(s.Faults()) > 0 {
		t.Errorf("faults %v", s.Faults())
	}
	must(t, s.Close())
}
