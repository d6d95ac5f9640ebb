package gen

import (
	"fmt"
	"slices"

	"github.com/rainsql/rainsql/difftest/val"
	"github.com/rainsql/rainsql/expr/types"
)

// maker makes a verb that fits a table, or nil.
type maker struct {
	weight  int
	feature string // must be on; "" always is
	make    func(g *Gen, s Shape) Step
}

// makers are the verbs.
func makers() []maker {
	return []maker{
		{14, "", (*Gen).filter},
		{10, "", (*Gen).transform},
		{10, "", (*Gen).extend},
		{5, "", (*Gen).set},
		{3, "", (*Gen).dropSome},
		{3, "", (*Gen).rename},
		{10, "", (*Gen).aggregateStep},
		{4, "", (*Gen).distinct},
		{4, "", (*Gen).distinctOn},
		{7, "", (*Gen).sort},
		{6, "", (*Gen).limit},
		{6, "", (*Gen).setOp},
		{2, "", (*Gen).aliasStep},
		{14, "join", (*Gen).join},
		{5, "unnest", (*Gen).unnest},
		{8, "over", (*Gen).overStep},
		{5, "windows", (*Gen).windowStep},
		{3, "exec", (*Gen).execStep},
	}
}

// Query makes a random query.
func (g *Gen) Query() *Query {
	g.lets, g.depth, g.subqueries = nil, 0, false
	q := &Query{}
	if g.chance(0.12) {
		for i := range 1 + g.n(2) {
			l := &Let{Name: fmt.Sprintf("l%d", i), Body: g.rel(1 + g.n(3))}
			if len(l.Body.Shape().usable()) == len(l.Body.Shape().Cols) {
				q.Lets = append(q.Lets, l)
				g.lets = append(g.lets, l)
			}
		}
	}
	if g.chance(0.03) {
		if f := g.failing(); f != nil {
			q.Main = f
			return q
		}
	}
	q.Main = g.rel(1 + g.n(6))
	if len(g.lets) > 0 { // those that are not read are of no use
		used := map[*Let]bool{}
		for range g.lets {
			for _, r := range q.Rels() {
				if f, ok := r.Src.(*fromLet); ok {
					used[f.let] = true
				}
			}
		}
		q.Lets = slices.DeleteFunc(q.Lets, func(l *Let) bool { return !used[l] })
	}
	return q
}

// rel makes a pipeline of about n verbs.
func (g *Gen) rel(n int) *Rel {
	g.depth++
	defer func() { g.depth-- }()
	r := &Rel{Src: g.source()}
	s := r.Shape()
	all := slices.DeleteFunc(makers(), func(m maker) bool { return m.feature != "" && !g.features[m.feature] })
	g.next = nil
	total := 0
	for _, m := range all {
		total += m.weight
	}
	for tries := 0; len(r.Steps) < n && tries < 4*n; tries++ {
		at := g.n(total)
		i := 0
		for at >= all[i].weight {
			at -= all[i].weight
			i++
		}
		mk := all[i].make
		if g.next != nil {
			mk, g.next = g.next, nil
		}
		st := mk(g, s)
		if st == nil {
			continue
		}
		if !follows(r.Steps, st) {
			continue
		}
		after := st.Apply(s)
		if len(after.Cols) == 0 || len(after.Cols) > 25 || after.Rows > 200_000 {
			continue
		}
		r.Steps = append(r.Steps, st)
		s = after
	}
	return r
}

// follows reports whether a verb may stand behind others: AS behind BY would
// name the last key.
func follows(before []Step, st Step) bool {
	if len(before) == 0 {
		return true
	}
	behind := false
	switch before[len(before)-1].(type) {
	case *Aggregate, *Windowed:
		behind = true
	}
	switch x := st.(type) {
	case *Alias:
		return !behind
	case *Aggregate:
		x.Behind = behind
	}
	return true
}

func (g *Gen) source() Source {
	switch {
	case len(g.lets) > 0 && g.chance(0.5):
		l := pick(g, g.lets)
		was := l.Body.Shape().Cols
		alias := ""
		if g.chance(0.3) {
			alias = fmt.Sprintf("q%d", g.nextID())
		}
		qual := alias
		if qual == "" {
			qual = l.Name
		}
		return &fromLet{let: l, was: was, cols: g.instance(was, qual), alias: alias}
	case g.chance(0.04):
		step := pick(g, []int64{1, 1, 2, 3, -1})
		from := int64(g.n(10))
		c := &Col{ID: g.nextID(), Name: "value", T: types.INT, Max: 200}
		return &fromRange{from: from, to: from + step*int64(g.n(40)), step: step, col: c}
	case g.chance(0.04):
		t := &Transform{}
		for range 1 + g.n(3) {
			e := g.expr(Shape{}, want{t: pick(g, roots)}, 3)
			t.Items = append(t.Items, Item{e, g.fresh(e)})
		}
		return &fromOne{t}
	case g.depth < 3 && g.chance(0.05):
		f := &fromRel{rel: g.rel(1 + g.n(2))}
		if g.chance(0.5) {
			f.alias = fmt.Sprintf("q%d", g.nextID())
		}
		return f
	}
	t := pick(g, g.tables)
	f := &fromTable{table: t}
	if g.chance(0.4) {
		f.alias = fmt.Sprintf("q%d", g.nextID())
	}
	qual := f.alias
	if qual == "" {
		qual = t.Name
	}
	f.cols = g.instance(t.Cols, qual)
	return f
}

// failing makes a pipeline whose only computation may fail in some rows: both
// engines must then fail, or neither.
func (g *Gen) failing() *Rel {
	t := pick(g, g.tables)
	f := &fromTable{table: t, cols: g.instance(t.Cols, "")}
	s := f.Shape()
	tr := &Transform{}
	if g.without["failing"] {
		return nil
	}
	mk := func(op string, t types.Type, rql, sql string, kids ...*Expr) {
		if sql == "" {
			sql = rql
		}
		e := &Expr{Op: op, T: t, Kids: kids, RQL: rql, SQL: sql, Null: true, Fails: true, Max: defaultMax(t)}
		tr.Items = append(tr.Items, Item{e, g.fresh(e)})
	}
	of := func(t types.Type) *Expr { return g.expr(s, want{t: t, bare: true}, 1) }
	str := func() *Expr { return g.expr(s, want{t: types.STRING, bare: true}, 0) }
	switch g.n(14) {
	case 0:
		op := pick(g, []string{"+", "-", "*"})
		mk(op, types.INT, "({0} "+op+" {1})", "", of(types.INT), of(types.INT))
	case 1:
		op := pick(g, []string{"%", "//"})
		mk(op, types.INT, "({0} "+op+" {1})", "CASE WHEN {1} = 0 AND {0} IS NOT NULL THEN error('division by zero') ELSE ({0} "+op+" {1}) END", of(types.INT), of(types.INT))
	case 2:
		mk("-", types.INT, "(- {0})", "", of(types.INT))
	case 3:
		mk("abs", types.INT, "abs({0})", "", of(types.INT))
	case 4:
		to := pick(g, []types.Type{types.INT8, types.INT16, types.INT32})
		mk("cast", to, "CAST({0} AS "+to.String()+")", "CAST({0} AS "+val.SQLType(to)+")", of(types.INT))
	case 5:
		mk("cast", types.INT, "CAST({0} AS INT)", "CAST({0} AS BIGINT)", of(types.FLOAT))
	case 6:
		to := pick(g, []types.Type{types.INT, types.DATE, types.TIMESTAMP, types.BOOL, types.INTERVAL, types.DecimalOf(9, 2)})
		mk("cast", to, "CAST({0} AS "+to.String()+")", "CAST({0} AS "+val.SQLType(to)+")", str())
	case 7:
		fn := pick(g, []string{"ln", "log10", "log2", "sqrt", "acos", "asin"})
		mk(fn, types.FLOAT, fn+"({0})", "", of(types.FLOAT))
		tr.Items[0].E.Inexact, tr.Items[0].Out.Inexact = true, true
	case 8:
		mk("chr", types.STRING, "chr({0})", "chr(CAST({0} AS INTEGER))", g.expr(s, want{t: types.INT, limit: 2e9}, 1))
	case 9:
		mk("make_date", types.DATE, "make_date({0}, {1}, {2})", "", g.expr(s, want{t: types.INT, limit: 3000}, 1), g.expr(s, want{t: types.INT, limit: 14}, 1), g.expr(s, want{t: types.INT, limit: 33}, 1))
	case 10:
		mk("strptime", types.TIMESTAMP, "strptime({0}, '%Y-%m-%d')", "", str())
	case 11:
		mk("sum", types.INT, "sum({0})", "CAST(sum({0}) AS BIGINT)", of(types.INT))
		return &Rel{Src: f, Steps: []Step{&Aggregate{Items: tr.Items}}}
	case 12:
		to := types.DecimalOf(4, 1)
		mk("cast", to, "CAST({0} AS DECIMAL(4,1))", "", of(pick(g, []types.Type{types.INT, types.DecimalOf(18, 3)})))
	case 13:
		mk("unhex", types.BYTES, "unhex({0})", "", str())
	}
	if g.without[tr.Items[0].E.Op] {
		return nil
	}
	return &Rel{Src: f, Steps: []Step{tr}}
}
