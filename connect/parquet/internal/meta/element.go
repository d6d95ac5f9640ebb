package meta

import (
	"fmt"

	"github.com/rainsql/rainsql/connect/parquet/internal/thrift"
)

// converted maps the old way to say what values mean, by number.
var converted = [...]Logical{
	0: String, 1: Map, 2: Map /* MAP_KEY_VALUE: old writers have it on either group of a map */, 3: List, 4: Enum, 5: Decimal, 6: Date,
	7: TimeMillis, 8: TimeMicros, 9: TimestampMillis, 10: TimestampMicros,
	11: Uint8, 12: Uint16, 13: Uint32, 14: Uint64, 15: Int8, 16: Int16, 17: PlainInt32, 18: PlainInt64,
	19: JSON, 20: BSON, 21: Interval,
}

func readElement(r *thrift.Reader, t thrift.Type) Element {
	var e Element
	old, isNew := None, false
	r.Fields(t, func(id int16, t thrift.Type) {
		switch id {
		case 1:
			e.Physical, e.IsLeaf = Physical(r.Int32(t)), true
		case 2:
			e.Length = r.Int32(t)
		case 3:
			e.Repetition = Repetition(r.Int32(t))
		case 4:
			e.Name = string(r.Bytes(t))
		case 5:
			e.Children = r.Int32(t)
		case 6:
			n := r.Int32(t)
			if n >= 0 && int(n) < len(converted) {
				old = converted[n]
				return
			}
			old, e.LogicalName = Foreign, fmt.Sprintf("converted type %d", n)
		case 7:
			e.Scale = r.Int32(t)
		case 8:
			e.Precision = r.Int32(t)
		case 10:
			isNew = e.readLogical(r, t)
		default:
			r.Skip(t)
		}
	})
	if !isNew {
		e.Logical = old
	}
	switch {
	case r.Err() != nil:
	case e.Repetition < Required || e.Repetition > Repeated:
		r.Fail(fmt.Errorf("field %q has the unknown repetition %d", e.Name, e.Repetition))
	case e.IsLeaf && (e.Physical < Boolean || e.Physical > FixedByteArray):
		r.Fail(fmt.Errorf("field %q has the unknown physical type %d", e.Name, e.Physical))
	case e.Children < 0 || e.IsLeaf && e.Children > 0:
		r.Fail(fmt.Errorf("field %q has %d children", e.Name, e.Children))
	}
	return e
}

// plainLogical are the logical types without parameters, by number.
var plainLogical = map[int16]Logical{
	1: String, 2: Map, 3: List, 4: Enum, 6: Date, 11: Unknown, 12: JSON, 13: BSON, 14: UUID, 15: Float16,
}

var foreignLogical = map[int16]string{16: "VARIANT", 17: "GEOMETRY", 18: "GEOGRAPHY"}

func (e *Element) readLogical(r *thrift.Reader, t thrift.Type) (known bool) {
	r.Fields(t, func(id int16, t thrift.Type) {
		known = true
		switch id {
		case 5:
			e.Logical = Decimal
			r.Fields(t, func(id int16, t thrift.Type) {
				switch id {
				case 1:
					e.Scale = r.Int32(t)
				case 2:
					e.Precision = r.Int32(t)
				default:
					r.Skip(t)
				}
			})
		case 7:
			e.Logical = TimeMillis + Logical(e.readUnit(r, t))
		case 8:
			e.Logical = TimestampMillis + Logical(e.readUnit(r, t))
		case 10:
			e.readInteger(r, t)
		default:
			l, ok := plainLogical[id]
			if !ok {
				l, e.LogicalName = Foreign, foreignLogical[id]
				if e.LogicalName == "" {
					e.LogicalName = fmt.Sprintf("logical type %d", id)
				}
			}
			e.Logical = l
			r.Skip(t)
		}
	})
	return known
}

// readUnit reads a time or timestamp: 0 for milliseconds, 1 micro, 2 nano.
func (e *Element) readUnit(r *thrift.Reader, t thrift.Type) int16 {
	unit := int16(0)
	r.Fields(t, func(id int16, t thrift.Type) {
		switch id {
		case 1:
			e.LocalTime = !r.Bool(t)
		case 2:
			unit = readUnion(r, t)
		default:
			r.Skip(t)
		}
	})
	if r.Err() == nil && (unit < 1 || unit > 3) {
		r.Fail(fmt.Errorf("field %q has an unknown unit of time", e.Name))
		return 0
	}
	return unit - 1
}

func (e *Element) readInteger(r *thrift.Reader, t thrift.Type) {
	bits, signed := int64(0), true
	r.Fields(t, func(id int16, t thrift.Type) {
		switch id {
		case 1:
			bits = r.Int(t)
		case 2:
			signed = r.Bool(t)
		default:
			r.Skip(t)
		}
	})
	switch bits {
	case 8:
		e.Logical = Uint8
	case 16:
		e.Logical = Uint16
	case 32:
		e.Logical = Uint32
	case 64:
		e.Logical = Uint64
	default:
		r.Fail(fmt.Errorf("field %q has integers of %d bits", e.Name, bits))
	}
	if signed {
		e.Logical += Int8 - Uint8
	}
}
