package parquet

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect/arrowipc/recast"
	"github.com/rainsql/rainsql/connect/parquet/internal/codec"
	"github.com/rainsql/rainsql/connect/parquet/internal/meta"
	"github.com/rainsql/rainsql/expr/types"
)

// reading is how the values of a leaf become a column.
type reading struct {
	typ    types.Type
	column func(memory.Allocator) column
	// finish makes the column's type of what column gives; nil: it is that
	// already. It takes over the array.
	finish func(memory.Allocator, arrow.Array) (arrow.Array, error)
}

// readingOf chooses how to read a leaf, or says why it cannot be read.
func readingOf(e meta.Element) (reading, error) {
	switch e.Physical {
	case meta.Boolean:
		return reading{typ: types.BOOL, column: newBools}, nil
	case meta.Int32:
		return readInt32(e)
	case meta.Int64:
		return readInt64(e)
	case meta.Int96:
		return ofBytes(12, types.TIMESTAMP, timestampOf96), nil
	case meta.Float:
		return same[float32](types.FLOAT32), nil
	case meta.Double:
		return same[float64](types.FLOAT), nil
	case meta.ByteArray:
		return readBytes(e, 0)
	}
	if e.Length <= 0 || e.Length > codec.MaxPage {
		return reading{}, fmt.Errorf("has values of %d bytes", e.Length)
	}
	return readBytes(e, int(e.Length))
}

func readInt32(e meta.Element) (reading, error) {
	switch e.Logical {
	case meta.None, meta.PlainInt32, meta.Unknown:
		return same[int32](types.INT32), nil
	case meta.Int8:
		return converted(types.INT8, narrow[int8]), nil
	case meta.Int16:
		return converted(types.INT16, narrow[int16]), nil
	case meta.Uint8:
		return converted(types.INT16, func(v int32) (int16, bool) { return int16(v), v >= 0 && v <= 0xff }), nil
	case meta.Uint16:
		return converted(types.INT32, func(v int32) (int32, bool) { return v, v >= 0 && v <= 0xffff }), nil
	case meta.Uint32:
		return converted(types.INT, func(v int32) (int64, bool) { return int64(uint32(v)), true }), nil
	case meta.Date:
		return same[int32](types.DATE), nil
	case meta.TimeMillis:
		return timeOfDay(converted(types.INT, func(v int32) (int64, bool) { return int64(v) * 1000, inDay(int64(v) * 1000) })), nil
	case meta.Decimal:
		t, err := decimalOf(e)
		return converted(t, func(v int32) (decimal128.Num, bool) { return decimal128.FromI64(int64(v)), true }), err
	}
	return reading{}, unknownType(e, "INT32")
}

func narrow[R int8 | int16](v int32) (R, bool) { return R(v), int32(R(v)) == v }

func readInt64(e meta.Element) (reading, error) {
	switch e.Logical {
	case meta.None, meta.PlainInt64, meta.Unknown:
		return same[int64](types.INT), nil
	case meta.Uint64:
		return converted(types.DecimalOf(20, 0), func(v int64) (decimal128.Num, bool) { return decimal128.FromU64(uint64(v)), true }), nil
	case meta.TimeMicros:
		return timeOfDay(converted(types.INT, func(v int64) (int64, bool) { return v, inDay(v) })), nil
	case meta.TimeNanos:
		return timeOfDay(converted(types.INT, func(v int64) (int64, bool) { return v / 1000, inDay(v / 1000) })), nil
	case meta.TimestampMillis:
		return converted(types.TIMESTAMP, millisToMicros), nil
	case meta.TimestampMicros:
		return same[int64](types.TIMESTAMP), nil
	case meta.TimestampNanos:
		return converted(types.TIMESTAMP, nanosToMicros), nil
	case meta.Decimal:
		t, err := decimalOf(e)
		return converted(t, func(v int64) (decimal128.Num, bool) { return decimal128.FromI64(v), true }), err
	}
	return reading{}, unknownType(e, "INT64")
}

func millisToMicros(v int64) (int64, bool) { return v * 1000, v*1000/1000 == v }

// nanosToMicros rounds down, before 1970 too.
func nanosToMicros(v int64) (int64, bool) {
	q := v / 1000
	if v%1000 < 0 {
		q--
	}
	return q, true
}

// inDay reports a time of day in microseconds; 24:00:00 is one.
func inDay(us int64) bool { return us >= 0 && us <= 86_400_000_000 }

// readBytes reads strings of bytes, of width each or (0) any length.
func readBytes(e meta.Element, width int) (reading, error) {
	switch {
	case e.Logical == meta.String, e.Logical == meta.Enum, e.Logical == meta.JSON:
		return texts(types.STRING, width), nil
	case e.Logical == meta.None, e.Logical == meta.BSON, e.Logical == meta.Unknown:
		return texts(types.BYTES, width), nil
	case e.Logical == meta.Decimal:
		t, err := decimalOf(e)
		return ofBytes(width, t, recast.BigEndian), err
	case e.Logical == meta.Interval && width == 12:
		return ofBytes(width, types.INTERVAL, intervalOf), nil
	case e.Logical == meta.Float16 && width == 2:
		return ofBytes(width, types.FLOAT32, recast.Half), nil
	case e.Logical == meta.UUID && width == 16:
		r := texts(types.BYTES, width)
		r.typ = types.STRING
		r.finish = owned(func(mem memory.Allocator, a arrow.Array) (arrow.Array, error) { return recast.UUID(mem, a) })
		return r, nil
	}
	return reading{}, unknownType(e, "bytes")
}

func unknownType(e meta.Element, stored string) error {
	if e.Logical == meta.Foreign {
		return fmt.Errorf("has the type %s, which cannot be read", e.LogicalName)
	}
	return fmt.Errorf("has a logical type (%d) that does not go with %s", e.Logical, stored)
}

func decimalOf(e meta.Element) (types.Type, error) {
	if e.Precision < 1 || e.Precision > types.MaxPrecision || e.Scale < 0 || e.Scale > e.Precision {
		return types.Type{}, fmt.Errorf("is a DECIMAL(%d,%d); up to %d digits can be read", e.Precision, e.Scale, types.MaxPrecision)
	}
	return types.DecimalOf(int(e.Precision), int(e.Scale)), nil
}

// owned makes a finish of a function that borrows its array.
func owned(f func(memory.Allocator, arrow.Array) (arrow.Array, error)) func(memory.Allocator, arrow.Array) (arrow.Array, error) {
	return func(mem memory.Allocator, a arrow.Array) (arrow.Array, error) {
		defer a.Release()
		return f(mem, a)
	}
}

// timeOfDay makes text of microseconds since midnight, as there is no TIME.
func timeOfDay(r reading) reading {
	r.typ = types.STRING
	r.finish = owned(func(mem memory.Allocator, a arrow.Array) (arrow.Array, error) { return recast.Clock(mem, a), nil })
	return r
}
