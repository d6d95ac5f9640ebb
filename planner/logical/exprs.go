package logical

import "github.com/rainsql/rainsql/expr"

// Exprs lists the expressions of a node, without those of its inputs.
func Exprs(n Node) []expr.Expr {
	var out []expr.Expr
	MapExprs(n, func(e expr.Expr) expr.Expr {
		out = append(out, e)
		return e
	})
	return out
}

// MapExprs returns the node with f applied to each of its expressions. f must keep types.
func MapExprs(n Node, f func(expr.Expr) expr.Expr) Node {
	switch n := n.(type) {
	case *Scan:
		if n.Filter == nil {
			return n
		}
		c := *n
		c.Filter = f(n.Filter)
		return &c
	case *Filter:
		return &Filter{Input: n.Input, Cond: f(n.Cond)}
	case *Project:
		return &Project{Input: n.Input, Items: mapItems(n.Items, f)}
	case *Aggregate:
		c := *n
		c.Keys = mapItems(n.Keys, f)
		c.Aggs = make([]AggItem, len(n.Aggs))
		for i, a := range n.Aggs {
			c.Aggs[i] = AggItem{Column: a.Column, Call: a.Call.Rewrite(f)}
		}
		return &c
	case *Join:
		c := *n
		c.Keys = make([]JoinKey, len(n.Keys))
		for i, k := range n.Keys {
			c.Keys[i] = JoinKey{Left: f(k.Left), Right: f(k.Right), NullSafe: k.NullSafe}
		}
		if n.Residual != nil {
			c.Residual = f(n.Residual)
		}
		return &c
	case *Window:
		return n.mapExprs(f)
	case *Unnest:
		c := *n
		c.List = f(n.List)
		return &c
	}
	return n
}

func mapItems(items []Item, f func(expr.Expr) expr.Expr) []Item {
	out := make([]Item, len(items))
	for i, it := range items {
		out[i] = Item{Column: it.Column, Expr: f(it.Expr)}
	}
	return out
}
