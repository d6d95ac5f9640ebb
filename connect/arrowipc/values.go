package arrowipc

import (
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/float16"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect/arrowipc/recast"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// converter makes an array of fixed-width values that are not laid out as the
// engine has them.
type converter func(mem memory.Allocator, r rows) (arrow.Array, error)

// mapped converts values one by one; not ok means that one does not fit.
func mapped[T any, R vec.FixedWidth](mem memory.Allocator, r rows, t types.Type, f func(T) (R, bool)) (arrow.Array, error) {
	out := vec.NewFixed[R](mem, t.Arrow(), r.len())
	out.Nulls = r.markNulls(mem)
	if r.len() == 0 {
		return out.Finish(), nil
	}
	for i, v := range recast.Slice[T](r.b[0].Bytes())[r.from:r.to] {
		if r.null(r.from + i) {
			continue
		}
		x, ok := f(v)
		if !ok {
			out.Release()
			return nil, &badRow{row: i, msg: fmt.Sprintf("%v is stored where only %s can be", v, t)}
		}
		out.Values[i] = x
	}
	return out.Finish(), nil
}

func widen[T, R int16 | int32 | int64 | uint8 | uint16 | uint32](mem memory.Allocator, r rows) (arrow.Array, error) {
	return mapped(mem, r, r.f.typ, func(v T) (R, bool) { return R(v), true })
}

func unsignedToDecimal(mem memory.Allocator, r rows) (arrow.Array, error) {
	return mapped(mem, r, r.f.typ, func(v uint64) (decimal128.Num, bool) { return decimal128.FromU64(v), true })
}

func intToDecimal[T int32 | int64](mem memory.Allocator, r rows) (arrow.Array, error) {
	return mapped(mem, r, r.f.typ, func(v T) (decimal128.Num, bool) { return decimal128.FromI64(int64(v)), true })
}

// wideToDecimal takes 256 bits, of which the upper half may only repeat the sign.
func wideToDecimal(mem memory.Allocator, r rows) (arrow.Array, error) {
	return mapped(mem, r, r.f.typ, func(v [4]uint64) (decimal128.Num, bool) {
		sign := uint64(int64(v[1]) >> 63)
		return decimal128.New(int64(v[1]), v[0]), v[2] == sign && v[3] == sign
	})
}

func halfToFloat(mem memory.Allocator, r rows) (arrow.Array, error) {
	return mapped(mem, r, r.f.typ, func(v uint16) (float32, bool) { return float16.FromBits(v).Float32(), true })
}

func millisToDays(mem memory.Allocator, r rows) (arrow.Array, error) {
	return mapped(mem, r, r.f.typ, func(v int64) (arrow.Date32, bool) {
		d := floorDiv(v, 86_400_000)
		return arrow.Date32(d), d == int64(int32(d))
	})
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// toMicros converts a count of units to microseconds, rounding down.
func toMicros(unit int16, v int64) (int64, bool) {
	switch unit {
	case unitSecond:
		return v * 1_000_000, v*1_000_000/1_000_000 == v
	case unitMilli:
		return v * 1000, v*1000/1000 == v
	case unitNano:
		return floorDiv(v, 1000), true
	}
	return v, true
}

func timestamps(unit int16) converter {
	return func(mem memory.Allocator, r rows) (arrow.Array, error) {
		return mapped(mem, r, r.f.typ, func(v int64) (arrow.Timestamp, bool) {
			us, ok := toMicros(unit, v)
			return arrow.Timestamp(us), ok
		})
	}
}

// clock makes text of times of day.
func clock[T int32 | int64](unit int16) converter {
	return func(mem memory.Allocator, r rows) (arrow.Array, error) {
		us, err := mapped(mem, r, types.INT, func(v T) (int64, bool) {
			us, ok := toMicros(unit, int64(v))
			return us, ok && us >= 0 && us <= 86_400_000_000
		})
		if err != nil {
			return nil, err
		}
		defer us.Release()
		return recast.Clock(mem, us), nil
	}
}

func durations(unit int16) converter {
	return func(mem memory.Allocator, r rows) (arrow.Array, error) {
		scale := [...]int64{1_000_000_000, 1_000_000, 1000, 1}[unit]
		return mapped(mem, r, r.f.typ, func(v int64) (arrow.MonthDayNanoInterval, bool) {
			return arrow.MonthDayNanoInterval{Nanoseconds: v * scale}, v <= math.MaxInt64/scale && v >= math.MinInt64/scale
		})
	}
}

func monthIntervals(mem memory.Allocator, r rows) (arrow.Array, error) {
	return mapped(mem, r, r.f.typ, func(v int32) (arrow.MonthDayNanoInterval, bool) {
		return arrow.MonthDayNanoInterval{Months: v}, true
	})
}

func dayIntervals(mem memory.Allocator, r rows) (arrow.Array, error) {
	return mapped(mem, r, r.f.typ, func(v [2]int32) (arrow.MonthDayNanoInterval, bool) {
		return arrow.MonthDayNanoInterval{Days: v[0], Nanoseconds: int64(v[1]) * 1_000_000}, true
	})
}

// asBytes makes views of values of one length.
func asBytes(mem memory.Allocator, r rows) (arrow.Array, error) {
	w := r.f.width
	heads := memory.NewResizableBuffer(mem)
	heads.Resize(r.len() * 16)
	vals := recast.Slice[recast.View](heads.Bytes())
	if r.len()*w > math.MaxInt32 {
		heads.Release()
		return nil, fmt.Errorf("column %q has more than 2 GB in %d rows", r.f.name, r.len())
	}
	data := memory.SliceBuffer(r.b[0], r.from*w, r.len()*w)
	defer data.Release()
	for i := range vals {
		if r.null(r.from + i) {
			vals[i] = recast.View{}
			continue
		}
		vals[i] = recast.ViewOf(data.Bytes()[i*w:(i+1)*w], 0, int32(i*w))
	}
	return r.own(mem, types.BYTES, heads, data), nil
}

func asUUID(mem memory.Allocator, r rows) (arrow.Array, error) {
	b, err := asBytes(mem, r)
	if err != nil {
		return nil, err
	}
	defer b.Release()
	out, err := recast.UUID(mem, b)
	return out, asBadRow(err)
}
