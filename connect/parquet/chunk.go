package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect/parquet/internal/codec"
	"github.com/rainsql/rainsql/connect/parquet/internal/encoding"
	"github.com/rainsql/rainsql/connect/parquet/internal/meta"
	"github.com/rainsql/rainsql/connect/parquet/internal/thrift"
)

const maxPageHeader = 1 << 20 // statistics of long strings may be in it

// chunk reads the pages of one column of a row group.
type chunk struct {
	leaf *leaf
	col  column
	mem  memory.Allocator
	win  window
	pos  int64 // in the file, of the next page
	left int64 // values, NULLs counted, in pages that have not been begun
	kind meta.Codec

	page     meta.Page
	pageLeft int  // values of the page that have not been read
	loaded   bool // the page's bytes are unpacked
	first    bool // no data page has been seen
	defs     encoding.Hybrid
	reps     encoding.Hybrid
	scratch  []byte // a page that nobody keeps
	mask     []uint8
	nested   levels
}

func newChunk(l *leaf, mem memory.Allocator, c *meta.Chunk, win window) *chunk {
	start, end := c.Extent()
	win.end = end
	col := l.column(mem)
	if t, ok := col.(*textColumn); ok {
		t.views = l.nested && l.finish == nil
	}
	return &chunk{leaf: l, col: col, mem: mem, win: win, pos: start, left: c.Values, kind: c.Codec, first: true}
}

func (c *chunk) release() { c.col.release() }

// begin sees to it that there are values left in the page, unpacked or not.
func (c *chunk) begin() error {
	for c.pageLeft == 0 {
		if c.left == 0 {
			return encoding.ErrEnd
		}
		n, err := c.header()
		if err != nil {
			return err
		}
		c.pos += int64(n)
		switch c.page.Type {
		case meta.DictionaryPage:
			if !c.first {
				return errors.New("a dictionary comes after the values")
			}
			c.first = false
			if err := c.loadDictionary(); err != nil {
				return err
			}
		case meta.DataPage, meta.DataPageV2:
			if int64(c.page.Values) > c.left {
				return fmt.Errorf("a page declares %d values where %d are left", c.page.Values, c.left)
			}
			c.first = false
			c.left -= int64(c.page.Values)
			c.pageLeft, c.loaded = int(c.page.Values), false
		}
		if c.page.Type == meta.IndexPage || c.page.Type > meta.DataPageV2 || c.page.Values == 0 {
			c.pos += int64(c.page.Compressed)
		}
	}
	return nil
}

// header reads the header at pos, checks it, and returns its length.
func (c *chunk) header() (int, error) {
	for want := 64; ; want *= 4 {
		have := c.win.most(c.pos, want)
		if have == 0 {
			return 0, encoding.ErrEnd
		}
		b, err := c.win.at(c.pos, have)
		if err != nil {
			return 0, err
		}
		p, n, err := meta.ReadPage(b)
		if err == nil {
			c.page = p
			return n, c.checkHeader(n)
		}
		if !errors.Is(err, thrift.ErrShort) || have < want || want >= maxPageHeader {
			return 0, fmt.Errorf("a page header is damaged: %w", err)
		}
	}
}

func (c *chunk) checkHeader(n int) error {
	p := &c.page
	known := p.Type == meta.DataPage || p.Type == meta.DictionaryPage || p.Type == meta.DataPageV2
	switch {
	case c.pos+int64(n)+int64(p.Compressed) > c.win.end:
		return errors.New("a page reaches beyond the end of its column")
	case !known:
		return nil
	case !p.HasHeader || p.Values < 0:
		return errors.New("a page header lacks its number of values")
	case p.Uncompressed > codec.MaxPage:
		return fmt.Errorf("a page declares %d bytes unpacked; up to %d are read", p.Uncompressed, codec.MaxPage)
	case int64(p.Uncompressed) > codec.MaxUnpacked(c.kind, int(p.Compressed)):
		return fmt.Errorf("a page declares that its %d bytes unpack to %d, which they cannot", p.Compressed, p.Uncompressed)
	case p.Type == meta.DataPageV2 && (p.DefBytes < 0 || p.RepBytes < 0 ||
		int64(p.DefBytes)+int64(p.RepBytes) > int64(min(p.Compressed, p.Uncompressed))):
		return errors.New("a page's levels are longer than the page")
	}
	return nil
}

// load unpacks the page that begin has found.
func (c *chunk) load() error {
	if c.loaded {
		return nil
	}
	if c.page.Type == meta.DataPageV2 {
		if err := c.loadV2(); err != nil {
			return err
		}
	} else if err := c.loadV1(); err != nil {
		return err
	}
	c.pos += int64(c.page.Compressed)
	c.loaded = true
	return nil
}

// payload returns the bytes of the page as they are in the file.
func (c *chunk) payload() ([]byte, error) {
	b, err := c.win.at(c.pos, int(c.page.Compressed))
	if err == nil && c.page.HasCRC && crc32.ChecksumIEEE(b) != c.page.CRC {
		err = errors.New("a page is damaged: its checksum does not match")
	}
	return b, err
}

// space returns n bytes to unpack to, in a buffer where the column keeps them.
func (c *chunk) space(n int, keep bool) ([]byte, *memory.Buffer) {
	if keep {
		buf := memory.NewResizableBuffer(c.mem)
		buf.Resize(n + encoding.Padding)
		return buf.Bytes()[:n], buf
	}
	if cap(c.scratch) < n+encoding.Padding {
		c.scratch = make([]byte, n+encoding.Padding)
	}
	return c.scratch[:n], nil
}

// unpack returns src unpacked to n bytes.
func (c *chunk) unpack(src []byte, n int, kind meta.Codec, keep bool) ([]byte, *memory.Buffer, error) {
	if kind == meta.Uncompressed && !keep && len(src) == n {
		return src, nil, nil
	}
	dst, buf := c.space(n, keep)
	if err := codec.Unpack(kind, dst, src); err != nil {
		if buf != nil {
			buf.Release()
		}
		return nil, nil, fmt.Errorf("a page cannot be unpacked: %w", err)
	}
	return dst, buf, nil
}

func (c *chunk) loadDictionary() error {
	b, err := c.payload()
	if err != nil {
		return err
	}
	if c.page.Encoding != meta.Plain && c.page.Encoding != meta.PlainDictionary {
		return encoding.Unknown(c.page.Encoding)
	}
	data, buf, err := c.unpack(b, int(c.page.Uncompressed), c.kind, c.col.keeps(meta.Plain))
	if err != nil {
		return err
	}
	if buf != nil {
		defer buf.Release()
	}
	c.pos += int64(c.page.Compressed)
	c.page.Compressed = 0 // it has been passed
	return c.col.dictionary(&page{enc: meta.Plain, data: data, buf: buf, values: int(c.page.Values)})
}

func (c *chunk) loadV1() error {
	b, err := c.payload()
	if err != nil {
		return err
	}
	data, buf, err := c.unpack(b, int(c.page.Uncompressed), c.kind, c.col.keeps(c.page.Encoding))
	if err != nil {
		return err
	}
	if buf != nil {
		defer buf.Release()
	}
	if data, err = c.levelsV1(data, &c.reps, c.leaf.maxRep, c.page.RepEncoding); err != nil {
		return err
	}
	if data, err = c.levelsV1(data, &c.defs, c.leaf.maxDef, c.page.DefEncoding); err != nil {
		return err
	}
	return c.col.page(&page{enc: c.page.Encoding, data: data, buf: buf, values: int(c.page.Values)})
}

// levelsV1 starts on levels that have their length before them, and returns what follows.
func (c *chunk) levelsV1(data []byte, h *encoding.Hybrid, most uint8, enc meta.Encoding) ([]byte, error) {
	if most == 0 {
		return data, nil
	}
	if enc != meta.RLE {
		return nil, fmt.Errorf("a page's levels have encoding %d, which cannot be read", enc)
	}
	if len(data) < 4 || int64(binary.LittleEndian.Uint32(data)) > int64(len(data)-4) {
		return nil, errors.New("a page's levels are longer than the page")
	}
	n := 4 + int(binary.LittleEndian.Uint32(data))
	return data[n:], h.Reset(data[4:n], width(most))
}

func (c *chunk) loadV2() error {
	b, err := c.payload()
	if err != nil {
		return err
	}
	p := &c.page
	n := int(p.RepBytes) + int(p.DefBytes)
	kind := c.kind
	if !p.Packed {
		kind = meta.Uncompressed
	}
	values := int(p.Uncompressed) - n
	var data []byte
	var buf *memory.Buffer
	// The levels are used while the values are, so they must not lie in the window alone.
	lv := make([]byte, n, n+encoding.Padding)
	copy(lv, b)
	if values > 0 || len(b) > n {
		if data, buf, err = c.unpack(b[n:], values, kind, c.col.keeps(p.Encoding)); err != nil {
			return err
		}
	} else {
		data, buf = c.space(0, c.col.keeps(p.Encoding))
	}
	if buf != nil {
		defer buf.Release()
	}
	if err := c.reps.Reset(lv[:p.RepBytes], width(c.leaf.maxRep)); err != nil {
		return err
	}
	if err := c.defs.Reset(lv[p.RepBytes:], width(c.leaf.maxDef)); err != nil {
		return err
	}
	return c.col.page(&page{enc: p.Encoding, data: data, buf: buf, values: int(p.Values)})
}
