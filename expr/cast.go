package expr

import (
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// castable reports, as an error, that no value of from converts to to.
func castable(from, to types.Type) error {
	switch {
	case from.Equal(to), from.Kind == types.Null:
		return nil
	case from.Kind == types.List && to.Kind == types.List:
		return castable(*from.Elem, *to.Elem)
	case from.Kind == types.Struct && to.Kind == types.Struct && len(from.Fields) == len(to.Fields):
		for i, f := range from.Fields {
			if err := castable(f.Type, to.Fields[i].Type); err != nil {
				return err
			}
		}
		return nil
	case castKernel(from, to, false) != nil:
		return nil
	}
	return fmt.Errorf("no %s converts to %s", from, to)
}

// castFails reports that some values of from are an error as to.
func castFails(from, to types.Type) bool {
	switch {
	case from.Equal(to), from.Kind == types.Null, to.Kind == types.String:
		return false
	case from.Kind == types.List && to.Kind == types.List:
		return castFails(*from.Elem, *to.Elem)
	case from.Kind == types.Struct && to.Kind == types.Struct:
		for i, f := range from.Fields {
			if i < len(to.Fields) && castFails(f.Type, to.Fields[i].Type) {
				return true
			}
		}
		return false
	case from.Kind == types.Bool:
		return to.Kind == types.Decimal && to.Precision == to.Scale
	case from.IsNumeric() && to.Kind == types.Bool, from.IsTemporal() && to.IsTemporal():
		return false
	case from.IsInt() && to.IsInt():
		return from.Kind > to.Kind
	case from.IsInt() && to.IsFloat(), from.Kind == types.Decimal && to.Kind == types.Float64:
		return false
	case from.Kind == types.Float32 && to.Kind == types.Float64:
		return false
	case from.IsInt() && to.Kind == types.Decimal:
		return types.AsDecimal(from).Precision > to.Precision-to.Scale
	case from.Kind == types.Decimal && to.Kind == types.Decimal:
		narrower := 0
		if to.Scale < from.Scale {
			narrower = 1 // rounding up may need a digit more
		}
		return from.Precision-from.Scale+narrower > to.Precision-to.Scale
	}
	return true
}

// castArray converts a, a column of type from in any layout, to to. What does
// not fit is a *RowError, or NULL if try.
func castArray(mem memory.Allocator, a arrow.Array, from, to types.Type, try bool) (arrow.Array, error) {
	switch {
	case from.Equal(to):
		a.Retain()
		return a, nil
	case a.DataType().ID() == arrow.NULL:
		return vec.FromLiteral(mem, nil, to, a.Len())
	case from.Kind == types.List && to.Kind == types.List:
		return castList(mem, a, from, to, try)
	case from.Kind == types.Struct && to.Kind == types.Struct:
		return castStruct(mem, a, from, to, try)
	}
	run := castKernel(from, to, try)
	if run == nil {
		return nil, fmt.Errorf("no %s converts to %s", from, to)
	}
	c := &call{mem: mem, n: a.Len(), args: []vector{{arr: a}}, t: to, memo: &memo{}}
	if d, ok := a.(*array.Dictionary); ok && d.Dictionary().Len() <= a.Len() {
		out, err := castDictionary(c, d, castKernel(from, to, true), try)
		if out != nil || err != nil {
			return out, err
		}
	}
	return run(c)
}

// castDictionary converts each value once. It returns nothing where a row does
// not convert, so that the plain way finds the error.
func castDictionary(c *call, d *array.Dictionary, run kernel, try bool) (arrow.Array, error) {
	vals, err := run(&call{mem: c.mem, n: d.Dictionary().Len(), args: []vector{{arr: d.Dictionary()}}, t: c.t, memo: c.memo})
	if err != nil {
		return nil, err
	}
	defer vals.Release()
	bad, valid := vec.ValidityOf(vals), vec.ValidityOf(d)
	idx := make([]int32, d.Len())
	for i, code := range vec.Codes(d) {
		switch {
		case valid.Null(i):
			idx[i] = -1
		case !try && bad.Null(int(code)):
			return nil, nil
		default:
			idx[i] = code
		}
	}
	return vec.Take(c.mem, vals, idx)
}

func castList(mem memory.Allocator, a arrow.Array, from, to types.Type, try bool) (arrow.Array, error) {
	l := a.(*array.List)
	n := l.Len()
	nulls := vec.NewNulls(mem, n)
	nulls.Merge(vec.ValidityOf(l))
	defer nulls.Release()
	offs := make([]int32, n+1)
	var first, last int64
	owner := []int{} // of each element: its list
	for i := range n {
		from, to := l.ValueOffsets(i)
		if i == 0 {
			first = from
		}
		last = to
		offs[i+1] = int32(to - first)
		for range to - from {
			owner = append(owner, i)
		}
	}
	part := array.NewSlice(l.ListValues(), first, last)
	defer part.Release()
	elems, err := castArray(mem, part, *from.Elem, *to.Elem, try)
	if err != nil {
		var r *RowError
		if errors.As(err, &r) && r.Row < len(owner) {
			err = &RowError{Row: owner[r.Row], Err: r.Err}
		}
		return nil, err
	}
	defer elems.Release()
	return vec.NewList(mem, elems, offs, &nulls), nil
}

func castStruct(mem memory.Allocator, a arrow.Array, from, to types.Type, try bool) (arrow.Array, error) {
	s := a.(*array.Struct)
	fields := make([]arrow.Array, 0, len(to.Fields))
	defer func() { vec.ReleaseAll(fields) }()
	shape := make([]arrow.Field, 0, len(to.Fields))
	for i, f := range to.Fields {
		x, err := castField(mem, s, i, from.Fields[i].Type, f.Type, try)
		if err != nil {
			return nil, err
		}
		fields = append(fields, x)
		shape = append(shape, arrow.Field{Name: f.Name, Type: x.DataType(), Nullable: true})
	}
	nulls := vec.NewNulls(mem, s.Len())
	nulls.Merge(vec.ValidityOf(s))
	return vec.NewStruct(arrow.StructOf(shape...), s.Len(), fields, &nulls), nil
}

// castField converts a field; what stands under a struct that is NULL does not count.
func castField(mem memory.Allocator, s *array.Struct, k int, from, to types.Type, try bool) (arrow.Array, error) {
	valid := vec.ValidityOf(s)
	if valid.None() || from.Equal(to) {
		return castArray(mem, s.Field(k), from, to, try)
	}
	idx := positions(s.Len())
	for i := range idx {
		if valid.Null(i) {
			idx[i] = -1
		}
	}
	f, err := vec.Take(mem, s.Field(k), idx)
	if err != nil {
		return nil, err
	}
	defer f.Release()
	return castArray(mem, f, from, to, try)
}

// convert makes the kernel of a conversion; with try what fails is NULL.
func convert[A, R any](a in[A], r out[R], try bool, f func(A) (R, error)) kernel {
	if try {
		g := f
		f = func(x A) (R, error) {
			v, err := g(x)
			if err != nil {
				err = errNull
			}
			return v, err
		}
	}
	return try1(a, r, f)
}

// castKernel returns the kernel from one type that is not nested to another, or
// nil where there is none.
func castKernel(from, to types.Type, try bool) kernel {
	if to.Kind == types.String {
		return printKernel(from)
	}
	switch from.Kind {
	case types.Bool:
		return fromIntKernel(from, to, try, boolAsInt)
	case types.Int8, types.Int16, types.Int32, types.Int64:
		return fromIntKernel(from, to, try, wideIn)
	case types.Float32, types.Float64:
		return fromFloatKernel(from, to, try)
	case types.Decimal:
		return fromDecimalKernel(from, to, try)
	case types.String:
		return parseKernel(to, try)
	case types.Date:
		if to.Kind == types.Timestamp {
			return map1(dateIn, stampOut, dateToTimestamp)
		}
	case types.Timestamp:
		if to.Kind == types.Date {
			return map1(stampIn, dateOut, timestampToDate)
		}
	}
	return nil
}
