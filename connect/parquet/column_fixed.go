package parquet

import (
	"fmt"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect/arrowipc/recast"
	"github.com/rainsql/rainsql/connect/parquet/internal/encoding"
	"github.com/rainsql/rainsql/connect/parquet/internal/meta"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// fixedColumn reads numbers stored as T into a column of R.
type fixedColumn[T encoding.Fixed, R vec.FixedWidth] struct {
	validity
	typ      types.Type
	convert  func(T) (R, bool) // nil: R has the memory of T
	src      encoding.Numbers[T]
	buf      *memory.Buffer
	scratch  []T
	rowsHint int
}

// same reads values that need no conversion.
func same[T encoding.Fixed](t types.Type) reading {
	return reading{typ: t, column: func(mem memory.Allocator) column {
		return &fixedColumn[T, T]{validity: validity{mem: mem}, typ: t}
	}}
}

// converted reads values through f; not ok means that a value does not fit.
func converted[T encoding.Fixed, R vec.FixedWidth](t types.Type, f func(T) (R, bool)) reading {
	return reading{typ: t, column: func(mem memory.Allocator) column {
		return &fixedColumn[T, R]{validity: validity{mem: mem}, typ: t, convert: f}
	}}
}

func (c *fixedColumn[T, R]) keeps(meta.Encoding) bool { return false }
func (c *fixedColumn[T, R]) dictionary(p *page) error { return c.src.Dictionary(p.data, p.values) }
func (c *fixedColumn[T, R]) page(p *page) error       { return c.src.Page(p.enc, p.data) }
func (c *fixedColumn[T, R]) reserve(rows int)         { c.rowsHint = rows }
func (c *fixedColumn[T, R]) skip(valid int) error     { return c.src.Skip(valid) }

func (c *fixedColumn[T, R]) read(rows int, mask []uint8, valid int) error {
	var r R
	if c.buf == nil {
		c.buf = memory.NewResizableBuffer(c.mem)
		c.buf.Reserve(max(rows, c.rowsHint) * int(unsafe.Sizeof(r)))
	}
	grow(c.buf, (c.rows+rows)*int(unsafe.Sizeof(r)))
	vals := recast.Slice[R](c.buf.Bytes())[c.rows : c.rows+rows]
	if valid < rows {
		clear(vals)
	}
	if c.convert == nil {
		if valid > 0 {
			if err := c.src.Read(unsafe.Slice((*T)(unsafe.Pointer(&vals[0])), valid)); err != nil {
				return err
			}
		}
	} else {
		if cap(c.scratch) < valid {
			c.scratch = make([]T, max(valid, 1024))
		}
		raw := c.scratch[:valid]
		if err := c.src.Read(raw); err != nil {
			return err
		}
		for i, v := range raw {
			var ok bool
			if vals[i], ok = c.convert(v); !ok {
				return &misfit{row: nth(mask, i), msg: fmt.Sprintf("%v is stored where only %s can be", v, c.typ)}
			}
		}
	}
	if valid < rows {
		spread(vals, mask[:rows], valid)
	}
	c.add(rows, mask, valid)
	return nil
}

// nth returns the row of the i-th value.
func nth(mask []uint8, i int) int {
	if mask == nil {
		return i
	}
	for row, m := range mask {
		if m != 0 {
			if i == 0 {
				return row
			}
			i--
		}
	}
	return 0
}

func (c *fixedColumn[T, R]) finish() arrow.Array {
	buf := c.buf
	if buf == nil {
		buf = memory.NewResizableBuffer(c.mem)
	}
	c.buf = nil
	valid, rows, nulls := c.take()
	return newArray(c.typ.Arrow(), rows, nulls, []*memory.Buffer{valid, buf}, nil)
}

func (c *fixedColumn[T, R]) release() {
	c.validity.release()
	if c.buf != nil {
		c.buf.Release()
		c.buf = nil
	}
}
