package arrowipc

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// raw is a field of a record batch as the file holds it, checked: whatever its
// buffers refer to is there.
type raw struct {
	f        *field
	n        int
	nulls    int
	valid    *memory.Buffer // nil where nulls is 0
	b        []*memory.Buffer
	children []*raw
	dict     arrow.Array // of codes: the dictionary's values
}

func (r *raw) release() {
	if r == nil {
		return
	}
	if r.valid != nil {
		r.valid.Release()
	}
	for _, b := range r.b {
		if b != nil {
			b.Release()
		}
	}
	for _, c := range r.children {
		c.release()
	}
	if r.dict != nil {
		r.dict.Release()
	}
}

// counts is how far a field's nodes, buffers and counts of view buffers reach.
type counts struct{ nodes, buffers, variadic int }

// plainBuffers is how many buffers a layout has, those of views not counted.
func (h *batchHead) plainBuffers(f *field) int {
	if f.dict != nil {
		return 2
	}
	switch f.layout {
	case noValues, runEnds:
		return 0
	case fixedList, structure:
		return 1
	case bits, fixed, views, list32, list64:
		return 2
	case denseUnion:
		if h.old {
			return 3
		}
		return 2
	case sparseUnion:
		if h.old {
			return 2
		}
		return 1
	}
	return 3
}

// skip passes over a field.
func (h *batchHead) skip(f *field, at counts) (counts, error) {
	at.nodes++
	at.buffers += h.plainBuffers(f)
	if f.dict != nil {
		return at, nil
	}
	if f.layout == views {
		n, err := h.viewBuffers(at.variadic)
		if err != nil {
			return at, err
		}
		at.variadic++
		at.buffers += n
	}
	for _, c := range f.children {
		var err error
		if at, err = h.skip(c, at); err != nil {
			return at, err
		}
	}
	return at, nil
}

var errShape = errors.New("a record batch does not go with the schema")

func (h *batchHead) viewBuffers(i int) (int, error) {
	if i >= h.variadic.Len() {
		return 0, errShape
	}
	n := h.variadic.Int64(i, 0)
	if n < 0 || n > int64(h.buffers.Len()) {
		return 0, errShape
	}
	return int(n), nil
}

// loader reads the fields of one record batch.
type loader struct {
	*batchHead
	mem   memory.Allocator
	dicts map[int64]arrow.Array
	pages []part // of the body that are in memory
	at    counts
}

// part is a range of the body.
type part struct {
	from, to int64
	buf      *memory.Buffer
}

func (l *loader) close() {
	for _, p := range l.pages {
		if p.buf != nil {
			p.buf.Release()
		}
	}
	l.pages = nil
}

// nearby is how far apart two ranges may lie to be read at once.
const nearby = 64 << 10

// fetch reads the parts of the body that the wanted columns lie in, and notes
// where each column begins.
func (l *loader) fetch(in input, cols []*field, wanted []bool) ([]counts, error) {
	starts := make([]counts, len(cols))
	var at counts
	for i, f := range cols {
		starts[i] = at
		next, err := l.skip(f, at)
		if err != nil {
			return nil, err
		}
		if next.nodes > l.nodes.Len() || next.buffers > l.buffers.Len() {
			return nil, errShape
		}
		if wanted[i] {
			l.want(at.buffers, next.buffers)
		}
		at = next
	}
	for i := range l.pages {
		p := &l.pages[i]
		buf, err := in.buffer(l.mem, l.body+p.from, p.to-p.from)
		if err != nil {
			return nil, err
		}
		p.buf = buf
	}
	return starts, nil
}

// want adds buffers to the parts that are to be read.
func (l *loader) want(from, to int) {
	for i := from; i < to; i++ {
		off, n := l.buffers.Int64(i, 0), l.buffers.Int64(i, 8)
		if n > 0 {
			l.pages = append(l.pages, part{from: off, to: off + n})
		}
	}
	slices.SortFunc(l.pages, func(a, b part) int { return cmp.Compare(a.from, b.from) })
	joined := l.pages[:0]
	for _, p := range l.pages {
		if k := len(joined) - 1; k >= 0 && p.from <= joined[k].to+nearby {
			joined[k].to = max(joined[k].to, p.to)
			continue
		}
		joined = append(joined, p)
	}
	l.pages = joined
}

// buffer returns the next buffer, unpacked, which the caller releases.
func (l *loader) buffer() (*memory.Buffer, error) {
	i := l.at.buffers
	if i >= l.buffers.Len() {
		return nil, errShape
	}
	l.at.buffers++
	off, n := l.buffers.Int64(i, 0), l.buffers.Int64(i, 8)
	if n == 0 {
		return memory.NewBufferBytes(nil), nil
	}
	k := slices.IndexFunc(l.pages, func(p part) bool { return p.from <= off && off+n <= p.to })
	if k < 0 {
		return nil, errShape
	}
	p := l.pages[k]
	b := memory.SliceBuffer(p.buf, int(off-p.from), int(n))
	if l.codec == noCodec {
		return b, nil
	}
	defer b.Release()
	if data := b.Bytes(); len(data) >= 8 && string(data[:8]) == "\xff\xff\xff\xff\xff\xff\xff\xff" {
		return memory.SliceBuffer(p.buf, int(off-p.from)+8, int(n)-8), nil
	}
	return unpack(l.mem, l.codec, b.Bytes())
}

// load reads the next field, which has n rows or (-1) as many as it says.
func (l *loader) load(f *field, rows int) (r *raw, err error) {
	if l.at.nodes >= l.nodes.Len() {
		return nil, errShape
	}
	n := l.nodes.Int64(l.at.nodes, 0)
	l.at.nodes++
	if n < 0 || n > math.MaxInt32 || rows >= 0 && n < int64(rows) {
		return nil, fmt.Errorf("column %q declares %d rows", f.name, n)
	}
	r = &raw{f: f, n: int(n)}
	defer func() {
		if err != nil {
			r.release()
			r = nil
		}
	}()
	if f.dict == nil && (f.layout == noValues || f.layout == runEnds) {
		if f.layout == noValues {
			r.nulls = r.n
			return r, nil
		}
		return r, l.loadRuns(r)
	}
	if err := l.loadValidity(r); err != nil {
		return r, err
	}
	more := l.plainBuffers(f) - 1
	for range more {
		b, err := l.buffer()
		if err != nil {
			return r, err
		}
		r.b = append(r.b, b)
	}
	if f.dict != nil {
		if r.dict = l.dicts[f.dict.id]; r.dict == nil {
			return r, fmt.Errorf("the dictionary of column %q is not there", f.name)
		}
		r.dict.Retain()
		return r, r.checkCodes()
	}
	if f.layout == views {
		k, err := l.viewBuffers(l.at.variadic)
		if err != nil {
			return r, err
		}
		l.at.variadic++
		for range k {
			b, err := l.buffer()
			if err != nil {
				return r, err
			}
			r.b = append(r.b, b)
		}
		return r, r.checkViews(l.mem)
	}
	if err := r.check(); err != nil {
		return r, err
	}
	return r, l.loadChildren(r)
}

func (l *loader) loadValidity(r *raw) error {
	b, err := l.buffer()
	if err != nil {
		return err
	}
	if b.Len() == 0 {
		b.Release()
		return nil
	}
	if b.Len() < int(bitutil.BytesForBits(int64(r.n))) {
		b.Release()
		return errShort(r.f)
	}
	if r.nulls = r.n - bitutil.CountSetBits(b.Bytes(), 0, r.n); r.nulls == 0 {
		b.Release()
		return nil
	}
	r.valid = b
	return nil
}

func errShort(f *field) error { return fmt.Errorf("column %q is shorter than it says", f.name) }

func (l *loader) loadChildren(r *raw) error {
	rows := -1
	if r.f.layout == structure {
		rows = r.n
	}
	for _, f := range r.f.children {
		c, err := l.load(f, rows)
		if err != nil {
			return err
		}
		r.children = append(r.children, c)
	}
	return r.checkChildren()
}

func (l *loader) loadRuns(r *raw) error {
	for _, f := range r.f.children {
		c, err := l.load(f, -1)
		if err != nil {
			return err
		}
		r.children = append(r.children, c)
	}
	return r.checkRuns()
}
