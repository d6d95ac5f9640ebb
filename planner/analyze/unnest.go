package analyze

import (
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/planner/logical"
)

// unnest binds UNNEST list AS x: a row for each element.
func (a *Analyzer) unnest(t *table, v *ast.Unnest) {
	name := ""
	if v.Alias != nil {
		name = v.Alias.Text
	} else {
		name = a.itemName(&ast.Item{Expr: v.Expr})
	}
	list := a.bind(t, v.Expr, "UNNEST")
	if list == nil {
		t.scope.entries = append(t.scope.entries, entry{name: name, poison: true})
		return
	}
	elem := types.NULL
	switch k := list.Type().Kind; {
	case k == types.List:
		elem = *list.Type().Elem
	case k != types.Null:
		a.errorf(v.Expr, "", "UNNEST needs a LIST, and this is %s", list.Type())
		t.scope.entries = append(t.scope.entries, entry{name: name, poison: true})
		return
	}
	col := a.newColumn(name, elem)
	if list.Type().Kind == types.Null {
		t.node = keeping(t.node, []logical.Item{{Column: col, Expr: expr.Null(types.NULL)}})
		t.node = &logical.Filter{Input: t.node, Cond: expr.Constant(false)}
	} else {
		t.node = &logical.Unnest{Input: t.node, List: list, Element: col}
	}
	t.scope.entries = append(t.scope.entries, entry{name: name, col: col})
}
