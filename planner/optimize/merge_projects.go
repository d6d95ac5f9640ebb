package optimize

import (
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/planner/logical"
)

// mergeProjects removes projections that do nothing, and joins two in a row
// where that computes nothing twice.
func mergeProjects(plan *logical.Sink) *logical.Sink {
	return transform(plan, func(n logical.Node) logical.Node {
		p, ok := n.(*logical.Project)
		if !ok {
			return n
		}
		if identity(p) {
			return p.Input
		}
		below, ok := p.Input.(*logical.Project)
		if !ok {
			return n
		}
		by := map[int]expr.Expr{}
		for _, it := range below.Items {
			by[it.ID] = it.Expr
		}
		uses := map[int]int{}
		for _, it := range p.Items {
			expr.Walk(it.Expr, func(e expr.Expr) bool {
				if c, ok := e.(*expr.Column); ok {
					uses[c.ID]++
				}
				return true
			})
		}
		for id, e := range by {
			// What is not used may not vanish if it can fail; what is used twice stays shared.
			if _, plain := e.(*expr.Column); !plain && (uses[id] != 1 || !simple(p, id)) {
				return n
			}
		}
		items := make([]logical.Item, len(p.Items))
		for i, it := range p.Items {
			items[i] = logical.Item{Column: it.Column, Expr: replaceColumns(it.Expr, by)}
		}
		return &logical.Project{Input: below.Input, Items: items}
	})
}

// simple reports that the column is only handed on, so that its expression is
// evaluated exactly on the rows on which it was.
func simple(p *logical.Project, id int) bool {
	for _, it := range p.Items {
		if c, ok := it.Expr.(*expr.Column); ok && c.ID == id {
			return true
		}
	}
	return false
}

// identity reports a projection that yields exactly its input's columns.
func identity(p *logical.Project) bool {
	in := p.Input.Columns()
	if len(in) != len(p.Items) {
		return false
	}
	for i, it := range p.Items {
		if !it.Passes() || it.ID != in[i].ID {
			return false
		}
	}
	return true
}
