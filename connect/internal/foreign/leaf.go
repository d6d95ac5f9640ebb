package foreign

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/float16"

	"github.com/rainsql/rainsql/expr/types"
)

// Leaf is a type without others in it.
type Leaf struct {
	Stored arrow.DataType
	Type   types.Type             // as which it is read
	Make   func(r *rand.Rand) any // a raw value
	Want   func(raw any) any      // what it reads as
	Put    func(b array.Builder, raw any)
}

// leaf makes one of functions over a Go type; want nil: values read as they are.
func leaf[T any](dt arrow.DataType, t types.Type, gen func(r *rand.Rand) T, want func(T) any, put func(array.Builder, T)) Leaf {
	l := Leaf{Stored: dt, Type: t, Make: func(r *rand.Rand) any { return gen(r) }, Want: func(v any) any { return v }}
	if want != nil {
		l.Want = func(v any) any { return want(v.(T)) }
	}
	l.Put = func(b array.Builder, v any) { put(b, v.(T)) }
	return l
}

func pick[T any](r *rand.Rand, vals ...T) T { return vals[r.IntN(len(vals))] }

type number interface {
	int8 | int16 | int32 | int64 | uint8 | uint16 | uint32 | uint64
}

type appender[T any] interface{ Append(T) }

// bits makes integers: extremes, small ones, noise.
func bits[T number](r *rand.Rand) T {
	top := T(1) << (8*unsafe.Sizeof(T(0)) - 1)
	return pick(r, T(r.Uint64()), T(r.Uint64())>>1, T(r.IntN(100)), T(0)-1, T(0), top, top-1)
}

func ints[T number](dt arrow.DataType, t types.Type) Leaf {
	want := func(v T) any { return int64(v) }
	if t.Kind == types.Decimal {
		want = func(v T) any { return decimal128.FromU64(uint64(v)) }
	}
	return leaf(dt, t, bits[T], want, func(b array.Builder, v T) { b.(appender[T]).Append(v) })
}

func add[T any](b array.Builder, v T) { b.(appender[T]).Append(v) }

func text(r *rand.Rand) string {
	return pick(r, "", "a", "ab", "zwölf Zeiche", "dreizehn Zei.", "🚀 goes well beyond twelve bytes", strings.Repeat("x", r.IntN(300)),
		fmt.Sprintf("a long common beginning %d", r.IntN(1000)), fmt.Sprint(r.Uint64()), "\x00", strings.Repeat("\U0010ffff", r.IntN(20)))
}

func raw(r *rand.Rand) []byte {
	b := make([]byte, pick(r, 0, 1, 12, 13, r.IntN(100)))
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return pick(r, b, b, bytes.Repeat([]byte{0xff}, r.IntN(20)))
}

func floats(r *rand.Rand) float64 {
	return pick(r, math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 0, 1.5, r.NormFloat64(), math.Float64frombits(r.Uint64()))
}

func float32s(r *rand.Rand) float32 {
	return pick(r, float32(math.NaN()), float32(math.Copysign(0, -1)), 0, math.MaxFloat32, float32(r.NormFloat64()), 2.5)
}

// DecimalOf makes decimals of 128 bits.
func DecimalOf(precision, scale int32) Leaf {
	most := decimal128.GetMaxValue(precision)
	gen := func(r *rand.Rand) decimal128.Num {
		v := pick(r, most, most.Negate(), decimal128.FromI64(0), decimal128.FromI64(-1), decimal128.FromI64(r.Int64N(100)-50))
		if n := decimal128.New(r.Int64()>>r.IntN(64), r.Uint64()); r.IntN(2) == 0 && n.FitsInPrecision(precision) {
			v = n
		}
		return v
	}
	return leaf(&arrow.Decimal128Type{Precision: precision, Scale: scale}, types.DecimalOf(int(precision), int(scale)), gen, nil, add[decimal128.Num])
}

type num128 = decimal128.Num

func (l Leaf) make128(r *rand.Rand) num128 { return l.Make(r).(num128) }

func bytesLeaf(dt arrow.DataType, gen func(r *rand.Rand) []byte) Leaf {
	return leaf(dt, types.BYTES, gen, nil, add[[]byte])
}

func textLeaf(dt arrow.DataType) Leaf {
	return leaf(dt, types.STRING, text, nil, add[string])
}

// clock makes times of day in units of which there are perSecond.
func clock[T arrow.Time32 | arrow.Time64](dt arrow.DataType, perSecond int64) Leaf {
	gen := func(r *rand.Rand) T {
		return pick(r, T(r.Int64N(86_400*perSecond)), 0, T(86_400*perSecond-1), T(r.Int64N(86_400))*T(perSecond))
	}
	want := func(v T) any {
		s, frac := int64(v)/perSecond, int64(v)%perSecond*1_000_000/perSecond
		text := fmt.Sprintf("%02d:%02d:%02d", s/3600, s/60%60, s%60)
		if frac != 0 {
			text += strings.TrimRight(fmt.Sprintf(".%06d", frac), "0")
		}
		return text
	}
	return leaf(dt, types.STRING, gen, want, add[T])
}

// moments makes timestamps in units of so many nanoseconds.
func moments(unit arrow.TimeUnit, nanos int64) Leaf {
	most := int64(math.MaxInt64)
	if nanos > 1000 {
		most /= nanos / 1000
	} else if nanos < 1000 {
		most -= 1000
	}
	gen := func(r *rand.Rand) arrow.Timestamp {
		return arrow.Timestamp(pick(r, most, -most, 0, -1, r.Int64N(4e18/nanos)-2e18/nanos, r.Int64N(100_000)))
	}
	want := func(v arrow.Timestamp) any {
		if nanos >= 1000 {
			return v * arrow.Timestamp(nanos/1000)
		}
		return (v - (v%1000+1000)%1000) / 1000 // the floor; see most
	}
	return leaf(&arrow.TimestampType{Unit: unit, TimeZone: "UTC"}, types.TIMESTAMP, gen, want, add[arrow.Timestamp])
}

// Common are types that both Parquet and Arrow IPC have.
func Common() []Leaf {
	fixed := &arrow.FixedSizeBinaryType{ByteWidth: 7}
	return []Leaf{
		leaf(arrow.FixedWidthTypes.Boolean, types.BOOL, func(r *rand.Rand) bool { return r.IntN(2) == 0 }, nil, add[bool]),
		ints[int8](arrow.PrimitiveTypes.Int8, types.INT8), ints[int16](arrow.PrimitiveTypes.Int16, types.INT16),
		ints[int32](arrow.PrimitiveTypes.Int32, types.INT32), ints[int64](arrow.PrimitiveTypes.Int64, types.INT),
		ints[uint8](arrow.PrimitiveTypes.Uint8, types.INT16), ints[uint16](arrow.PrimitiveTypes.Uint16, types.INT32),
		ints[uint32](arrow.PrimitiveTypes.Uint32, types.INT), ints[uint64](arrow.PrimitiveTypes.Uint64, types.DecimalOf(20, 0)),
		leaf(arrow.FixedWidthTypes.Float16, types.FLOAT32, func(r *rand.Rand) float16.Num { return float16.New(pick(r, float32(r.IntN(500))/4, -1.5, 0)) },
			func(v float16.Num) any { return float64(v.Float32()) }, add[float16.Num]),
		leaf(arrow.PrimitiveTypes.Float32, types.FLOAT32, float32s, func(v float32) any { return float64(v) }, add[float32]),
		leaf(arrow.PrimitiveTypes.Float64, types.FLOAT, floats, nil, add[float64]),
		DecimalOf(5, 2), DecimalOf(18, 0), DecimalOf(38, 37), DecimalOf(21, 3),
		textLeaf(arrow.BinaryTypes.String), bytesLeaf(arrow.BinaryTypes.Binary, raw),
		textLeaf(arrow.BinaryTypes.LargeString), bytesLeaf(arrow.BinaryTypes.LargeBinary, raw),
		bytesLeaf(fixed, func(r *rand.Rand) []byte { return []byte(fmt.Sprintf("%07d", r.IntN(1e7))) }),
		leaf(arrow.FixedWidthTypes.Date32, types.DATE, func(r *rand.Rand) arrow.Date32 { return arrow.Date32(bits[int32](r)) }, nil, add[arrow.Date32]),
		moments(arrow.Millisecond, 1_000_000), moments(arrow.Microsecond, 1000), moments(arrow.Nanosecond, 1),
		clock[arrow.Time32](arrow.FixedWidthTypes.Time32ms, 1000), clock[arrow.Time64](arrow.FixedWidthTypes.Time64us, 1_000_000),
		clock[arrow.Time64](arrow.FixedWidthTypes.Time64ns, 1_000_000_000),
	}
}

// Same reports whether a value that was read is the wanted one, to the bit.
func Same(got, want any) bool {
	switch w := want.(type) {
	case []any:
		g, ok := got.([]any)
		if !ok || len(g) != len(w) {
			return false
		}
		for i := range w {
			if !Same(g[i], w[i]) {
				return false
			}
		}
		return true
	case []byte:
		g, ok := got.([]byte)
		return ok && bytes.Equal(g, w)
	case float64:
		g, ok := got.(float64)
		return ok && (math.Float64bits(g) == math.Float64bits(w) || math.IsNaN(g) && math.IsNaN(w))
	}
	return got == want
}
