package arrowipc

import (
	"errors"
	"fmt"

	"github.com/rainsql/rainsql/connect/arrowipc/internal/flat"
	"github.com/rainsql/rainsql/expr/types"
)

// Limits of a schema. The second is that of nested types in the language.
const (
	maxFields = 100_000
	maxDepth  = 100
)

// layout is how the values of a field lie in buffers.
type layout uint8

const (
	noValues  layout = iota
	bits             // one bit each
	fixed            // width bytes each
	offsets32        // bytes, by offsets of 32 bits
	offsets64
	views
	list32 // elements, by offsets
	list64
	listView32 // elements, by offsets and sizes
	listView64
	fixedList
	structure
	runEnds
	denseUnion
	sparseUnion
)

// field is a node of the schema, with what a reader makes of it.
type field struct {
	name     string
	typ      types.Type
	refused  string // why it cannot be read; "" if it can
	layout   layout
	width    int // of a value, in bytes; of a fixed list, in elements
	text     bool
	children []*field
	convert  converter // what is to be done to the values; nil: nothing
	dict     *dictField
}

// dictField says that a field holds codes of a dictionary. The field's layout
// and children are those of the dictionary's values.
type dictField struct {
	id     int64
	width  int
	signed bool
}

type schemaReader struct{ fields int }

// readSchema reads the columns of a schema message.
func readSchema(t flat.Table) ([]*field, error) {
	if t.IsZero() {
		return nil, errors.New("has no schema")
	}
	if t.Int16(0, 0) != 0 {
		return nil, errors.New("has big-endian numbers, which cannot be read")
	}
	var r schemaReader
	v := t.Vector(1, 4)
	cols := make([]*field, 0, v.Len())
	for i := range v.Len() {
		f, err := r.field(v.Table(i), 0)
		if err != nil {
			return nil, err
		}
		cols = append(cols, f)
	}
	return cols, nil
}

func (r *schemaReader) field(t flat.Table, depth int) (*field, error) {
	if t.IsZero() {
		return nil, flat.ErrDamaged
	}
	if r.fields++; r.fields > maxFields {
		return nil, fmt.Errorf("has a schema of more than %d fields", maxFields)
	}
	if depth > maxDepth {
		return nil, fmt.Errorf("has a schema nested deeper than %d", maxDepth)
	}
	f := &field{name: t.String(0)}
	children := t.Vector(5, 4)
	for i := range children.Len() {
		c, err := r.field(children.Table(i), depth+1)
		if err != nil {
			return nil, err
		}
		f.children = append(f.children, c)
	}
	if err := f.setType(t.Int8(2, 0), t.Table(3)); err != nil {
		return nil, err
	}
	if f.layout == fixed && f.width == 16 && extension(t) == "arrow.uuid" {
		f.typ, f.convert = types.STRING, asUUID
	}
	if d := t.Table(4); !d.IsZero() {
		f.dict = &dictField{id: d.Int64(0, 0), width: 4, signed: true}
		if it := d.Table(1); !it.IsZero() {
			f.dict.width, f.dict.signed = int(it.Int32(0, 0))/8, it.Bool(1)
		}
		if w := f.dict.width; w != 1 && w != 2 && w != 4 && w != 8 {
			return nil, fmt.Errorf("has codes of %d bytes in column %q", w, f.name)
		}
	}
	return f, nil
}

// extension returns the name of a field's extension type, "" if it has none.
func extension(t flat.Table) string {
	kvs := t.Vector(6, 4)
	for i := range kvs.Len() {
		if kv := kvs.Table(i); kv.String(0) == "ARROW:extension:name" {
			return kv.String(1)
		}
	}
	return ""
}

// refuse marks a field as one that cannot be read.
func (f *field) refuse(what string) {
	f.typ, f.refused = types.BYTES, what
}

// inherit refuses a field if its children are.
func (f *field) inherit() {
	for _, c := range f.children {
		if c.refused != "" {
			f.refuse("its field " + c.name + " " + c.refused)
			return
		}
	}
}

// want checks that the field has as many children as its type wants.
func (f *field) want(children int) error {
	if len(f.children) != children {
		return fmt.Errorf("has %d fields within column %q where %d belong", len(f.children), f.name, children)
	}
	return nil
}

// setType reads the type by its number in Arrow's Schema.fbs.
func (f *field) setType(number int8, t flat.Table) error {
	switch number {
	case 1:
		f.layout, f.typ = noValues, types.STRING
	case 2:
		return f.setInt(int(t.Int32(0, 0)), t.Bool(1))
	case 3:
		switch t.Int16(0, 0) {
		case 0:
			f.fixed(2, types.FLOAT32, halfToFloat)
		case 1:
			f.fixed(4, types.FLOAT32, nil)
		default:
			f.fixed(8, types.FLOAT, nil)
		}
	case 4:
		f.layout, f.typ = offsets32, types.BYTES
	case 5:
		f.layout, f.typ, f.text = offsets32, types.STRING, true
	case 6:
		f.layout, f.typ = bits, types.BOOL
	case 7:
		return f.setDecimal(int(t.Int32(0, 0)), int(t.Int32(1, 0)), int(t.Int32(2, 128)))
	case 8, 9, 10, 11, 18:
		return f.setTime(number, t)
	case 12:
		return f.setList(list32, 0)
	case 17:
		if err := f.want(1); err != nil {
			return err
		}
		if kv := f.children[0].typ.Fields; len(kv) == 2 {
			kv[0].Name, kv[1].Name = "key", "value"
		}
		return f.setList(list32, 0)
	case 13:
		f.layout = structure
		fields := make([]types.Field, len(f.children))
		for i, c := range f.children {
			fields[i] = types.Field{Name: c.name, Type: c.typ}
		}
		f.typ = types.StructOf(fields...)
		if len(fields) == 0 {
			f.refuse("is a structure without fields")
		}
		f.inherit()
	case 14:
		f.layout = denseUnion
		if t.Int16(0, 0) == 0 {
			f.layout = sparseUnion
		}
		f.refuse("is a union, which cannot be read")
	case 15:
		w := int(t.Int32(0, 0))
		if w < 0 {
			return fmt.Errorf("has values of %d bytes in column %q", w, f.name)
		}
		f.fixed(w, types.BYTES, asBytes)
	case 16:
		n := int(t.Int32(0, 0))
		if n < 0 {
			return fmt.Errorf("has lists of %d elements in column %q", n, f.name)
		}
		return f.setList(fixedList, n)
	case 19:
		f.layout, f.typ = offsets64, types.BYTES
	case 20:
		f.layout, f.typ, f.text = offsets64, types.STRING, true
	case 21:
		return f.setList(list64, 0)
	case 22:
		return f.setRuns()
	case 23:
		f.layout, f.typ = views, types.BYTES
	case 24:
		f.layout, f.typ, f.text = views, types.STRING, true
	case 25:
		return f.setList(listView32, 0)
	case 26:
		return f.setList(listView64, 0)
	default:
		return fmt.Errorf("has a type (%d) in column %q that is not known", number, f.name)
	}
	return nil
}

func (f *field) fixed(width int, t types.Type, c converter) {
	f.layout, f.width, f.typ, f.convert = fixed, width, t, c
}

func (f *field) setList(l layout, size int) error {
	if err := f.want(1); err != nil {
		return err
	}
	f.layout, f.width, f.typ = l, size, types.ListOf(f.children[0].typ)
	f.inherit()
	return nil
}

func (f *field) setRuns() error {
	if err := f.want(2); err != nil {
		return err
	}
	ends := f.children[0]
	if ends.layout != fixed || ends.dict != nil || ends.width != 2 && ends.width != 4 && ends.width != 8 {
		return fmt.Errorf("has runs in column %q that do not end at integers", f.name)
	}
	f.layout, f.typ = runEnds, f.children[1].typ
	f.inherit()
	return nil
}

func (f *field) setInt(width int, signed bool) error {
	switch {
	case width == 8 && signed:
		f.fixed(1, types.INT8, nil)
	case width == 16 && signed:
		f.fixed(2, types.INT16, nil)
	case width == 32 && signed:
		f.fixed(4, types.INT32, nil)
	case width == 64 && signed:
		f.fixed(8, types.INT, nil)
	case width == 8:
		f.fixed(1, types.INT16, widen[uint8, int16])
	case width == 16:
		f.fixed(2, types.INT32, widen[uint16, int32])
	case width == 32:
		f.fixed(4, types.INT, widen[uint32, int64])
	case width == 64:
		f.fixed(8, types.DecimalOf(20, 0), unsignedToDecimal)
	default:
		return fmt.Errorf("has integers of %d bits in column %q", width, f.name)
	}
	return nil
}

func (f *field) setDecimal(precision, scale, width int) error {
	switch width {
	case 32:
		f.fixed(4, types.Type{}, intToDecimal[int32])
	case 64:
		f.fixed(8, types.Type{}, intToDecimal[int64])
	case 128:
		f.fixed(16, types.Type{}, nil)
	case 256:
		f.fixed(32, types.Type{}, wideToDecimal)
	default:
		return fmt.Errorf("has decimals of %d bits in column %q", width, f.name)
	}
	f.typ = types.DecimalOf(precision, scale)
	if precision < 1 || precision > types.MaxPrecision || scale < 0 || scale > precision {
		f.refuse(fmt.Sprintf("is a DECIMAL(%d,%d); up to %d digits can be read", precision, scale, types.MaxPrecision))
	}
	return nil
}

// Units of time, by number.
const (
	unitSecond = iota
	unitMilli
	unitMicro
	unitNano
)

func (f *field) setTime(number int8, t flat.Table) error {
	unit := t.Int16(0, 1)
	if number == 10 || number == 11 {
		unit = t.Int16(0, 0)
	}
	if unit < 0 || unit > unitNano {
		return fmt.Errorf("has an unknown unit of time in column %q", f.name)
	}
	switch number {
	case 8:
		if unit == 0 {
			f.fixed(4, types.DATE, nil)
		} else {
			f.fixed(8, types.DATE, millisToDays)
		}
	case 9:
		if t.Int32(1, 32) == 32 {
			f.fixed(4, types.STRING, clock[int32](unit))
		} else {
			f.fixed(8, types.STRING, clock[int64](unit))
		}
	case 10:
		f.fixed(8, types.TIMESTAMP, nil)
		if unit != unitMicro {
			f.convert = timestamps(unit)
		}
	case 11:
		switch unit {
		case 0:
			f.fixed(4, types.INTERVAL, monthIntervals)
		case 1:
			f.fixed(8, types.INTERVAL, dayIntervals)
		case 2:
			f.fixed(16, types.INTERVAL, nil)
		default:
			return fmt.Errorf("has an unknown kind of interval in column %q", f.name)
		}
	default:
		f.fixed(8, types.INTERVAL, durations(unit))
	}
	return nil
}
