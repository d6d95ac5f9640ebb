package frame

import (
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"

	"github.com/rainsql/rainsql/connect/arrowipc/recast"
	"github.com/rainsql/rainsql/expr/vec"
)

// part is a column as it will be sent.
type part struct {
	n, nulls int
	valid    []byte // nil where nulls is 0
	values   []byte // numbers, bits, offsets, views or codes
	children []*part

	// Of text.
	as        uint8
	refs      []int // of views: for each buffer that they name, 1 + the text that it is, or 0
	slot      int   // of codes: the dictionary
	dict      *part // the values of a dictionary that is sent along
	dictTexts *texts
}

// preparation gathers what a frame is made of, before anything is written.
type preparation struct {
	e      *Encoder
	f      *Frame
	texts  *texts
	forget []int // slots that are given up before this frame is read
}

// column prepares an array, which the frame keeps alive.
func (p *preparation) column(c *column, a arrow.Array) (*part, error) {
	if a.DataType().ID() == arrow.NULL && c.layout != nothing { // nothing but NULL, in whatever type
		full, err := vec.FromLiteral(p.e.mem, nil, c.typ, a.Len())
		if err != nil {
			return nil, err
		}
		a = p.f.kept(full)
	}
	if !c.holds(a.DataType()) {
		return nil, c.errorf("it comes as Arrow %s", a.DataType())
	}
	if c.layout == text {
		return p.text(c, a)
	}
	s := &part{n: a.Len()}
	if s.n > MaxRows && (c.layout == nothing || c.layout == structure && len(c.children) == 0) {
		return nil, c.errorf("%d rows are too many to be sent", s.n)
	}
	if c.layout == nothing {
		return s, nil
	}
	p.validity(s, a)
	d := a.Data()
	switch c.layout {
	case bitmap:
		s.values = p.bits(d, 1)
	case fixed:
		s.values = values(d, c.width)
	case list:
		return p.list(c, s, a.(*array.List))
	case structure:
		for i, child := range c.children {
			k, err := p.column(child, a.(*array.Struct).Field(i))
			if err != nil {
				return nil, err
			}
			s.children = append(s.children, k)
		}
	}
	return s, nil
}

// values returns the bytes of the rows of d, each of width.
func values(d arrow.ArrayData, width int) []byte {
	if d.Len() == 0 {
		return nil
	}
	return d.Buffers()[1].Bytes()[d.Offset()*width : (d.Offset()+d.Len())*width]
}

// bits returns a bitmap of d that begins with its first row.
func (p *preparation) bits(d arrow.ArrayData, buffer int) []byte {
	if d.Len() == 0 {
		return nil
	}
	b, n := d.Buffers()[buffer].Bytes(), int(bitutil.BytesForBits(int64(d.Len())))
	if d.Offset()%8 == 0 {
		return b[d.Offset()/8:][:n]
	}
	out := p.f.scratch(n)
	out[n-1] = 0
	bitutil.CopyBitmap(b, d.Offset(), d.Len(), out, 0)
	return out
}

// validity counts: what a slice says of its NULLs may be unknown, and asking it would write to it.
func (p *preparation) validity(s *part, a arrow.Array) {
	if s.nulls = nullsOf(a); s.nulls > 0 {
		s.valid = p.bits(a.Data(), 0)
	}
}

func nullsOf(a arrow.Array) int {
	if vec.ValidityOf(a).None() {
		return 0
	}
	d := a.Data()
	return d.Len() - bitutil.CountSetBits(d.Buffers()[0].Bytes(), d.Offset(), d.Len())
}

func (p *preparation) list(c *column, s *part, l *array.List) (*part, error) {
	first, last := int32(0), int32(0)
	if s.n > 0 {
		d := l.Data()
		offs := recast.Slice[int32](d.Buffers()[1].Bytes())[d.Offset() : d.Offset()+s.n+1]
		first, last = offs[0], offs[s.n]
		if first == 0 {
			s.values = d.Buffers()[1].Bytes()[d.Offset()*4 : (d.Offset()+s.n+1)*4]
		} else {
			s.values = p.f.scratch(len(offs) * 4)
			for i, o := range offs {
				recast.Slice[int32](s.values)[i] = o - first
			}
		}
	}
	k, err := p.column(c.children[0], p.f.kept(array.NewSlice(l.ListValues(), int64(first), int64(last))))
	s.children = []*part{k}
	return s, err
}

// text prepares views and codes; what is plain becomes views over the same bytes.
func (p *preparation) text(c *column, a arrow.Array) (*part, error) {
	if d, ok := a.(*array.Dictionary); ok {
		return p.dictionary(c, d)
	}
	v, err := vec.Views(p.e.mem, a)
	if err != nil {
		return nil, c.errorf("%w", err)
	}
	s := &part{n: v.Len()}
	p.validity(s, p.f.kept(v))
	p.texts.add(s, v)
	return s, nil
}

func (p *preparation) dictionary(c *column, d *array.Dictionary) (*part, error) {
	known := p.e.told.find(p, d)
	if known == nil { // its values are not worth sending, or cannot be remembered
		v, err := vec.Take(p.e.mem, d.Dictionary(), rowsOf(d))
		if err != nil {
			return nil, c.errorf("%w", err)
		}
		return p.text(c, p.f.kept(v))
	}
	s := &part{n: d.Len(), as: asCodes, slot: known.slot}
	p.validity(s, d)
	if d.Indices().DataType().ID() == arrow.INT32 {
		s.values = values(d.Data(), 4)
	} else {
		s.values = codeBytes(vec.Codes(d))
	}
	if known.told {
		return s, nil
	}
	known.told = true
	s.as = asCodesOver
	q := preparation{e: p.e, f: p.f, texts: newTexts(p.f)}
	var err error
	if s.dict, err = q.text(c, known.values); err != nil {
		return nil, err
	}
	s.dictTexts = q.texts
	return s, q.texts.settle()
}

func codeBytes(codes []int32) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(codes))), len(codes)*4)
}

// rowsOf returns for each row which value of the dictionary it has, -1 for none.
func rowsOf(d *array.Dictionary) []int32 {
	codes, null := vec.Codes(d), vec.ValidityOf(d)
	if null.None() {
		return codes
	}
	rows := make([]int32, len(codes))
	for i, c := range codes {
		rows[i] = c
		if null.Null(i) {
			rows[i] = -1
		}
	}
	return rows
}
