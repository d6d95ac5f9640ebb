// Package optimize rewrites logical plans into equivalent ones that cost less.
// It is an ordered list of small named rules, one a file; each keeps the rule
// of the language that an optimiser may remove an error but never add one.
package optimize

import (
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/planner/logical"
)

// Rule is a rewriting of a whole plan.
type Rule struct {
	Name  string
	Apply func(*logical.Sink) *logical.Sink
}

// Rules lists the rules in the order in which they run.
func Rules() []Rule {
	return []Rule{
		{"inline-shared", inlineShared},
		{"fold-constants", foldConstants},
		{"push-filters", pushFilters},
		{"mark-joins", markJoins},
		{"join-order", joinOrder},
		{"top-k", topK},
		{"prune-columns", pruneColumns},
		{"merge-projects", mergeProjects},
		{"partial-aggregation", partialAggregation},
	}
}

// Plan applies every rule but those named in off. trace, if not nil, is called
// after each rule that changed the plan.
func Plan(plan *logical.Sink, off map[string]bool, trace func(rule string, plan *logical.Sink)) *logical.Sink {
	for _, r := range Rules() {
		if off[r.Name] {
			continue
		}
		next := r.Apply(plan)
		if trace != nil && logical.String(next) != logical.String(plan) {
			trace(r.Name, next)
		}
		plan = next
	}
	return plan
}

// transform applies f to every node below the sink and of the tables it shares, bottom up.
func transform(plan *logical.Sink, f func(logical.Node) logical.Node) *logical.Sink {
	out := *plan
	out.Input = logical.Transform(plan.Input, f)
	changed := out.Input != plan.Input
	out.Shared = make([]*logical.Shared, len(plan.Shared))
	for i, sh := range plan.Shared {
		out.Shared[i] = sh
		if input := logical.Transform(sh.Input, f); input != sh.Input {
			changed = true
			out.Shared[i] = &logical.Shared{ID: sh.ID, Name: sh.Name, Input: input}
		}
	}
	if !changed {
		return plan
	}
	return &out
}

// replaceColumns puts expressions in place of columns, by ID.
func replaceColumns(e expr.Expr, by map[int]expr.Expr) expr.Expr {
	return expr.Rewrite(e, func(x expr.Expr) expr.Expr {
		if c, ok := x.(*expr.Column); ok {
			if with, ok := by[c.ID]; ok {
				return with
			}
		}
		return x
	})
}
