package arrowipc

import (
	"fmt"
	"math"
	"unicode/utf8"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// cast reads bytes as values; bytes left over are cut.
func cast[T any](b []byte) []T {
	var t T
	n := len(b) / int(unsafe.Sizeof(t))
	if n == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(&b[0])), n)
}

// null reports whether row i is NULL.
func (r *raw) null(i int) bool { return r.valid != nil && !bitutil.BitIsSet(r.valid.Bytes(), i) }

// check looks at the buffers of a field that is not made of views or runs.
func (r *raw) check() error {
	switch r.f.layout {
	case bits:
		if r.b[0].Len() < int(bitutil.BytesForBits(int64(r.n))) {
			return errShort(r.f)
		}
	case fixed:
		if int64(r.b[0].Len()) < int64(r.n)*int64(r.f.width) {
			return errShort(r.f)
		}
	case offsets32:
		return checkText[int32](r)
	case offsets64:
		return checkText[int64](r)
	}
	return nil
}

// offsetsOf returns the n+1 offsets of a field, checked to ascend up to most.
func offsetsOf[T int32 | int64](r *raw, most int64) ([]T, error) {
	offs := cast[T](r.b[0].Bytes())
	if r.n == 0 {
		return []T{0}, nil
	}
	if len(offs) < r.n+1 {
		return nil, errShort(r.f)
	}
	offs = offs[:r.n+1]
	last := T(0)
	for _, o := range offs {
		if o < last {
			return nil, fmt.Errorf("column %q has offsets that do not ascend", r.f.name)
		}
		last = o
	}
	if int64(last) > most {
		return nil, fmt.Errorf("column %q has offsets beyond its values", r.f.name)
	}
	return offs, nil
}

func checkText[T int32 | int64](r *raw) error {
	data := r.b[1].Bytes()
	offs, err := offsetsOf[T](r, int64(len(data)))
	if err != nil || !r.f.text {
		return err
	}
	whole := data[offs[0]:offs[len(offs)-1]]
	if isASCII(whole) {
		return nil
	}
	for i := range r.n {
		if v := data[offs[i]:offs[i+1]]; !utf8.Valid(v) && !r.null(i) {
			return &badRow{row: i, msg: "text is not valid UTF-8"}
		}
	}
	return nil
}

// badRow is a value that its column must not hold.
type badRow struct {
	row int
	msg string
}

func (e *badRow) Error() string { return e.msg }

func isASCII(b []byte) bool {
	for len(b) >= 8 {
		if *(*uint64)(unsafe.Pointer(&b[0]))&0x8080808080808080 != 0 {
			return false
		}
		b = b[8:]
	}
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// view is a value of a view array: its length, then either up to twelve bytes,
// or the first four, the number of a buffer and where in it the value lies.
type view struct {
	size   int32
	prefix [4]byte
	buf    int32
	off    int32
}

const inlineMax = 12

func (v *view) inline() []byte { return unsafe.Slice(&v.prefix[0], inlineMax) }

func viewOf(v []byte, buf, off int32) view {
	w := view{size: int32(len(v))}
	if len(v) <= inlineMax {
		copy(w.inline(), v)
		return w
	}
	copy(w.prefix[:], v)
	w.buf, w.off = buf, off
	return w
}

// checkViews makes sure that every view is as the engine relies on: within its
// buffer, beginning as it says, short ones padded with zeros and NULLs empty.
// Views that only lack the latter are replaced.
func (r *raw) checkViews(mem memory.Allocator) error {
	heads := cast[view](r.b[0].Bytes())
	if len(heads) < r.n {
		return errShort(r.f)
	}
	heads = heads[:r.n]
	var own *memory.Buffer
	clean := func(i int, v view) {
		if own == nil {
			own = memory.NewResizableBuffer(mem)
			own.Resize(r.n * int(unsafe.Sizeof(view{})))
			copy(own.Bytes(), r.b[0].Bytes())
		}
		cast[view](own.Bytes())[i] = v
	}
	var err error
	for i := range heads {
		v := &heads[i]
		if r.null(i) {
			if *v != (view{}) {
				clean(i, view{})
			}
			continue
		}
		var data []byte
		if data, err = r.viewData(v); err != nil {
			break
		}
		if w := viewOf(data, v.buf, v.off); w != *v {
			clean(i, w)
		}
		if r.f.text && !utf8.Valid(data) {
			err = &badRow{row: i, msg: "text is not valid UTF-8"}
			break
		}
	}
	if own != nil {
		r.b[0].Release()
		r.b[0] = own
	}
	return err
}

func (r *raw) viewData(v *view) ([]byte, error) {
	if v.size >= 0 && v.size <= inlineMax {
		return v.inline()[:v.size], nil
	}
	if v.size < 0 || v.buf < 0 || int(v.buf) >= len(r.b)-1 || v.off < 0 || int(v.off)+int(v.size) > r.b[v.buf+1].Len() {
		return nil, fmt.Errorf("column %q refers to bytes that are not there", r.f.name)
	}
	return r.b[v.buf+1].Bytes()[v.off : v.off+v.size], nil
}

// code returns the code of row i; -1 where it is out of range.
func (r *raw) code(i int) int {
	d := r.f.dict
	b := r.b[0].Bytes()[i*d.width:]
	var v int64
	switch {
	case d.width == 4:
		v = int64(int32(uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24))
		if !d.signed {
			v &= math.MaxUint32
		}
	case d.width == 1 && d.signed:
		v = int64(int8(b[0]))
	case d.width == 1:
		v = int64(b[0])
	case d.width == 2 && d.signed:
		v = int64(cast[int16](b[:2])[0])
	case d.width == 2:
		v = int64(cast[uint16](b[:2])[0])
	default:
		v = cast[int64](b[:8])[0]
	}
	if v < 0 || v >= int64(r.dict.Len()) {
		return -1
	}
	return int(v)
}

func (r *raw) checkCodes() error {
	if int64(r.b[0].Len()) < int64(r.n)*int64(r.f.dict.width) {
		return errShort(r.f)
	}
	for i := range r.n {
		if r.code(i) < 0 && !r.null(i) {
			return fmt.Errorf("column %q has a code beyond its dictionary", r.f.name)
		}
	}
	return nil
}

// checkChildren makes sure that elements are there.
func (r *raw) checkChildren() (err error) {
	switch r.f.layout {
	case list32:
		_, err = offsetsOf[int32](r, int64(r.children[0].n))
	case list64:
		_, err = offsetsOf[int64](r, int64(r.children[0].n))
	case listView32:
		return checkListView[int32](r)
	case listView64:
		return checkListView[int64](r)
	case fixedList:
		if int64(r.n)*int64(r.f.width) > int64(r.children[0].n) {
			return errShort(r.f)
		}
	}
	return err
}

func checkListView[T int32 | int64](r *raw) error {
	offs, sizes := cast[T](r.b[0].Bytes()), cast[T](r.b[1].Bytes())
	if len(offs) < r.n || len(sizes) < r.n {
		return errShort(r.f)
	}
	n := int64(r.children[0].n)
	for i := range r.n {
		o, s := int64(offs[i]), int64(sizes[i])
		if !r.null(i) && (o < 0 || s < 0 || o > n || s > n-o) {
			return fmt.Errorf("column %q has offsets beyond its values", r.f.name)
		}
	}
	return nil
}

// runEnd returns where run i ends.
func (r *raw) runEnd(i int) int64 {
	b := r.children[0].b[0].Bytes()
	switch r.children[0].f.width {
	case 2:
		return int64(cast[int16](b)[i])
	case 4:
		return int64(cast[int32](b)[i])
	}
	return cast[int64](b)[i]
}

func (r *raw) checkRuns() error {
	ends, values := r.children[0], r.children[1]
	last := int64(0)
	for i := range ends.n {
		if end := r.runEnd(i); end <= last || ends.nulls > 0 {
			return fmt.Errorf("column %q has runs that do not ascend", r.f.name)
		} else {
			last = end
		}
	}
	if last < int64(r.n) || values.n < ends.n {
		return errShort(r.f)
	}
	return nil
}
