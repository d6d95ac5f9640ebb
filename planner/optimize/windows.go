package optimize

import (
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/planner/logical"
)

// pruneWindow drops the functions that nothing reads, and the window with the last of them.
func (p *pruner) pruneWindow(n *logical.Window, need ids) logical.Node {
	out := *n
	out.Items = nil
	below := need.and(func(s ids) {
		for _, it := range n.Items {
			if !need[it.ID] {
				continue
			}
			out.Items = append(out.Items, it)
			for _, e := range it.Exprs() {
				s.expr(e)
			}
			s.columns(it.Limits())
		}
		if len(out.Items) > 0 {
			s.columns(n.Partition)
			s.keys(n.Order)
		}
	})
	out.Input = p.prune(n.Input, below)
	if len(out.Items) == 0 {
		return out.Input
	}
	return &out
}

// pushWindow lets conditions through that choose whole partitions.
func pushWindow(n *logical.Window, conds []expr.Expr) logical.Node {
	by := map[int]expr.Expr{}
	for _, c := range n.Partition {
		by[c.ID] = c.Ref()
	}
	below, above := separate(conds, func(c expr.Expr) bool {
		return !expr.CanFail(c) && !expr.Volatile(c) && onlyReads(c, by)
	})
	return over(n.With([]logical.Node{push(n.Input, below)}), above)
}
