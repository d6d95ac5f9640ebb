package optimize

import (
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/planner/logical"
)

// pushFilters moves conditions towards the scans, where they cost least, and
// into them. A condition that can fail is evaluated only on rows for which those
// before it hold, so that none meets a row that was not to reach it; one that
// cannot fail may overtake others, and only spares them rows.
func pushFilters(plan *logical.Sink) *logical.Sink {
	return transform(plan, func(n logical.Node) logical.Node {
		switch n := n.(type) {
		case *logical.Filter:
			return push(n.Input, logical.Conjuncts(n.Cond))
		case *logical.Join:
			return pushJoin(n, nil)
		}
		return n
	})
}

// and joins conditions, evaluated in their order.
func and(list []expr.Expr) expr.Expr {
	if len(list) == 1 {
		return list[0]
	}
	var flat []expr.Expr
	for _, e := range list {
		flat = append(flat, logical.Conjuncts(e)...)
	}
	return &expr.Logic{Args: flat}
}

// push puts conditions over n, as far down as they may go. They are in order:
// a later one is evaluated only where the earlier ones hold.
func push(n logical.Node, conds []expr.Expr) logical.Node {
	if len(conds) == 0 {
		return n
	}
	switch n := n.(type) {
	case *logical.Scan:
		out := *n
		if n.Filter != nil {
			conds = append([]expr.Expr{n.Filter}, conds...)
		}
		out.Filter = and(conds)
		return &out
	case *logical.Filter:
		return push(n.Input, append(append([]expr.Expr(nil), logical.Conjuncts(n.Cond)...), conds...))
	case *logical.Project:
		return pushProject(n, conds)
	case *logical.Sort:
		return n.With([]logical.Node{push(n.Input, conds)})
	case *logical.Distinct:
		if !n.Ordered {
			below, above := separate(conds, func(c expr.Expr) bool { return !expr.Volatile(c) })
			return over(n.With([]logical.Node{push(n.Input, below)}), above)
		}
	case *logical.Aggregate:
		return pushAggregate(n, conds)
	case *logical.SetOp:
		if n.Kind == logical.UnionAll {
			return pushUnion(n, conds)
		}
	case *logical.Join:
		return pushJoin(n, conds)
	case *logical.Window:
		return pushWindow(n, conds)
	case *logical.Unnest:
		below, above := separate(conds, func(c expr.Expr) bool {
			return !expr.CanFail(c) && !expr.Volatile(c) && !readsAny(c, map[int]bool{n.Element.ID: true})
		})
		return over(n.With([]logical.Node{push(n.Input, below)}), above)
	case *logical.Empty:
		return n
	}
	return &logical.Filter{Input: n, Cond: and(conds)}
}

// pushProject lets conditions through that read only columns passed on; a
// condition on a computed column stays above, so that nothing is computed twice.
func pushProject(n *logical.Project, conds []expr.Expr) logical.Node {
	by := map[int]expr.Expr{}
	computed := map[int]bool{}
	for _, it := range n.Items {
		by[it.ID] = it.Expr
		if _, plain := it.Expr.(*expr.Column); !plain {
			computed[it.ID] = true
		}
	}
	below, above := separate(conds, func(c expr.Expr) bool { return !readsAny(c, computed) })
	return over(n.With([]logical.Node{push(n.Input, substituted(below, by))}), above)
}

// separate divides conditions into those that go below a node and those that
// stay above it. Behind one that stays only those go that cannot fail.
func separate(conds []expr.Expr, passes func(expr.Expr) bool) (below, above []expr.Expr) {
	for _, c := range conds {
		if passes(c) && (len(above) == 0 || !expr.CanFail(c) && !expr.Volatile(c)) {
			below = append(below, c)
		} else {
			above = append(above, c)
		}
	}
	return below, above
}

// over puts what is left of the conditions over n.
func over(n logical.Node, conds []expr.Expr) logical.Node {
	if len(conds) == 0 {
		return n
	}
	return &logical.Filter{Input: n, Cond: and(conds)}
}

func substituted(conds []expr.Expr, by map[int]expr.Expr) []expr.Expr {
	out := make([]expr.Expr, len(conds))
	for i, c := range conds {
		out[i] = replaceColumns(c, by)
	}
	return out
}

func readsAny(e expr.Expr, ids map[int]bool) bool {
	for _, id := range expr.Columns(e) {
		if ids[id] {
			return true
		}
	}
	return false
}

// pushAggregate lets conditions on plain keys through: they choose whole groups.
func pushAggregate(n *logical.Aggregate, conds []expr.Expr) logical.Node {
	if len(n.Keys) == 0 {
		return &logical.Filter{Input: n, Cond: and(conds)}
	}
	by := map[int]expr.Expr{}
	for _, k := range n.Keys {
		if _, plain := k.Expr.(*expr.Column); plain {
			by[k.ID] = k.Expr
		}
	}
	below, above := separate(conds, func(c expr.Expr) bool {
		return !expr.CanFail(c) && !expr.Volatile(c) && onlyReads(c, by)
	})
	return over(n.With([]logical.Node{push(n.Input, substituted(below, by))}), above)
}

func onlyReads(e expr.Expr, by map[int]expr.Expr) bool {
	for _, id := range expr.Columns(e) {
		if _, ok := by[id]; !ok {
			return false
		}
	}
	return true
}

// pushUnion filters each part by itself.
func pushUnion(n *logical.SetOp, conds []expr.Expr) logical.Node {
	parts := make([]logical.Node, len(n.Parts))
	for i, p := range n.Parts {
		by := map[int]expr.Expr{}
		for j, c := range n.Out {
			by[c.ID] = n.Cols[i][j].Ref()
		}
		parts[i] = push(p, substituted(conds, by))
	}
	return n.With(parts)
}
