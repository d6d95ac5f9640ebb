package encoding

import (
	"encoding/binary"
	"errors"
	"math/bits"
)

var errDelta = errors.New("a block of differences is damaged")

// Delta decodes DELTA_BINARY_PACKED: numbers as differences from one to the
// next, packed in blocks.
type Delta struct {
	data      []byte // padded
	pos       int
	perBlock  int
	miniCount int
	left      int // values that have not been returned, those of the header's count
	last      int64
	first     bool // last is the next value

	min    int64  // difference of the block
	widths []byte // of its miniblocks, those that are left
	mini   int    // values left in the miniblock
	bit    int    // where they begin
	width  uint
}

// Reset starts on data, whose capacity includes the padding, and returns how
// many values it declares, which may be more than it has. A page of NULLs may
// lack even the header.
func (d *Delta) Reset(data []byte) (int, error) {
	*d = Delta{data: data}
	if len(data) == 0 {
		return 0, nil
	}
	block, mini, count := d.uvarint(), d.uvarint(), d.uvarint()
	first := d.uvarint()
	if d.pos < 0 || block == 0 || block > 1<<20 || block%128 != 0 || mini == 0 || mini > block/8 || block%mini != 0 || block/mini%8 != 0 || count > 1<<31-1 {
		return 0, errDelta
	}
	d.perBlock, d.miniCount, d.left = int(block), int(mini), int(count)
	d.last, d.first = unzigzag(first), count > 0
	return d.left, nil
}

func unzigzag(u uint64) int64 { return int64(u>>1) ^ -int64(u&1) }

// uvarint sets pos to -1 where there is none.
func (d *Delta) uvarint() uint64 {
	if d.pos < 0 {
		return 0
	}
	v, n := binary.Uvarint(d.data[d.pos:])
	if n <= 0 {
		d.pos = -1
		return 0
	}
	d.pos += n
	return v
}

// End returns where the bytes after the numbers begin; all must have been decoded.
func (d *Delta) End() int { return d.pos }

// nextMini begins the next miniblock, and the next block where that is needed.
func (d *Delta) nextMini() error {
	if len(d.widths) == 0 {
		d.min = unzigzag(d.uvarint())
		if d.pos < 0 || d.miniCount > len(d.data)-d.pos {
			return ErrEnd
		}
		d.widths = d.data[d.pos : d.pos+d.miniCount]
		d.pos += d.miniCount
	}
	d.width = uint(d.widths[0])
	d.widths = d.widths[1:]
	d.mini = d.perBlock / d.miniCount
	d.bit = d.pos * 8
	size := d.mini * int(d.width) / 8
	if d.width > 64 || size > len(d.data)-d.pos {
		return ErrEnd
	}
	d.pos += size
	return nil
}

// DecodeDelta fills dst; int32 wraps around, as the format wants.
func DecodeDelta[T int32 | int64](d *Delta, dst []T) error {
	if len(dst) > d.left {
		return ErrEnd
	}
	d.left -= len(dst)
	if d.first && len(dst) > 0 {
		d.first = false
		dst[0] = T(d.last)
		dst = dst[1:]
	}
	for len(dst) > 0 {
		if d.mini == 0 {
			if err := d.nextMini(); err != nil {
				return err
			}
		}
		k := min(len(dst), d.mini)
		for i := range dst[:k] {
			d.last += d.min + int64(d.bits())
			dst[i] = T(d.last)
		}
		d.mini -= k
		dst = dst[k:]
	}
	return nil
}

// bits takes the next packed difference.
func (d *Delta) bits() uint64 {
	data := d.data[:cap(d.data)]
	at, shift := d.bit>>3, uint(d.bit&7)
	d.bit += int(d.width)
	w := binary.LittleEndian.Uint64(data[at:]) >> shift
	if shift+d.width > 64 {
		w |= uint64(data[at+8]) << (64 - shift)
	}
	if d.width == 64 {
		return w
	}
	return w & (1<<d.width - 1)
}

// SkipDelta passes over n values.
func SkipDelta(d *Delta, n int) error {
	var scratch [256]int64
	for n > 0 {
		k := min(n, len(scratch))
		if err := DecodeDelta(d, scratch[:k]); err != nil {
			return err
		}
		n -= k
	}
	return nil
}

// Width returns how many bits the numbers up to most need.
func Width(most int) int { return bits.Len(uint(most)) }
