package parquet

import (
	"fmt"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/parquet/internal/meta"
	"github.com/rainsql/rainsql/expr/types"
)

// Check reports whether rows of schema can be written: every column needs a
// name of its own, and every STRUCT a field.
func Check(schema types.Schema) error {
	if len(schema) == 0 {
		return &connect.Error{Msg: "there is no column to write", Hint: "TRANSFORM to at least one"}
	}
	return checkFields(schema, "")
}

func checkFields(fields []types.Field, path string) error {
	seen := make(map[string]bool, len(fields))
	for _, f := range fields {
		if seen[f.Name] {
			return &connect.Error{Column: path + f.Name, Msg: "is there twice, which Parquet does not allow", Hint: "rename one of them with AS"}
		}
		seen[f.Name] = true
		t := f.Type
		for t.Kind == types.List {
			t = *t.Elem
		}
		if t.Kind != types.Struct {
			continue
		}
		if len(t.Fields) == 0 {
			return &connect.Error{Column: path + f.Name, Msg: "is a STRUCT without fields, which Parquet cannot hold", Hint: "leave the column out"}
		}
		if err := checkFields(t.Fields, path+f.Name+"."); err != nil {
			return err
		}
	}
	return nil
}

// written is a field as it is written: a tree as long as the type's.
type written struct {
	typ      types.Type
	children []*written
	leaf     *leafWriter
}

// plan makes the schema's elements and a writer for each leaf.
type plan struct {
	elems  []meta.Element
	leaves []*leafWriter
}

func (p *plan) field(f types.Field, path []string, def, rep int) (*written, error) {
	path = append(path[:len(path):len(path)], f.Name)
	def++
	if len(path) > maxColumnDepth {
		return nil, fmt.Errorf("is nested deeper than %d", maxColumnDepth)
	}
	w := &written{typ: f.Type}
	e := meta.Element{Name: f.Name, Repetition: meta.Optional}
	switch f.Type.Kind {
	case types.List:
		e.Logical, e.Children = meta.List, 1
		p.elems = append(p.elems, e, meta.Element{Name: "list", Repetition: meta.Repeated, Children: 1})
		c, err := p.field(types.Field{Name: "element", Type: *f.Type.Elem}, append(path, "list"), def+1, rep+1)
		w.children = []*written{c}
		return w, err
	case types.Struct:
		e.Children = int32(len(f.Type.Fields))
		p.elems = append(p.elems, e)
		for _, ff := range f.Type.Fields {
			c, err := p.field(ff, path, def, rep)
			if err != nil {
				return nil, err
			}
			w.children = append(w.children, c)
		}
		return w, nil
	}
	e.IsLeaf = true
	storage(f.Type, &e)
	p.elems = append(p.elems, e)
	w.leaf = newLeafWriter(f.Type, e, path, uint8(def), uint8(rep))
	p.leaves = append(p.leaves, w.leaf)
	return w, nil
}

// storage chooses how values of a scalar type are stored.
func storage(t types.Type, e *meta.Element) {
	switch t.Kind {
	case types.Bool:
		e.Physical = meta.Boolean
	case types.Int8:
		e.Physical, e.Logical = meta.Int32, meta.Int8
	case types.Int16:
		e.Physical, e.Logical = meta.Int32, meta.Int16
	case types.Int32:
		e.Physical = meta.Int32
	case types.Int64:
		e.Physical = meta.Int64
	case types.Float32:
		e.Physical = meta.Float
	case types.Float64:
		e.Physical = meta.Double
	case types.Decimal:
		e.Logical, e.Precision, e.Scale = meta.Decimal, int32(t.Precision), int32(t.Scale)
		switch {
		case t.Precision <= 9:
			e.Physical = meta.Int32
		case t.Precision <= 18:
			e.Physical = meta.Int64
		default:
			e.Physical, e.Length = meta.FixedByteArray, 16
		}
	case types.String:
		e.Physical, e.Logical = meta.ByteArray, meta.String
	case types.Bytes:
		e.Physical = meta.ByteArray
	case types.Date:
		e.Physical, e.Logical = meta.Int32, meta.Date
	case types.Timestamp:
		e.Physical, e.Logical = meta.Int64, meta.TimestampMicros
	case types.Interval:
		e.Physical, e.Logical, e.Length = meta.FixedByteArray, meta.Interval, 12
	default:
		e.Physical, e.Logical = meta.Int32, meta.Unknown
	}
}
