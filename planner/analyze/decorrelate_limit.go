package analyze

import (
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/planner/logical"
)

// limit carries D through LIMIT: the rows of each value of D are numbered, in
// the order of the SORT below if there is one.
func (d *dependent) limit(n *logical.Limit) (logical.Node, map[int]logical.Column, string) {
	if p, ok := n.Input.(*logical.Project); ok { // row by row: it may as well come after
		return d.push(p.With([]logical.Node{n.With([]logical.Node{p.Input})}))
	}
	sort, sorted := n.Input.(*logical.Sort)
	input := n.Input
	if sorted {
		input = sort.Input
	}
	below, by, refused := d.push(input)
	if refused != "" {
		return nil, nil, refused
	}
	number := d.a.newColumn("row_number()", types.INT)
	w := &logical.Window{Input: below, Partition: d.columns(by), Items: []logical.WindowItem{{Column: number, Fn: "row_number"}}}
	if sorted {
		w.Order = sort.Keys
	}
	var node logical.Node = w
	bound := func(fn string, than int64) bool {
		cond, err := expr.NewCall(fn, number.Ref(), expr.Constant(than))
		if err == nil {
			node = &logical.Filter{Input: node, Cond: cond}
		}
		return err == nil
	}
	if n.Offset > 0 && !bound(">", n.Offset) || n.Count >= 0 && !bound("<=", saturated(n.Count, n.Offset)) {
		return nil, nil, "LIMIT"
	}
	if sorted {
		node = sort.With([]logical.Node{node})
	}
	return node, by, ""
}

// saturated is a sum of numbers that are not negative, or the greatest INT.
func saturated(a, b int64) int64 {
	if s := a + b; s >= 0 {
		return s
	}
	return 1<<63 - 1
}

// columns are those of D.
func (d *dependent) columns(by map[int]logical.Column) []logical.Column {
	out := make([]logical.Column, len(d.used))
	for i, c := range d.used {
		out[i] = by[c.ID]
	}
	return out
}
