package gen

import (
	"github.com/rainsql/rainsql/difftest/val"
	"github.com/rainsql/rainsql/expr/types"
)

// Unnest gives a row for each element of a list.
type Unnest struct {
	E   *Expr
	Out *Col
}

// Verb implements Step.
func (*Unnest) Verb() string { return "UNNEST" }

// Apply implements Step.
func (u *Unnest) Apply(in Shape) Shape {
	out := Shape{Rows: in.Rows * 20}
	out.Cols = append(append(out.Cols, in.Cols...), u.Out)
	return out
}

// RQL implements Step.
func (u *Unnest) RQL(sc *scope) string {
	return "UNNEST " + sc.rql(u.E) + " AS " + val.Name(u.Out.Name)
}

// SQL implements Step.
func (u *Unnest) SQL(in string, sc *scope) string {
	s := sc.shape
	s.Order = NoOrder
	return "SELECT " + s.sqlCols() + ", unnest(" + sc.sql(u.E) + ") AS " + u.Out.sql() + " FROM " + in
}

// Uses implements Step.
func (u *Unnest) Uses() []**Expr { return []**Expr{&u.E} }

// Copy implements Step.
func (u *Unnest) Copy() Step { return &Unnest{copyExpr(u.E), u.Out} }

func (g *Gen) unnest(s Shape) Step {
	t := pick(g, []types.Type{types.ListOf(types.INT), types.ListOf(types.STRING)})
	for _, c := range some(g, s.usable(), 20) {
		if c.T.Kind == types.List && c.T.Elem.Kind != types.List {
			t = c.T
		}
	}
	e := g.expr(s, want{t: t, bare: true}, 2)
	if e.Op == opLiteral && e.Value == nil {
		return nil
	}
	elem := &Expr{T: *t.Elem, Null: true, Max: e.Max}
	return &Unnest{e, g.fresh(elem)}
}
