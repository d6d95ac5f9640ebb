package block

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

func TestIDs(t *testing.T) {
	disk := newDisk(t)
	opts := tiny(disk)
	opts.SegmentBytes = 1 << 20
	s := openAll(t, opts)
	defer s.Close()
	at := func(place uint64, n byte) namespace.BlockID {
		var id namespace.BlockID
		binary.BigEndian.PutUint64(id[:], place)
		id[15] = n
		return id
	}
	const top = 1<<64 - 1
	places := []uint64{0, 1, 2, 1<<56 - 1, 1 << 56, 1<<56 + 1, 1 << 63, 1<<63 + 5, 0xff << 56, top - 1, top}
	var all []namespace.BlockID
	for _, p := range places {
		all = append(all, at(p, 1), at(p, 2))
	}
	rnd := rand.New(rand.NewPCG(1, 2))
	for range 300 {
		all = append(all, at(rnd.Uint64(), 3))
	}
	var small []Small
	for _, i := range rnd.Perm(len(all)) {
		small = append(small, Small{all[i], []byte("x")})
	}
	_, err := s.PutAll(t.Context(), small)
	must(t, err)
	slices.SortFunc(all, func(a, b namespace.BlockID) int { return bytes.Compare(a[:], b[:]) })
	check := func(from, to uint64) {
		t.Helper()
		var want []namespace.BlockID
		for _, id := range all {
			p := binary.BigEndian.Uint64(id[:8])
			in := from < p && p <= to
			if from >= to { // around the end, or all of the ring
				in = p > from || p <= to
			}
			if in {
				want = append(want, id)
			}
		}
		if got := slices.Collect(s.IDs(from, to)); !slices.Equal(got, want) {
			t.Errorf("(%x, %x]: %d blocks, want %d", from, to, len(got), len(want))
		}
	}
	edges := slices.Concat(places, []uint64{1 << 57, 3 << 56, top - 2, 0xfe<<56 - 1})
	for _, from := range edges {
		for _, to := range edges {
			check(from, to)
		}
	}
	for range 500 {
		check(rnd.Uint64(), rnd.Uint64())
	}
	n := 0
	for id := range s.IDs(0, 0) { // the store can be used meanwhile
		must(t, s.Free(id))
		if n++; n == 5 {
			break
		}
	}
	if s.Len() != len(all)-5 || len(slices.Collect(s.IDs(7, 7))) != s.Len() {
		t.Errorf("Len is %d", s.Len())
	}
}

func TestDescribeAndSums(t *testing.T) {
	disk := newDisk(t)
	s := openAll(t, tiny(disk))
	defer s.Close()
	var corrupt *CorruptError
	for n, length := range []int{1, 1000, Chunk, Chunk + 1, MaxSmall, 7 * Chunk, 1 << 20} {
		data := dataOf(n, length)
		want := blockOf(idOf(n), data)
		if n < 5 {
			_, err := s.PutAll(t.Context(), []Small{{idOf(n), data}})
			must(t, err)
		} else {
			_, err := writeFile(s, idOf(n), data)
			must(t, err)
		}
		if got, err := s.Describe(idOf(n)); got != want || err != nil {
			t.Errorf("%d bytes: %v, %v", length, got, err)
		}
		var sums []uint32
		for part := range slices.Chunk(data, Chunk) {
			sums = append(sums, crc32.Checksum(part, table))
		}
		if got, err := s.Sums(want); !slices.Equal(got, sums) || err != nil {
			t.Errorf("%d bytes: sums %x, %v, want %x", length, got, err, sums)
		}
		for _, other := range []namespace.Block{{ID: want.ID, Length: want.Length, CRC: want.CRC ^ 1}, {ID: want.ID, Length: want.Length + 1, CRC: want.CRC}} {
			if got, err := s.Sums(other); !errors.As(err, &corrupt) {
				t.Errorf("%d bytes: sums of another block: %x, %v", length, got, err)
			}
			if err := s.Read(other, 0, make([]byte, 1), false); n >= 5 && !errors.As(err, &corrupt) {
				t.Errorf("%d bytes: read as another block: %v", length, err)
			}
		}
	}
	if _, err := s.Describe(idOf(100)); !errors.As(err, &corrupt) {
		t.Errorf("no block: %v", err)
	}
	if _, err := s.Sums(blockOf(idOf(100), dataOf(1, 5))); !errors.As(err, &corrupt) {
		t.Errorf("sums of no block: %v", err)
	}
	if err := s.Verify(t.Context(), blockOf(idOf(100), dataOf(1, 5))); !errors.As(err, &corrupt) {
		t.Errorf("verifying no block: %v", err)
	}
}

// TestForgedFooter: checksums that are whole in themselves but not those of the block are not given out.
func TestForgedFooter(t *testing.T) {
	disk := newDisk(t)
	data := dataOf(1, 3*Chunk)
	b := blockOf(idOf(1), data)
	sums := make([]byte, 12)
	binary.LittleEndian.PutUint32(sums, crc32.Checksum(data[:Chunk], table)^4)
	binary.LittleEndian.PutUint32(sums[4:], crc32.Checksum(data[Chunk:2*Chunk], table))
	binary.LittleEndian.PutUint32(sums[8:], crc32.Checksum(data[2*Chunk:], table))
	f, err := disk.Create(blockName(b.ID))
	must(t, err)
	_, err = f.WriteAt(append(slices.Clone(data), encodeFooter(b, sums)...), 0)
	must(t, err, f.Close())
	s := openAll(t, tiny(disk))
	defer s.Close()
	var corrupt *CorruptError
	if got, err := s.Sums(b); !errors.As(err, &corrupt) {
		t.Errorf("%x, %v", got, err)
	}
}
