package parquet

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"

	"github.com/rainsql/rainsql/connect/parquet/internal/codec"
	"github.com/rainsql/rainsql/connect/parquet/internal/encoding"
	"github.com/rainsql/rainsql/connect/parquet/internal/meta"
	"github.com/rainsql/rainsql/expr/types"
)

// Limits of the pages of one column. Small pages let readers pass over more.
const (
	maxPageBytes  = 1 << 20 // before packing
	minPageBytes  = 64 << 10
	maxPageValues = 64 << 10
	maxValueBytes = 128 << 20 // of one value, so that readers take its page
)

// leafWriter makes the column chunks of one leaf, a row group after another.
type leafWriter struct {
	typ            types.Type
	elem           meta.Element
	path           []string
	maxDef, maxRep uint8
	pageBytes      int

	// The page.
	defs, reps []uint8
	plain      []byte // values, while they are not codes
	bits       int    // of plain, where values are single bits
	codes      []int32

	// The chunk.
	dict     *dictionary // nil once it does not pay
	pages    [][]byte    // packed, each after its header
	packed   int         // bytes of pages
	unpacked int64
	values   int64
	nulls    int64
	hasCodes bool
	hasPlain bool
	bounds   bounds
	poor     bool // a dictionary did not pay in the row group before
}

func newLeafWriter(t types.Type, e meta.Element, path []string, def, rep uint8) *leafWriter {
	w := &leafWriter{typ: t, elem: e, path: path, maxDef: def, maxRep: rep}
	w.reset()
	return w
}

// reset starts on the next row group.
func (w *leafWriter) reset() {
	w.pages, w.packed, w.unpacked, w.values, w.nulls = nil, 0, 0, 0, 0
	w.hasCodes, w.hasPlain = false, false
	w.bounds = bounds{}
	w.dict = nil
	if w.elem.Physical != meta.Boolean && !w.poor {
		w.dict = newDictionary()
	}
}

// held is the bytes kept until the row group ends.
func (w *leafWriter) held() int {
	n := w.packed + len(w.plain) + 4*len(w.codes) + len(w.defs) + len(w.reps)
	if w.dict != nil {
		n += len(w.dict.data)
	}
	return n
}

// full reports that the page should end before the next row.
func (w *leafWriter) full() bool {
	return len(w.defs) >= maxPageValues || len(w.plain) >= w.pageBytes || w.dict != nil && len(w.dict.data) >= dictBytes
}

// level adds a slot, which has a value or not.
func (w *leafWriter) level(rep, def uint8, value bool) {
	w.defs = append(w.defs, def)
	if w.maxRep > 0 {
		w.reps = append(w.reps, rep)
	}
	if !value {
		w.nulls++
	}
}

// number adds a value of four or eight bytes, given by its bits.
func (w *leafWriter) number(v uint64, size int) {
	if w.dict != nil {
		code, fresh := w.dict.number(v, size)
		w.codes = append(w.codes, code)
		if fresh {
			w.bounds.number(w, v)
		}
		return
	}
	w.bounds.number(w, v)
	if size == 4 {
		w.plain = binary.LittleEndian.AppendUint32(w.plain, uint32(v))
		return
	}
	w.plain = binary.LittleEndian.AppendUint64(w.plain, v)
}

// text adds a value of bytes; it returns its code where there is a dictionary.
func (w *leafWriter) text(v []byte) (code int32, ok bool) {
	fixed := w.elem.Physical == meta.FixedByteArray
	if w.dict != nil {
		code, fresh := w.dict.text(v, fixed)
		w.codes = append(w.codes, code)
		if fresh {
			w.bounds.text(w, v)
		}
		return code, true
	}
	w.bounds.text(w, v)
	if !fixed {
		w.plain = binary.LittleEndian.AppendUint32(w.plain, uint32(len(v)))
	}
	w.plain = append(w.plain, v...)
	return 0, false
}

// bit adds a BOOL.
func (w *leafWriter) bit(v bool) {
	if w.bits&7 == 0 {
		w.plain = append(w.plain, 0)
	}
	if v {
		w.plain[len(w.plain)-1] |= 1 << (w.bits & 7)
	}
	w.bits++
}

// review ends the use of the dictionary where it does not pay: it has become
// large, or most values are there once.
func (w *leafWriter) review() error {
	if w.dict == nil {
		return nil
	}
	seen := int(w.values) + len(w.codes)
	if len(w.dict.data) < dictBytes && (seen < dictTrial || w.dict.count*2 < seen) {
		return nil
	}
	if w.hasCodes { // the pages so far stay as they are, and so does the dictionary for them
		if err := w.endPage(); err != nil {
			return err
		}
		w.dict.closed = true
	} else {
		w.plain = w.dict.expand(w.plain[:0], w.codes, w.elem)
		w.codes, w.poor = w.codes[:0], true
	}
	w.retire()
	return nil
}

// retire keeps the dictionary's page, which comes before the others, and lets the rest go.
func (w *leafWriter) retire() {
	if w.dict.closed {
		w.pages = append([][]byte{w.dictPage()}, w.pages...)
		w.packed += len(w.pages[0])
	}
	w.dict = nil
}

func (w *leafWriter) dictPage() []byte {
	return w.pack(meta.Page{Type: meta.DictionaryPage, Values: int32(w.dict.count), Encoding: meta.Plain}, w.dict.data)
}

// pack returns a page: its header, and body packed.
func (w *leafWriter) pack(p meta.Page, body []byte) []byte {
	packed := codec.Pack(nil, body)
	p.Uncompressed, p.Compressed, p.CRC = int32(len(body)), int32(len(packed)), crc32.ChecksumIEEE(packed)
	page := append(meta.AppendPage(nil, p), packed...)
	w.unpacked += int64(len(page) - len(packed) + len(body))
	return page
}

var errLongRow = fmt.Errorf("a row has more than %d MB, which readers refuse", codec.MaxPage>>20)

// endPage packs the page begun, if there is one.
func (w *leafWriter) endPage() error {
	if len(w.defs) == 0 {
		return nil
	}
	var body []byte
	for _, l := range []struct {
		vals []uint8
		most uint8
	}{{w.reps, w.maxRep}, {w.defs, w.maxDef}} {
		if l.most == 0 {
			continue
		}
		at := len(body)
		body = encoding.AppendHybrid(append(body, 0, 0, 0, 0), l.vals, width(l.most))
		binary.LittleEndian.PutUint32(body[at:], uint32(len(body)-at-4))
	}
	p := meta.Page{Type: meta.DataPage, Values: int32(len(w.defs)), Encoding: meta.Plain}
	if w.dict != nil {
		p.Encoding = meta.RLEDictionary
		bits := encoding.Width(max(0, w.dict.count-1))
		body = encoding.AppendHybrid(append(body, byte(bits)), w.codes, bits)
		w.hasCodes = true
	} else {
		body = append(body, w.plain...)
		w.hasPlain = true
	}
	if len(body) > codec.MaxPage {
		return errLongRow
	}
	page := w.pack(p, body)
	w.pages = append(w.pages, page)
	w.packed += len(page)
	w.values += int64(len(w.defs))
	w.defs, w.reps, w.plain, w.codes, w.bits = w.defs[:0], w.reps[:0], w.plain[:0], w.codes[:0], 0
	return nil
}

// finish ends the chunk, which begins at offset at of the file, and returns its pages.
func (w *leafWriter) finish(at int64) (meta.Chunk, [][]byte, error) {
	if err := w.endPage(); err != nil {
		return meta.Chunk{}, nil, err
	}
	c := meta.Chunk{
		Physical: w.elem.Physical, Codec: meta.Snappy, Values: w.values, DataPage: at,
		Path: w.path, Encodings: []meta.Encoding{meta.RLE},
	}
	if w.dict != nil && w.hasCodes {
		w.dict.closed = true
		w.retire()
	}
	if w.hasCodes {
		c.Dictionary, c.DataPage = at, at+int64(len(w.pages[0]))
		c.Encodings = append(c.Encodings, meta.RLEDictionary)
	}
	if w.hasPlain || w.hasCodes {
		c.Encodings = append(c.Encodings, meta.Plain)
	}
	c.Compressed, c.Uncompressed = int64(w.packed), w.unpacked
	c.Stats = w.bounds.statistics(w)
	c.Stats.Nulls = w.nulls
	return c, w.pages, nil
}
