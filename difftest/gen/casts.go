package gen

import (
	"math"

	"github.com/rainsql/rainsql/difftest/val"
	"github.com/rainsql/rainsql/expr/types"
)

// cast converts something to the type wanted, where that does not fail.
func (g *Gen) cast(s Shape, w want, depth int) *Expr {
	from := g.anyType(s)
	e := g.expr(s, want{t: from, bare: true}, depth-1)
	t := w.t
	if t.Equal(from) || t.IsNested() {
		return nil
	}
	k, f := t.Kind, from.Kind
	switch {
	case k == types.String && from.IsNested():
		return nil // JSON in RQL, DuckDB has a form of its own
	case k == types.String:
		out := castTo(e, t, "cast")
		out.Max = max(100, e.Max)
		return out
	case f == types.String || k == types.Bytes || f == types.Bytes:
		switch {
		case f == types.String && k == types.Bytes: // what is no ASCII stands for itself in RQL only; a backslash may fail
			out := tryCast(e, t)
			out.RQL = "TRY_CAST(CASE WHEN {0} ~ '^[ -~]*$' THEN {0} END AS BYTES)"
			out.SQL = "TRY_CAST(CASE WHEN regexp_matches({0}, '^[ -~]*$') THEN {0} END AS BLOB)"
			return out
		case f == types.String && (t.IsNumeric() || t.IsTemporal() || k == types.Bool || k == types.Interval):
			out := tryCast(e, t)
			out.Inexact = k == types.Float32
			if t.IsInt() { // DuckDB takes ' - ' for a zero
				out.SQL = "CASE WHEN regexp_matches({0}, '[0-9]') THEN " + out.SQL + " END"
			}
			return out
		}
		return nil
	case k == types.Bool && (from.IsNumeric()):
		return castTo(e, t, "cast")
	case f == types.Bool && (t.IsInt() || t.IsFloat()):
		out := castTo(e, t, "cast")
		out.Max, out.Tame = 1, true
		return out
	case f == types.Bool && k == types.Decimal:
		out := castTo(e, t, "cast")
		out.Max = 1
		return out
	case k == types.Timestamp && f == types.Date:
		out := castTo(e, t, "cast")
		out.Max = e.Max * 86400
		return out
	case k == types.Date && f == types.Timestamp:
		out := castTo(e, t, "cast")
		out.Max = e.Max/86400 + 1
		return out
	case t.IsNumeric() && from.IsNumeric():
		return g.castNumber(e, t)
	}
	return nil
}

func (g *Gen) castNumber(e *Expr, t types.Type) *Expr {
	limit := map[types.Kind]float64{types.Int8: 127, types.Int16: 32767, types.Int32: 2147483647, types.Int64: 9.2e18, types.Float32: 1e38, types.Float64: math.Inf(1)}[t.Kind]
	if t.Kind == types.Decimal {
		limit = math.Pow10(t.Precision-t.Scale) - 1
	}
	var out *Expr
	if e.Max < limit {
		out = castTo(e, t, "cast")
	} else {
		out = tryCast(e, t)
		out.Max = limit
	}
	out.Tame = e.Tame
	if e.T.Kind == types.Decimal && t.IsFloat() {
		out.Tame = false
		out.Inexact = e.T.Precision > 15 || t.Kind == types.Float32
	}
	if e.T.IsFloat() && t.Kind == types.Decimal && !e.Tame {
		return nil // rounding of what is no multiple of 1/8 is a matter of taste
	}
	if e.T.IsInt() && t.Kind == types.Float64 {
		out.Tame = e.Max <= 1e5
	}
	return out
}

// decimal makes a DECIMAL: its precision is settled by a CAST.
func (g *Gen) decimal(s Shape, w want, depth int) *Expr {
	kids := func(limit float64, n int) []*Expr {
		var out []*Expr
		for range n {
			t := pick(g, []types.Type{types.DecimalOf(9, 2), types.DecimalOf(4, 1), types.DecimalOf(18, 3)})
			out = append(out, g.expr(s, want{t: t, limit: min(limit, math.Pow10(t.Precision-t.Scale)-1), bare: true}, depth-1))
		}
		return out
	}
	room := math.Pow10(w.t.Precision-w.t.Scale) - 1
	if w.limit > 0 {
		room = min(room, w.limit)
	}
	e := &Expr{T: w.t}
	switch g.n(10) {
	case 0, 1:
		e.Op, e.Kids, e.RQL = pick(g, []string{"+", "-"}), kids(room/2, 2), ""
		e.RQL = "({0} " + e.Op + " {1})"
	case 2:
		e.Op, e.Kids, e.RQL = "*", kids(math.Sqrt(room), 2), "({0} * {1})"
	case 3:
		e.Op, e.Kids, e.RQL = "abs", kids(room, 1), "abs({0})"
	case 4:
		e.Op, e.Kids = pick(g, []string{"floor", "ceil", "trunc", "round"}), kids(room-1, 1)
		e.RQL = e.Op + "({0})"
	case 5:
		e.Op, e.Kids = "round", append(kids(room-1, 1), Literal(int64(g.n(5)-1), types.INT))
		e.RQL = "round({0}, {1})"
		e.SQL = "round({0}, CAST({1} AS INTEGER))"
	case 6:
		e.Op, e.Kids = "-", kids(room, 1)
		e.RQL = "(- {0})"
	case 7:
		e.Op, e.Kids = "%", kids(room, 1)
		e.Kids = append(e.Kids, Literal(g.value(types.DecimalOf(4, 1), wide), types.DecimalOf(4, 1)))
		e.RQL, e.SQL = "({0} % {1})", ""
		if e.Kids[1].Max == 0 {
			return nil
		}
	case 8:
		return g.call(s, want{t: w.t, limit: w.limit, bare: true}, depth)
	default:
		return g.cast(s, w, depth)
	}
	if e.SQL == "" {
		e.SQL = e.RQL
	}
	for _, k := range e.Kids {
		e.Null = e.Null || k.Null
	}
	e.Max = room
	e.RQL = "CAST(" + e.RQL + " AS " + w.t.String() + ")"
	e.SQL = "CAST(" + e.SQL + " AS " + val.SQLType(w.t) + ")"
	return e
}
