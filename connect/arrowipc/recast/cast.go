package recast

import (
	"fmt"
	"math"
	"strconv"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/text"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// Can reports whether Cast knows the way from one type to another: all scalars
// to STRING and back, numbers among each other except from FLOAT to what holds
// less, DATE and TIMESTAMP, STRING and BYTES.
func Can(from, to types.Type) bool {
	switch {
	case from.Equal(to):
		return true
	case from.IsNested() || to.IsNested() || from.Kind == types.Null || to.Kind == types.Null:
		return false
	case to.Kind == types.String, from.Kind == types.String:
		return true
	case from.IsFloat():
		return to.IsFloat()
	case from.IsNumeric():
		return to.IsNumeric()
	}
	return from.IsTemporal() && to.IsTemporal()
}

// Cast returns a as a column of another type, by the text of its values as
// CAST of a query has it. A value that does not fit is an *Error with its row.
// The types are such as Can allows.
func Cast(mem memory.Allocator, a arrow.Array, from, to types.Type) (arrow.Array, error) {
	c := caster{mem: mem, a: a, from: from, to: to, valid: vec.ValidityOf(a), print: printer(a, from)}
	switch to.Kind {
	case types.String:
		return c.text(utf8.Valid)
	case types.Bytes:
		return c.text(func([]byte) bool { return true })
	case types.Bool:
		return c.bools()
	case types.Int8:
		return fixed(c, parseInt[int8])
	case types.Int16:
		return fixed(c, parseInt[int16])
	case types.Int32:
		return fixed(c, parseInt[int32])
	case types.Int64:
		return fixed(c, parseInt[int64])
	case types.Float32:
		if from.Kind == types.Float64 {
			v := vec.Values[float64](a)
			return computed(c, func(i int) float32 { return float32(v[i]) }), nil
		}
		return fixed(c, func(b []byte) (float32, bool) {
			v, err := strconv.ParseFloat(string(b), 32)
			return float32(v), err == nil
		})
	case types.Float64:
		if from.Kind == types.Float32 {
			v := vec.Values[float32](a)
			return computed(c, func(i int) float64 { return float64(v[i]) }), nil
		}
		return fixed(c, text.ParseFloat)
	case types.Decimal:
		return fixed(c, func(b []byte) (decimal128.Num, bool) { return text.ParseDecimal(b, to.Precision, to.Scale) })
	case types.Date:
		return fixed(c, func(b []byte) (arrow.Date32, bool) {
			ts, ok := text.ParseTimestampOrDate(b)
			return arrow.Date32(math.Floor(float64(ts) / 86_400_000_000)), ok
		})
	case types.Timestamp:
		return fixed(c, text.ParseTimestampOrDate)
	case types.Interval:
		return fixed(c, text.ParseInterval)
	}
	return nil, fmt.Errorf("%s cannot be read as %s", from, to)
}

type caster struct {
	mem      memory.Allocator
	a        arrow.Array
	from, to types.Type
	valid    vec.Validity
	print    func(dst []byte, i int) []byte
}

// printer returns what prints a row as CAST to STRING does.
func printer(a arrow.Array, from types.Type) func(dst []byte, i int) []byte {
	switch from.Kind {
	case types.Bytes, types.String:
		r := vec.Strings(a)
		return func(dst []byte, i int) []byte { return append(dst, r.At(i)...) }
	case types.Timestamp:
		v := vec.Values[arrow.Timestamp](a)
		return func(dst []byte, i int) []byte { return text.AppendTimestampSpace(dst, v[i]) }
	}
	return func(dst []byte, i int) []byte { return text.AppendValue(dst, a, i) }
}

func (c *caster) misfit(row int, v []byte) error {
	const most = 60
	if len(v) > most {
		v = append(v[:most:most], "…"...)
	}
	return &Error{Row: row, Msg: fmt.Sprintf("%q cannot be read as %s", v, c.to)}
}

func (c *caster) text(ok func([]byte) bool) (arrow.Array, error) {
	out := vec.NewViewBuilder(c.mem, c.to.Arrow(), c.a.Len())
	var scratch []byte
	for i := range c.a.Len() {
		if c.valid.Null(i) {
			out.AppendNull()
			continue
		}
		if scratch = c.print(scratch[:0], i); !ok(scratch) {
			out.Release()
			return nil, c.misfit(i, scratch)
		}
		out.Append(scratch)
	}
	return out.Finish(), nil
}

func (c *caster) bools() (arrow.Array, error) {
	out := vec.NewBools(c.mem, c.a.Len())
	out.Merge(c.valid)
	var scratch []byte
	for i := range c.a.Len() {
		if c.valid.Null(i) {
			continue
		}
		scratch = c.print(scratch[:0], i)
		v, ok := text.ParseBoolLoose(scratch)
		if !ok {
			out.Release()
			return nil, c.misfit(i, scratch)
		}
		if v {
			out.SetTrue(i)
		}
	}
	return out.Finish(), nil
}

func fixed[R vec.FixedWidth](c caster, parse func([]byte) (R, bool)) (arrow.Array, error) {
	out := vec.NewFixed[R](c.mem, c.to.Arrow(), c.a.Len())
	out.Merge(c.valid)
	var scratch []byte
	for i := range out.Values {
		if c.valid.Null(i) {
			continue
		}
		scratch = c.print(scratch[:0], i)
		v, ok := parse(scratch)
		if !ok {
			out.Release()
			return nil, c.misfit(i, scratch)
		}
		out.Values[i] = v
	}
	return out.Finish(), nil
}

func computed[R vec.FixedWidth](c caster, f func(i int) R) arrow.Array {
	out := vec.NewFixed[R](c.mem, c.to.Arrow(), c.a.Len())
	out.Merge(c.valid)
	for i := range out.Values {
		out.Values[i] = f(i)
	}
	return out.Finish()
}

func parseInt[R int8 | int16 | int32 | int64](b []byte) (R, bool) {
	v, ok := text.ParseInt(b)
	return R(v), ok && int64(R(v)) == v
}
