// Package recast makes columns in the layouts of the engine of what columnar
// files hold: decimals as big-endian bytes, identifiers, times of day; and
// reads a column as another type where the option columns asks for one.
//
// Functions borrow the arrays passed to them and return arrays that the caller
// owns. They may be called concurrently.
package recast

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/text"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// Error is a value that does not fit.
type Error struct {
	Row int
	Msg string
}

// Error returns the message.
func (e *Error) Error() string { return e.Msg }

// Bytes makes a column of t of a column of bytes, each converted by f; a
// dictionary is converted value by value.
func Bytes[R vec.FixedWidth](mem memory.Allocator, a arrow.Array, t types.Type, f func([]byte) (R, bool)) (arrow.Array, error) {
	out := vec.NewFixed[R](mem, t.Arrow(), a.Len())
	out.Merge(vec.ValidityOf(a))
	r := vec.Strings(a)
	at := r.At
	var table []R
	var good []bool
	if d, ok := a.(*array.Dictionary); ok && d.Dictionary().Len() < a.Len() {
		dict := vec.Strings(d.Dictionary())
		table, good = make([]R, d.Dictionary().Len()), make([]bool, d.Dictionary().Len())
		for i := range table {
			table[i], good[i] = f(dict.At(i))
		}
		codes := vec.Codes(d)
		for i := range out.Values {
			if r.Null(i) {
				continue
			}
			c := codes[i]
			if !good[c] {
				out.Release()
				return nil, misfit(i, at(i), t)
			}
			out.Values[i] = table[c]
		}
		return out.Finish(), nil
	}
	for i := range out.Values {
		if r.Null(i) {
			continue
		}
		v, ok := f(at(i))
		if !ok {
			out.Release()
			return nil, misfit(i, at(i), t)
		}
		out.Values[i] = v
	}
	return out.Finish(), nil
}

func misfit(row int, v []byte, t types.Type) error {
	const most = 24
	tail := ""
	if len(v) > most {
		v, tail = v[:most], "…"
	}
	return &Error{Row: row, Msg: fmt.Sprintf("the bytes %x%s are not %s", v, tail, t)}
}

// BigEndian reads a signed number of any length, if 128 bits hold it.
func BigEndian(b []byte) (decimal128.Num, bool) {
	if len(b) == 0 {
		return decimal128.Num{}, true
	}
	sign := int64(int8(b[0])) >> 63
	for len(b) > 16 { // only more copies of the sign may go
		if int8(b[0]) != int8(sign) || int64(int8(b[1]))>>63 != sign {
			return decimal128.Num{}, false
		}
		b = b[1:]
	}
	hi, lo := sign, uint64(sign)
	for _, c := range b {
		hi = hi<<8 | int64(lo>>56)
		lo = lo<<8 | uint64(c)
	}
	return decimal128.New(hi, lo), true
}

// Half reads a little-endian float of two bytes.
func Half(b []byte) (float32, bool) {
	if len(b) != 2 {
		return 0, false
	}
	return float16.FromBits(binary.LittleEndian.Uint16(b)).Float32(), true
}

// UUID prints identifiers of sixteen bytes the usual way.
func UUID(mem memory.Allocator, a arrow.Array) (arrow.Array, error) {
	r := vec.Strings(a)
	for i := range a.Len() {
		if !r.Null(i) && len(r.At(i)) != 16 {
			return nil, &Error{Row: i, Msg: "is not a UUID of 16 bytes"}
		}
	}
	var b [36]byte
	return texts(mem, a, func(_ []byte, i int) []byte {
		v := r.At(i)
		hex.Encode(b[:], v[:4])
		at := 8
		for k := 4; k < 16; {
			n := 2
			if k == 10 {
				n = 6
			}
			b[at] = '-'
			hex.Encode(b[at+1:], v[k:k+n])
			at, k = at+1+2*n, k+n
		}
		return b[:]
	}), nil
}

// Clock prints INT microseconds since midnight as hh:mm:ss and as much of a
// fraction as there is: text that sorts as the times do.
func Clock(mem memory.Allocator, a arrow.Array) arrow.Array {
	us := vec.Values[int64](a)
	return texts(mem, a, func(dst []byte, i int) []byte {
		return text.AppendInterval(dst, arrow.MonthDayNanoInterval{Nanoseconds: us[i] * 1000})
	})
}

// texts builds a STRING column of what f appends for each row that is not NULL in a.
func texts(mem memory.Allocator, a arrow.Array, f func(dst []byte, i int) []byte) arrow.Array {
	out := vec.NewViewBuilder(mem, arrow.BinaryTypes.StringView, a.Len())
	valid := vec.ValidityOf(a)
	var scratch []byte
	for i := range a.Len() {
		if valid.Null(i) {
			out.AppendNull()
			continue
		}
		scratch = f(scratch[:0], i)
		out.Append(scratch)
	}
	return out.Finish()
}
