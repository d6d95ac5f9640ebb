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

func structFunctions() []*entry {
	return []*entry{
		fn("struct_pack", "a struct of names, each a constant, and their values; also {a: x, b: y}", "struct_pack('a', 1, 'b', 'x')", `{"a":1,"b":"x"}`).
			onNulls("any… -> any", makeStruct).typing(structType),
		fn("struct_extract", "a field of a struct by its name; also s.name and s['name']", "struct_extract(struct_pack('a', 1), 'a')", "1").
			on("STRUCT, STRING -> any", structField).typing(structFieldType),
	}
}

// NewStruct builds the struct literal {names[i]: values[i], …}. It is a call of
// struct_pack, whose error it returns.
func NewStruct(names []string, values []Expr) (Expr, error) {
	args := make([]Expr, 0, 2*len(names))
	for i, n := range names {
		args = append(args, Constant(n), values[i])
	}
	return NewCall("struct_pack", args...)
}

// structType reads the fields off the arguments: a name, a value, a name, …
func structType(args []Expr) (types.Type, error) {
	if len(args) == 0 || len(args)%2 != 0 {
		return types.Type{}, errors.New("a struct is made of names and values in turn, at least one of each")
	}
	fields := make([]types.Field, 0, len(args)/2)
	seen := map[string]bool{}
	for i := 0; i < len(args); i += 2 {
		name, ok := constantText(args[i])
		if !ok || args[i].Type().Kind != types.String {
			return types.Type{}, errors.New("the name of a struct's field is a constant text")
		}
		low := strings.ToLower(name)
		if seen[low] {
			return types.Type{}, fmt.Errorf("the struct has two fields %q: names may not differ in case only", name)
		}
		seen[low] = true
		fields = append(fields, types.Field{Name: name, Type: args[i+1].Type()})
	}
	return types.StructOf(fields...), nil
}

// makeStruct lays the values side by side; only constants are copied.
func makeStruct(c *call) (arrow.Array, error) {
	cols := make([]arrow.Array, 0, len(c.args)/2)
	defer func() { vec.ReleaseAll(cols) }()
	fields := make([]arrow.Field, 0, len(c.args)/2)
	for i := 1; i < len(c.args); i += 2 {
		col, err := c.full(c.args[i])
		if err != nil {
			return nil, err
		}
		cols = append(cols, col)
		fields = append(fields, arrow.Field{Name: c.t.Fields[i/2].Name, Type: col.DataType(), Nullable: true})
	}
	return vec.NewStruct(arrow.StructOf(fields...), c.n, cols, nil), nil
}

// full is an operand as a column of all rows, which the caller releases.
func (c *call) full(v vector) (arrow.Array, error) {
	if v.konst {
		return vec.Take(c.mem, v.arr, make([]int32, c.n))
	}
	v.arr.Retain()
	return v.arr, nil
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
	null := c.anyNull()
	if null == nil && !c.args[0].konst { // as it lies: nothing to gather
		f := s.Field(k)
		f.Retain()
		return f, nil
	}
	idx, mask := make([]int32, c.n), c.args[0].mask()
	for i := range idx {
		if idx[i] = int32(i & mask); null != nil && null(i) {
			idx[i] = -1
		}
	}
	return vec.Take(c.mem, s.Field(k), idx)
}
