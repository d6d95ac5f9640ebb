package meta

import (
	"errors"
	"fmt"

	"github.com/rainsql/rainsql/connect/parquet/internal/thrift"
)

// MaxElements bounds the nodes of a schema.
const MaxElements = 100_000

// ReadFile decodes a footer. Groups share its memory.
func ReadFile(footer []byte) (*File, error) {
	r := thrift.NewReader(footer)
	f := &File{Rows: -1}
	r.Fields(thrift.Struct, func(id int16, t thrift.Type) {
		switch id {
		case 2:
			r.Elements(t, func(t thrift.Type) {
				if len(f.Schema) == MaxElements {
					r.Fail(fmt.Errorf("the schema has more than %d fields", MaxElements))
				}
				f.Schema = append(f.Schema, readElement(r, t))
			})
		case 3:
			f.Rows = r.Int(t)
		case 4:
			r.Elements(t, func(t thrift.Type) { f.Groups = append(f.Groups, readGroup(r, t)) })
		case 6:
			f.CreatedBy = string(r.Bytes(t))
		case 7:
			f.Orders = []bool{}
			r.Elements(t, func(t thrift.Type) { f.Orders = append(f.Orders, readUnion(r, t) == 1) })
		case 8:
			f.Encrypted = true
			r.Skip(t)
		default:
			r.Skip(t)
		}
	})
	switch {
	case r.Err() != nil:
		return nil, r.Err()
	case f.Encrypted:
		return f, nil
	case len(f.Schema) == 0:
		return nil, errors.New("the footer has no schema")
	case f.Rows < 0:
		return nil, errors.New("the footer has no number of rows")
	}
	return f, nil
}

// readUnion returns which member of a union is set, 0 for none.
func readUnion(r *thrift.Reader, t thrift.Type) (member int16) {
	r.Fields(t, func(id int16, t thrift.Type) {
		member = id
		r.Skip(t)
	})
	return member
}

func readGroup(r *thrift.Reader, t thrift.Type) Group {
	g := Group{Rows: -1}
	r.Fields(t, func(id int16, t thrift.Type) {
		switch {
		case id == 1 && t == thrift.List:
			g.Columns = r.Raw(t)
		case id == 3:
			g.Rows = r.Int(t)
		default:
			r.Skip(t)
		}
	})
	if r.Err() == nil && (g.Rows < 0 || g.Columns == nil) {
		r.Fail(errors.New("a row group lacks its columns or number of rows"))
	}
	return g
}

// Chunks calls f with the columns of the group, in the order of the schema's
// leaves. The chunk is reused by the next call.
func (g Group) Chunks(f func(i int, c *Chunk) error) error {
	r := thrift.NewReader(g.Columns)
	i := 0
	var c Chunk
	r.Elements(thrift.List, func(t thrift.Type) {
		c = Chunk{Stats: Statistics{Nulls: -1}}
		readChunk(r, t, &c)
		if r.Err() == nil {
			r.Fail(f(i, &c))
		}
		i++
	})
	return r.Err()
}

func readChunk(r *thrift.Reader, t thrift.Type, c *Chunk) {
	r.Fields(t, func(id int16, t thrift.Type) {
		switch id {
		case 1:
			c.Elsewhere = len(r.Bytes(t)) > 0
		case 3:
			c.HasMeta = true
			readChunkMeta(r, t, c)
		case 8:
			c.Encrypted = true
			r.Skip(t)
		default:
			r.Skip(t)
		}
	})
}

func readChunkMeta(r *thrift.Reader, t thrift.Type, c *Chunk) {
	r.Fields(t, func(id int16, t thrift.Type) {
		switch id {
		case 1:
			c.Physical = Physical(r.Int32(t))
		case 4:
			c.Codec = Codec(r.Int32(t))
		case 5:
			c.Values = r.Int(t)
		case 7:
			c.Compressed = r.Int(t)
		case 9:
			c.DataPage = r.Int(t)
		case 11:
			c.Dictionary = r.Int(t)
		case 12:
			readStatistics(r, t, &c.Stats)
		default:
			r.Skip(t)
		}
	})
}

func readStatistics(r *thrift.Reader, t thrift.Type, s *Statistics) {
	r.Fields(t, func(id int16, t thrift.Type) {
		switch id {
		case 1:
			s.OldMax = r.Bytes(t)
		case 2:
			s.OldMin = r.Bytes(t)
		case 3:
			s.Nulls = r.Int(t)
		case 5:
			s.Max = r.Bytes(t)
		case 6:
			s.Min = r.Bytes(t)
		case 7:
			s.MaxExact = r.Bool(t)
		default:
			r.Skip(t)
		}
	})
}

// ReadPage decodes a page header at the head of b and returns how long it is.
// thrift.ErrShort means that b does not hold it whole.
func ReadPage(b []byte) (p Page, n int, err error) {
	r := thrift.NewReader(b)
	p = Page{Type: -1, Uncompressed: -1, Compressed: -1, Packed: true, Values: -1, Encoding: -1}
	r.Fields(thrift.Struct, func(id int16, t thrift.Type) {
		switch id {
		case 1:
			p.Type = r.Int32(t)
		case 2:
			p.Uncompressed = r.Int32(t)
		case 3:
			p.Compressed = r.Int32(t)
		case 4:
			p.CRC, p.HasCRC = uint32(r.Int32(t)), true
		case 5:
			p.readData(r, t)
		case 7:
			p.readDictionary(r, t)
		case 8:
			p.readDataV2(r, t)
		default:
			r.Skip(t)
		}
	})
	if r.Err() == nil && (p.Type < 0 || p.Compressed < 0 || p.Uncompressed < 0) {
		return p, 0, errors.New("a page header lacks its type or sizes")
	}
	return p, r.Pos(), r.Err()
}

func (p *Page) readData(r *thrift.Reader, t thrift.Type) {
	p.HasHeader = p.Type == DataPage
	r.Fields(t, func(id int16, t thrift.Type) {
		switch id {
		case 1:
			p.Values = r.Int32(t)
		case 2:
			p.Encoding = Encoding(r.Int32(t))
		case 3:
			p.DefEncoding = Encoding(r.Int32(t))
		case 4:
			p.RepEncoding = Encoding(r.Int32(t))
		default:
			r.Skip(t)
		}
	})
}

func (p *Page) readDictionary(r *thrift.Reader, t thrift.Type) {
	p.HasHeader = p.Type == DictionaryPage
	r.Fields(t, func(id int16, t thrift.Type) {
		switch id {
		case 1:
			p.Values = r.Int32(t)
		case 2:
			p.Encoding = Encoding(r.Int32(t))
		default:
			r.Skip(t)
		}
	})
}

func (p *Page) readDataV2(r *thrift.Reader, t thrift.Type) {
	p.HasHeader = p.Type == DataPageV2
	r.Fields(t, func(id int16, t thrift.Type) {
		switch id {
		case 1:
			p.Values = r.Int32(t)
		case 2:
			p.Nulls = r.Int32(t)
		case 3:
			p.Rows = r.Int32(t)
		case 4:
			p.Encoding = Encoding(r.Int32(t))
		case 5:
			p.DefBytes = r.Int32(t)
		case 6:
			p.RepBytes = r.Int32(t)
		case 7:
			p.Packed = r.Bool(t)
		default:
			r.Skip(t)
		}
	})
}
