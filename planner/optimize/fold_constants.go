package optimize

import (
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/planner/logical"
)

// foldConstants computes what does not depend on rows, and drops filters that
// are always or never true, unless something below is to be written. An
// expression that fails stays: it is an error only if a row reaches it.
func foldConstants(plan *logical.Sink) *logical.Sink {
	w := writers{shared: map[int]bool{}}
	for _, sh := range plan.Shared {
		w.shared[sh.ID] = w.in(sh.Input)
	}
	return transform(plan, func(n logical.Node) logical.Node {
		switch n := n.(type) {
		case *logical.Filter:
			return foldFilter(n, w)
		case *logical.Project:
			items, changed := foldItems(n.Items)
			if changed {
				return &logical.Project{Input: n.Input, Items: items}
			}
		case *logical.Aggregate:
			keys, changed := foldItems(n.Keys)
			if changed {
				out := *n
				out.Keys = keys
				return &out
			}
		}
		return n
	})
}

// writers knows which tables are written somewhere as they are read: such are
// read whatever becomes of their rows.
type writers struct{ shared map[int]bool }

func (w writers) in(n logical.Node) bool {
	found := false
	logical.Walk(n, func(n logical.Node) {
		switch n := n.(type) {
		case *logical.Tee:
			found = true
		case *logical.SharedScan:
			found = found || w.shared[n.ID]
		}
	})
	return found
}

func foldFilter(n *logical.Filter, w writers) logical.Node {
	cond := fold(n.Cond)
	if lit, ok := cond.(*expr.Literal); ok {
		if lit.Value == true {
			return n.Input
		}
		if !w.in(n.Input) {
			return &logical.Empty{Out: n.Input.Columns()}
		}
	}
	if cond == n.Cond {
		return n
	}
	return &logical.Filter{Input: n.Input, Cond: cond}
}

func foldItems(items []logical.Item) ([]logical.Item, bool) {
	changed := false
	out := make([]logical.Item, len(items))
	for i, it := range items {
		out[i] = it
		out[i].Expr = fold(it.Expr)
		changed = changed || out[i].Expr != it.Expr
	}
	return out, changed
}

func fold(e expr.Expr) expr.Expr {
	out, err := expr.Fold(e)
	if err != nil {
		return e
	}
	return out
}
