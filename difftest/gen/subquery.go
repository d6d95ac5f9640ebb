package gen

import (
	"slices"

	"github.com/rainsql/rainsql/expr/types"
)

// subqueryKinds lists what may be used where a subquery may stand.
func (g *Gen) subqueryKinds() []string {
	if !g.subqueries || g.depth > 1 || len(g.tables) == 0 {
		return nil
	}
	var out []string
	for _, k := range []string{"scalar", "in", "exists"} {
		if g.features[k] {
			out = append(out, k)
		}
	}
	return out
}

// subquery makes a subquery that gives the type, or nil.
func (g *Gen) subquery(s Shape, w want) *Expr {
	kind := pick(g, g.subqueryKinds())
	g.subqueries = false
	defer func() { g.subqueries = true }()
	if kind != "scalar" && w.t.Kind != types.Bool {
		kind = "scalar"
		if !g.features[kind] {
			return nil
		}
	}
	if w.t.IsNested() || w.tame || w.limit > 0 {
		return nil
	}
	r := g.rel(g.n(2))
	if r.Shape().Rows > 3000 {
		return nil
	}
	if g.chance(0.6) {
		g.correlate(r, s)
	}
	switch kind {
	case "exists":
		e := &Expr{Op: "exists", T: types.BOOL, Sub: r, RQL: "EXISTS ({q})", Max: 1}
		if g.chance(0.4) {
			e.RQL = "(NOT EXISTS ({q}))"
		}
		e.SQL = e.RQL
		return e
	case "in":
		return g.inSubquery(s, r)
	}
	return g.scalar(r, w)
}

func (g *Gen) inSubquery(s Shape, r *Rel) *Expr {
	rs := r.Shape()
	list := slices.DeleteFunc(rs.usable(), func(c *Col) bool { return distinguishable(c) })
	if len(list) == 0 {
		return nil
	}
	c := pick(g, list)
	for range 4 { // few values, and NULLs among them, are what IN is tried with
		if !c.Null || c.Max > 10 {
			c = pick(g, list)
		}
	}
	x := g.expr(s, want{t: c.T, bare: true}, 1)
	e := column(c)
	r.Steps = append(r.Steps, &Transform{Items: []Item{{e, g.fresh(e)}}})
	out := &Expr{Op: "in_subquery", T: types.BOOL, Kids: []*Expr{x}, Sub: r, RQL: "({0} IN ({q}))", Null: true, Max: 1}
	if g.chance(0.4) {
		out.RQL = "({0} NOT IN ({q}))"
	}
	out.SQL = out.RQL
	return out
}

// scalar makes the pipeline give one value: of an aggregate, or the first row's.
func (g *Gen) scalar(r *Rel, w want) *Expr {
	rs := r.Shape()
	out := &Expr{Op: "scalar", T: w.t, Sub: r, RQL: "({q})", SQL: "({q})", Null: true}
	if rs.Order == TotalOrder && rs.keyed() && g.chance(0.3) {
		for _, c := range rs.usable() {
			if c.T.Equal(w.t) {
				e := column(c)
				r.Steps = append(r.Steps, &Limit{N: 1, Offset: g.n(2)}, &Transform{Items: []Item{{e, g.fresh(e)}}})
				out.Max, out.Tame = c.Max, c.Tame
				return out
			}
		}
	}
	for range 12 {
		e := g.aggregate(rs)
		if e.T.Equal(w.t) && !e.Inexact && e.Before == "" {
			r.Steps = append(r.Steps, &Aggregate{Items: []Item{{e, g.fresh(e)}}})
			out.Max, out.Tame = e.Max, e.Tame
			return out
		}
	}
	return nil
}

// correlate makes the pipeline look at a column of the table around it.
func (g *Gen) correlate(r *Rel, outer Shape) {
	in := r.Shape()
	var fit [][2]*Col
	for _, o := range outer.usable() {
		if shadowed(o, outer, r) {
			continue
		}
		for _, c := range in.usable() {
			if c.T.Equal(o.T) && c.T.Kind != types.Struct {
				fit = append(fit, [2]*Col{c, o})
			}
		}
	}
	if len(fit) == 0 {
		return
	}
	p := pick(g, fit)
	sign := pick(g, []string{"=", "=", "=", "<", ">=", "<>"})
	if p[0].T.Kind == types.Interval {
		sign = "="
	}
	text := "({0} " + sign + " {1})"
	r.Steps = append(r.Steps, &Filter{&Expr{Op: sign, T: types.BOOL, Kids: []*Expr{column(p[0]), column(p[1])}, RQL: text, SQL: text, Null: true}})
}

// shadowed reports an outer column that a pipeline within cannot name: a name
// or table name of its own hides it.
func shadowed(o *Col, outer Shape, r *Rel) bool {
	plain := o.Qual == ""
	for _, s := range r.Shapes() {
		for _, c := range s.Cols {
			if plain && c.Name == o.Name || !plain && c.Qual == o.Qual {
				return true
			}
		}
	}
	return false
}
