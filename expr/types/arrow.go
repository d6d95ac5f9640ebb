package types

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
)

var timestampUTC = &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}

// Arrow returns the layout in which the engine holds t: strings and bytes as
// views, DECIMAL in 128 bits, TIMESTAMP in microseconds of UTC. A STRING column
// may also travel as a dictionary with INT32 codes over views.
func (t Type) Arrow() arrow.DataType {
	switch t.Kind {
	case Bool:
		return arrow.FixedWidthTypes.Boolean
	case Int8:
		return arrow.PrimitiveTypes.Int8
	case Int16:
		return arrow.PrimitiveTypes.Int16
	case Int32:
		return arrow.PrimitiveTypes.Int32
	case Int64:
		return arrow.PrimitiveTypes.Int64
	case Float32:
		return arrow.PrimitiveTypes.Float32
	case Float64:
		return arrow.PrimitiveTypes.Float64
	case Decimal:
		return &arrow.Decimal128Type{Precision: int32(t.Precision), Scale: int32(t.Scale)}
	case String:
		return arrow.BinaryTypes.StringView
	case Bytes:
		return arrow.BinaryTypes.BinaryView
	case Date:
		return arrow.PrimitiveTypes.Date32
	case Timestamp:
		return timestampUTC
	case Interval:
		return arrow.FixedWidthTypes.MonthDayNanoInterval
	case List:
		return arrow.ListOf(t.Elem.Arrow())
	case Struct:
		return arrow.StructOf(Schema(t.Fields).arrowFields()...)
	}
	return arrow.Null
}

func (s Schema) arrowFields() []arrow.Field {
	fields := make([]arrow.Field, len(s))
	for i, f := range s {
		fields[i] = arrow.Field{Name: f.Name, Type: f.Type.Arrow(), Nullable: true}
	}
	return fields
}

// Arrow returns the schema in the engine's layouts; every field is nullable.
func (s Schema) Arrow() *arrow.Schema { return arrow.NewSchema(s.arrowFields(), nil) }

// FromArrow returns the logical type of a layout that a file or peer brings.
// Unsigned integers, other time units and large strings are readable too, by
// way of a cast at the edge; what has no RQL type (unions, maps) is an error.
func FromArrow(dt arrow.DataType) (Type, error) {
	switch dt := dt.(type) {
	case *arrow.NullType:
		return NULL, nil
	case *arrow.BooleanType:
		return BOOL, nil
	case *arrow.Int8Type:
		return INT8, nil
	case *arrow.Int16Type, *arrow.Uint8Type:
		return INT16, nil
	case *arrow.Int32Type, *arrow.Uint16Type:
		return INT32, nil
	case *arrow.Int64Type, *arrow.Uint32Type:
		return INT, nil
	case *arrow.Uint64Type:
		return DecimalOf(20, 0), nil
	case *arrow.Float16Type, *arrow.Float32Type:
		return FLOAT32, nil
	case *arrow.Float64Type:
		return FLOAT, nil
	case *arrow.Decimal128Type:
		return DecimalOf(int(dt.Precision), int(dt.Scale)), nil
	case *arrow.StringType, *arrow.LargeStringType, *arrow.StringViewType:
		return STRING, nil
	case *arrow.BinaryType, *arrow.LargeBinaryType, *arrow.BinaryViewType, *arrow.FixedSizeBinaryType:
		return BYTES, nil
	case *arrow.Date32Type, *arrow.Date64Type:
		return DATE, nil
	case *arrow.TimestampType:
		return TIMESTAMP, nil
	case *arrow.MonthDayNanoIntervalType, *arrow.DayTimeIntervalType, *arrow.MonthIntervalType, *arrow.DurationType:
		return INTERVAL, nil
	case *arrow.DictionaryType:
		return FromArrow(dt.ValueType)
	case arrow.ListLikeType:
		elem, err := FromArrow(dt.Elem())
		return ListOf(elem), err
	case *arrow.StructType:
		fields := make([]Field, dt.NumFields())
		for i, f := range dt.Fields() {
			t, err := FromArrow(f.Type)
			if err != nil {
				return Type{}, err
			}
			fields[i] = Field{Name: f.Name, Type: t}
		}
		return StructOf(fields...), nil
	}
	return Type{}, fmt.Errorf("no RQL type for Arrow %s", dt)
}
