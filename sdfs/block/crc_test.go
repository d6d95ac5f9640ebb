package block

import (
	"hash/crc32"
	"slices"
	"testing"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

var table = crc32.MakeTable(crc32.Castagnoli)

func TestCombineCRC(t *testing.T) {
	for _, first := range []int{0, 1, 7, 4096, Chunk, Chunk + 3} {
		for _, second := range []int{0, 1, 2, 3, 8, 255, 256, 1000, Chunk - 1, Chunk, Chunk + 1, 1 << 20, 3<<20 + 5} {
			data := dataOf(first+second, first+second)
			got := CombineCRC(crc32.Checksum(data[:first], table), crc32.Checksum(data[first:], table), uint64(second))
			if want := crc32.Checksum(data, table); got != want {
				t.Errorf("%d and %d bytes: %08x, want %08x", first, second, got, want)
			}
		}
	}
	// More zeros than can be made: 2^40 of them are 2^20 times 2^20.
	zeros := crc32.Checksum(make([]byte, 1<<20), table)
	crc := zeros
	for n := uint64(1 << 20); n < 1<<40; n *= 2 {
		crc = CombineCRC(crc, crc, n)
	}
	if got := CombineCRC(0, crc, 1<<40); got != crc {
		t.Errorf("behind nothing: %08x, want %08x", got, crc)
	}
	half := CombineCRC(zeros, CombineCRC(crc, zeros, 1<<20), 1<<40+1<<20)
	if other := CombineCRC(CombineCRC(zeros, crc, 1<<40), zeros, 1<<20); half != other {
		t.Errorf("it matters in what order parts are combined: %08x and %08x", half, other)
	}
}

func TestCheckSums(t *testing.T) {
	for _, length := range []int{1, 100, Chunk - 1, Chunk, Chunk + 1, 2 * Chunk, 5*Chunk + 17, 16 * Chunk} {
		data := dataOf(length, length)
		b := blockOf(idOf(1), data)
		var sums []uint32
		for part := range slices.Chunk(data, Chunk) {
			sums = append(sums, crc32.Checksum(part, table))
		}
		if !CheckSums(b, sums) {
			t.Errorf("%d bytes: the right checksums are refused", length)
		}
		for i := range sums {
			for _, bit := range []int{0, 13, 31} {
				bad := slices.Clone(sums)
				bad[i] ^= 1 << bit
				if CheckSums(b, bad) {
					t.Errorf("%d bytes: a wrong checksum of chunk %d is accepted", length, i)
				}
			}
		}
		if len(sums) > 2 {
			swapped := slices.Clone(sums)
			swapped[0], swapped[1] = swapped[1], swapped[0]
			if CheckSums(b, swapped) {
				t.Errorf("%d bytes: two checksums may change places", length)
			}
		}
		other := b
		other.CRC ^= 1
		longer := b
		longer.Length++
		for what, ok := range map[string]bool{
			"too many": CheckSums(b, append(slices.Clone(sums), 0)), "too few": CheckSums(b, sums[:len(sums)-1]), "none": CheckSums(b, nil),
			"another block's": CheckSums(other, sums), "a longer block's": len(sums) > 1 && CheckSums(longer, sums),
		} {
			if ok {
				t.Errorf("%d bytes: %s checksums are accepted", length, what)
			}
		}
	}
	if CheckSums(namespace.Block{}, nil) {
		t.Error("a block of no bytes is accepted")
	}
}
