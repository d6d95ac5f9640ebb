package foreign

import (
	"math"
	"math/rand/v2"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal256"

	"github.com/rainsql/rainsql/expr/types"
)

// OnlyArrow are types that Arrow IPC has and Parquet has not.
func OnlyArrow() []Leaf {
	noise := func(r *rand.Rand) int64 { return r.Int64N(1<<40) - 1<<39 }
	coded := func(index, value arrow.DataType, most int) Leaf {
		l := leaf(&arrow.DictionaryType{IndexType: index, ValueType: value}, types.STRING, func(r *rand.Rand) string {
			if v := text(r); r.IntN(most) > 20 {
				return v
			}
			return pick(r, "", "red", "green", "a colour with a long name")
		}, nil, func(b array.Builder, v string) {
			if err := b.(*array.BinaryDictionaryBuilder).AppendString(v); err != nil {
				panic(err)
			}
		})
		return l
	}
	interval := func(months, days int32, ns int64) any {
		return arrow.MonthDayNanoInterval{Months: months, Days: days, Nanoseconds: ns}
	}
	return []Leaf{
		coded(arrow.PrimitiveTypes.Int8, arrow.BinaryTypes.String, 1), coded(arrow.PrimitiveTypes.Uint16, arrow.BinaryTypes.String, 100),
		coded(arrow.PrimitiveTypes.Int32, arrow.BinaryTypes.String, 30), coded(arrow.PrimitiveTypes.Int64, arrow.BinaryTypes.String, 30),
		textLeaf(arrow.BinaryTypes.StringView), bytesLeaf(arrow.BinaryTypes.BinaryView, raw),
		leaf(arrow.FixedWidthTypes.Date64, types.DATE, func(r *rand.Rand) arrow.Date64 { return arrow.Date64(r.IntN(100_000)-50_000) * 86_400_000 },
			func(v arrow.Date64) any { return arrow.Date32(v / 86_400_000) }, add[arrow.Date64]),
		clock[arrow.Time32](arrow.FixedWidthTypes.Time32s, 1), moments(arrow.Second, 1_000_000_000),
		leaf(arrow.FixedWidthTypes.Duration_ms, types.INTERVAL, func(r *rand.Rand) arrow.Duration { return arrow.Duration(noise(r)) },
			func(v arrow.Duration) any { return interval(0, 0, int64(v)*1_000_000) }, add[arrow.Duration]),
		leaf(arrow.FixedWidthTypes.MonthInterval, types.INTERVAL, func(r *rand.Rand) arrow.MonthInterval { return arrow.MonthInterval(bits[int32](r)) },
			func(v arrow.MonthInterval) any { return interval(int32(v), 0, 0) }, add[arrow.MonthInterval]),
		leaf(arrow.FixedWidthTypes.DayTimeInterval, types.INTERVAL,
			func(r *rand.Rand) arrow.DayTimeInterval {
				return arrow.DayTimeInterval{Days: bits[int32](r), Milliseconds: bits[int32](r)}
			}, func(v arrow.DayTimeInterval) any { return interval(0, v.Days, int64(v.Milliseconds)*1_000_000) }, add[arrow.DayTimeInterval]),
		leaf(arrow.FixedWidthTypes.MonthDayNanoInterval, types.INTERVAL, func(r *rand.Rand) arrow.MonthDayNanoInterval {
			return arrow.MonthDayNanoInterval{Months: bits[int32](r), Days: bits[int32](r), Nanoseconds: pick(r, math.MinInt64, noise(r))}
		}, nil, add[arrow.MonthDayNanoInterval]),
		leaf(&arrow.Decimal256Type{Precision: 38, Scale: 4}, types.DecimalOf(38, 4), DecimalOf(38, 4).make128,
			nil, func(b array.Builder, v num128) { add(b, decimal256.FromDecimal128(v)) }),
	}
}
