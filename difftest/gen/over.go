package gen

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rainsql/rainsql/expr/types"
)

// Over is an EXTEND of window functions; it is a verb of its own in the coverage.
type Over struct{ Extend }

// Verb implements Step.
func (*Over) Verb() string { return "OVER" }

// Copy implements Step.
func (o *Over) Copy() Step { return &Over{Extend{copyItems(o.Items)}} }

// overs are the window functions, written like aggregates. how also knows: k
// takes no frame, p needs an order that is total for a result that is sure.
var overs = []spec{
	{"row_number", "", "I", "row_number()", "row_number()", "kw"},
	{"rank", "", "I", "rank()", "rank()", "kwe"},
	{"dense_rank", "", "I", "dense_rank()", "dense_rank()", "kwe"},
	{"percent_rank", "", "F", "percent_rank()", "percent_rank()", "kwei"},
	{"cume_dist", "", "F", "cume_dist()", "cume_dist()", "kwei"},
	{"ntile", "#1|2|3|7", "I", "ntile({0})", "ntile({0})", "kw"},
	{"lag", "T", "", "lag({0})", "lag({0})", "kn0"},
	{"lag", "T #0|1|2", "", "lag({0}, {1})", "lag({0}, {1})", "kn0"},
	{"lead", "T #1|2", "", "lead({0}, {1})", "lead({0}, {1})", "kn0"},
	{"lead", "T #1|2 T", "", "lead({0}, {1}, {2})", "lead({0}, {1}, {2})", "kn^"},
	{"first_value", "T", "", "first_value({0})", "first_value({0})", "n0"},
	{"last_value", "T", "", "last_value({0})", "last_value({0})", "n0"},
	{"nth_value", "T #1|2|3", "", "nth_value({0}, {1})", "nth_value({0}, {1})", "n0"},
	{"count", "", "I", "count(*)", "count(*)", "w"},
	{"count", "X", "I", "count({0})", "count({0})", "w"},
	{"sum", "I<1e12", "I", "sum({0})", "sum({0})", "n"},
	{"sum", "F tame", "F", "sum({0})", "sum({0})", "n"},
	{"sum", "D<1e10", "H", "sum({0})", "sum({0})", "n"},
	{"avg", "I<1e12", "F", "avg({0})", "avg({0})", "ni"},
	{"avg", "F tame", "F", "avg({0})", "avg({0})", "ni"},
	{"min", "T", "", "min({0})", "min({0})", "n0r"},
	{"max", "T", "", "max({0})", "max({0})", "n0r"},
	{"bool_and", "B", "B", "bool_and({0})", "bool_and({0})", "n"},
	{"bool_or", "B", "B", "bool_or({0})", "bool_or({0})", "n"},
	{"stddev_pop", "F tame", "F", "stddev_pop({0})", "stddev_pop({0})", "ni"},
	{"string_agg", "S<1000 ',|-'", "S", "string_agg({0}, {1})", "string_agg({0}, {1})", "n"},
}

func (g *Gen) overStep(s Shape) Step {
	if !s.keyed() || s.Rows > 6000 {
		return nil
	}
	for _, id := range s.Key {
		c := s.find(id)
		if _, ok := s.ref(c); !ok || c.Inexact {
			return nil
		}
	}
	out := &Over{}
	for range 1 + g.n(2) {
		if e := g.over(s); e != nil {
			out.Items = append(out.Items, Item{e, g.fresh(e)})
		}
	}
	if len(out.Items) == 0 {
		return nil
	}
	return out
}

func (g *Gen) over(s Shape) *Expr {
	sp := pick(g, overs)
	t := g.anyType(s)
	if t.Kind == types.Struct && strings.Contains(sp.how, "r") || t.Kind == types.Interval && !hasColumn(s, t) {
		t = types.INT
	}
	e := &Expr{Op: sp.name, T: t, Agg: true}
	for _, word := range splitWords(sp.args) {
		e.Kids = append(e.Kids, g.argument(s, word, t, g.n(2), &sp))
	}
	switch sp.ret {
	case "":
	case "H":
		e.T = types.DecimalOf(38, 3)
	default:
		e.T = letters[sp.ret]
	}
	e.Max = defaultMax(e.T)
	if strings.Contains(sp.how, "0") && len(e.Kids) > 0 {
		e.Max, e.Tame = e.Kids[0].Max, e.Kids[0].Tame
	}
	e.Null, e.Inexact = strings.Contains(sp.how, "n"), strings.Contains(sp.how, "i")
	if strings.Contains(sp.how, "r") && distinguishable(&Col{T: e.T}) {
		e.Inexact, e.Loose = true, true
	}
	if t.Kind == types.Interval && slices.ContainsFunc(e.Kids, func(k *Expr) bool { return k.T.Kind == types.Interval && k.Op != opColumn }) {
		return nil // perhaps of mixed sign
	}
	rql, sql := sp.rql, sp.sql
	aggregate := !strings.Contains(sp.how, "k") && !strings.HasSuffix(sp.name, "_value")
	if aggregate && len(sp.args) > 0 && sp.name != "string_agg" && !e.Kids[0].T.IsNested() && g.chance(0.2) {
		rql, sql = strings.Replace(rql, "({0}", "(DISTINCT {0}", 1), strings.Replace(sql, "({0}", "(DISTINCT {0}", 1)
	}
	if aggregate && g.chance(0.2) {
		cond := g.expr(s, want{t: types.BOOL, bare: true}, 1)
		at := fmt.Sprintf(" FILTER (WHERE {%d})", len(e.Kids))
		e.Kids = append(e.Kids, cond)
		rql, sql = rql+at, sql+at
		e.Null = e.Null || sp.name != "count"
	}
	window, sqlWindow := g.window(s, &sp, e)
	e.RQL, e.SQL = rql+window, sql+sqlWindow
	if e.T.Kind == types.Int64 {
		e.SQL = "CAST(" + e.SQL + " AS BIGINT)"
	}
	return e
}

// window makes what follows OVER, in both languages.
func (g *Gen) window(s Shape, sp *spec, e *Expr) (rql, sql string) {
	use := func(k *Expr) string {
		e.Kids = append(e.Kids, k)
		return fmt.Sprintf("{%d}", len(e.Kids)-1)
	}
	var parts []string
	if list := s.usable(); g.chance(0.6) {
		parts = append(parts, "PARTITION BY "+use(column(pick(g, list))))
	}
	var keys, sqlKeys []string
	add := func(c *Col) {
		at := use(column(c))
		dir := pick(g, []string{"", "", " DESC"})
		nulls := pick(g, []string{"", "", " NULLS FIRST"})
		keys = append(keys, at+dir+nulls)
		if nulls == "" {
			nulls = " NULLS LAST"
		}
		sqlKeys = append(sqlKeys, at+dir+nulls)
	}
	list := s.usable()
	equal := strings.Contains(sp.how, "e") // rows of equal keys give equal results
	frameless := strings.Contains(sp.how, "k")
	peers := !frameless && g.chance(0.3) && sp.name != "string_agg" && !strings.HasSuffix(sp.name, "_value")
	if peers && g.chance(0.4) {
		if rql, sql := g.rangeFrame(list, use); rql != "" {
			partition := strings.Join(parts, " ") + " "
			return " OVER (" + partition + rql + ")", " OVER (" + partition + sql + ")"
		}
	}
	if g.chance(0.6) {
		if c := pick(g, list); c.T.Kind != types.Struct && c.T.Kind != types.Interval {
			add(c)
		}
	}
	if !(equal || peers) || len(keys) == 0 {
		for _, id := range s.Key {
			add(s.find(id))
		}
	}
	rqlParts := append(append([]string{}, parts...), "ORDER BY "+strings.Join(keys, ", "))
	sqlParts := append(append([]string{}, parts...), "ORDER BY "+strings.Join(sqlKeys, ", "))
	switch {
	case !frameless && peers && g.chance(0.5):
		from, to := g.n(4), g.n(5)
		bounds := []string{"UNBOUNDED PRECEDING", "1 PRECEDING", "CURRENT ROW", "2 FOLLOWING", "UNBOUNDED FOLLOWING"}
		frame := "GROUPS BETWEEN " + bounds[min(from, to)] + " AND " + bounds[max(from, to, 1)]
		rqlParts, sqlParts = append(rqlParts, frame), append(sqlParts, frame)
	case !frameless && !peers && g.chance(0.7):
		from, to := g.n(5), g.n(5)
		bounds := []string{"UNBOUNDED PRECEDING", "2 PRECEDING", "CURRENT ROW", "1 FOLLOWING", "UNBOUNDED FOLLOWING"}
		from, to = min(from, to, 3), max(from, to, 1)
		frame := pick(g, []string{"ROWS", "ROWS", "GROUPS"}) + " BETWEEN " + bounds[from] + " AND " + bounds[to]
		rqlParts, sqlParts = append(rqlParts, frame), append(sqlParts, frame)
	}
	return " OVER (" + strings.Join(rqlParts, " ") + ")", " OVER (" + strings.Join(sqlParts, " ") + ")"
}

// hasColumn reports a column of the type.
func hasColumn(s Shape, t types.Type) bool {
	return slices.ContainsFunc(s.usable(), func(c *Col) bool { return c.T.Equal(t) })
}

// rangeFrame makes an order by one key, and a frame that reaches so far from
// its value; nothing where no column is fit for it.
func (g *Gen) rangeFrame(list []*Col, use func(*Expr) string) (rql, sql string) {
	for _, c := range some(g, list, 20) {
		far, key := []string{"1", "2", "10"}, ""
		switch {
		case c.T.IsInt() && c.Max < 1e15:
			key = "BIGINT"
		case c.T.Kind == types.Float64 && c.Tame:
			far, key = []string{"0.5", "2", "100"}, "DOUBLE"
		case c.T.Kind == types.Decimal && c.Max < 1e9 && c.T.Precision <= 18:
			far, key = []string{"0.5", "2", "10"}, fmt.Sprintf("DECIMAL(30,%d)", max(c.T.Scale, 1))
		case c.T.Kind == types.Date && c.Max < 1e5 || c.T.Kind == types.Timestamp && c.Max < 1e10:
			far, key = []string{"INTERVAL '1 day'", "INTERVAL '36 hours'", "INTERVAL '1 month'", "INTERVAL '400 days'"}, "TIMESTAMP"
		default:
			continue
		}
		at := use(column(c))
		dir, nulls := pick(g, []string{"", "", " DESC"}), pick(g, []string{"", "", " NULLS FIRST"})
		bounds := []string{"UNBOUNDED PRECEDING", pick(g, far) + " PRECEDING", "CURRENT ROW", pick(g, far) + " FOLLOWING", "UNBOUNDED FOLLOWING"}
		from, to := g.n(4), g.n(5)
		from, to = min(from, to), max(from, to, 1)
		frame := " RANGE BETWEEN " + bounds[from] + " AND " + bounds[to]
		rql = "ORDER BY " + at + dir + nulls + frame
		if nulls == "" {
			nulls = " NULLS LAST"
		}
		return rql, "ORDER BY CAST(" + at + " AS " + key + ")" + dir + nulls + frame
	}
	return "", ""
}
