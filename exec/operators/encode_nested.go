package operators

import (
	"encoding/binary"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/rainsql/rainsql/expr/vec"
)

// nestedRows are the values of a LIST or STRUCT column as bytes, one behind the other.
type nestedRows struct {
	buf  []byte
	ends []int
}

func (r *nestedRows) at(i int) []byte {
	if i == 0 {
		return r.buf[:r.ends[0]]
	}
	return r.buf[r.ends[i-1]:r.ends[i]]
}

func encodeNested(a arrow.Array) *nestedRows {
	r := &nestedRows{ends: make([]int, a.Len())}
	null, write := vec.ValidityOf(a), valueWriter(a)
	for i := range r.ends {
		if !null.Null(i) {
			r.buf = write(r.buf, i)
		}
		r.ends[i] = len(r.buf)
	}
	return r
}

// writer appends a value such that of two values of one type neither is the
// beginning of the other, and both are alike only where they compare as equal.
type writer func(dst []byte, i int) []byte

// partWriter writes what may be NULL: an element or a field.
func partWriter(a arrow.Array) writer {
	null, write := vec.ValidityOf(a), valueWriter(a)
	return func(dst []byte, i int) []byte {
		if null.Null(i) {
			return append(dst, 0)
		}
		return write(append(dst, 1), i)
	}
}

func valueWriter(a arrow.Array) writer {
	switch a := a.(type) {
	case *array.List:
		write := partWriter(a.ListValues())
		return func(dst []byte, i int) []byte {
			from, to := a.ValueOffsets(i)
			dst = binary.LittleEndian.AppendUint32(dst, uint32(to-from))
			for k := from; k < to; k++ {
				dst = write(dst, int(k))
			}
			return dst
		}
	case *array.Struct:
		fields := make([]writer, a.NumField())
		for k := range fields {
			fields[k] = partWriter(a.Field(k))
		}
		return func(dst []byte, i int) []byte {
			for _, write := range fields {
				dst = write(dst, i)
			}
			return dst
		}
	}
	c := newEncodedColumn(a, false)
	switch {
	case c.fixed != nil:
		return func(dst []byte, i int) []byte { return binary.LittleEndian.AppendUint64(dst, c.fixed(i)) }
	case c.wide != nil:
		return func(dst []byte, i int) []byte {
			hi, lo := c.wide(i)
			return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(dst, hi), lo)
		}
	}
	return func(dst []byte, i int) []byte {
		v := c.text.At(i)
		return append(binary.LittleEndian.AppendUint32(dst, uint32(len(v))), v...)
	}
}
