package parquet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/rainsql/rainsql/connect/parquet/internal/codec"
	"github.com/rainsql/rainsql/connect/parquet/internal/meta"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// append writes the slots of a leaf.
func (w *leafWriter) append(a arrow.Array, s slots) error {
	put, err := w.putter(a)
	if err != nil {
		return err
	}
	for i, at := range s.idx {
		if s.rep[i] == 0 && w.full() {
			if err := w.review(); err != nil {
				return err
			}
			if err := w.endPage(); err != nil {
				return err
			}
		}
		w.level(s.rep[i], s.def[i], at >= 0)
		if at >= 0 {
			if err := put(at); err != nil {
				return err
			}
		}
	}
	return w.review()
}

// putter returns what writes row i of the array, which is not NULL.
func (w *leafWriter) putter(a arrow.Array) (func(i int32) error, error) {
	if a.DataType().ID() == arrow.NULL {
		return func(int32) error { return nil }, nil
	}
	if have, err := types.FromArrow(a.DataType()); err != nil || !have.Equal(w.typ) {
		return nil, wrongLayout(a, w.typ)
	}
	switch w.typ.Kind {
	case types.Bool:
		v := vec.BoolsOf(a)
		return func(i int32) error { w.bit(v.At(int(i))); return nil }, nil
	case types.Int8:
		return put4(w, a, func(v int8) uint32 { return uint32(int32(v)) }), nil
	case types.Int16:
		return put4(w, a, func(v int16) uint32 { return uint32(int32(v)) }), nil
	case types.Int32, types.Date:
		return put4(w, a, func(v int32) uint32 { return uint32(v) }), nil
	case types.Float32:
		return put4(w, a, math.Float32bits), nil
	case types.Int64, types.Timestamp:
		v := vec.Values[int64](a)
		return func(i int32) error { w.number(uint64(v[i]), 8); return nil }, nil
	case types.Float64:
		v := vec.Values[float64](a)
		return func(i int32) error { w.number(math.Float64bits(v[i]), 8); return nil }, nil
	case types.Decimal:
		return w.decimals(vec.Values[decimal128.Num](a)), nil
	case types.Interval:
		return w.intervals(vec.Values[arrow.MonthDayNanoInterval](a)), nil
	case types.String, types.Bytes:
		return w.texts(a), nil
	}
	return nil, wrongLayout(a, w.typ)
}

func put4[T vec.FixedWidth](w *leafWriter, a arrow.Array, bits func(T) uint32) func(i int32) error {
	v := vec.Values[T](a)
	return func(i int32) error { w.number(uint64(bits(v[i])), 4); return nil }
}

func (w *leafWriter) decimals(v []decimal128.Num) func(i int32) error {
	switch w.elem.Physical {
	case meta.Int32:
		return func(i int32) error { w.number(uint64(uint32(v[i].LowBits())), 4); return nil }
	case meta.Int64:
		return func(i int32) error { w.number(v[i].LowBits(), 8); return nil }
	}
	return func(i int32) error {
		var b [16]byte
		binary.BigEndian.PutUint64(b[:], uint64(v[i].HighBits()))
		binary.BigEndian.PutUint64(b[8:], v[i].LowBits())
		w.text(b[:])
		return nil
	}
}

func (w *leafWriter) intervals(v []arrow.MonthDayNanoInterval) func(i int32) error {
	return func(i int32) error {
		x := v[i]
		ms := x.Nanoseconds / 1_000_000
		switch {
		case x.Months < 0 || x.Days < 0 || x.Nanoseconds < 0:
			return errors.New("holds a negative INTERVAL, which Parquet does not have")
		case ms*1_000_000 != x.Nanoseconds || ms > math.MaxUint32:
			return fmt.Errorf("holds an INTERVAL with %d ns, but Parquet has milliseconds, up to 49 days of them", x.Nanoseconds)
		}
		var b [12]byte
		binary.LittleEndian.PutUint32(b[:], uint32(x.Months))
		binary.LittleEndian.PutUint32(b[4:], uint32(x.Days))
		binary.LittleEndian.PutUint32(b[8:], uint32(ms))
		w.text(b[:])
		return nil
	}
}

// texts writes strings of bytes. What comes as codes is looked up once a
// value, as long as the chunk has a dictionary too.
func (w *leafWriter) texts(a arrow.Array) func(i int32) error {
	r := vec.Strings(a)
	one := func(i int32) (int32, bool, error) {
		v := r.At(int(i))
		if len(v) > maxValueBytes {
			return 0, false, fmt.Errorf("holds a value of %d MB; up to %d can be written", len(v)>>20, maxValueBytes>>20)
		}
		if w.dict != nil && len(w.dict.data) > codec.MaxPage {
			return 0, false, errLongRow
		}
		code, ok := w.text(v)
		return code, ok, nil
	}
	d, ok := a.(*array.Dictionary)
	if !ok || w.dict == nil || d.Dictionary().Len() > a.Len() {
		return func(i int32) error {
			_, _, err := one(i)
			return err
		}
	}
	codes := vec.Codes(d)
	ours := make([]int32, d.Dictionary().Len()) // code+1; 0: not looked up
	return func(i int32) error {
		theirs := codes[i]
		if c := ours[theirs]; c > 0 && w.dict != nil {
			w.codes = append(w.codes, c-1)
			return nil
		}
		code, ok, err := one(i)
		if ok {
			ours[theirs] = code + 1
		}
		return err
	}
}
