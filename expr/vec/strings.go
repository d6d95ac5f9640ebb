package vec

import (
	"fmt"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// view is one 16-byte header of a view array: the length, then either up to
// twelve bytes inline, or a prefix, a buffer's number and an offset into it.
type view struct {
	size   int32
	prefix [4]byte
	buf    int32
	off    int32
}

const inlineMax = 12

func (v *view) inline() []byte {
	return unsafe.Slice(&v.prefix[0], inlineMax)[:v.size]
}

// StringReader gives the values of a STRING or BYTES column without copying,
// whatever its layout. It borrows the array and may be shared.
type StringReader struct {
	views []view
	bufs  [][]byte
	offs  []int32 // plain
	offs8 []int64 // plain, large
	data  []byte
	codes []int32
	Validity
}

// Strings reads a column of StringView, BinaryView, String, Binary, their large
// forms, or a dictionary of them. It panics on any other layout, which is a bug
// of the caller.
func Strings(a arrow.Array) StringReader {
	var r StringReader
	if d, ok := a.(*array.Dictionary); ok {
		r = Strings(d.Dictionary())
		r.codes = Codes(d)
		r.Validity = ValidityOf(a)
		return r
	}
	r.Validity = ValidityOf(a)
	d := a.Data()
	bufs := d.Buffers()
	switch a.DataType().ID() {
	case arrow.STRING_VIEW, arrow.BINARY_VIEW:
		if d.Len() > 0 {
			r.views = cast[view](bufs[1].Bytes())[d.Offset() : d.Offset()+d.Len()]
		}
		r.bufs = make([][]byte, len(bufs)-2)
		for i, b := range bufs[2:] {
			if b != nil {
				r.bufs[i] = b.Bytes()
			}
		}
	case arrow.STRING, arrow.BINARY:
		if d.Len() > 0 {
			r.offs = cast[int32](bufs[1].Bytes())[d.Offset() : d.Offset()+d.Len()+1]
			r.data = bytesOf(bufs[2])
		}
	case arrow.LARGE_STRING, arrow.LARGE_BINARY:
		if d.Len() > 0 {
			r.offs8 = cast[int64](bufs[1].Bytes())[d.Offset() : d.Offset()+d.Len()+1]
			r.data = bytesOf(bufs[2])
		}
	case arrow.NULL:
	default:
		panic(fmt.Sprintf("vec.Strings: %s is not a string layout", a.DataType()))
	}
	return r
}

func bytesOf(b *memory.Buffer) []byte {
	if b == nil {
		return nil
	}
	return b.Bytes()
}

// At returns the bytes of row i, to be read only, alive as long as the array.
// A NULL row gives some harmless value.
func (r *StringReader) At(i int) []byte {
	if r.codes != nil {
		if i = int(r.codes[i]); uint(i) >= uint(len(r.views)) && r.views != nil {
			return nil // the code under a NULL may be anything
		}
	}
	if r.views != nil {
		v := &r.views[i]
		if v.size <= inlineMax {
			return v.inline()
		}
		return r.bufs[v.buf][v.off : v.off+v.size]
	}
	return r.plain(i)
}

func (r *StringReader) plain(i int) []byte {
	switch {
	case uint(i)+1 < uint(len(r.offs)):
		return r.data[r.offs[i]:r.offs[i+1]]
	case uint(i)+1 < uint(len(r.offs8)):
		return r.data[r.offs8[i]:r.offs8[i+1]]
	}
	return nil
}

// Str is At as a string that shares the column's memory.
func (r *StringReader) Str(i int) string {
	b := r.At(i)
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// Len returns the bytes of row i without touching them.
func (r *StringReader) Len(i int) int {
	if r.codes == nil && r.views != nil {
		return int(r.views[i].size)
	}
	return len(r.At(i))
}

// EqualTo compares rows with one constant, mostly without leaving the headers:
// length and first bytes settle nearly every row.
type EqualTo struct {
	r    *StringReader
	want []byte
	head uint64 // length and prefix
	tail uint64 // the eight bytes after, of an inline value
}

// EqualTo returns a comparison of the reader's rows with want.
func (r *StringReader) EqualTo(want []byte) EqualTo {
	v := view{size: int32(len(want))}
	if len(want) <= inlineMax {
		copy(unsafe.Slice(&v.prefix[0], inlineMax), want)
	} else {
		copy(v.prefix[:], want)
	}
	w := (*[2]uint64)(unsafe.Pointer(&v))
	return EqualTo{r: r, want: want, head: w[0], tail: w[1]}
}

// At reports whether row i, not NULL, equals the constant.
func (e *EqualTo) At(i int) bool {
	r := e.r
	if r.views == nil || r.codes != nil {
		return string(r.At(i)) == string(e.want)
	}
	v := &r.views[i]
	w := (*[2]uint64)(unsafe.Pointer(v))
	if w[0] != e.head {
		return false
	}
	if v.size <= inlineMax {
		return w[1] == e.tail
	}
	return string(r.bufs[v.buf][v.off:v.off+v.size]) == string(e.want)
}
