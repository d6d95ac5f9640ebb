package analyze

import (
	"fmt"
	"strings"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/planner/logical"
)

func (a *Analyzer) setOp(t *table, v *ast.SetOp) {
	kinds := map[string]logical.SetKind{"UNION": logical.UnionAll, "INTERSECT": logical.Intersect, "EXCEPT": logical.Except}
	op, all := strings.ToUpper(v.Op), strings.EqualFold(v.Mode, "ALL")
	kind := kinds[op]
	if all && op != "UNION" {
		kind += " all"
	}
	for _, in := range v.Inputs {
		other := a.pipeline(in)
		if other.target != nil {
			a.errorf(in, "leave it out, or write TEE INTO", "a pipeline that ends with INTO has no rows to combine")
		}
		a.combine(t, other, kind, op, in)
		if op == "UNION" && !all {
			cols, _ := t.scope.columns()
			t.node = &logical.Distinct{Input: t.node, On: unique(cols)}
		}
	}
	t.sorted = false
}

func (a *Analyzer) combine(t, other *table, kind logical.SetKind, op string, at ast.Node) {
	if t.scope.poison || other.scope.poison {
		t.scope = &scope{poison: true}
		return
	}
	left, right := t.scope.visible(), other.scope.visible()
	if len(left) != len(right) {
		a.errorf(at, "TRANSFORM chooses columns", "%s needs as many columns on both sides: there are %d and %d", op, len(left), len(right))
		t.scope = &scope{poison: true}
		return
	}
	set := &logical.SetOp{Kind: kind}
	out := &scope{}
	common := make([]types.Type, len(left))
	for i := range left {
		if left[i].poison || right[i].poison {
			t.scope = &scope{poison: true}
			return
		}
		c, ok := types.Common(left[i].col.Type, right[i].col.Type)
		if !ok {
			a.errorf(at, "CAST one of them", "%s: column %d is %q %s on one side and %q %s on the other", op, i+1,
				left[i].name, left[i].col.Type, right[i].name, right[i].col.Type)
			t.scope = &scope{poison: true}
			return
		}
		common[i] = c
		col := a.newColumn(left[i].name, c)
		set.Out = append(set.Out, col)
		out.entries = append(out.entries, entry{name: left[i].name, col: col})
	}
	for _, side := range []*table{t, other} {
		node, cols := a.castTo(side, common)
		set.Parts, set.Cols = append(set.Parts, node), append(set.Cols, cols)
	}
	t.node, t.scope = set, out
}

// castTo returns a table's visible columns in the given types.
func (a *Analyzer) castTo(t *table, want []types.Type) (logical.Node, []logical.Column) {
	var items []logical.Item
	var cols []logical.Column
	for i, e := range t.scope.visible() {
		x := expr.Expr(e.col.Ref())
		if !e.col.Type.Equal(want[i]) {
			cast, err := expr.NewCast(x, want[i], false)
			if err != nil {
				panic(fmt.Sprintf("%s converts to no %s, though it is their common type: %v", e.col.Type, want[i], err))
			}
			x = cast
		}
		_, item, _ := a.computed(e.name, x)
		items = append(items, item)
		cols = append(cols, item.Column)
	}
	return keeping(t.node, items), cols
}
