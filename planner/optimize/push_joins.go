package optimize

import (
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/planner/logical"
)

// pushJoin lets conditions through to the side whose columns they read, where
// that side's rows are not kept for want of a partner; of an inner join, an
// equality of both sides becomes a key. Below a join a condition would meet rows
// that have no partner, so none that can fail goes there.
func pushJoin(n *logical.Join, conds []expr.Expr) logical.Node {
	left, right := columnsOf(n.Left), columnsOf(n.Right)
	intoLeft := n.Kind != logical.RightJoin && n.Kind != logical.FullJoin
	intoRight := n.Kind == logical.InnerJoin || n.Kind == logical.RightJoin
	out := *n
	var toLeft, toRight, above []expr.Expr
	for _, c := range conds {
		switch safe := !expr.CanFail(c) && !expr.Volatile(c); {
		case safe && intoLeft && reads(c, left):
			toLeft = append(toLeft, c)
		case safe && intoRight && reads(c, right):
			toRight = append(toRight, c)
		case safe && n.Kind == logical.InnerJoin && addKey(&out, c):
		default:
			above = append(above, c)
		}
	}
	out.Left, out.Right = push(out.Left, toLeft), push(out.Right, toRight)
	return over(pushResidual(&out), above)
}

// pushResidual moves what the residual condition says of one side to that side.
func pushResidual(n *logical.Join) logical.Node {
	if n.Residual == nil {
		return n
	}
	left, right := columnsOf(n.Left), columnsOf(n.Right)
	var toLeft, toRight, rest []expr.Expr
	for _, c := range logical.Conjuncts(n.Residual) {
		safe := !expr.CanFail(c) && !expr.Volatile(c)
		switch {
		case safe && reads(c, left) && (n.Kind == logical.InnerJoin || n.Kind == logical.SemiJoin || n.Kind == logical.RightJoin):
			toLeft = append(toLeft, c)
		case safe && reads(c, right) && n.Kind != logical.RightJoin && n.Kind != logical.FullJoin && !n.In:
			toRight = append(toRight, c)
		default:
			rest = append(rest, c)
		}
	}
	n.Left, n.Right, n.Residual = push(n.Left, toLeft), push(n.Right, toRight), nil
	if len(rest) > 0 {
		n.Residual = and(rest)
	}
	return n
}

// addKey makes an equality between the sides a key.
func addKey(n *logical.Join, e expr.Expr) bool {
	key, ok := logical.KeyOf(e, n.Left, n.Right)
	if ok {
		n.Keys = append(append([]logical.JoinKey(nil), n.Keys...), key)
	}
	return ok
}

func columnsOf(n logical.Node) map[int]bool {
	out := map[int]bool{}
	for _, c := range n.Columns() {
		out[c.ID] = true
	}
	return out
}

// reads reports that e reads some columns, and only of those.
func reads(e expr.Expr, ids map[int]bool) bool {
	cols := expr.Columns(e)
	for _, id := range cols {
		if !ids[id] {
			return false
		}
	}
	return len(cols) > 0
}
