package analyze

import (
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/planner/logical"
)

// Summarize asks for statistics of each column of a source. Plan gives them in
// a single row: the number of rows, then those of Statistics, all as STRING,
// for one column after the other.
type Summarize struct {
	Plan   *logical.Sink
	Schema types.Schema
}

// Statistics names what SUMMARIZE tells of a column, in the order in which its
// plan has them. One that makes no sense for a type is NULL.
func Statistics() []string {
	names := make([]string, len(statistics))
	for i, s := range statistics {
		names[i] = s.name
	}
	return names
}

// statistic is an aggregate of a column.
type statistic struct {
	name  string
	fn    string
	more  []expr.Expr
	takes func(types.Type) bool
}

func anyType(types.Type) bool   { return true }
func ordered(t types.Type) bool { return !t.IsNested() && t.Kind != types.Null }

var statistics = []statistic{
	{name: "count", fn: "count", takes: anyType},
	{name: "min", fn: "min", takes: ordered},
	{name: "max", fn: "max", takes: ordered},
	{name: "approx_unique", fn: "approx_count_distinct", takes: anyType},
	{name: "avg", fn: "avg", takes: types.Type.IsNumeric},
	{name: "std", fn: "stddev", takes: types.Type.IsNumeric},
	{name: "q25", fn: "approx_quantile", more: []expr.Expr{expr.Constant(0.25)}, takes: types.Type.IsNumeric},
	{name: "q50", fn: "approx_quantile", more: []expr.Expr{expr.Constant(0.5)}, takes: types.Type.IsNumeric},
	{name: "q75", fn: "approx_quantile", more: []expr.Expr{expr.Constant(0.75)}, takes: types.Type.IsNumeric},
}

func (a *Analyzer) summarize(b *ast.Summarize) Statement {
	t := a.source(b.Source)
	if t == nil || t.scope.poison || a.defers {
		return nil
	}
	s := &Summarize{Schema: t.scope.schema()}
	agg := &logical.Aggregate{Input: t.node}
	var items []logical.Item
	add := func(fn string, args ...expr.Expr) bool {
		call, err := expr.NewAgg(fn, args, false, nil, nil)
		if err != nil {
			a.errorf(b, "", "%s", err)
			return false
		}
		col := a.newColumn(fn, call.T)
		agg.Aggs = append(agg.Aggs, logical.AggItem{Column: col, Call: call})
		text, err := expr.NewCast(col.Ref(), types.STRING, false)
		if err != nil {
			a.errorf(b, "", "%s", err)
			return false
		}
		items = append(items, logical.Item{Column: a.newColumn(fn, types.STRING), Expr: text})
		return true
	}
	if !add("count") {
		return nil
	}
	for _, e := range t.scope.visible() {
		for _, st := range statistics {
			switch {
			case !st.takes(e.col.Type):
				items = append(items, logical.Item{Column: a.newColumn(st.name, types.STRING), Expr: expr.Null(types.STRING)})
			case !add(st.fn, append([]expr.Expr{e.col.Ref()}, st.more...)...):
				return nil
			}
		}
	}
	s.Plan = &logical.Sink{Input: project(agg, items), Shared: a.inOrder()}
	for _, it := range items {
		s.Plan.Cols = append(s.Plan.Cols, it.Column)
		s.Plan.Names = append(s.Plan.Names, it.Name)
	}
	return s
}
