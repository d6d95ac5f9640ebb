package meta

import "github.com/rainsql/rainsql/connect/parquet/internal/thrift"

// oldNames are the converted types to write beside logical ones, for old readers.
var oldNames = map[Logical]int32{
	String: 0, List: 3, Decimal: 5, Date: 6, TimestampMicros: 10, Int8: 15, Int16: 16, Interval: 21,
}

// WrittenGroup is a row group of a file being written.
type WrittenGroup struct {
	Rows   int64
	Chunks []Chunk
}

// AppendFile encodes a footer.
func AppendFile(dst []byte, schema []Element, leaves int, rows int64, groups []WrittenGroup, createdBy string) []byte {
	w := &thrift.Writer{Buf: dst}
	w.Begin()
	w.I32(1, 2)
	w.List(2, thrift.Struct, len(schema))
	for i, e := range schema {
		writeElement(w, e, i == 0)
	}
	w.I64(3, rows)
	w.List(4, thrift.Struct, len(groups))
	for i, g := range groups {
		writeGroup(w, g, i)
	}
	w.Bytes(6, []byte(createdBy))
	w.List(7, thrift.Struct, leaves)
	for range leaves { // the order of the type
		w.Begin()
		w.Struct(1)
		w.End()
		w.End()
	}
	w.End()
	return w.Buf
}

func writeElement(w *thrift.Writer, e Element, root bool) {
	w.Begin()
	if e.IsLeaf {
		w.I32(1, int32(e.Physical))
	}
	if e.Physical == FixedByteArray && e.IsLeaf {
		w.I32(2, e.Length)
	}
	if !root {
		w.I32(3, int32(e.Repetition))
	}
	w.Bytes(4, []byte(e.Name))
	if !e.IsLeaf {
		w.I32(5, e.Children)
	}
	if old, ok := oldNames[e.Logical]; ok {
		w.I32(6, old)
	}
	if e.Logical == Decimal {
		w.I32(7, e.Scale)
		w.I32(8, e.Precision)
	}
	writeLogical(w, e)
	w.End()
}

func writeLogical(w *thrift.Writer, e Element) {
	number := map[Logical]int16{String: 1, List: 3, Decimal: 5, Date: 6, TimestampMicros: 8, Int8: 10, Int16: 10, Unknown: 11}[e.Logical]
	if number == 0 {
		return
	}
	w.Struct(10)
	w.Struct(number)
	switch e.Logical {
	case Decimal:
		w.I32(1, e.Scale)
		w.I32(2, e.Precision)
	case TimestampMicros:
		w.Bool(1, true)
		w.Struct(2)
		w.Struct(2)
		w.End()
		w.End()
	case Int8, Int16:
		w.I8(1, int8(8*(1+int(e.Logical-Int8))))
		w.Bool(2, true)
	}
	w.End()
	w.End()
}

func writeGroup(w *thrift.Writer, g WrittenGroup, ordinal int) {
	var packed, unpacked int64
	w.Begin()
	w.List(1, thrift.Struct, len(g.Chunks))
	for i := range g.Chunks {
		c := &g.Chunks[i]
		packed += c.Compressed
		unpacked += c.Uncompressed
		w.Begin()
		w.I64(2, 0)
		w.Struct(3)
		writeChunk(w, c)
		w.End()
		w.End()
	}
	w.I64(2, unpacked)
	w.I64(3, g.Rows)
	if len(g.Chunks) > 0 {
		at, _ := g.Chunks[0].Extent()
		w.I64(5, at)
	}
	w.I64(6, packed)
	if ordinal < 1<<15 {
		w.I16(7, int16(ordinal))
	}
	w.End()
}

func writeChunk(w *thrift.Writer, c *Chunk) {
	w.I32(1, int32(c.Physical))
	w.List(2, thrift.I32, len(c.Encodings))
	for _, e := range c.Encodings {
		w.Int(int64(e))
	}
	w.List(3, thrift.Binary, len(c.Path))
	for _, name := range c.Path {
		w.Element([]byte(name))
	}
	w.I32(4, int32(c.Codec))
	w.I64(5, c.Values)
	w.I64(6, c.Uncompressed)
	w.I64(7, c.Compressed)
	w.I64(9, c.DataPage)
	if c.Dictionary > 0 {
		w.I64(11, c.Dictionary)
	}
	w.Struct(12)
	w.I64(3, c.Stats.Nulls)
	if c.Stats.Max != nil && c.Stats.Min != nil {
		w.Bytes(5, c.Stats.Max)
		w.Bytes(6, c.Stats.Min)
		w.Bool(7, true)
		w.Bool(8, true)
	}
	w.End()
}

// Extent returns where the pages of a chunk lie. The dictionary page comes
// first, though not all writers say where it is.
func (c *Chunk) Extent() (start, end int64) {
	start = c.DataPage
	if c.Dictionary > 0 && c.Dictionary < start {
		start = c.Dictionary
	}
	return start, start + c.Compressed
}

// AppendPage encodes the header of a data or dictionary page.
func AppendPage(dst []byte, p Page) []byte {
	w := &thrift.Writer{Buf: dst}
	w.Begin()
	w.I32(1, p.Type)
	w.I32(2, p.Uncompressed)
	w.I32(3, p.Compressed)
	w.I32(4, int32(p.CRC))
	if p.Type == DictionaryPage {
		w.Struct(7)
		w.I32(1, p.Values)
		w.I32(2, int32(p.Encoding))
		w.End()
	} else {
		w.Struct(5)
		w.I32(1, p.Values)
		w.I32(2, int32(p.Encoding))
		w.I32(3, int32(RLE))
		w.I32(4, int32(RLE))
		w.End()
	}
	w.End()
	return w.Buf
}
