package parquet

import (
	"unicode/utf8"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect/parquet/internal/encoding"
	"github.com/rainsql/rainsql/connect/parquet/internal/meta"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// view is a value of a view array: its length, then either up to twelve bytes,
// or the first four, the number of a buffer and where in it the value lies.
type view struct {
	size   int32
	prefix [4]byte
	buf    int32
	off    int32
}

const (
	inlineMax = 12
	viewSize  = int(unsafe.Sizeof(view{}))
)

func viewOf(v []byte, buf, off int32) view {
	w := view{size: int32(len(v))}
	if len(v) <= inlineMax {
		copy(unsafe.Slice(&w.prefix[0], inlineMax), v)
		return w
	}
	copy(w.prefix[:], v)
	w.buf, w.off = buf, off
	return w
}

// dictShare is which part of a batch's rows a dictionary may have as many
// values as: a larger one would cost those who work on its values more than it saves.
const dictShare = 2

// textColumn reads strings of bytes. A batch whose pages all refer to the
// chunk's dictionary comes as codes, any other as views into pages.
type textColumn struct {
	validity
	dt    arrow.DataType
	text  bool // values must be UTF-8
	width int  // of every value; 0: any
	src   encoding.Strings
	hint  int  // rows of a batch
	views bool // never codes: what is in a LIST or STRUCT comes in one layout

	// The dictionary: its array, and its values as views into buffer 0.
	dict      arrow.Array
	dictViews []view
	dictBuf   *memory.Buffer
	bad       map[int32]bool // those that are not UTF-8
	codes     encoding.Hybrid

	// The page.
	isCoded bool
	ascii   bool
	data    []byte
	pageBuf *memory.Buffer

	// The batch.
	coded bool // it has codes so far
	heads *memory.Buffer
	bufs  []*memory.Buffer
	spans []encoding.Span
	idx   []int32
}

func texts(t types.Type, width int) reading {
	return reading{typ: t, column: func(mem memory.Allocator) column {
		c := &textColumn{validity: validity{mem: mem}, dt: t.Arrow(), text: t.Kind == types.String, width: width}
		c.src.SetWidth(width)
		return c
	}}
}

// ofBytes reads bytes and makes values of them.
func ofBytes[R vec.FixedWidth](width int, t types.Type, f func([]byte) (R, bool)) reading {
	r := texts(types.BYTES, width)
	r.typ = t
	r.finish = owned(func(mem memory.Allocator, a arrow.Array) (arrow.Array, error) { return bytesTo(mem, a, t, f) })
	return r
}

func isDictionary(enc meta.Encoding) bool {
	return enc == meta.RLEDictionary || enc == meta.PlainDictionary
}

func (c *textColumn) keeps(enc meta.Encoding) bool {
	return enc == meta.Plain || enc == meta.DeltaLengthByteArray
}

func (c *textColumn) reserve(rows int) { c.hint = rows }

func (c *textColumn) dictionary(p *page) error {
	if err := c.src.Page(meta.Plain, p.data, p.values); err != nil {
		return err
	}
	n, size := p.values, max(c.width, 4)
	if c.width == 0 && n > len(p.data)/size || c.width > 0 && n > len(p.data)/c.width {
		return encoding.ErrEnd
	}
	spans := make([]encoding.Span, n)
	if _, err := c.src.Read(spans, nil); err != nil {
		return err
	}
	heads := memory.NewResizableBuffer(c.mem)
	heads.Resize(n * viewSize)
	views := slice[view](heads.Bytes())
	ascii := !c.text || isASCII(p.data)
	base := baseOf(p)
	for i, s := range spans {
		v := p.data[s.Off : s.Off+s.Len]
		if !ascii && !utf8.Valid(v) {
			if c.bad == nil {
				c.bad = map[int32]bool{}
			}
			c.bad[int32(i)] = true
		}
		views[i] = viewOf(v, 0, base+s.Off)
	}
	p.buf.Retain()
	c.dictBuf = p.buf
	p.buf.Retain() // the array's
	c.dict = newArray(c.dt, n, 0, []*memory.Buffer{nil, heads, p.buf}, nil)
	c.dictViews = views
	return nil
}

// baseOf is where in the page's buffer its values begin.
func baseOf(p *page) int32 {
	if len(p.data) == 0 {
		return 0
	}
	return int32(uintptr(unsafe.Pointer(&p.data[0])) - uintptr(unsafe.Pointer(&p.buf.Bytes()[0])))
}

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

func (c *textColumn) page(p *page) error {
	c.dropPage()
	c.isCoded = isDictionary(p.enc)
	if c.isCoded {
		return encoding.Codes(&c.codes, p.data, c.dict != nil)
	}
	c.data, c.ascii = p.data, !c.text || p.enc != meta.DeltaByteArray && isASCII(p.data)
	if p.buf != nil {
		p.buf.Retain()
		c.pageBuf = p.buf
	}
	return c.src.Page(p.enc, p.data, p.values)
}

func (c *textColumn) dropPage() {
	if c.pageBuf != nil {
		c.pageBuf.Release()
		c.pageBuf = nil
	}
	c.data = nil
}

func (c *textColumn) skip(valid int) error {
	if c.isCoded {
		return c.codes.Skip(valid)
	}
	return c.src.Skip(valid)
}

// room makes place for more rows and returns it; clean where not all get a value.
func room[T any](c *textColumn, rows int, clean bool) []T {
	var t T
	size := int(unsafe.Sizeof(t))
	if c.heads == nil {
		c.heads = memory.NewResizableBuffer(c.mem)
		c.heads.Reserve(max(rows, c.hint) * size)
	}
	grow(c.heads, (c.rows+rows)*size)
	vals := slice[T](c.heads.Bytes())[c.rows : c.rows+rows]
	if clean {
		clear(vals)
	}
	return vals
}

func (c *textColumn) read(rows int, mask []uint8, valid int) error {
	if c.rows == 0 {
		c.coded = c.isCoded && !c.views && c.dict.Len()*dictShare <= max(c.hint, rows)
	} else if c.coded && !c.isCoded {
		c.expand()
	}
	var err error
	switch {
	case c.coded:
		codes := room[int32](c, rows, valid < rows)
		if err = c.readCodes(codes[:valid], mask); err == nil && valid < rows {
			spread(codes, mask[:rows], valid)
		}
	case c.isCoded:
		views := room[view](c, rows, valid < rows)
		if err = c.gather(views[:valid], mask); err == nil && valid < rows {
			spread(views, mask[:rows], valid)
		}
	default:
		views := room[view](c, rows, valid < rows)
		if err = c.readViews(views[:valid], mask); err == nil && valid < rows {
			spread(views, mask[:rows], valid)
		}
	}
	if err != nil {
		return err
	}
	c.wipe(rows, mask, valid)
	c.add(rows, mask, valid)
	return nil
}

// wipe makes what lies under NULLs harmless: spread leaves values there.
func (c *textColumn) wipe(rows int, mask []uint8, valid int) {
	if valid == rows {
		return
	}
	if c.coded {
		codes := slice[int32](c.heads.Bytes())[c.rows : c.rows+rows]
		for i, m := range mask[:rows] {
			codes[i] &= -int32(m)
		}
		return
	}
	views := slice[view](c.heads.Bytes())[c.rows : c.rows+rows]
	for i, m := range mask[:rows] {
		if m == 0 {
			views[i] = view{}
		}
	}
}

func (c *textColumn) readCodes(dst []int32, mask []uint8) error {
	if err := encoding.Decode(&c.codes, dst); err != nil {
		return err
	}
	most := uint32(0)
	for _, code := range dst {
		most = max(most, uint32(code))
	}
	if len(dst) > 0 && int64(most) >= int64(c.dict.Len()) {
		return encoding.ErrCode
	}
	if c.bad != nil {
		for i, code := range dst {
			if c.bad[code] {
				return notUTF8(mask, i)
			}
		}
	}
	return nil
}

func notUTF8(mask []uint8, i int) error {
	return &misfit{row: nth(mask, i), msg: "text is not valid UTF-8"}
}

// gather turns codes into views at once.
func (c *textColumn) gather(dst []view, mask []uint8) error {
	if cap(c.idx) < len(dst) {
		c.idx = make([]int32, max(len(dst), 1024))
	}
	idx := c.idx[:len(dst)]
	if err := c.readCodes(idx, mask); err != nil {
		return err
	}
	c.lookUp(dst, idx)
	return nil
}

func (c *textColumn) lookUp(dst []view, codes []int32) {
	buf := c.buffer(c.dictBuf)
	for i, code := range codes {
		v := c.dictViews[code]
		if v.size > inlineMax {
			v.buf = buf
		}
		dst[i] = v
	}
}

// buffer returns the number of b among the batch's buffers.
func (c *textColumn) buffer(b *memory.Buffer) int32 {
	for i, have := range c.bufs {
		if have == b {
			return int32(i)
		}
	}
	b.Retain()
	c.bufs = append(c.bufs, b)
	return int32(len(c.bufs) - 1)
}

// expand turns the batch's codes into views, as a page without codes follows.
func (c *textColumn) expand() {
	codes := c.heads
	c.heads, c.coded = nil, false
	rows := c.rows
	c.rows = 0
	views := room[view](c, rows, false)
	c.rows = rows
	c.lookUp(views, slice[int32](codes.Bytes())[:rows])
	codes.Release()
	if c.nulls > 0 {
		set := c.validity.buf.Bytes()
		for i := range views {
			if set[i>>3]>>(i&7)&1 == 0 {
				views[i] = view{}
			}
		}
	}
}

func (c *textColumn) readViews(dst []view, mask []uint8) error {
	if len(dst) == 0 {
		return nil
	}
	if cap(c.spans) < len(dst) {
		c.spans = make([]encoding.Span, max(len(dst), 1024))
	}
	spans := c.spans[:len(dst)]
	var own *memory.Buffer
	arena, err := c.src.Read(spans, func(n int) []byte {
		own = memory.NewResizableBuffer(c.mem)
		own.Resize(n)
		return own.Bytes()
	})
	if own != nil {
		defer own.Release()
	}
	if err != nil {
		return err
	}
	data, home, base := c.data, c.pageBuf, int32(0)
	if own != nil {
		data, home = arena, own
	} else if home != nil && len(data) > 0 {
		base = baseOf(&page{data: data, buf: home})
	}
	buf := int32(0)
	if home != nil {
		buf = c.buffer(home)
	}
	for i, s := range spans {
		v := data[s.Off : s.Off+s.Len]
		if !c.ascii && !utf8.Valid(v) {
			return notUTF8(mask, i)
		}
		dst[i] = viewOf(v, buf, base+s.Off)
	}
	return nil
}

func (c *textColumn) finish() arrow.Array {
	heads := c.heads
	if heads == nil {
		heads = memory.NewResizableBuffer(c.mem)
	}
	bufs := c.bufs
	coded := c.coded
	c.heads, c.bufs, c.coded = nil, nil, false
	valid, rows, nulls := c.take()
	if coded {
		dt := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: c.dt}
		d := array.NewDataWithDictionary(dt, rows, []*memory.Buffer{valid, heads}, nulls, 0, c.dict.Data().(*array.Data))
		defer d.Release()
		if valid != nil {
			valid.Release()
		}
		heads.Release()
		return array.NewDictionaryData(d)
	}
	return newArray(c.dt, rows, nulls, append([]*memory.Buffer{valid, heads}, bufs...), nil)
}

func (c *textColumn) release() {
	c.validity.release()
	c.dropPage()
	if c.dict != nil {
		c.dict.Release()
		c.dictBuf.Release()
		c.dict, c.dictBuf, c.dictViews = nil, nil, nil
	}
	if c.heads != nil {
		c.heads.Release()
		c.heads = nil
	}
	for _, b := range c.bufs {
		b.Release()
	}
	c.bufs = nil
}
