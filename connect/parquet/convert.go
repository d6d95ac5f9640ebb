package parquet

import (
	"encoding/binary"
	"errors"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect/arrowipc/recast"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// bytesTo is recast.Bytes with errors as columns give them.
func bytesTo[R vec.FixedWidth](mem memory.Allocator, a arrow.Array, t types.Type, f func([]byte) (R, bool)) (arrow.Array, error) {
	out, err := recast.Bytes(mem, a, t, f)
	return out, asMisfit(err)
}

func asMisfit(err error) error {
	if e, ok := errors.AsType[*recast.Error](err); ok {
		return &misfit{row: e.Row, msg: e.Msg}
	}
	return err
}

const (
	julianOf1970 = 2_440_588
	microsPerDay = 86_400_000_000
)

// timestampOf96 reads nanoseconds of the day and a Julian day number, as Impala
// and old Spark wrote them.
func timestampOf96(b []byte) (arrow.Timestamp, bool) {
	if len(b) != 12 {
		return 0, false
	}
	nanos := int64(binary.LittleEndian.Uint64(b))
	days := int64(int32(binary.LittleEndian.Uint32(b[8:]))) - julianOf1970
	us, _ := nanosToMicros(nanos)
	whole := days * microsPerDay // 2^31 days are less than 2^63 microseconds only up to 292,000 years
	if days > math.MaxInt64/microsPerDay || days < math.MinInt64/microsPerDay {
		return 0, false
	}
	sum := whole + us
	return arrow.Timestamp(sum), (us >= 0) == (sum >= whole)
}

// intervalOf reads months, days and milliseconds, each without sign.
func intervalOf(b []byte) (arrow.MonthDayNanoInterval, bool) {
	if len(b) != 12 {
		return arrow.MonthDayNanoInterval{}, false
	}
	months, days := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
	millis := binary.LittleEndian.Uint32(b[8:])
	return arrow.MonthDayNanoInterval{
		Months: int32(months), Days: int32(days), Nanoseconds: int64(millis) * 1_000_000,
	}, months <= math.MaxInt32 && days <= math.MaxInt32
}
