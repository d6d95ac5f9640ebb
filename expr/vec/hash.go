package vec

import (
	"math"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/zeebo/xxh3"
)

// The hash is pinned: nodes of different builds route rows by it, checkpoints
// and sketches keep it. Changing it breaks both; a golden test holds it.
//
//	NULL              nullHash
//	INTs, DATE, TIMESTAMP, BOOL (0, 1)
//	                  mix(value as int64)
//	FLOAT, FLOAT32    mix(bits of the float64), -0.0 as 0.0, every NaN as one
//	DECIMAL           trailing zeros of the fraction dropped; what is then an
//	                  integer within int64 hashes as that INT, else
//	                  mix(lo ^ mix(hi + scale*golden))
//	STRING, BYTES     xxh3 (64 bits, seed 0) of the bytes
//	INTERVAL          pair(mix(days), mix(nanoseconds of a day)), months being
//	                  30 days and days 24 hours, as intervals compare
//	LIST              mix(length), then pair with each element's hash
//	STRUCT            mix(number of fields), then pair with each field's hash
//
// mix is the finaliser of splitmix64 over value+golden; pair(a, b) is
// mix(rotl(a, 23)*pairPrime + b). Several key columns combine by pair, the first
// column's hash on the left.
const (
	golden    = 0x9e3779b97f4a7c15
	pairPrime = 0xff51afd7ed558ccd
	nullHash  = 0x6a09e667f3bcc909
)

func mix(x uint64) uint64 {
	x += golden
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func pair(a, b uint64) uint64 { return mix(bits.RotateLeft64(a, 23)*pairPrime + b) }

// HashInt is the hash of one INT, DATE or TIMESTAMP.
func HashInt(v int64) uint64 { return mix(uint64(v)) }

// Hash writes the hash of each row of a to out, which has a.Len() elements;
// with combine it is folded into what is there, to hash keys of several columns.
func Hash(a arrow.Array, out []uint64, combine bool) {
	if combine {
		tmp := make([]uint64, len(out))
		Hash(a, tmp, false)
		for i, h := range tmp {
			out[i] = pair(out[i], h)
		}
		return
	}
	hashValues(a, out)
	if v := ValidityOf(a); !v.None() {
		for i := range out {
			if v.Null(i) {
				out[i] = nullHash
			}
		}
	}
}

func hashValues(a arrow.Array, out []uint64) {
	switch a.DataType().ID() {
	case arrow.BOOL:
		b := BoolsOf(a)
		for i := range out {
			if b.At(i) {
				out[i] = mix(1)
			} else {
				out[i] = mix(0)
			}
		}
	case arrow.INT8:
		hashInts(Values[int8](a), out)
	case arrow.INT16:
		hashInts(Values[int16](a), out)
	case arrow.INT32, arrow.DATE32:
		hashInts(Values[int32](a), out)
	case arrow.INT64, arrow.TIMESTAMP:
		hashInts(Values[int64](a), out)
	case arrow.FLOAT32:
		for i, x := range Values[float32](a) {
			out[i] = hashFloat(float64(x))
		}
	case arrow.FLOAT64:
		for i, x := range Values[float64](a) {
			out[i] = hashFloat(x)
		}
	case arrow.DECIMAL128:
		scale := a.DataType().(*arrow.Decimal128Type).Scale
		for i, x := range Values[decimal128.Num](a) {
			out[i] = hashDecimal(x, scale)
		}
	case arrow.INTERVAL_MONTH_DAY_NANO:
		for i, x := range Values[arrow.MonthDayNanoInterval](a) {
			days, nanos := normalInterval(x)
			out[i] = pair(mix(uint64(days)), mix(uint64(nanos)))
		}
	case arrow.LIST:
		hashLists(a.(*array.List), out)
	case arrow.STRUCT:
		s := a.(*array.Struct)
		for i := range out {
			out[i] = mix(uint64(s.NumField()))
		}
		for i := range s.NumField() {
			Hash(s.Field(i), out, true)
		}
	case arrow.NULL:
	default:
		hashText(a, out)
	}
}

func hashInts[T int8 | int16 | int32 | int64](v []T, out []uint64) {
	for i, x := range v {
		out[i] = mix(uint64(int64(x)))
	}
}

var nanBits = math.Float64bits(math.NaN())

func hashFloat(x float64) uint64 {
	switch {
	case x == 0:
		return mix(0)
	case x != x:
		return mix(nanBits)
	}
	return mix(math.Float64bits(x))
}

func hashDecimal(x decimal128.Num, scale int32) uint64 {
	for scale > 0 {
		q, rem := divSmall(x, 10)
		if rem != 0 {
			break
		}
		x, scale = q, scale-1
	}
	if scale == 0 && x.HighBits() == int64(x.LowBits())>>63 {
		return mix(x.LowBits())
	}
	return mix(x.LowBits() ^ mix(uint64(x.HighBits())+uint64(scale)*golden))
}

// divSmall divides by a small positive number, truncating.
func divSmall(x decimal128.Num, by uint64) (decimal128.Num, uint64) {
	neg := x.Sign() < 0
	if neg {
		x = x.Negate()
	}
	hi, r := bits.Div64(0, uint64(x.HighBits()), by)
	lo, r := bits.Div64(r, x.LowBits(), by)
	q := decimal128.New(int64(hi), lo)
	if neg {
		q = q.Negate()
	}
	return q, r
}

const dayNanos = 24 * 60 * 60 * 1_000_000_000

// normalInterval measures an interval in days of 24 hours and months of 30
// days, the rest in nanoseconds from 0 up to a day.
func normalInterval(x arrow.MonthDayNanoInterval) (days, nanos int64) {
	days = int64(x.Months)*30 + int64(x.Days) + x.Nanoseconds/dayNanos
	if nanos = x.Nanoseconds % dayNanos; nanos < 0 {
		days, nanos = days-1, nanos+dayNanos
	}
	return days, nanos
}

func hashText(a arrow.Array, out []uint64) {
	if d, ok := a.(*array.Dictionary); ok && d.Dictionary().Len() <= 2*len(out) {
		hashes := make([]uint64, d.Dictionary().Len())
		hashText(d.Dictionary(), hashes)
		for i, c := range Codes(d) {
			if uint(c) < uint(len(hashes)) {
				out[i] = hashes[c]
			}
		}
		return
	}
	r := Strings(a)
	for i := range out {
		if r.Valid(i) {
			out[i] = xxh3.Hash(r.At(i))
		}
	}
}

func hashLists(l *array.List, out []uint64) {
	if l.Len() == 0 {
		return
	}
	first, _ := l.ValueOffsets(0)
	_, last := l.ValueOffsets(l.Len() - 1)
	part := array.NewSlice(l.ListValues(), first, last)
	defer part.Release()
	elems := make([]uint64, part.Len())
	Hash(part, elems, false)
	for i := range out {
		from, to := l.ValueOffsets(i)
		h := mix(uint64(to - from))
		for _, e := range elems[from-first : to-first] {
			h = pair(h, e)
		}
		out[i] = h
	}
}
