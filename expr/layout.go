package expr

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// holds reports whether a column of Arrow dt is one of t, in a layout that the
// kernels read: they trust it, so that a plan from outside that names a wrong
// type must not get past here.
func holds(dt arrow.DataType, t types.Type) bool {
	switch id := dt.ID(); t.Kind {
	case types.String, types.Bytes:
		if d, ok := dt.(*arrow.DictionaryType); ok {
			dt = d.ValueType
		}
		return vec.IsText(dt) && isBytes(dt) == (t.Kind == types.Bytes)
	case types.Decimal:
		d, ok := dt.(*arrow.Decimal128Type)
		return ok && int(d.Scale) == t.Scale && int(d.Precision) <= t.Precision
	case types.Timestamp:
		ts, ok := dt.(*arrow.TimestampType)
		return ok && ts.Unit == arrow.Microsecond
	case types.List:
		l, ok := dt.(*arrow.ListType)
		return ok && holds(l.Elem(), *t.Elem)
	case types.Struct:
		s, ok := dt.(*arrow.StructType)
		if !ok || s.NumFields() != len(t.Fields) {
			return false
		}
		for i, f := range t.Fields {
			if !holds(s.Field(i).Type, f.Type) {
				return false
			}
		}
		return true
	default:
		return int(t.Kind) < len(layoutOf) && id == layoutOf[t.Kind]
	}
}

func isBytes(dt arrow.DataType) bool {
	switch dt.ID() {
	case arrow.BINARY, arrow.LARGE_BINARY, arrow.BINARY_VIEW:
		return true
	}
	return false
}

// layoutOf is the only layout of the kinds that have one without parameters.
var layoutOf = [...]arrow.Type{
	types.Null: arrow.NULL, types.Bool: arrow.BOOL,
	types.Int8: arrow.INT8, types.Int16: arrow.INT16, types.Int32: arrow.INT32, types.Int64: arrow.INT64,
	types.Float32: arrow.FLOAT32, types.Float64: arrow.FLOAT64,
	types.Date: arrow.DATE32, types.Interval: arrow.INTERVAL_MONTH_DAY_NANO,
}
