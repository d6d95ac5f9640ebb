package parquet

import (
	"fmt"

	"github.com/rainsql/rainsql/connect/parquet/internal/meta"
	"github.com/rainsql/rainsql/expr/types"
)

// Limits of a schema. The second is that of nested types in the language.
const (
	maxSchemaDepth = 1000 // more makes a file unreadable
	maxColumnDepth = 100  // more makes a column unreadable
)

// node is a field of the schema, with what a reader makes of it.
type node struct {
	name     string
	typ      types.Type
	refused  string // why it cannot be read; "" if it can
	def      uint8  // the definition level from which on it is not NULL
	elemDef  uint8  // of a LIST: from which on there is an element
	rep      uint8  // of a LIST: the repetition level of its further elements
	isList   bool
	children []*node // the element of a LIST, the fields of a STRUCT; none for a leaf
	leaf     *leaf
}

// leaf is a field that has values: a column of each row group.
type leaf struct {
	index          int // among all leaves
	elem           meta.Element
	maxDef, maxRep uint8
	slotDef        uint8 // from which definition level on there is a value or a NULL in place of it
	nested         bool  // within a LIST or STRUCT
	reading
}

// tree reads the elements of a schema, which are in preorder.
type tree struct {
	elems  []meta.Element
	next   int
	leaves []*leaf
}

// newTree returns the columns of a file and all leaves.
func newTree(elems []meta.Element) ([]*node, []*leaf, error) {
	t := &tree{elems: elems, next: 1}
	root := elems[0]
	if root.IsLeaf {
		return nil, nil, fmt.Errorf("the root of its schema is a value")
	}
	cols := make([]*node, 0, min(int(root.Children), len(elems)))
	for range root.Children {
		n, err := t.field(place{})
		if err != nil {
			return nil, nil, err
		}
		cols = append(cols, n)
	}
	if t.next != len(elems) {
		return nil, nil, fmt.Errorf("its schema has %d fields too many", len(elems)-t.next)
	}
	return cols, t.leaves, nil
}

// place is where in the tree a field stands: the levels of what is above it.
type place struct {
	def, rep, slotDef int
	depth             int
}

func (t *tree) take() (meta.Element, error) {
	if t.next >= len(t.elems) {
		return meta.Element{}, fmt.Errorf("its schema is cut off")
	}
	t.next++
	return t.elems[t.next-1], nil
}

// field reads a field as what its repetition makes of it.
func (t *tree) field(at place) (*node, error) {
	e, err := t.take()
	if err != nil {
		return nil, err
	}
	if e.Repetition != meta.Repeated {
		return t.value(e, at)
	}
	// A field that is repeated without being in a LIST is one all the same.
	list, in := newList(e.Name, at)
	elem, err := t.value(required(e), in)
	if err != nil {
		return nil, err
	}
	list.of(elem)
	return list, nil
}

func required(e meta.Element) meta.Element {
	e.Repetition = meta.Required
	return e
}

// newList returns a LIST that is never NULL at the place, and the place of its elements.
func newList(name string, at place) (*node, place) {
	n := &node{name: name, isList: true, def: level(at.def), elemDef: level(at.def + 1), rep: level(at.rep + 1)}
	return n, place{def: at.def + 1, rep: at.rep + 1, slotDef: at.def + 1, depth: at.depth + 1}
}

// level cuts levels to eight bits: deeper columns are refused, not read.
func level(n int) uint8 { return uint8(min(n, 255)) }

func (n *node) of(elem *node) {
	n.children, n.typ, n.refused = []*node{elem}, types.ListOf(elem.typ), elem.refused
}

// value reads a field that occurs at most once.
func (t *tree) value(e meta.Element, at place) (*node, error) {
	if at.depth > maxSchemaDepth {
		return nil, fmt.Errorf("its schema is nested deeper than %d", maxSchemaDepth)
	}
	if e.Repetition == meta.Optional {
		at.def++
	}
	var n *node
	var err error
	switch {
	case e.IsLeaf:
		n = t.newLeaf(e, at)
	case e.Logical == meta.List || e.Logical == meta.Map:
		n, err = t.list(e, at)
	default:
		n, err = t.group(e, at)
	}
	if err == nil && at.depth > maxColumnDepth {
		n.refused = fmt.Sprintf("is nested deeper than %d", maxColumnDepth)
	}
	return n, err
}

func (t *tree) newLeaf(e meta.Element, at place) *node {
	l := &leaf{index: len(t.leaves), elem: e, maxDef: level(at.def), maxRep: level(at.rep), slotDef: level(at.slotDef), nested: at.depth > 0}
	t.leaves = append(t.leaves, l)
	n := &node{name: e.Name, def: l.maxDef, leaf: l}
	r, err := readingOf(e)
	if err != nil {
		n.typ, n.refused = types.BYTES, err.Error()
		return n
	}
	l.reading = r
	n.typ = r.typ
	return n
}

func (t *tree) group(e meta.Element, at place) (*node, error) {
	n := &node{name: e.Name, def: level(at.def)}
	in := at
	in.depth++
	var fields []types.Field
	for range e.Children {
		c, err := t.field(in)
		if err != nil {
			return nil, err
		}
		n.children = append(n.children, c)
		fields = append(fields, types.Field{Name: c.name, Type: c.typ})
		if c.refused != "" && n.refused == "" {
			n.refused = "its field " + c.name + " " + c.refused
		}
	}
	n.typ = types.StructOf(fields...)
	if len(n.children) == 0 {
		n.typ, n.refused = types.BYTES, "is a structure without fields"
	}
	return n, nil
}

// list reads what is marked as a LIST or MAP: a group around one repeated
// field, which stands for an element or is one.
func (t *tree) list(e meta.Element, at place) (*node, error) {
	if e.Children != 1 || t.next >= len(t.elems) || t.elems[t.next].Repetition != meta.Repeated {
		return t.group(e, at)
	}
	rep, err := t.take()
	if err != nil {
		return nil, err
	}
	n, in := newList(e.Name, at)
	var elem *node
	if e.Logical == meta.List && t.wraps(rep, e) {
		elem, err = t.field(in)
	} else {
		elem, err = t.value(required(rep), in)
	}
	if err != nil {
		return nil, err
	}
	if e.Logical == meta.Map && len(elem.typ.Fields) == 2 && elem.leaf == nil && !elem.isList {
		elem.typ.Fields[0].Name, elem.typ.Fields[1].Name = "key", "value"
	}
	n.of(elem)
	return n, nil
}

// wraps reports whether the repeated group of a LIST is only there to hold the
// element, as it is in all but the files of old writers.
func (t *tree) wraps(rep, list meta.Element) bool {
	if rep.IsLeaf || rep.Children != 1 || t.next >= len(t.elems) {
		return false
	}
	return rep.Name != "array" && rep.Name != list.Name+"_tuple" && t.elems[t.next].Repetition != meta.Repeated
}
