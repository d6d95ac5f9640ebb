// Package encoding decodes the values of Parquet pages, and encodes those that
// a writer needs. Decoders work on bytes in memory, of which the Padding bytes
// after the end must be readable; they return errors, whatever the bytes are,
// and allocate nothing by what those claim.
package encoding

import (
	"encoding/binary"
	"errors"
)

// Padding is how many bytes past the end of a page must be readable.
const Padding = 8

// ErrEnd means that a page holds fewer values than it declares.
var ErrEnd = errors.New("the page ends before its last value")

var errWidth = errors.New("values of more than 32 bits")

// Hybrid decodes runs of repeated and of bit-packed numbers: levels, and codes
// of a dictionary.
type Hybrid struct {
	data  []byte // padded
	pos   int
	width uint
	run   int    // values left of a repeated run
	value uint32 // which it repeats
	group int    // values left of a packed run
	bit   int    // where in data they begin, in bits
}

// Reset starts on data, whose capacity includes the padding.
func (h *Hybrid) Reset(data []byte, width int) error {
	if width < 0 || width > 32 {
		return errWidth
	}
	*h = Hybrid{data: data[:len(data):cap(data)], width: uint(width)}
	return nil
}

// next begins the next run.
func (h *Hybrid) next() error {
	for h.run == 0 && h.group == 0 {
		if h.width == 0 && h.pos >= len(h.data) { // nothing but zeros needs no bytes
			h.run, h.value = 1<<31-1, 0
			return nil
		}
		head, n := binary.Uvarint(h.data[h.pos:])
		if n <= 0 {
			return ErrEnd
		}
		h.pos += n
		if head&1 == 1 {
			groups := head >> 1
			// The last run may be cut short by the page's end.
			left := uint64(len(h.data) - h.pos)
			if h.width > 0 {
				groups = min(groups, left/uint64(h.width)+1)
			}
			groups = min(groups, 1<<27)
			bytes := min(groups*uint64(h.width), left)
			h.group, h.bit = int(groups)*8, h.pos*8
			if h.width > 0 {
				h.group = min(h.group, int(bytes*8/uint64(h.width)))
			}
			h.pos += int(bytes)
			continue
		}
		size := int(h.width+7) / 8
		if size > len(h.data)-h.pos || head>>1 > 1<<31-1 {
			return ErrEnd
		}
		h.run, h.value = int(head>>1), 0
		for i := range size {
			h.value |= uint32(h.data[h.pos+i]) << (8 * i)
		}
		h.pos += size
	}
	return nil
}

// Run returns a value and how often it comes next, if it is repeated; 0 where
// the next value is packed. It takes nothing.
func (h *Hybrid) Run() (value uint32, n int, err error) {
	err = h.next()
	return h.value, h.run, err
}

// Skip passes over n values.
func (h *Hybrid) Skip(n int) error {
	for n > 0 {
		if err := h.next(); err != nil {
			return err
		}
		if h.run > 0 {
			k := min(n, h.run)
			h.run -= k
			n -= k
			continue
		}
		k := min(n, h.group)
		h.group -= k
		h.bit += k * int(h.width)
		n -= k
	}
	return nil
}

// Number is what levels and codes are decoded to.
type Number interface{ uint8 | int32 }

// Decode fills dst.
func Decode[T Number](h *Hybrid, dst []T) error {
	for len(dst) > 0 {
		if err := h.next(); err != nil {
			return err
		}
		if h.run > 0 {
			k := min(len(dst), h.run)
			v := T(h.value)
			for i := range dst[:k] {
				dst[i] = v
			}
			h.run -= k
			dst = dst[k:]
			continue
		}
		k := min(len(dst), h.group)
		unpack(dst[:k], h.data[:cap(h.data)], h.bit, h.width)
		h.group -= k
		h.bit += k * int(h.width)
		dst = dst[k:]
	}
	return nil
}

// unpack takes values of width bits each from the given bit on. Eight more
// bytes than they need are readable.
func unpack[T Number](dst []T, data []byte, bit int, width uint) {
	mask := uint64(1)<<width - 1
	if width <= 8 && bit&7 == 0 { // eight values are as many bytes as each has bits
		pos := bit >> 3
		for len(dst) >= 8 {
			w := binary.LittleEndian.Uint64(data[pos:])
			d := dst[:8:8]
			d[0], d[1] = T(w&mask), T(w>>width&mask)
			d[2], d[3] = T(w>>(2*width)&mask), T(w>>(3*width)&mask)
			d[4], d[5] = T(w>>(4*width)&mask), T(w>>(5*width)&mask)
			d[6], d[7] = T(w>>(6*width)&mask), T(w>>(7*width)&mask)
			dst = dst[8:]
			pos += int(width)
		}
		bit = pos << 3
	}
	for width <= 14 && len(dst) >= 4 { // four values and seven bits to skip fit a word
		w := binary.LittleEndian.Uint64(data[bit>>3:]) >> (bit & 7)
		d := dst[:4:4]
		d[0], d[1] = T(w&mask), T(w>>width&mask)
		d[2], d[3] = T(w>>(2*width)&mask), T(w>>(3*width)&mask)
		dst = dst[4:]
		bit += 4 * int(width)
	}
	for i := range dst {
		w := binary.LittleEndian.Uint64(data[bit>>3:])
		dst[i] = T(w >> (bit & 7) & mask)
		bit += int(width)
	}
}
