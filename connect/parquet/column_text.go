package parquet

import (
	"unicode/utf8"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect/arrowipc/recast"
	"github.com/rainsql/rainsql/connect/parquet/internal/encoding"
	"github.com/rainsql/rainsql/connect/parquet/internal/meta"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

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
	dictViews []recast.View
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
	heads.Resize(n * recast.ViewSize)
	views := recast.Slice[recast.View](heads.Bytes())
	ascii := !c.text || recast.IsASCII(p.data)
	base := baseOf(p)
	for i, s := range spans {
		v := p.data[s.Off : s.Off+s.Len]
		if !ascii && !utf8.Valid(v) {
			if c.bad == nil {
				c.bad = map[int32]bool{}
			}
			c.bad[int32(i)] = true
		}
		views[i] = recast.ViewOf(v, 0, base+s.Off)
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

func (c *textColumn) page(p *page) error {
	c.dropPage()
	c.isCoded = isDictionary(p.enc)
	if c.isCoded {
		return encoding.Codes(&c.codes, p.data, c.dict != nil)
	}
	c.data, c.ascii = p.data, !c.text || p.enc != meta.DeltaByteArray && recast.IsASCII(p.data)
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
	vals := recast.Slice[T](c.heads.Bytes())[c.rows : c.rows+rows]
	if clean {
		clear(vals)
	}
	return vals
}

func (c *textColumn) read(rows int, mask []uint8, valid int) error {
	if rows == 0 {
		return nil // nothing yet to choose a layout by
	}
	if c.rows == 0 {
		c.coded = c.isCoded && !c.views && c.dict.Len()*recast.DictShare <= max(c.hint, rows)
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
		views := room[recast.View](c, rows, valid < rows)
		if err = c.gather(views[:valid], mask); err == nil && valid < rows {
			spread(views, mask[:rows], valid)
		}
	default:
		views := room[recast.View](c, rows, valid < rows)
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
		codes := recast.Slice[int32](c.heads.Bytes())[c.rows : c.rows+rows]
		for i, m := range mask[:rows] {
			codes[i] &= -int32(m)
		}
		return
	}
	views := recast.Slice[recast.View](c.heads.Bytes())[c.rows : c.rows+rows]
	for i, m := range mask[:rows] {
		if m == 0 {
			views[i] = recast.View{}
		}
	}
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
