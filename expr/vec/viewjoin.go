package vec

import (
	"errors"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// viewJoiner lays the headers of several text arrays end to end over all of their buffers.
type viewJoiner struct {
	heads *memory.Buffer
	views []view // those still to be written
	bufs  []*memory.Buffer
	at    map[*memory.Buffer]int32
}

func newViewJoiner(mem memory.Allocator, n int) *viewJoiner {
	h := memory.NewResizableBuffer(mem)
	h.Resize(n * sizeOf(view{}))
	return &viewJoiner{heads: h, views: cast[view](h.Bytes()), at: map[*memory.Buffer]int32{}}
}

func (j *viewJoiner) index(b *memory.Buffer) int32 {
	i, ok := j.at[b]
	if !ok {
		b.Retain()
		i = int32(len(j.bufs))
		j.bufs, j.at[b] = append(j.bufs, b), i
	}
	return i
}

func (j *viewJoiner) add(a arrow.Array) error {
	n := a.Len()
	dst := j.views[:n]
	j.views = j.views[n:]
	if n == 0 {
		return nil
	}
	if d, ok := a.(*array.Dictionary); ok {
		vals, err := j.headers(d.Dictionary(), make([]view, d.Dictionary().Len()))
		if err != nil {
			return err
		}
		v := ValidityOf(d)
		for i, c := range Codes(d) {
			if v.Null(i) || uint(c) >= uint(len(vals)) {
				dst[i] = view{}
			} else {
				dst[i] = vals[c]
			}
		}
		return nil
	}
	_, err := j.headers(a, dst)
	return err
}

// headers writes the headers of an array that is no dictionary to dst.
func (j *viewJoiner) headers(a arrow.Array, dst []view) ([]view, error) {
	v := ValidityOf(a)
	bufs := a.Data().Buffers()
	switch a.DataType().ID() {
	case arrow.NULL:
		clear(dst)
	case arrow.STRING_VIEW, arrow.BINARY_VIEW:
		src := Strings(a).views
		index := make([]int32, len(bufs)-2)
		for i, b := range bufs[2:] {
			if b != nil {
				index[i] = j.index(b)
			}
		}
		for i, h := range src {
			if v.Null(i) {
				h = view{}
			} else if h.size > inlineMax {
				h.buf = index[h.buf]
			}
			dst[i] = h
		}
	default:
		r := Strings(a)
		if len(r.data) > math.MaxInt32 {
			return nil, errors.New("a plain text column of more than 2 GiB cannot become views")
		}
		for i := range dst {
			dst[i] = view{}
			if v.Null(i) {
				continue
			}
			b := r.plain(i)
			dst[i].size = int32(len(b))
			if len(b) <= inlineMax {
				copy(dst[i].inline(), b)
				continue
			}
			copy(dst[i].prefix[:], b)
			dst[i].buf = j.index(bufs[2])
			if r.offs != nil {
				dst[i].off = r.offs[i]
			} else {
				dst[i].off = int32(r.offs8[i])
			}
		}
	}
	return dst, nil
}

func (j *viewJoiner) take(valid *memory.Buffer) []*memory.Buffer {
	return append([]*memory.Buffer{valid, j.heads}, j.bufs...)
}

func (j *viewJoiner) release() {
	j.heads.Release()
	for _, b := range j.bufs {
		b.Release()
	}
}

// Views returns a text column as views over the memory it has: no dictionary,
// nothing plain. Bytes become BinaryView. Anything that is not text is returned
// as it is, with a reference more.
func Views(mem memory.Allocator, a arrow.Array) (arrow.Array, error) {
	id := a.DataType().ID()
	if !IsText(a.DataType()) || id == arrow.STRING_VIEW || id == arrow.BINARY_VIEW {
		a.Retain()
		return a, nil
	}
	valid, nulls := copyValidity(mem, a)
	j := newViewJoiner(mem, a.Len())
	if err := j.add(a); err != nil {
		j.release()
		if valid != nil {
			valid.Release()
		}
		return nil, err
	}
	return finish(viewType(a.DataType()), a.Len(), nulls, j.take(valid), nil), nil
}
