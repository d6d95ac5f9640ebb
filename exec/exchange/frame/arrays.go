package frame

import (
	"errors"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect/arrowipc/recast"
)

// column reads an array of n rows, which the caller releases.
func (s *section) column(c *column, n int) (*array.Data, error) {
	if n > MaxRows && (c.layout == nothing || c.layout == structure && len(c.children) == 0) {
		return nil, c.errorf("%d rows that take no bytes", n)
	}
	if c.layout == nothing {
		return array.NewData(c.dt, n, []*memory.Buffer{nil}, nil, n, 0), nil
	}
	as := asViews
	if c.layout == text {
		var err error
		if as, err = s.number(asCodesOver); err != nil {
			return nil, c.inner(err)
		}
		if s.isDict && as != asViews {
			return nil, c.errorf("a dictionary of codes")
		}
	}
	nulls, err := s.number(n)
	if err != nil {
		return nil, c.inner(err)
	}
	b := pending{c: c, n: n, nulls: nulls}
	defer b.release()
	b.bufs = append(b.bufs, nil)
	if nulls > 0 {
		valid, err := s.take(int(bitutil.BytesForBits(int64(n))))
		if err != nil {
			return nil, c.errorf("its NULLs: %w", err)
		}
		b.bufs[0] = valid
		if found := n - bitutil.CountSetBits(valid.Bytes(), 0, n); found != nulls {
			return nil, c.errorf("%d rows are NULL where %d are declared", found, nulls)
		}
	}
	switch {
	case as != asViews:
		err = s.codes(&b, as)
	case c.layout == text:
		err = s.views(&b)
	case c.layout == bitmap:
		err = s.values(&b, int(bitutil.BytesForBits(int64(n))))
	case c.layout == fixed:
		err = s.values(&b, n*c.width)
	case c.layout == list:
		err = s.list(&b)
	default:
		err = s.fields(&b)
	}
	if err != nil {
		return nil, c.inner(err)
	}
	return b.data(), nil
}

// pending is an array that is being read.
type pending struct {
	c        *column
	n, nulls int
	bufs     []*memory.Buffer
	children []arrow.ArrayData
	dict     *array.Data
}

// data makes the array, with references of its own.
func (b *pending) data() *array.Data {
	dt := b.c.dt
	switch {
	case b.dict != nil:
		return array.NewDataWithDictionary(b.c.dict, b.n, b.bufs, b.nulls, 0, b.dict)
	case b.c.layout == list:
		if child := b.children[0].DataType(); child != b.c.children[0].dt {
			dt = arrow.ListOf(child)
		}
	case b.c.layout == structure:
		for i, k := range b.children {
			if k.DataType() != b.c.children[i].dt {
				// with the layouts that the fields really have
				dt = structOf(b.c.typ.Fields, func(i int) arrow.DataType { return b.children[i].DataType() })
				break
			}
		}
	}
	return array.NewData(dt, b.n, b.bufs, b.children, b.nulls, 0)
}

func (b *pending) release() {
	for _, x := range b.bufs {
		if x != nil {
			x.Release()
		}
	}
	for _, k := range b.children {
		k.Release()
	}
}

func (s *section) values(b *pending, size int) error {
	buf, err := s.take(size)
	if err == nil {
		b.bufs = append(b.bufs, buf)
	}
	return err
}

func (s *section) list(b *pending) error {
	elems, err := s.number(math.MaxInt32)
	if err != nil {
		return err
	}
	size := 0
	if b.n > 0 {
		size = (b.n + 1) * 4
	}
	if err := s.values(b, size); err != nil {
		return err
	}
	last := int32(0)
	for i, o := range recast.Slice[int32](b.bufs[1].Bytes()) {
		if o < last || i == 0 && o != 0 {
			return errors.New("its offsets do not ascend from 0")
		}
		last = o
	}
	if int(last) != elems {
		return errors.New("its offsets do not end with its elements")
	}
	return s.child(b, b.c.children[0], elems)
}

func (s *section) fields(b *pending) error {
	for _, c := range b.c.children {
		if err := s.child(b, c, b.n); err != nil {
			return err
		}
	}
	return nil
}

func (s *section) child(b *pending, c *column, n int) error {
	k, err := s.column(c, n)
	if err == nil {
		b.children = append(b.children, k)
	}
	return err
}

// codes reads a column over a dictionary, and first the dictionary if it follows.
func (s *section) codes(b *pending, as int) error {
	slot, err := s.number(maxDictionaries - 1)
	if err != nil {
		return err
	}
	k := &s.d.heard.slots[slot]
	if as == asCodesOver {
		if k.values != nil {
			return errSlot(slot, "there is one already")
		}
		if err := s.dictionary(b.c, slot); err != nil {
			return err
		}
	}
	if k.values == nil {
		return errSlot(slot, "it is not there")
	}
	if k.of.utf8 != b.c.utf8 {
		return errSlot(slot, "it is of another type")
	}
	if err := s.values(b, b.n*4); err != nil {
		return err
	}
	b.dict = k.values
	return checkCodes(b, uint32(k.values.Len()))
}

// dictionary reads values to be remembered. They are copied, so that they do not keep the frame.
func (s *section) dictionary(c *column, slot int) error {
	n, err := s.number(MaxRows)
	if err != nil {
		return err
	}
	size, err := s.number(MaxBytes)
	if err != nil {
		return err
	}
	h := &s.d.heard
	switch {
	case n == 0 || size%8 != 0:
		return errDescription
	case size > s.end-s.at:
		return errSlot(slot, "it is longer than the frame")
	case int64(size) > maxDictionaryMass-h.mass:
		return errSlot(slot, "there is no room for it")
	}
	own := memory.NewResizableBuffer(s.d.mem)
	defer own.Release()
	own.Resize(size)
	copy(own.Bytes(), s.from.Bytes()[s.at:])
	s.at += size
	inner := &section{reader: s.reader, from: own, end: size, isDict: true}
	if err := inner.readTexts(); err != nil {
		return err
	}
	defer inner.release()
	values, err := inner.column(c, n)
	if err != nil {
		return err
	}
	if values.NullN() > 0 || inner.at != inner.end {
		values.Release()
		return errSlot(slot, "it is damaged")
	}
	k := &h.slots[slot]
	k.values, k.of, k.mass = values, c, int64(size)
	h.mass += k.mass
	return nil
}
