package gen

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/rainsql/rainsql/difftest/val"
	"github.com/rainsql/rainsql/expr/types"
)

// fromColumn finds a column of the type.
func (g *Gen) fromColumn(s Shape, w want) *Expr {
	var fit []*Col
	for _, c := range s.usable() {
		if !c.T.Equal(w.t) && !(c.T.Kind == types.Decimal && w.t.Kind == types.Decimal) {
			continue
		}
		if (w.limit == 0 || c.Max <= w.limit) && (!w.tame || c.Tame) {
			fit = append(fit, c)
		}
	}
	if len(fit) == 0 {
		return nil
	}
	c := pick(g, fit)
	if c.T.Equal(w.t) {
		return column(c)
	}
	if w.t.Precision-w.t.Scale >= c.T.Precision-c.T.Scale || c.Max < math.Pow10(w.t.Precision-w.t.Scale-1) {
		return castTo(column(c), w.t, "cast")
	}
	return nil
}

// anyType is a type that a column of the table has, or any.
func (g *Gen) anyType(s Shape) types.Type {
	if cols := s.usable(); len(cols) > 0 && g.chance(0.65) {
		return pick(g, cols).T
	}
	return pick(g, roots)
}

// literal makes a literal.
func (g *Gen) literal(w want) *Expr {
	if g.chance(0.06) || w.t.Kind == types.Struct && !g.features["struct"] {
		e := Literal(nil, w.t)
		e.Tame = true
		return e
	}
	for range 8 {
		profile := pick(g, []int{few, few, wide, extreme})
		v := g.value(w.t, profile)
		e := Literal(v, w.t)
		if (w.limit == 0 || e.Max <= w.limit) && (!w.tame || e.Tame) {
			return e
		}
	}
	switch w.t.Kind {
	case types.Int64:
		return Literal(int64(1), w.t)
	case types.Float64:
		return Literal(1.0, w.t)
	case types.String:
		return Literal("", w.t)
	case types.Decimal:
		return Literal(val.Dec{Unscaled: big.NewInt(0), Scale: w.t.Scale}, w.t)
	case types.Interval:
		return Literal(val.Span{}, w.t)
	}
	return Literal(nil, w.t)
}

// castTo writes CAST.
func castTo(e *Expr, t types.Type, op string) *Expr {
	return &Expr{Op: op, T: t, Kids: []*Expr{e}, RQL: "CAST({0} AS " + t.String() + ")", SQL: "CAST({0} AS " + val.SQLType(t) + ")",
		Null: e.Null, Max: e.Max, Inexact: e.Inexact, Tame: e.Tame}
}

// tryCast writes TRY_CAST.
func tryCast(e *Expr, t types.Type) *Expr {
	out := castTo(e, t, "try_cast")
	out.RQL, out.SQL = "TRY_"+out.RQL, "TRY_"+out.SQL
	out.Null, out.Max, out.Tame = true, defaultMax(t), false
	return out
}

// field takes a field of a struct.
func (g *Gen) field(s Shape, w want) *Expr {
	if !g.chance(0.15) {
		return nil
	}
	for _, c := range s.usable() {
		for _, f := range c.T.Fields {
			if f.Type.Equal(w.t) && w.limit == 0 {
				e := &Expr{Op: "struct_extract", T: f.Type, Kids: []*Expr{column(c), Literal(f.Name, types.STRING)}, SQL: "struct_extract({0}, {1})", Null: true, Max: c.Max}
				e.RQL = pick(g, []string{e.SQL, "{0}." + f.Name, "list_extract({0}, {1})"})
				if strings.HasPrefix(e.RQL, "list") {
					e.Op = "list_extract"
				}
				return e
			}
		}
	}
	return nil
}

// structLiteral makes a struct of its fields.
func (g *Gen) structLiteral(s Shape, w want, depth int) *Expr {
	if !g.features["struct"] {
		return nil
	}
	e := &Expr{Op: "struct", T: w.t}
	var r, q []string
	for i, f := range w.t.Fields {
		k := g.expr(s, want{t: f.Type, bare: true}, depth-1)
		e.Kids = append(e.Kids, k)
		e.Max = max(e.Max, k.Max)
		at := "{" + strconv.Itoa(i) + "}"
		r = append(r, val.Name(f.Name)+": "+at)
		q = append(q, val.Text(f.Name)+": "+at)
	}
	e.RQL, e.SQL = "{"+strings.Join(r, ", ")+"}", "{"+strings.Join(q, ", ")+"}"
	return e
}
