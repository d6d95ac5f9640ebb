package gen

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rainsql/rainsql/difftest/val"
	"github.com/rainsql/rainsql/expr/types"
)

// aggregates are the aggregate functions, written like scalars. how also
// knows: o the result depends on the order of the rows, d takes DISTINCT,
// r the result may be any of equal values.
var aggregates = []spec{
	{"count", "", "I", "count(*)", "count(*)", "w"},
	{"count", "X", "I", "", "", "wd"},
	{"count", "T", "I", "count(DISTINCT {0})", "count(DISTINCT {0})", "w"},
	{"sum", "I<1e14", "I", "", "", "nd"},
	{"sum", "F tame", "F", "", "", "nd"},
	{"sum", "D<1e10", "H", "", "", "nd"},
	{"avg", "I<1e14", "F", "", "", "nid"},
	{"avg", "F tame", "F", "", "", "nid"},
	{"avg", "D<1e10", "F", "", "", "nid"},
	{"min", "T", "", "", "", "nr0d<"},
	{"max", "T", "", "", "", "nr0d<"},
	{"any_value", "T", "", "CASE WHEN min({0}) = max({0}) THEN {f}({0}) END", "", "nr<"},
	{"arg_max", "T I", "", "CASE WHEN count(DISTINCT {1}) = count({1}) THEN {f}({0}, {1}) END", "", "n0"},
	{"arg_max", "T S", "", "CASE WHEN count(DISTINCT {1}) = count({1}) THEN {f}({0}, {1}) END", "", "n0"},
	{"arg_min", "T I", "", "CASE WHEN count(DISTINCT {1}) = count({1}) THEN {f}({0}, {1}) END", "", "n0"},
	{"arg_min", "T A", "", "CASE WHEN count(DISTINCT {1}) = count({1}) THEN {f}({0}, {1}) END", "", "n0"},
	{"bool_and", "B", "B", "", "", "nd"},
	{"bool_or", "B", "B", "", "", "nd"},
	{"corr", "F tame F tame", "F", "", "", "ni"},
	{"covar_pop", "F tame F tame", "F", "", "", "ni"},
	{"covar_samp", "F tame F tame", "F", "", "", "ni"},
	{"stddev_pop", "F tame", "F", "", "", "ni"},
	{"stddev_samp", "F tame", "F", "", "", "ni"},
	{"var_pop", "F tame", "F", "", "", "ni"},
	{"var_samp", "F tame", "F", "", "", "ni"},
	{"first", "T", "", "", "", "no0"},
	{"last", "T", "", "", "", "no0"},
	{"list", "T", "L", "", "", "no0d"},
	{"mode", "T", "", "", "", "n0r"},
	{"product", "F<1 tame", "F", "", "", "ni"},
	{"string_agg", "S<1000", "S", "", "", "nod"},
	{"string_agg", "S<1000 ',|-||, '", "S", "", "", "no"},
	{"median", "F tame", "F", "", "", "ni"},
	{"median", "M<4e9", "M", "", "", "ni"},
	{"quantile_cont", "F tame %0.25|0.5|0.9|0|1", "F", "", "", "ni"},
	{"quantile_cont", "M<4e9 %0.25|0.5|0.9", "M", "", "", "ni"},
	{"quantile_disc", "T %0.25|0.5|0.9|0|1", "", "", "", "nr0<"},
	{"approx_count_distinct", "T", "B", "(abs({f}({0}) - count(DISTINCT {0})) <= 2 + count(DISTINCT {0}) / 10)", "(count(*) >= 0)", "w"},
	{"approx_quantile", "F tame %0.25|0.5|0.9", "B", "({f}({0}, {1}) BETWEEN min({0}) AND max({0}))", "CASE WHEN count({0}) > 0 THEN TRUE END", "n"},
}

// aggregate makes a call of an aggregate function over the table.
func (g *Gen) aggregate(s Shape) *Expr {
	for range 20 {
		sp := &aggregates[g.n(len(aggregates))]
		if e := g.aggregateOf(s, sp); e != nil && !g.without[sp.name] {
			return e
		}
	}
	return g.aggregateOf(s, &aggregates[0])
}

func (g *Gen) aggregateOf(s Shape, sp *spec) *Expr {
	t := g.anyType(s)
	for strings.Contains(sp.how, "<") && t.Kind == types.Struct && !g.features["structorder"] {
		t = pick(g, roots)
	}
	e := &Expr{Op: sp.name, T: t, Agg: true}
	for _, word := range splitWords(sp.args) {
		if word[0] == '%' {
			text := pick(g, strings.Split(word[1:], "|"))
			e.Kids = append(e.Kids, &Expr{Op: opLiteral, T: types.FLOAT, RQL: text, SQL: text})
			continue
		}
		k := g.argument(s, word, t, g.n(2), sp)
		if k.fails() {
			return nil
		}
		e.Kids = append(e.Kids, k)
	}
	simple := sp.rql == "" || strings.HasPrefix(sp.rql, "{f}")
	switch {
	case sp.ret == "H":
		e.T = types.DecimalOf(38, 3)
	case sp.ret == "L":
		e.T = types.ListOf(t)
	case sp.ret != "":
		e.T = letters[sp.ret]
	}
	e.Max = defaultMax(e.T)
	if strings.Contains(sp.how, "0") {
		e.Max, e.Tame = e.Kids[0].Max, e.Kids[0].Tame
	}
	if sp.name == "count" {
		e.Max = s.Rows
	}
	if sp.name == "sum" {
		e.Max = e.Kids[0].Max * max(1, s.Rows)
		if e.Max > 9e18 && e.T.Kind == types.Int64 {
			return nil
		}
		e.Tame = e.T.Kind == types.Float64 && e.Max < 1e7
	}
	e.Null = strings.Contains(sp.how, "n")
	e.Inexact = strings.Contains(sp.how, "i")
	if strings.Contains(sp.how, "r") {
		e.Inexact = distinguishable(&Col{T: e.T})
		e.Loose = e.Inexact
	}
	if k := e.Kids; len(k) > 0 && strings.Contains(sp.args, "T") && k[0].T.Kind == types.Interval && k[0].Op != opColumn && k[0].Op != opLiteral {
		return nil
	}
	sp.texts(g, e)
	if sp.name == "mode" {
		return g.mode(s, e)
	}
	inside, sqlInside, ok := g.insideAggregate(s, sp, e)
	if !ok {
		return nil
	}
	distinct := strings.Contains(inside, "DISTINCT")
	if simple && len(e.Kids) > 0 {
		list := make([]string, len(e.Kids))
		for i := range list {
			list[i] = fmt.Sprintf("{%d}", i)
		}
		if inside != "" || sqlInside != "" {
			list = list[:sp.arity()]
		}
		args := strings.Join(list, ", ")
		name := strings.TrimSuffix(e.RQL, "({*})")
		pre := ""
		if distinct {
			pre = "DISTINCT "
			inside, sqlInside = strings.Replace(inside, "DISTINCT", "", 1), strings.Replace(sqlInside, "DISTINCT", "", 1)
		}
		e.RQL = name + "(" + pre + args + inside + ")"
		e.SQL = sp.name + "(" + pre + args + sqlInside + ")"
	}
	if simple && g.chance(0.2) {
		cond := g.expr(s, want{t: types.BOOL, bare: true}, 1)
		if cond.fails() {
			return nil
		}
		at := fmt.Sprintf(" FILTER (WHERE {%d})", len(e.Kids))
		e.Kids = append(e.Kids, cond)
		e.RQL += at
		if sp.name == "count" && len(e.Kids) == 1 {
			e.SQL = "count(*)"
		}
		e.SQL = strings.TrimSuffix(strings.TrimPrefix(e.SQL, "CAST("), " AS BIGINT)") + at
	}
	if simple && (e.T.Kind == types.Int64 || sp.ret == "H") && !strings.HasPrefix(e.SQL, "CAST(") {
		e.SQL = "CAST(" + e.SQL + " AS " + val.SQLType(e.T) + ")"
	}
	return e
}

// mode gives of several most frequent values the one that came first; DuckDB
// makes no such promise, so that SQL counts for itself.
func (g *Gen) mode(s Shape, e *Expr) *Expr {
	if s.Order != TotalOrder || e.T.Kind == types.Struct {
		return nil
	}
	cond, id := "{0} IS NOT NULL", g.nextID()
	if g.chance(0.3) {
		c := g.expr(s, want{t: types.BOOL, bare: true}, 1)
		if c.fails() {
			return nil
		}
		e.Kids = append(e.Kids, c)
		cond += " AND {1}"
		e.RQL = strings.Replace(e.RQL, "{*}", "{0}", 1) + " FILTER (WHERE {1})"
	}
	over := " FILTER (WHERE " + cond + ") OVER (PARTITION BY {by}{0}) AS "
	e.Before = fmt.Sprintf("count(*)%sn%d, min(o)%sm%d", over, id, over, id)
	e.SQL = fmt.Sprintf("arg_max({0}, ROW(n%d, -m%d)) FILTER (WHERE %s)", id, id, cond)
	return e
}

func (s *spec) arity() int { return len(splitWords(s.args)) }

// insideAggregate is what follows the arguments within the parentheses: with
// DISTINCT anywhere in it, that precedes them.
func (g *Gen) insideAggregate(s Shape, sp *spec, e *Expr) (rql, sql string, ok bool) {
	ordered := strings.Contains(sp.how, "o")
	if strings.Contains(sp.how, "d") && g.chance(0.2) {
		if !ordered {
			if distinguishable(&Col{T: e.Kids[0].T}) && e.Op != "count" && e.Op != "sum" && e.Op != "avg" {
				return "", "", true
			}
			return "DISTINCT", "DISTINCT", true
		}
		if !e.Kids[0].uses() || e.Kids[0].T.Kind == types.Struct {
			return "", "", false
		}
		e.Loose = e.Loose || distinguishable(&Col{T: e.Kids[0].T})
		e.Inexact = e.Inexact || e.Loose
		dir := pick(g, []string{"", " DESC"})
		return "DISTINCT ORDER BY {0}" + dir, "DISTINCT ORDER BY {0}" + dir + " NULLS LAST", true
	}
	if !ordered {
		return "", "", true
	}
	if s.Order == TotalOrder && g.chance(0.6) {
		return "", " ORDER BY o", true
	}
	dir := pick(g, []string{"", " DESC"})
	nulls := pick(g, []string{"", "", " NULLS FIRST"})
	sqlNulls := nulls
	if nulls == "" {
		sqlNulls = " NULLS LAST"
	}
	keys := e.Kids[:1]
	at := []string{"{0}"}
	if s.keyed() && !slices.ContainsFunc(s.Key, func(id int) bool {
		c := s.find(id)
		_, can := s.ref(c)
		return !can || c.Inexact
	}) {
		keys, at = nil, nil // those of the table tell any two rows apart
		for _, id := range s.Key {
			at = append(at, fmt.Sprintf("{%d}", len(e.Kids)))
			e.Kids = append(e.Kids, column(s.find(id)))
		}
	} else {
		if !keys[0].uses() || keys[0].T.Kind == types.Struct {
			return "", "", false
		}
		e.Loose = e.Loose || distinguishable(&Col{T: keys[0].T})
		e.Inexact = e.Inexact || e.Loose
	}
	r, q := make([]string, len(at)), make([]string, len(at))
	for i, a := range at {
		r[i], q[i] = a+dir+nulls, a+dir+sqlNulls
	}
	return " ORDER BY " + strings.Join(r, ", "), " ORDER BY " + strings.Join(q, ", "), true
}

// aggregateItem is an aggregate, perhaps within a computation.
func (g *Gen) aggregateItem(s Shape) *Expr {
	e := g.aggregate(s)
	if !g.chance(0.2) || e.T.IsNested() || e.Inexact {
		return e
	}
	switch {
	case g.chance(0.5):
		return &Expr{Op: "coalesce", T: e.T, Kids: []*Expr{e, Literal(g.value(e.T, few), e.T)}, RQL: "coalesce({0}, {1})", SQL: "coalesce({0}, {1})", Max: max(e.Max, 1e4)}
	case e.T.Kind == types.Int64 && e.Max < 1e18:
		return &Expr{Op: "+", T: e.T, Kids: []*Expr{e, Literal(int64(g.n(9)), e.T)}, RQL: "({0} + {1})", SQL: "({0} + {1})", Null: e.Null, Max: e.Max + 9}
	}
	return &Expr{Op: "is_null", T: types.BOOL, Kids: []*Expr{e}, RQL: "({0} IS NULL)", SQL: "({0} IS NULL)", Max: 1}
}
