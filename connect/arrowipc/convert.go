package arrowipc

import (
	"errors"
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect/arrowipc/recast"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// maxElements bounds the elements of one column in one batch.
const maxElements = 16 << 20

// rows is a range of the rows of a field.
type rows struct {
	*raw
	from, to int
}

func (r rows) len() int { return r.to - r.from }

// nulls marks those of the range.
func (r rows) markNulls(mem memory.Allocator) vec.Nulls {
	n := vec.NewNulls(mem, r.len())
	if r.valid != nil {
		for i := range r.len() {
			if r.null(r.from + i) {
				n.Set(i)
			}
		}
	}
	return n
}

// shared returns the validity for an array that shares the field's buffers from
// row r.from on.
func (r rows) shared() (*memory.Buffer, int) {
	if r.valid == nil {
		return nil, 0
	}
	return r.valid, r.len() - bitutil.CountSetBits(r.valid.Bytes(), r.from, r.len())
}

// array returns the rows in the engine's layout. Only columns that are not
// within others may stay codes. The caller owns the array.
func (r rows) array(mem memory.Allocator, mayCode bool) (arrow.Array, error) {
	if r.f.dict != nil {
		return r.decode(mem, mayCode)
	}
	switch r.f.layout {
	case noValues:
		return vec.FromLiteral(mem, nil, r.f.typ, r.len())
	case bits:
		return r.share(r.b[0]), nil
	case fixed:
		if r.f.convert != nil {
			return r.f.convert(mem, r)
		}
		return r.share(r.b[0]), nil
	case views:
		return r.share(r.b...), nil
	case offsets32:
		return textViews(mem, r, recast.Slice[int32](r.b[0].Bytes()))
	case offsets64:
		return textViews(mem, r, recast.Slice[int64](r.b[0].Bytes()))
	case structure:
		return r.group(mem)
	case runEnds:
		return r.spread(mem)
	}
	return r.list(mem)
}

// share returns an array over buffers of the field.
func (r rows) share(bufs ...*memory.Buffer) arrow.Array {
	valid, nulls := r.shared()
	d := array.NewData(r.f.typ.Arrow(), r.len(), append([]*memory.Buffer{valid}, bufs...), nil, nulls, r.from)
	defer d.Release()
	return array.MakeFromData(d)
}

// own returns an array over a new buffer, which it takes over, with the field's NULLs.
func (r rows) own(mem memory.Allocator, t types.Type, buf *memory.Buffer, more ...*memory.Buffer) arrow.Array {
	defer buf.Release()
	var valid *memory.Buffer
	nulls := 0
	if r.valid != nil {
		valid = memory.NewResizableBuffer(mem)
		defer valid.Release()
		valid.Resize(int(bitutil.BytesForBits(int64(r.len()))))
		bitutil.CopyBitmap(r.valid.Bytes(), r.from, r.len(), valid.Bytes(), 0)
		_, nulls = r.shared()
	}
	d := array.NewData(t.Arrow(), r.len(), append([]*memory.Buffer{valid, buf}, more...), nil, nulls, 0)
	defer d.Release()
	return array.MakeFromData(d)
}

// textViews makes views into the bytes that offsets refer to.
func textViews[T int32 | int64](mem memory.Allocator, r rows, offs []T) (arrow.Array, error) {
	heads := memory.NewResizableBuffer(mem)
	heads.Resize(r.len() * 16)
	vals := recast.Slice[recast.View](heads.Bytes())
	if r.len() == 0 {
		return r.own(mem, r.f.typ, heads), nil
	}
	base, end := int(offs[r.from]), int(offs[r.to])
	if end-base > math.MaxInt32 {
		heads.Release()
		return nil, fmt.Errorf("column %q has more than 2 GB of text in %d rows", r.f.name, r.len())
	}
	data := memory.SliceBuffer(r.b[1], base, end-base)
	defer data.Release()
	text := data.Bytes()
	for i := range vals {
		if r.null(r.from + i) {
			vals[i] = recast.View{}
			continue
		}
		from, to := int(offs[r.from+i])-base, int(offs[r.from+i+1])-base
		vals[i] = recast.ViewOf(text[from:to], 0, int32(from))
	}
	return r.own(mem, r.f.typ, heads, data), nil
}

func (r rows) group(mem memory.Allocator) (arrow.Array, error) {
	fields := make([]arrow.Array, 0, len(r.children))
	defer func() { vec.ReleaseAll(fields) }()
	for _, c := range r.children {
		a, err := rows{c, r.from, r.to}.array(mem, false)
		if err != nil {
			return nil, err
		}
		fields = append(fields, a)
	}
	nulls := r.markNulls(mem)
	return vec.NewStruct(r.f.typ.Arrow().(*arrow.StructType), r.len(), fields, &nulls), nil
}

// element returns which elements list i of the field has.
func (r rows) element(i int) (from, n int) {
	if r.null(i) {
		return 0, 0
	}
	switch r.f.layout {
	case list32:
		o := recast.Slice[int32](r.b[0].Bytes())
		return int(o[i]), int(o[i+1] - o[i])
	case list64:
		o := recast.Slice[int64](r.b[0].Bytes())
		return int(o[i]), int(o[i+1] - o[i])
	case listView32:
		return int(recast.Slice[int32](r.b[0].Bytes())[i]), int(recast.Slice[int32](r.b[1].Bytes())[i])
	case listView64:
		return int(recast.Slice[int64](r.b[0].Bytes())[i]), int(recast.Slice[int64](r.b[1].Bytes())[i])
	}
	return i * r.f.width, r.f.width
}

// list makes lists whose elements follow each other, as they mostly do already.
func (r rows) list(mem memory.Allocator) (arrow.Array, error) {
	offs := make([]int32, 1, r.len()+1)
	least, most, total, inOrder := math.MaxInt, 0, 0, true
	for i := r.from; i < r.to; i++ {
		from, n := r.element(i)
		if total += n; total > maxElements {
			return nil, fmt.Errorf("column %q has more than %d elements in a batch of rows", r.f.name, maxElements)
		}
		if n > 0 {
			inOrder = inOrder && (most == 0 || from == most)
			least, most = min(least, from), max(most, from+n)
		}
		offs = append(offs, int32(total))
	}
	least = min(least, most)
	if most-least > maxElements {
		return nil, fmt.Errorf("column %q has lists that lie far apart", r.f.name)
	}
	elems, err := rows{r.children[0], least, most}.array(mem, false)
	if err != nil {
		return nil, err
	}
	defer func() { elems.Release() }()
	if !inOrder {
		idx := make([]int32, 0, total)
		for i := r.from; i < r.to; i++ {
			from, n := r.element(i)
			for k := range n {
				idx = append(idx, int32(from+k-least))
			}
		}
		moved, err := vec.Take(mem, elems, idx)
		if err != nil {
			return nil, err
		}
		elems.Release()
		elems = moved
	}
	nulls := r.markNulls(mem)
	return vec.NewList(mem, elems, offs, &nulls), nil
}

// spread repeats the values of runs.
func (r rows) spread(mem memory.Allocator) (arrow.Array, error) {
	ends, values := r.children[0], r.children[1]
	first := 0
	for first < ends.n && r.runEnd(first) <= int64(r.from) {
		first++
	}
	idx, run := make([]int32, r.len()), first
	for i := range idx {
		for r.runEnd(run) <= int64(r.from+i) {
			run++
		}
		idx[i] = int32(run - first)
	}
	part, err := rows{values, first, min(run+1, values.n)}.array(mem, false)
	if err != nil {
		return nil, err
	}
	defer part.Release()
	return vec.Take(mem, part, idx)
}

// decode replaces codes by the values, unless codes are what the engine likes best.
func (r rows) decode(mem memory.Allocator, mayCode bool) (arrow.Array, error) {
	coded := mayCode && r.f.typ.Kind == types.String && r.dict.Len()*recast.DictShare <= r.len()
	codes := make([]int32, r.len())
	absent := vec.ValidityOf(r.dict)
	nulls := r.markNulls(mem)
	for i := range codes {
		if nulls.Null(i) {
			if !coded {
				codes[i] = -1
			}
			continue
		}
		codes[i] = int32(r.code(r.from + i))
		if absent.Null(int(codes[i])) { // NULL is to be told by the row
			codes[i] = 0
			nulls.Set(i)
			if !coded {
				codes[i] = -1
			}
		}
	}
	if coded {
		return vec.NewDictionary(mem, codes, r.dict, &nulls), nil
	}
	nulls.Release()
	return vec.Take(mem, r.dict, codes)
}

// asBadRow gives errors about values the form that readers locate.
func asBadRow(err error) error {
	if e, ok := errors.AsType[*recast.Error](err); ok {
		return &badRow{row: e.Row, msg: e.Msg}
	}
	return err
}
