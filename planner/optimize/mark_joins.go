package optimize

import (
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/planner/logical"
)

// markJoins turns the join of EXISTS or IN into a semi join where a filter wants
// just the rows with the mark, and into an anti join where it wants those
// without; NOT IN keeps its mark, which may be NULL.
func markJoins(plan *logical.Sink) *logical.Sink {
	return transform(plan, func(n logical.Node) logical.Node {
		f, ok := n.(*logical.Filter)
		if !ok {
			return n
		}
		j, ok := f.Input.(*logical.Join)
		if !ok || j.Kind != logical.MarkJoin {
			return n
		}
		var rest []expr.Expr
		kind := logical.MarkJoin
		for _, c := range logical.Conjuncts(f.Cond) {
			switch {
			case kind == logical.MarkJoin && isMark(c, j):
				kind = logical.SemiJoin
			case kind == logical.MarkJoin && !j.In && isNotMark(c, j):
				kind = logical.AntiJoin
			default:
				rest = append(rest, c)
			}
		}
		if kind == logical.MarkJoin {
			return n
		}
		out := *j
		out.Kind, out.Mark, out.In = kind, nil, false
		// What reads the mark further up finds the value that all rows now have.
		mark := logical.Item{Column: *j.Mark, Expr: expr.Constant(kind == logical.SemiJoin)}
		p := &logical.Project{Input: &out}
		for _, c := range j.Left.Columns() {
			p.Items = append(p.Items, logical.Item{Column: c, Expr: c.Ref()})
		}
		p.Items = append(p.Items, mark)
		return over(p, rest)
	})
}

func isMark(e expr.Expr, j *logical.Join) bool {
	c, ok := e.(*expr.Column)
	return ok && c.ID == j.Mark.ID
}

func isNotMark(e expr.Expr, j *logical.Join) bool {
	c, ok := e.(*expr.Call)
	return ok && c.Fn == "not" && isMark(c.Args[0], j)
}
