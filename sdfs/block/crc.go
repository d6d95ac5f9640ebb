package block

import (
	"hash/crc32"
	"sync"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

// A CRC is the rest of a polynomial over GF(2), divided by that of CRC32C. To put bytes behind others is to
// multiply by x^8 for each: so the checksum of a whole follows from those of its parts, as in zlib's
// crc32_combine (Mark Adler). In a number the bit of x^0 is the highest, as in the table of hash/crc32.

// product multiplies two polynomials modulo that of CRC32C.
func product(a, b uint32) uint32 {
	p := uint32(0)
	for ; a != 0; a <<= 1 {
		if a>>31 != 0 {
			p ^= b
		}
		b = b>>1 ^ crc32.Castagnoli&-(b&1) // times x
	}
	return p
}

// shiftBy is x^(8n), by squaring.
func shiftBy(n uint64) uint32 {
	power, square := uint32(1)<<31, uint32(1)<<23 // x^0, x^8
	for ; n != 0; n >>= 1 {
		if n&1 != 0 {
			power = product(power, square)
		}
		square = product(square, square)
	}
	return power
}

// CombineCRC gives the CRC32C of bytes followed by others, from the checksum of each and the number
// of the others.
func CombineCRC(first, second uint32, secondLen uint64) uint32 {
	return product(first, shiftBy(secondLen)) ^ second
}

// chunkShift multiplies by x^(8*Chunk): for each byte of a checksum, what it contributes. It is
// made when it is first used.
var chunkShift = sync.OnceValue(func() *[4][256]uint32 {
	t := new([4][256]uint32)
	power := shiftBy(Chunk)
	for i := range t {
		for b := range uint32(256) {
			t[i][b] = product(b<<(8*i), power)
		}
	}
	return t
})

// CheckSums tells whether the CRC32Cs of a block's chunks, all there are and in order, make up that of the
// block. If so, a chunk that matches its own is, as far as CRC32C can tell, what stands there in the block.
func CheckSums(b namespace.Block, sums []uint32) bool {
	if b.Length == 0 || len(sums) != chunksOf(b.Length) {
		return false
	}
	t := chunkShift()
	whole, last := sums[:len(sums)-1], sums[len(sums)-1]
	crc := uint32(0)
	for _, sum := range whole {
		crc = t[0][crc&0xff] ^ t[1][crc>>8&0xff] ^ t[2][crc>>16&0xff] ^ t[3][crc>>24] ^ sum
	}
	return CombineCRC(crc, last, uint64(b.Length)-uint64(len(whole))*Chunk) == b.CRC
}
