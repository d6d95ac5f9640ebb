package arrowipc

import (
	"fmt"
	"math"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect/arrowipc/recast"
)

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
	offs := recast.Slice[T](r.b[0].Bytes())
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
	if recast.IsASCII(whole) {
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

// checkViews makes sure that every view is as the engine relies on: within its
// buffer, beginning as it says, short ones padded with zeros and NULLs empty.
// Views that only lack the latter are replaced.
func (r *raw) checkViews(mem memory.Allocator) error {
	heads := recast.Slice[recast.View](r.b[0].Bytes())
	if len(heads) < r.n {
		return errShort(r.f)
	}
	heads = heads[:r.n]
	var own *memory.Buffer
	clean := func(i int, v recast.View) {
		if own == nil {
			own = memory.NewResizableBuffer(mem)
			own.Resize(r.n * recast.ViewSize)
			copy(own.Bytes(), r.b[0].Bytes())
		}
		recast.Slice[recast.View](own.Bytes())[i] = v
	}
	var err error
	for i := range heads {
		v := &heads[i]
		if r.null(i) {
			if *v != (recast.View{}) {
				clean(i, recast.View{})
			}
			continue
		}
		var data []byte
		if data, err = r.viewData(v); err != nil {
			break
		}
		if w := recast.ViewOf(data, v.Buf, v.Off); w != *v {
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

func (r *raw) viewData(v *recast.View) ([]byte, error) {
	if v.Size >= 0 && v.Size <= recast.InlineMax {
		return v.Inline()[:v.Size], nil
	}
	if v.Size < 0 || v.Buf < 0 || int(v.Buf) >= len(r.b)-1 || v.Off < 0 || int(v.Off)+int(v.Size) > r.b[v.Buf+1].Len() {
		return nil, fmt.Errorf("column %q refers to bytes that are not there", r.f.name)
	}
	return r.b[v.Buf+1].Bytes()[v.Off : v.Off+v.Size], nil
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
		v = int64(recast.Slice[int16](b[:2])[0])
	case d.width == 2:
		v = int64(recast.Slice[uint16](b[:2])[0])
	default:
		v = recast.Slice[int64](b[:8])[0]
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
	offs, sizes := recast.Slice[T](r.b[0].Bytes()), recast.Slice[T](r.b[1].Bytes())
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
		return int64(recast.Slice[int16](b)[i])
	case 4:
		return int64(recast.Slice[int32](b)[i])
	}
	return recast.Slice[int64](b)[i]
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
