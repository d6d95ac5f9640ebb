package parquet

import (
	"errors"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/vec"
)

var errShape = errors.New("the parts of a nested column do not go together")

// assembler makes nested arrays of the levels and values of their leaves.
type assembler struct {
	mem    memory.Allocator
	chunks map[*leaf]*chunk
	arrays map[*leaf]arrow.Array // what each leaf gave, one value or NULL a slot
}

// around is which levels matter to a node: those of the LIST around it.
type around struct{ rep, def uint8 }

// firstLeaf is the leaf whose levels stand for a node.
func firstLeaf(n *node) *leaf {
	for n.leaf == nil {
		n = n.children[0]
	}
	return n.leaf
}

// build returns the array of a node, one row for each place where it could be.
func (a *assembler) build(n *node, in around) (arrow.Array, error) {
	switch {
	case n.leaf != nil:
		arr := a.arrays[n.leaf]
		arr.Retain()
		return arr, nil
	case n.isList:
		return a.list(n, in)
	}
	return a.group(n, in)
}

func (a *assembler) list(n *node, in around) (arrow.Array, error) {
	lv := &a.chunks[firstLeaf(n)].nested
	offs := make([]int32, 1, len(lv.defs)+1)
	var absent []int32
	elems := 0
	for i, d := range lv.defs {
		rep := lv.reps[i]
		if rep <= in.rep && d >= in.def { // another LIST
			if d < n.def {
				absent = append(absent, int32(len(offs)-1))
			}
			offs = append(offs, int32(elems))
		}
		if rep <= n.rep && d >= n.elemDef { // another element of the last one
			if len(offs) == 1 || elems == math.MaxInt32 {
				return nil, errShape
			}
			elems++
			offs[len(offs)-1] = int32(elems)
		}
	}
	elem, err := a.build(n.children[0], around{rep: n.rep, def: n.elemDef})
	if err != nil {
		return nil, err
	}
	defer elem.Release()
	if elem.Len() != elems {
		return nil, errShape
	}
	nulls := vec.NewNulls(a.mem, len(offs)-1)
	for _, row := range absent {
		nulls.Set(int(row))
	}
	return vec.NewList(a.mem, elem, offs, &nulls), nil
}

func (a *assembler) group(n *node, in around) (arrow.Array, error) {
	lv := &a.chunks[firstLeaf(n)].nested
	rows := 0
	var absent []int32
	for i, d := range lv.defs {
		if lv.reps[i] <= in.rep && d >= in.def {
			if d < n.def {
				absent = append(absent, int32(rows))
			}
			rows++
		}
	}
	fields := make([]arrow.Array, 0, len(n.children))
	defer func() { vec.ReleaseAll(fields) }()
	for _, child := range n.children {
		f, err := a.build(child, in)
		if err != nil {
			return nil, err
		}
		fields = append(fields, f)
		if f.Len() != rows {
			return nil, errShape
		}
	}
	nulls := vec.NewNulls(a.mem, rows)
	for _, row := range absent {
		nulls.Set(int(row))
	}
	return vec.NewStruct(n.typ.Arrow().(*arrow.StructType), rows, fields, &nulls), nil
}
