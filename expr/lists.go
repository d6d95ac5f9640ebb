package expr

import (
	"errors"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

func listFunctions() []*entry {
	return []*entry{
		fn("list_value", "a list of the arguments; also [a, b]", "list_value(1, 2)", "[1,2]").alias("list_pack").
			onNulls("T… -> LIST<T>", makeList),
		fn("list_extract", "the element at a position, from 1, negative ones from the end; also l[i]", "list_extract([4, 5, 6], -1)", "6").alias("list_element", "array_extract").
			on("LIST<T>, INT -> T", listElement).on("STRING, INT -> STRING", map2(textIn, intIn, textOut, func(s string, i int64) string { return substr(s, i, 1) })),
		fn("list_contains", "whether the value is an element", "list_contains([1, 2], 2)", "true").alias("array_contains", "list_has", "array_has").
			on("LIST<T>, T -> BOOL", listContains),
		fn("list_position", "where the value first is in the list, from 1; 0 if it is not", "list_position([7, 8], 8)", "2").alias("list_indexof", "array_position").
			on("LIST<T>, T -> INT", listPosition),
		fn("list_concat", "both lists, one after the other", "list_concat([1], [2, 3])", "[1,2,3]").alias("list_cat", "array_concat", "array_cat").
			on("LIST<T>, LIST<T> -> LIST<T>", joinLists),
	}
}

func listLength(c *call) (arrow.Array, error) {
	l, mask := c.args[0].arr.(*array.List), c.args[0].mask()
	return rows(c, intOut(c), func(i int) (int64, error) {
		from, to := l.ValueOffsets(i & mask)
		return to - from, nil
	})
}

// makeList interleaves the arguments: row i is argument 0 at i, argument 1 at i, …
func makeList(c *call) (arrow.Array, error) {
	parts := make([]arrow.Array, len(c.args))
	base, total := make([]int32, len(c.args)), int32(0)
	for k, a := range c.args {
		parts[k], base[k] = a.arr, total
		total += int32(a.arr.Len())
	}
	all, err := vec.Concat(c.mem, parts)
	if err != nil {
		return nil, err
	}
	defer all.Release()
	idx, offs := make([]int32, 0, c.n*len(parts)), make([]int32, 1, c.n+1)
	for i := range c.n {
		for k, a := range c.args {
			idx = append(idx, base[k]+int32(i&a.mask()))
		}
		offs = append(offs, int32(len(idx)))
	}
	elems, err := vec.Take(c.mem, all, idx)
	if err != nil {
		return nil, err
	}
	defer elems.Release()
	return vec.NewList(c.mem, elems, offs, nil), nil
}

func listElement(c *call) (arrow.Array, error) {
	l, at, mask, null := c.args[0].arr.(*array.List), intIn(c.args[1]), c.args[0].mask(), c.anyNull()
	idx := make([]int32, c.n)
	for i := range idx {
		idx[i] = -1
		if null != nil && null(i) {
			continue
		}
		from, to := l.ValueOffsets(i & mask)
		switch p := at(i); {
		case p > 0 && p <= to-from:
			idx[i] = int32(from + p - 1)
		case p < 0 && p >= from-to:
			idx[i] = int32(to + p)
		}
	}
	return vec.Take(c.mem, l.ListValues(), idx)
}

// find is the position from 1 of the second argument in the list of row i, or 0.
func (c *call) find() func(i int) int64 {
	l, x := c.args[0].arr.(*array.List), c.args[1]
	same, ml, mx := vec.Comparer(l.ListValues(), x.arr), c.args[0].mask(), x.mask()
	return func(i int) int64 {
		from, to := l.ValueOffsets(i & ml)
		for k := from; k < to; k++ {
			if same(int(k), i&mx) == 0 {
				return k - from + 1
			}
		}
		return 0
	}
}

func listContains(c *call) (arrow.Array, error) {
	find := c.find()
	return rows(c, boolOut(c), func(i int) (bool, error) { return find(i) > 0, nil })
}

func listPosition(c *call) (arrow.Array, error) {
	find := c.find()
	return rows(c, intOut(c), func(i int) (int64, error) { return find(i), nil })
}

func joinLists(c *call) (arrow.Array, error) {
	x, y := c.args[0].arr.(*array.List), c.args[1].arr.(*array.List)
	mx, my, null := c.args[0].mask(), c.args[1].mask(), c.anyNull()
	all, err := vec.Concat(c.mem, []arrow.Array{x.ListValues(), y.ListValues()})
	if err != nil {
		return nil, err
	}
	defer all.Release()
	var idx []int32
	offs, nulls := make([]int32, c.n+1), vec.NewNulls(c.mem, c.n)
	defer nulls.Release()
	base := int64(x.ListValues().Len())
	for i := range c.n {
		if null != nil && null(i) {
			nulls.Set(i)
		} else {
			from, to := x.ValueOffsets(i & mx)
			for k := from; k < to; k++ {
				idx = append(idx, int32(k))
			}
			from, to = y.ValueOffsets(i & my)
			for k := from; k < to; k++ {
				idx = append(idx, int32(base+k))
			}
		}
		offs[i+1] = int32(len(idx))
	}
	elems, err := vec.Take(c.mem, all, idx)
	if err != nil {
		return nil, err
	}
	defer elems.Release()
	return vec.NewList(c.mem, elems, offs, &nulls), nil
}

func otherFunctions() []*entry {
	return []*entry{
		fn("typeof", "the type of the argument", "typeof(1.5)", "DECIMAL(2,1)").onNulls("any -> STRING", typeKernel),
		fn("hash", "a number that equal values of one type share, the same on every machine", "hash(1) = hash(1.0::INT)", "true").onNulls("any… -> INT", hashKernel),
		fn("struct_extract", "a field of a struct by its name; also s.name", "typeof(NULL)", "NULL").
			on("STRUCT, STRING -> any", structField).typing(structFieldType),
	}
}

// typeKernel prints the type that the argument's layout stands for.
func typeKernel(c *call) (arrow.Array, error) {
	t, err := types.FromArrow(c.args[0].arr.DataType())
	if err != nil {
		return nil, err
	}
	b := vec.NewViewBuilder(c.mem, c.t.Arrow(), c.n)
	for range c.n {
		b.AppendString(t.String())
	}
	return b.Finish(), nil
}

func hashKernel(c *call) (arrow.Array, error) {
	b := vec.NewFixed[int64](c.mem, c.t.Arrow(), c.n)
	sums := make([]uint64, c.n)
	for k, a := range c.args {
		arr := a.arr
		if a.konst {
			var err error
			if arr, err = vec.Take(c.mem, arr, make([]int32, c.n)); err != nil {
				b.Release()
				return nil, err
			}
		} else {
			arr.Retain()
		}
		vec.Hash(arr, sums, k > 0)
		arr.Release()
	}
	for i, h := range sums {
		b.Values[i] = int64(h)
	}
	return b.Finish(), nil
}

// structFieldType is the type of the field that a constant names.
func structFieldType(args []Expr) (types.Type, error) {
	name, ok := constantText(args[1])
	if !ok {
		return types.Type{}, errors.New("struct_extract takes the name of the field as a constant")
	}
	t := args[0].Type()
	k := fieldOf(t, name)
	if k < 0 {
		return t, fmt.Errorf("no field %q in %s", name, t)
	}
	return t.Fields[k].Type, nil
}

// fieldOf finds the field called name, exactly or but for its case.
func fieldOf(t types.Type, name string) int {
	for i, f := range t.Fields {
		if f.Name == name {
			return i
		}
	}
	for i, f := range t.Fields {
		if strings.EqualFold(f.Name, name) {
			return i
		}
	}
	return -1
}

func structField(c *call) (arrow.Array, error) {
	s := c.args[0].arr.(*array.Struct)
	t, err := types.FromArrow(s.DataType())
	if err != nil {
		return nil, err
	}
	name := textIn(c.args[1])
	k := -1
	if c.n > 0 {
		k = fieldOf(t, name(0))
	}
	if k < 0 {
		return vec.FromLiteral(c.mem, nil, c.t, c.n)
	}
	idx, mask, null := make([]int32, c.n), c.args[0].mask(), c.anyNull()
	for i := range idx {
		if idx[i] = int32(i & mask); null != nil && null(i) {
			idx[i] = -1
		}
	}
	return vec.Take(c.mem, s.Field(k), idx)
}
