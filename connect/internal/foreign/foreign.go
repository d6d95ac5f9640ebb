// Package foreign helps the tests of columnar formats: random tables of the
// types that other programs have, each with what it must read as.
package foreign

import (
	"fmt"
	"math/rand/v2"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/types"
)

// Column is a column as another program has it.
type Column struct {
	Field  arrow.Field
	Type   types.Type // as which it is read
	Values []any      // what its rows read as, in the form of vec.ValueAt
	Array  arrow.Array

	kids []*Column
	leaf *Leaf
}

// Options say what a table is made of.
type Options struct {
	Leaves   []Leaf
	Lists    []func(arrow.Field) arrow.DataType // the list types to choose from
	MaxDepth int
	Required bool // fields may be such that are never NULL
}

// Table makes a table of n columns. Its arrays come from mem.
func Table(r *rand.Rand, mem memory.Allocator, o Options, n, rows int) []*Column {
	cols := make([]*Column, n)
	for i := range cols {
		depth := 0
		if r.IntN(2) == 0 {
			depth = 1 + r.IntN(o.MaxDepth)
		}
		c := newColumn(r, o, fmt.Sprintf("c%d", i), depth)
		b := array.NewBuilder(mem, c.Field.Type)
		next := c.source(r)
		for range rows {
			raw := next()
			c.put(b, raw)
			c.Values = append(c.Values, c.want(raw))
		}
		c.Array = b.NewArray()
		b.Release()
		cols[i] = c
	}
	return cols
}

func newColumn(r *rand.Rand, o Options, name string, depth int) *Column {
	c := &Column{Field: arrow.Field{Name: name, Nullable: !o.Required || r.IntN(4) > 0}}
	switch kind := r.IntN(6); {
	case depth == 0:
		leaf := o.Leaves[r.IntN(len(o.Leaves))]
		c.leaf, c.Field.Type, c.Type = &leaf, leaf.Stored, leaf.Type
	case kind < 2:
		var in []arrow.Field
		var fields []types.Field
		for i := range 1 + r.IntN(3) {
			k := newColumn(r, o, fmt.Sprintf("f%d", i), r.IntN(depth))
			if i == 0 {
				k = newColumn(r, o, "f0", depth-1)
			}
			c.kids, in, fields = append(c.kids, k), append(in, k.Field), append(fields, types.Field{Name: k.Field.Name, Type: k.Type})
		}
		c.Field.Type, c.Type = arrow.StructOf(in...), types.StructOf(fields...)
	case kind == 2:
		key, val := newColumn(r, o, "key", 0), newColumn(r, o, "value", depth-1)
		key.Field.Nullable = false
		m := arrow.MapOfFields(key.Field, val.Field)
		c.kids, c.Field.Type = []*Column{key, val}, m
		c.Type = types.ListOf(types.StructOf(types.Field{Name: "key", Type: key.Type}, types.Field{Name: "value", Type: val.Type}))
	default:
		k := newColumn(r, o, "element", depth-1)
		c.kids, c.Type = []*Column{k}, types.ListOf(k.Type)
		c.Field.Type = o.Lists[r.IntN(len(o.Lists))](k.Field)
	}
	return c
}

// source returns what makes one raw value after another: noise, few values
// often, runs of equal ones, values that ascend, or nothing but NULL.
func (c *Column) source(r *rand.Rand) func() any {
	nulls := 0
	if c.Field.Nullable {
		nulls = []int{0, 1, 10, 50, 90, 100}[r.IntN(6)]
	}
	fresh := c.fresh(r)
	var pool []any
	for range 1 + r.IntN(40) {
		pool = append(pool, fresh())
	}
	style, run, last, wasNull := r.IntN(4), 0, fresh(), false
	return func() any {
		if run--; run <= 0 || style < 2 {
			if style == 2 {
				run = r.IntN(100)
			}
			if wasNull = r.IntN(100) < nulls; !wasNull {
				if last = pool[r.IntN(len(pool))]; style == 0 || style == 3 && r.IntN(20) == 0 {
					last = fresh()
				}
			}
		}
		if wasNull {
			return nil
		}
		return last
	}
}

// fresh returns what makes new values that are not NULL.
func (c *Column) fresh(r *rand.Rand) func() any {
	if c.leaf != nil {
		return func() any { return c.leaf.Make(r) }
	}
	parts := make([]func() any, len(c.kids))
	for i, k := range c.kids {
		parts[i] = k.source(r)
	}
	group := func() any {
		v := make([]any, len(parts))
		for i, p := range parts {
			v[i] = p()
		}
		return v
	}
	fixed, isFixed := c.Field.Type.(*arrow.FixedSizeListType)
	switch c.Field.Type.ID() {
	case arrow.STRUCT:
		return group
	case arrow.MAP:
		parts[0] = c.kids[0].fresh(r)
	default:
		group = parts[0]
	}
	most := []int{0, 1, 3, 3, 30}[r.IntN(5)]
	return func() any {
		n := r.IntN(most + 1)
		if isFixed {
			n = int(fixed.Len())
		}
		v := make([]any, n)
		for i := range v {
			v[i] = group()
		}
		return v
	}
}

// want returns what a raw value reads as.
func (c *Column) want(raw any) any {
	if raw == nil {
		return nil
	}
	if c.leaf != nil {
		return c.leaf.Want(raw)
	}
	in := raw.([]any)
	out := make([]any, len(in))
	for i, v := range in {
		switch c.Field.Type.ID() {
		case arrow.STRUCT:
			out[i] = c.kids[i].want(v)
		case arrow.MAP:
			kv := v.([]any)
			out[i] = []any{c.kids[0].want(kv[0]), c.kids[1].want(kv[1])}
		default:
			out[i] = c.kids[0].want(v)
		}
	}
	return out
}

// put appends a raw value.
func (c *Column) put(b array.Builder, raw any) {
	if raw == nil {
		b.AppendNull()
		return
	}
	if c.leaf != nil {
		c.leaf.Put(b, raw)
		return
	}
	in := raw.([]any)
	switch b := b.(type) {
	case *array.StructBuilder:
		b.Append(true)
		for i, v := range in {
			c.kids[i].put(b.FieldBuilder(i), v)
		}
	case *array.MapBuilder:
		b.Append(true)
		for _, v := range in {
			kv := v.([]any)
			c.kids[0].put(b.KeyBuilder(), kv[0])
			c.kids[1].put(b.ItemBuilder(), kv[1])
		}
	case *array.FixedSizeListBuilder:
		b.Append(true)
		for _, v := range in {
			c.kids[0].put(b.ValueBuilder(), v)
		}
	case array.VarLenListLikeBuilder:
		b.AppendWithSize(true, len(in))
		for _, v := range in {
			c.kids[0].put(b.ValueBuilder(), v)
		}
	default:
		panic(fmt.Sprintf("no builder for %s", c.Field))
	}
}

// Schema returns the schema that the columns make up.
func Schema(cols []*Column) *arrow.Schema {
	fields := make([]arrow.Field, len(cols))
	for i, c := range cols {
		fields[i] = c.Field
	}
	return arrow.NewSchema(fields, nil)
}

// Record returns the columns from row from to row to, which the caller releases.
func Record(cols []*Column, from, to int) arrow.RecordBatch {
	parts := make([]arrow.Array, len(cols))
	for i, c := range cols {
		parts[i] = array.NewSlice(c.Array, int64(from), int64(to))
		defer parts[i].Release()
	}
	return array.NewRecordBatch(Schema(cols), parts, int64(to-from))
}

// Release gives the arrays back.
func Release(cols []*Column) {
	for _, c := range cols {
		c.Array.Release()
	}
}
