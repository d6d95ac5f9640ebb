package parquet

import (
	"encoding/binary"

	"github.com/zeebo/xxh3"

	"github.com/rainsql/rainsql/connect/parquet/internal/meta"
)

const (
	dictBytes = 1 << 20 // the largest dictionary
	dictTrial = 16 << 10
)

// dictionary numbers the distinct values of a chunk. It is a hash table with
// open addressing over the values as they will be stored.
type dictionary struct {
	data   []byte  // the values, as a dictionary page holds them
	ends   []int32 // where in data each value ends, where they are of bytes
	nums   []uint64
	table  []int32 // code+1; 0 is free
	count  int
	closed bool // pages refer to it
}

func newDictionary() *dictionary { return &dictionary{table: make([]int32, 1<<8)} }

// number returns the code of a value of four or eight bytes.
func (d *dictionary) number(v uint64, size int) (code int32, fresh bool) {
	mask := uint64(len(d.table) - 1)
	h := v * 0x9E3779B97F4A7C15
	for i := h ^ h>>32; ; i++ {
		c := d.table[i&mask]
		if c == 0 {
			d.table[i&mask] = int32(d.count) + 1
			break
		}
		if d.nums[c-1] == v {
			return c - 1, false
		}
	}
	d.nums = append(d.nums, v)
	if size == 4 {
		d.data = binary.LittleEndian.AppendUint32(d.data, uint32(v))
	} else {
		d.data = binary.LittleEndian.AppendUint64(d.data, v)
	}
	return d.added(), true
}

// text returns the code of a value of bytes.
func (d *dictionary) text(v []byte, fixed bool) (code int32, fresh bool) {
	mask := uint64(len(d.table) - 1)
	h := xxh3.Hash(v)
	for i := h; ; i++ {
		c := d.table[i&mask]
		if c == 0 {
			d.table[i&mask] = int32(d.count) + 1
			break
		}
		if d.nums[c-1] == h && string(d.value(c-1, fixed)) == string(v) {
			return c - 1, false
		}
	}
	if !fixed {
		d.data = binary.LittleEndian.AppendUint32(d.data, uint32(len(v)))
	}
	d.data = append(d.data, v...)
	d.ends = append(d.ends, int32(len(d.data)))
	d.nums = append(d.nums, h)
	return d.added(), true
}

// value returns the bytes of a code, without their length.
func (d *dictionary) value(code int32, fixed bool) []byte {
	from := int32(0)
	if code > 0 {
		from = d.ends[code-1]
	}
	if !fixed {
		from += 4
	}
	return d.data[from:d.ends[code]]
}

// added counts a value, and makes the table larger where it fills up.
func (d *dictionary) added() int32 {
	d.count++
	if d.count*2 > len(d.table) {
		d.table = make([]int32, len(d.table)*4)
		mask := uint64(len(d.table) - 1)
		for c, v := range d.nums {
			i := v
			if d.ends == nil {
				h := v * 0x9E3779B97F4A7C15
				i = h ^ h>>32
			}
			for d.table[i&mask] != 0 {
				i++
			}
			d.table[i&mask] = int32(c) + 1
		}
	}
	return int32(d.count) - 1
}

// expand appends the values that codes stand for, as a plain page holds them.
func (d *dictionary) expand(dst []byte, codes []int32, e meta.Element) []byte {
	size := int32(8)
	if e.Physical == meta.Int32 || e.Physical == meta.Float {
		size = 4
	}
	for _, c := range codes {
		from, to := c*size, (c+1)*size
		if d.ends != nil {
			from, to = 0, d.ends[c]
			if c > 0 {
				from = d.ends[c-1]
			}
		}
		dst = append(dst, d.data[from:to]...)
	}
	return dst
}
