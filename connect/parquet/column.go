package parquet

import (
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect/parquet/internal/encoding"
	"github.com/rainsql/rainsql/connect/parquet/internal/meta"
)

// column gathers the values of a leaf for one batch after another. It is used
// by one goroutine at a time.
type column interface {
	// keeps reports whether arrays will share the memory of such a page's values.
	keeps(enc meta.Encoding) bool
	// dictionary takes the chunk's dictionary; page starts on the values of a page.
	dictionary(p *page) error
	page(p *page) error
	// reserve says how many rows the next batch has about.
	reserve(rows int)
	// read adds rows, of which valid have a value, those whose mask is 1 (nil: all).
	// A *misfit counts rows from the first of these.
	read(rows int, mask []uint8, valid int) error
	// skip passes over values.
	skip(valid int) error
	// finish returns what was read, as an array that the caller owns, and starts afresh.
	finish() arrow.Array
	// release frees everything. Idempotent.
	release()
}

// page is the values of a page: those after the levels.
type page struct {
	enc    meta.Encoding
	data   []byte         // with encoding.Padding readable bytes after them
	buf    *memory.Buffer // that data lies in, where the column keeps it
	values int            // with NULLs
}

// misfit is a value that its column cannot hold.
type misfit struct {
	row int
	msg string
}

func (e *misfit) Error() string { return e.msg }

// validity gathers which rows are not NULL; there is no bitmap while none is.
type validity struct {
	mem   memory.Allocator
	buf   *memory.Buffer
	rows  int
	nulls int
}

func (v *validity) add(rows int, mask []uint8, valid int) {
	if v.buf == nil && valid == rows {
		v.rows += rows
		return
	}
	if v.buf == nil {
		v.buf = memory.NewResizableBuffer(v.mem)
	}
	grow(v.buf, int(bitutil.BytesForBits(int64(v.rows+rows))))
	set := v.buf.Bytes()
	if v.nulls == 0 {
		bitutil.SetBitsTo(set, 0, int64(v.rows), true)
	}
	if valid == rows {
		bitutil.SetBitsTo(set, int64(v.rows), int64(rows), true)
	} else {
		for i, m := range mask[:rows] {
			bitutil.SetBitTo(set, v.rows+i, m != 0)
		}
	}
	v.rows += rows
	v.nulls += rows - valid
}

// grow makes b at least n bytes long, and room for more to come.
func grow(b *memory.Buffer, n int) {
	if n > b.Cap() {
		b.Reserve(max(n, 2*b.Cap()))
	}
	if n > b.Len() {
		b.ResizeNoShrink(n)
	}
}

// take hands over the bitmap and starts afresh.
func (v *validity) take() (buf *memory.Buffer, rows, nulls int) {
	buf, rows, nulls = v.buf, v.rows, v.nulls
	v.buf, v.rows, v.nulls = nil, 0, 0
	return buf, rows, nulls
}

func (v *validity) release() {
	if v.buf != nil {
		v.buf.Release()
	}
	v.buf, v.rows, v.nulls = nil, 0, 0
}

// spread moves values, which lie close together at the front, to where the mask
// is 1. What lies between is left as it was.
func spread[T any](vals []T, mask []uint8, valid int) {
	j := valid - 1
	for i := len(mask) - 1; i > j && j >= 0; i-- {
		if mask[i] != 0 {
			vals[i] = vals[j]
			j--
		}
	}
}

// newArray makes an array of buffers whose references it takes over.
func newArray(dt arrow.DataType, rows, nulls int, bufs []*memory.Buffer, children []arrow.ArrayData) arrow.Array {
	d := array.NewData(dt, rows, bufs, children, nulls, 0)
	defer d.Release()
	for _, b := range bufs {
		if b != nil {
			b.Release()
		}
	}
	return array.MakeFromData(d)
}

// boolColumn reads BOOL.
type boolColumn struct {
	validity
	src     encoding.Bools
	bits    *memory.Buffer
	scratch []uint8
}

func newBools(mem memory.Allocator) column { return &boolColumn{validity: validity{mem: mem}} }

func (c *boolColumn) keeps(meta.Encoding) bool { return false }
func (c *boolColumn) dictionary(*page) error   { return encoding.Unknown(meta.RLEDictionary) }
func (c *boolColumn) page(p *page) error       { return c.src.Page(p.enc, p.data) }
func (c *boolColumn) reserve(int)              {}
func (c *boolColumn) skip(valid int) error     { return c.src.Skip(valid) }

func (c *boolColumn) read(rows int, mask []uint8, valid int) error {
	if cap(c.scratch) < rows {
		c.scratch = make([]uint8, rows)
	}
	vals := c.scratch[:rows]
	if err := c.src.Read(vals[:valid]); err != nil {
		return err
	}
	if valid < rows {
		spread(vals, mask[:rows], valid)
	}
	if c.bits == nil {
		c.bits = memory.NewResizableBuffer(c.mem)
	}
	at := c.rows
	grow(c.bits, int(bitutil.BytesForBits(int64(at+rows))))
	set := c.bits.Bytes()
	for i, v := range vals {
		bitutil.SetBitTo(set, at+i, v != 0)
	}
	c.add(rows, mask, valid)
	return nil
}

func (c *boolColumn) finish() arrow.Array {
	set := c.bits
	if set == nil {
		set = memory.NewResizableBuffer(c.mem)
	}
	c.bits = nil
	valid, rows, nulls := c.take()
	return newArray(arrow.FixedWidthTypes.Boolean, rows, nulls, []*memory.Buffer{valid, set}, nil)
}

func (c *boolColumn) release() {
	c.validity.release()
	if c.bits != nil {
		c.bits.Release()
		c.bits = nil
	}
}

// width returns how many bits levels up to most need.
func width(most uint8) int { return bits.Len8(most) }
