// Package vec is helpers over Arrow arrays in the layouts of the engine: those
// of types.Type.Arrow(), dictionaries of strings, and plain strings at the
// edges. It knows values, not expressions: gathering, joining, hashing,
// comparing and building columns.
//
// Unless said otherwise a function borrows the arrays passed to it, returns
// arrays that the caller owns and releases, and may be called concurrently on
// shared arrays. The values of a dictionary must not be NULL themselves: NULL
// is a property of the row, in the validity of the codes.
package vec

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// FixedWidth is a Go type whose memory is that of an Arrow value buffer.
// Booleans are not among them: Arrow packs those into bits.
type FixedWidth interface {
	~int8 | ~int16 | ~int32 | ~int64 | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64 |
		decimal128.Num | arrow.MonthDayNanoInterval | [16]byte
}

// Values returns the rows of a as T without copying; T must have the width of
// the array's values (int64 reads INT and TIMESTAMP alike). The slice lives as
// long as the array and must not be written. What NULL rows hold is undefined.
func Values[T FixedWidth](a arrow.Array) []T {
	d := a.Data()
	if d.Len() == 0 {
		return nil
	}
	return cast[T](d.Buffers()[1].Bytes())[d.Offset() : d.Offset()+d.Len()]
}

func cast[T any](b []byte) []T {
	if len(b) == 0 {
		return nil
	}
	var t T
	return unsafe.Slice((*T)(unsafe.Pointer(&b[0])), len(b)/int(unsafe.Sizeof(t)))
}

// Codes returns the codes of a dictionary array, copied if they are not INT32.
func Codes(d *array.Dictionary) []int32 {
	if d.Len() == 0 {
		return nil
	}
	if d.Indices().DataType().ID() == arrow.INT32 {
		return Values[int32](d)
	}
	codes := make([]int32, d.Len())
	for i := range codes {
		if d.IsValid(i) {
			codes[i] = int32(d.GetValueIndex(i))
		}
	}
	return codes
}

// Validity tells which rows of an array are NULL. Its zero value says none.
type Validity struct {
	bits []byte
	off  int
	all  bool // every row is NULL: the array of the type of NULL
}

// ValidityOf reads the validity of a. It borrows the array's bitmap.
func ValidityOf(a arrow.Array) Validity {
	if a.DataType().ID() == arrow.NULL {
		return Validity{all: true}
	}
	d := a.Data()
	if d.NullN() == 0 || d.Len() == 0 || d.Buffers()[0] == nil || d.Buffers()[0].Len() == 0 {
		return Validity{}
	}
	return Validity{bits: d.Buffers()[0].Bytes(), off: d.Offset()}
}

// None reports that no row is NULL. When it is false there may still be none.
func (v Validity) None() bool { return v.bits == nil && !v.all }

// Null reports whether row i is NULL.
func (v Validity) Null(i int) bool {
	if v.bits == nil {
		return v.all
	}
	i += v.off
	return v.bits[i>>3]>>(i&7)&1 == 0
}

// Valid is the opposite of Null.
func (v Validity) Valid(i int) bool { return !v.Null(i) }

// Bools reads a BOOL column a bit at a time. It borrows the array.
type Bools struct {
	bits []byte
	off  int
}

// BoolsOf reads the values of a BOOL array.
func BoolsOf(a arrow.Array) Bools {
	d := a.Data()
	if d.Len() == 0 {
		return Bools{}
	}
	return Bools{bits: d.Buffers()[1].Bytes(), off: d.Offset()}
}

// At returns row i; what a NULL row returns is undefined.
func (b Bools) At(i int) bool {
	i += b.off
	return b.bits[i>>3]>>(i&7)&1 == 1
}

// Bytes estimates the memory that a keeps alive: the whole of its buffers,
// children and dictionary, however little of them it shows.
func Bytes(a arrow.Array) int64 { return dataBytes(a.Data()) }

func dataBytes(d arrow.ArrayData) int64 {
	var n int64
	for _, b := range d.Buffers() {
		if b != nil {
			n += int64(b.Cap())
		}
	}
	for _, c := range d.Children() {
		n += dataBytes(c)
	}
	if dict := d.Dictionary(); dict != nil && dict.(*array.Data) != nil {
		n += dataBytes(dict)
	}
	return n
}

// newBitmap allocates n bits, all set or all clear.
func newBitmap(mem memory.Allocator, n int, set bool) *memory.Buffer {
	b := memory.NewResizableBuffer(mem)
	b.Resize(int(bitutil.BytesForBits(int64(n))))
	fill := byte(0)
	if set {
		fill = 0xff
	}
	memory.Set(b.Bytes(), fill)
	return b
}

// finish makes an array of buffers whose references it takes over. Nil buffers are allowed.
func finish(dt arrow.DataType, n, nulls int, bufs []*memory.Buffer, children []arrow.ArrayData) arrow.Array {
	d := array.NewData(dt, n, bufs, children, nulls, 0)
	defer d.Release()
	for _, b := range bufs {
		if b != nil {
			b.Release()
		}
	}
	return array.MakeFromData(d)
}

// copyValidity returns the validity of rows [0, len) of a as a bitmap that
// begins at bit 0, or nil where no row is NULL, with the number of NULLs.
func copyValidity(mem memory.Allocator, a arrow.Array) (*memory.Buffer, int) {
	v := ValidityOf(a)
	if v.None() {
		return nil, 0
	}
	n := a.Len()
	b := newBitmap(mem, n, false)
	if v.all {
		return b, n
	}
	bitutil.CopyBitmap(v.bits, v.off, n, b.Bytes(), 0)
	nulls := n - bitutil.CountSetBits(b.Bytes(), 0, n)
	if nulls == 0 {
		b.Release()
		return nil, 0
	}
	return b, nulls
}

// Width returns the bytes of one value of a fixed-width layout, or 0 where the
// layout is something else (bits, strings, nested).
func Width(dt arrow.DataType) int {
	if dt.ID() == arrow.BOOL || dt.ID() == arrow.DICTIONARY || dt.ID() == arrow.EXTENSION {
		return 0
	}
	if f, ok := dt.(arrow.FixedWidthDataType); ok {
		return f.BitWidth() / 8
	}
	return 0
}
