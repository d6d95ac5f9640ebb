package analyze

import (
	"strings"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/planner/logical"
)

// grouping is the context in which the items of an AGGREGATE are bound: a name
// outside an aggregate function must be a key.
type grouping struct {
	keys  []groupKey
	aggs  []logical.AggItem
	after []func(*table) bool // subqueries beside the aggregates, to be joined to the groups
	// windowed says that there is a window of event time; session is set where
	// that is one whose extent depends on the other keys.
	windowed bool
	session  *sessionKey
}

type groupKey struct {
	item logical.Item
	name string
	text string // as written, to recognise the same expression in an item
}

func (a *Analyzer) aggregate(t *table, v *ast.Aggregate) {
	keys := v.Keys
	if len(v.Alone) > 0 {
		keys = v.Alone
	}
	if v.Emit != nil && !strings.EqualFold(v.Emit.On, "CLOSE") {
		a.errorf(v.Emit, "leave it out: a bounded query gives each group once, at its end", "EMIT needs a stream")
	}
	if len(v.Items) == 0 && len(keys) == 0 {
		a.errorf(v, "write e.g. AGGREGATE count(*) AS n BY column", "AGGREGATE needs an aggregate or a key")
		return
	}
	g := &grouping{}
	out := &scope{}
	for _, k := range keys {
		a.key(t, k, g, out)
	}
	if g.session != nil && !a.sessions(t, g) {
		out.poison = true
	}
	var items []logical.Item
	for _, k := range g.keys {
		items = append(items, logical.Item{Column: k.item.Column, Expr: k.item.Ref()})
	}
	for _, it := range v.Items {
		if it.Star != nil {
			a.errorf(it, "count rows with count(*)", "AGGREGATE takes no *")
			continue
		}
		name := a.itemName(it)
		x := a.bindAggregate(t, it.Expr, g)
		if x == nil {
			out.entries = append(out.entries, entry{name: name, poison: true})
			continue
		}
		e, item, _ := a.computed(name, x)
		g.rename(item, name)
		out.entries = append(out.entries, e)
		items = append(items, item)
	}
	agg := &logical.Aggregate{Input: t.node, Aggs: g.aggs}
	seen := map[int]bool{}
	for _, k := range g.keys {
		if !seen[k.item.ID] {
			seen[k.item.ID] = true
			agg.Keys = append(agg.Keys, k.item)
		}
	}
	t.node = agg
	for _, join := range g.after {
		if !join(t) {
			out.poison = true
		}
	}
	t.node = keepOrProject(t.node, items)
	t.scope = out
	t.sorted = false
}

// rename gives an aggregate that is a whole item the item's name, for plans.
func (g *grouping) rename(item logical.Item, name string) {
	for i := range g.aggs {
		if item.Passes() && g.aggs[i].ID == item.ID {
			g.aggs[i].Name = name
		}
	}
}

// keepOrProject leaves an aggregate as it is when the items add nothing to it.
func keepOrProject(agg logical.Node, items []logical.Item) logical.Node {
	for _, it := range items {
		if !it.Passes() {
			return project(agg, items)
		}
	}
	return agg
}

func (a *Analyzer) key(t *table, k *ast.Item, g *grouping, out *scope) {
	if k.Star != nil {
		a.errorf(k, "name the columns, or use DISTINCT", "BY takes no *")
		return
	}
	if c, ok := k.Expr.(*ast.Call); ok && eventWindows[strings.ToLower(c.Name.Text)] != "" {
		a.eventKey(t, k, c, g, out)
		return
	}
	name := a.itemName(k)
	x := a.bind(t, k.Expr, "BY")
	if x == nil {
		out.entries = append(out.entries, entry{name: name, poison: true})
		return
	}
	e, item, _ := a.computed(name, x)
	out.entries = append(out.entries, e)
	g.keys = append(g.keys, groupKey{item: item, name: name, text: strings.ToLower(a.text(k.Expr))})
}

// bindAggregate binds an item: aggregates are collected into g, and what is
// around them is computed from their results and the keys.
func (a *Analyzer) bindAggregate(t *table, e ast.Expr, g *grouping) expr.Expr {
	b := &binder{a: a, table: t, scope: t.scope, where: "AGGREGATE", group: g}
	return b.bind(e)
}

// aggregateCall binds f(x) of an AGGREGATE and gives it a column.
func (b *binder) aggregateCall(c *ast.Call) expr.Expr {
	if b.group == nil {
		b.a.errorf(c, b.aggregateHint(c), "%s is an aggregate, and stands only in AGGREGATE", strings.ToLower(c.Name.Text))
		return nil
	}
	inner := &binder{a: b.a, table: b.table, scope: b.scope, where: "an aggregate", inAggregate: true}
	call := b.aggregateOf(c, inner)
	if call == nil {
		return nil
	}
	for _, have := range b.group.aggs {
		if expr.AggEqual(have.Call, call) {
			return have.Ref()
		}
	}
	col := b.a.newColumn(b.a.text(c), call.T)
	b.group.aggs = append(b.group.aggs, logical.AggItem{Column: col, Call: call})
	return col.Ref()
}

// aggregateOf binds the call of an aggregate, whose arguments inner binds.
func (b *binder) aggregateOf(c *ast.Call, inner *binder) *expr.AggCall {
	args, ok := inner.all(c.Args)
	if c.Star && !strings.EqualFold(c.Name.Text, "count") {
		b.a.errorf(c, "", "%s(*) makes no sense: only count takes *", strings.ToLower(c.Name.Text))
		return nil
	}
	var filter expr.Expr
	if c.Filter != nil {
		if filter = inner.condition(c.Filter, "FILTER (WHERE"); filter == nil {
			ok = false
		}
	}
	var order []expr.SortKey
	for _, k := range c.OrderBy {
		x := inner.bind(k.Expr)
		if x == nil {
			ok = false
			continue
		}
		order = append(order, expr.SortKey{Expr: x, Desc: strings.EqualFold(k.Dir, "DESC"), NullsFirst: strings.EqualFold(k.Nulls, "FIRST")})
	}
	if !ok {
		return nil
	}
	call, err := expr.NewAgg(strings.ToLower(c.Name.Text), args, c.Distinct, filter, order)
	if err != nil {
		b.funcError(c, c.Args, err)
		return nil
	}
	return call
}

func (b *binder) aggregateHint(c *ast.Call) string {
	switch {
	case b.inAggregate:
		return "aggregate twice: AGGREGATE … BY …, then AGGREGATE again"
	case b.where == "FILTER":
		return "FILTER the result after AGGREGATE"
	}
	return "write AGGREGATE " + b.a.text(c)
}

// keyRef resolves what stands outside an aggregate function in AGGREGATE.
func (b *binder) keyRef(e ast.Expr) (expr.Expr, bool) {
	text := strings.ToLower(b.a.text(e))
	for _, k := range b.group.keys {
		if k.text == text || strings.ToLower(k.name) == text {
			return k.item.Ref(), true
		}
	}
	return nil, false
}

// notAKey reports a column that is neither a key nor inside an aggregate.
func (b *binder) notAKey(e ast.Expr, en entry) expr.Expr {
	for _, k := range b.group.keys {
		if k.item.Passes() && k.item.ID == en.col.ID {
			return k.item.Ref()
		}
	}
	hint := "add it to BY, or choose a value with any_value(" + en.name + ")"
	if en.col.Type.Kind == types.Null {
		hint = "add it to BY"
	}
	b.a.errorf(e, hint, "%q is neither a key nor inside an aggregate", en.name)
	return nil
}
