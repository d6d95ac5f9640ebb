package frame

import (
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// layout is how a type lies in memory.
type layout uint8

const (
	nothing layout = iota // the type of NULL has no buffers
	bitmap
	fixed
	text
	list
	structure
)

// What a column of text comes as.
const (
	asViews     = iota
	asCodes     // of a dictionary that the other end remembers
	asCodesOver // of a dictionary that follows
)

// column is a type of the plan, taken apart. It is never changed once made.
type column struct {
	name     string // for errors
	typ      types.Type
	dt       arrow.DataType
	dict     *arrow.DictionaryType // of text
	layout   layout
	width    int // of fixed
	utf8     bool
	children []*column
}

func columnsOf(ts []types.Type) ([]*column, error) {
	cols := make([]*column, len(ts))
	for i, t := range ts {
		c, err := columnOf(fmt.Sprintf("column %d", i+1), t, 0)
		if err != nil {
			return nil, err
		}
		cols[i] = c
	}
	return cols, nil
}

func columnOf(name string, t types.Type, depth int) (*column, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("%s: types are nested more than %d deep", name, maxDepth)
	}
	c := &column{name: name, typ: t}
	child := func(name string, t types.Type) error {
		k, err := columnOf(name, t, depth+1)
		c.children = append(c.children, k)
		return err
	}
	switch t.Kind {
	case types.Null:
		c.layout = nothing
	case types.Bool:
		c.layout = bitmap
	case types.String, types.Bytes:
		c.layout, c.utf8 = text, t.Kind == types.String
	case types.List:
		if t.Elem == nil {
			return nil, fmt.Errorf("%s: a list of no type", name)
		}
		c.layout = list
		if err := child(name+"[]", *t.Elem); err != nil {
			return nil, err
		}
	case types.Struct:
		c.layout = structure
		for _, f := range t.Fields {
			if err := child(name+"."+f.Name, f.Type); err != nil {
				return nil, err
			}
		}
	default:
		c.layout = fixed
	}
	switch c.layout {
	case list:
		c.dt = arrow.ListOf(c.children[0].dt)
	case structure:
		c.dt = structOf(t.Fields, func(i int) arrow.DataType { return c.children[i].dt })
	default:
		c.dt = t.Arrow()
	}
	if c.layout == fixed {
		if c.width = vec.Width(c.dt); c.width == 0 {
			return nil, fmt.Errorf("%s: there is no type %d", name, t.Kind)
		}
	}
	if c.layout == text {
		c.dict = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: c.dt}
	}
	return c, nil
}

func structOf(fields []types.Field, dt func(i int) arrow.DataType) arrow.DataType {
	fs := make([]arrow.Field, len(fields))
	for i, f := range fields {
		fs[i] = arrow.Field{Name: f.Name, Type: dt(i), Nullable: true}
	}
	return arrow.StructOf(fs...)
}

// columnError is an error that names its column.
type columnError struct {
	c   *column
	err error
}

// Error implements error.
func (e *columnError) Error() string { return fmt.Sprintf("%s (%s): %v", e.c.name, e.c.typ, e.err) }

// Unwrap implements the convention of package errors.
func (e *columnError) Unwrap() error { return e.err }

func (c *column) errorf(format string, args ...any) error {
	return &columnError{c: c, err: fmt.Errorf(format, args...)}
}

// inner names the column where err names none yet.
func (c *column) inner(err error) error {
	var named *columnError
	if errors.As(err, &named) {
		return err
	}
	return &columnError{c: c, err: err}
}

// holds reports that an array's type is the column's, but for the layout of text and what is nested.
func (c *column) holds(dt arrow.DataType) bool {
	switch c.layout {
	case text:
		id := dt.ID()
		if id == arrow.DICTIONARY {
			id = dt.(*arrow.DictionaryType).ValueType.ID()
		}
		switch id {
		case arrow.STRING, arrow.LARGE_STRING, arrow.STRING_VIEW:
			return c.utf8
		case arrow.BINARY, arrow.LARGE_BINARY, arrow.BINARY_VIEW:
			return !c.utf8
		}
		return false
	case structure:
		s, ok := dt.(*arrow.StructType)
		return ok && s.NumFields() == len(c.children)
	}
	switch want := c.dt.(type) {
	case *arrow.Decimal128Type:
		d, ok := dt.(*arrow.Decimal128Type)
		return ok && d.Scale == want.Scale && d.Precision <= want.Precision
	case *arrow.TimestampType:
		t, ok := dt.(*arrow.TimestampType)
		return ok && t.Unit == want.Unit
	}
	return dt.ID() == c.dt.ID()
}
