package gen

import (
	"fmt"
	"strings"
)

// Distinct keeps each row once, or the first row of each key.
type Distinct struct{ On []*Expr }

// Verb implements Step.
func (d *Distinct) Verb() string {
	if d.On != nil {
		return "DISTINCT ON"
	}
	return "DISTINCT"
}

// Apply implements Step.
func (d *Distinct) Apply(in Shape) Shape {
	in.Order = NoOrder
	if d.On == nil {
		in.Cols = representatives(in.Cols)
		in.Key = ids(in.Cols)
	}
	return in
}

func ids(cols []*Col) []int {
	out := make([]int, len(cols))
	for i, c := range cols {
		out[i] = c.ID
	}
	return out
}

// representatives are columns of which an engine may keep any of equal
// values: what can be told apart is inexact from there on.
func representatives(cols []*Col) []*Col {
	out := make([]*Col, len(cols))
	for i, c := range cols {
		n := *c
		n.Loose = n.Loose || distinguishable(c)
		n.Inexact = n.Inexact || n.Loose
		out[i] = &n
	}
	return out
}

// RQL implements Step.
func (d *Distinct) RQL(sc *scope) string {
	if d.On == nil {
		return "DISTINCT"
	}
	parts := make([]string, len(d.On))
	for i, e := range d.On {
		parts[i] = sc.rql(e)
	}
	return "DISTINCT ON (" + strings.Join(parts, ", ") + ")"
}

// SQL implements Step.
func (d *Distinct) SQL(in string, sc *scope) string {
	s := sc.shape
	s.Order = NoOrder
	if d.On == nil {
		return "SELECT DISTINCT " + s.sqlCols() + " FROM " + in
	}
	parts := make([]string, len(d.On))
	for i, e := range d.On {
		parts[i] = sc.sql(e)
	}
	return fmt.Sprintf("SELECT %s FROM %s QUALIFY row_number() OVER (PARTITION BY %s ORDER BY o) = 1", s.sqlCols(), in, strings.Join(parts, ", "))
}

// Uses implements Step.
func (d *Distinct) Uses() []**Expr {
	var out []**Expr
	for i := range d.On {
		out = append(out, &d.On[i])
	}
	return out
}

// Copy implements Step.
func (d *Distinct) Copy() Step {
	c := &Distinct{}
	for _, e := range d.On {
		c.On = append(c.On, copyExpr(e))
	}
	return c
}
