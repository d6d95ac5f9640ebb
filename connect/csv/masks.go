package csv

import (
	"encoding/binary"
	"math/bits"
	"sync"
)

// blockBytes is how many bytes one word of a mask speaks of.
const blockBytes = 64

// masks says of each byte of a chunk whether it is a separator, a newline or a
// quote: bit i of word j speaks of byte 64*j+i.
type masks struct {
	sep, nl, quote []uint64
}

// summary is what classifying learns of a chunk as a whole.
type summary struct {
	high  uint64 // not zero if some byte is beyond ASCII
	quote uint64 // not zero if some byte is a quote
}

// maskPool keeps masks for the next reader: each has three words a block.
var maskPool = sync.Pool{New: func() any { return new(masks) }}

// resize makes room for so many blocks.
func (m *masks) resize(blocks int) {
	if cap(m.sep) < blocks {
		// One allocation, the three parts staggered so that equal places do not share a cache set.
		const pad = 24
		all := make([]uint64, 3*(blocks+pad))
		m.sep = all[:0:blocks]
		m.nl = all[blocks+pad:][:0:blocks]
		m.quote = all[2*(blocks+pad):][:0:blocks]
	}
	m.sep, m.nl, m.quote = m.sep[:blocks], m.nl[:blocks], m.quote[:blocks]
}

// classifyWords is the portable classifier: eight bytes at a time, in a word.
// data holds a whole number of blocks.
func classifyWords(data []byte, sep, quote byte, m *masks) (sum summary) {
	const ones = 0x0101010101010101
	s, q, l := ones*uint64(sep), ones*uint64(quote), uint64(ones*'\n')
	for b := range m.sep {
		block := (*[blockBytes]byte)(data[b*blockBytes:])
		var sepMask, quoteMask, nlMask uint64
		for i := 0; i < blockBytes; i += 8 {
			w := binary.LittleEndian.Uint64(block[i:])
			sum.high |= w
			sepMask |= zeroBytes(w^s) << i
			nlMask |= zeroBytes(w^l) << i
			quoteMask |= zeroBytes(w^q) << i
		}
		m.sep[b], m.nl[b], m.quote[b] = sepMask, nlMask, quoteMask
		sum.quote |= quoteMask
	}
	sum.high &= 0x8080808080808080
	return sum
}

// zeroBytes returns a bit for each byte of w that is zero, lowest first.
func zeroBytes(w uint64) uint64 {
	const low7 = 0x7f7f7f7f7f7f7f7f
	t := ^((w&low7 + low7) | w | low7) // the top bit of each zero byte
	return (t >> 7) * 0x0102040810204080 >> 56
}

// prefixXor returns the mask whose bit i is the parity of the bits of m up to
// and with i: between an opening quote, included, and its closing one, excluded.
func prefixXor(m uint64) uint64 {
	m ^= m << 1
	m ^= m << 2
	m ^= m << 4
	m ^= m << 8
	m ^= m << 16
	m ^= m << 32
	return m
}

// lowest returns the position of the lowest bit.
func lowest(m uint64) int { return bits.TrailingZeros64(m) }
