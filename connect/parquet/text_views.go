package parquet

import (
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect/arrowipc/recast"
	"github.com/rainsql/rainsql/connect/parquet/internal/encoding"
)

// readCodes reads codes, and checks that the dictionary has them.
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
func (c *textColumn) gather(dst []recast.View, mask []uint8) error {
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

func (c *textColumn) lookUp(dst []recast.View, codes []int32) {
	buf := c.buffer(c.dictBuf)
	for i, code := range codes {
		v := c.dictViews[code]
		if v.Size > recast.InlineMax {
			v.Buf = buf
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
	views := room[recast.View](c, rows, false)
	c.rows = rows
	c.lookUp(views, recast.Slice[int32](codes.Bytes())[:rows])
	codes.Release()
	if c.nulls > 0 {
		set := c.validity.buf.Bytes()
		for i := range views {
			if set[i>>3]>>(i&7)&1 == 0 {
				views[i] = recast.View{}
			}
		}
	}
}

func (c *textColumn) readViews(dst []recast.View, mask []uint8) error {
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
		dst[i] = recast.ViewOf(v, buf, base+s.Off)
	}
	return nil
}
