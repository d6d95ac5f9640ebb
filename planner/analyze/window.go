package analyze

import (
	"strings"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/internal/suggest"
	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/planner/logical"
)

// A function OVER a window is computed by a node below the expression that it
// stands in, of which the expression then reads a column.

// windowShape is what a function that needs OVER takes.
type windowShape struct {
	usage       string
	least, most int
	framed      bool // it looks at the frame
}

// windowOnly are the functions that need OVER.
var windowOnly = map[string]windowShape{
	"row_number":   {usage: "row_number()"},
	"rank":         {usage: "rank()"},
	"dense_rank":   {usage: "dense_rank()"},
	"percent_rank": {usage: "percent_rank()"},
	"cume_dist":    {usage: "cume_dist()"},
	"ntile":        {usage: "ntile(n)", least: 1, most: 1},
	"lag":          {usage: "lag(x [, rows [, default]])", least: 1, most: 3},
	"lead":         {usage: "lead(x [, rows [, default]])", least: 1, most: 3},
	"first_value":  {usage: "first_value(x)", least: 1, most: 1, framed: true},
	"last_value":   {usage: "last_value(x)", least: 1, most: 1, framed: true},
	"nth_value":    {usage: "nth_value(x, n)", least: 2, most: 2, framed: true},
}

// window is OVER (…) bound: partition and order are expressions still.
type window struct {
	partition []expr.Expr
	order     []expr.SortKey
	frame     logical.Frame
	limits    [2]expr.Expr // of a range's ends; nil where they are no columns
}

// over binds f(…) OVER (…).
func (b *binder) over(c *ast.Call) expr.Expr {
	name := strings.ToLower(c.Name.Text)
	switch {
	case eventWindows[name] != "":
		b.a.errorf(c, "", "%s() stands only in BY", name)
		return nil
	case b.inOver:
		b.a.errorf(c, "compute the inner one with EXTEND before", "OVER cannot stand inside OVER")
		return nil
	case b.group != nil:
		b.a.errorf(c, "compute it with EXTEND after the AGGREGATE", "OVER cannot stand beside the aggregates of AGGREGATE")
		return nil
	case b.table == nil:
		b.a.errorf(c, "compute it with EXTEND before", "OVER cannot stand in %s", b.where)
		return nil
	}
	inner := &binder{a: b.a, table: b.table, scope: b.scope, where: "OVER", inOver: true}
	shape, special := windowOnly[name]
	item := logical.WindowItem{}
	var ok bool
	switch {
	case special:
		item.Fn = name
		item.Args, item.Type, ok = inner.windowArgs(c, name, shape)
	case expr.IsAggregate(name):
		if item.Agg = inner.windowAggregate(c); item.Agg != nil {
			item.Type, ok = item.Agg.T, true
		}
	case expr.IsFunction(name):
		b.a.errorf(c.Name.Span, "leave OVER out", "%s is no window function: it needs one row only", name)
	default:
		b.unknownWindow(c)
	}
	w, good := inner.window(c.Over)
	if !ok || !good {
		return nil
	}
	if item.Agg == nil && !shape.framed {
		w.frame, w.limits = logical.Frame{}, [2]expr.Expr{}
	}
	return b.addWindow(w, item)
}

func (b *binder) unknownWindow(c *ast.Call) {
	var names []string
	for n := range windowOnly {
		names = append(names, n)
	}
	if near := suggest.Nearest(strings.ToLower(c.Name.Text), names); near != "" {
		b.a.errorf(c.Name.Span, "did you mean "+near+"?", "no function %q", c.Name.Text)
		return
	}
	_, err := expr.NewAgg(c.Name.Text, nil, false, nil, nil)
	b.funcError(c, nil, err)
}

// needsOver reports a function that was called without OVER.
func (b *binder) needsOver(c *ast.Call, name string) {
	b.a.errorf(c, "write "+b.a.text(c)+" OVER (ORDER BY …)", "%s needs OVER (…)", name)
}

// windowArgs binds the arguments of a function that is no aggregate.
func (b *binder) windowArgs(c *ast.Call, name string, shape windowShape) (args []expr.Expr, t types.Type, ok bool) {
	switch {
	case c.Star || c.Distinct || len(c.OrderBy) > 0 || c.Filter != nil:
		b.a.errorf(c, "", "%s is no aggregate: it takes neither *, DISTINCT, ORDER BY nor FILTER", name)
		return nil, t, false
	case len(c.Args) < shape.least || len(c.Args) > shape.most:
		b.a.errorf(c, "write "+shape.usage, "%s with %d arguments", name, len(c.Args))
		return nil, t, false
	}
	if args, ok = b.all(c.Args); !ok {
		return nil, t, false
	}
	switch name {
	case "percent_rank", "cume_dist":
		t = types.FLOAT
	case "ntile":
		t = types.INT
		args[0], ok = b.wholeRows(c.Args[0], args[0], name)
	default:
		if t = types.INT; len(args) > 0 {
			t = args[0].Type()
		}
	}
	if len(args) > 1 && ok {
		args[1], ok = b.wholeRows(c.Args[1], args[1], name)
	}
	if len(args) > 2 && ok {
		both := b.build(c, []ast.Expr{c.Args[0], c.Args[2]}, "coalesce", args[0], args[2])
		if both == nil {
			return nil, t, false
		}
		t = both.Type()
		for _, i := range []int{0, 2} {
			if args[i] = b.castTo(c.Args[i], args[i], t); args[i] == nil {
				return nil, t, false
			}
		}
	}
	return args, t, ok
}

// wholeRows makes an argument that counts rows an INT.
func (b *binder) wholeRows(at ast.Expr, x expr.Expr, name string) (expr.Expr, bool) {
	if k := x.Type().Kind; !x.Type().IsInt() && k != types.Null && !(k == types.String && expr.IsConstant(x)) {
		b.a.errorf(at, "", "%s counts rows: it needs an INT here, and this is %s", name, x.Type())
		return nil, false
	}
	out := b.castTo(at, x, types.INT)
	return out, out != nil
}

// castTo converts, what is constant at once.
func (b *binder) castTo(at ast.Expr, x expr.Expr, t types.Type) expr.Expr {
	if x.Type().Equal(t) {
		return x
	}
	cast, err := expr.NewCast(x, t, false)
	if err == nil && expr.IsConstant(cast) {
		cast, err = expr.Fold(cast)
	}
	if err != nil {
		b.funcError(at, []ast.Expr{at}, err)
		return nil
	}
	return cast
}

// windowAggregate binds an aggregate that is computed over a window.
func (b *binder) windowAggregate(c *ast.Call) *expr.AggCall {
	call := b.aggregateOf(c, b)
	if call == nil || call.Filter == nil {
		return call
	}
	// All arguments are computed below the window: what fails must not meet rows that FILTER leaves out.
	kept := 0
	return call.Rewrite(func(e expr.Expr) expr.Expr {
		kept++
		if kept == len(call.Exprs()) || !expr.CanFail(e) {
			return e
		}
		guarded, err := expr.NewCase([]expr.When{{If: call.Filter, Then: e}}, nil)
		if err != nil {
			return e
		}
		return guarded
	})
}

// addWindow puts a function into the plan, in the window on top if that has the
// same partitions and order, and returns its column.
func (b *binder) addWindow(w *window, item logical.WindowItem) expr.Expr {
	t := b.table
	top, _ := t.node.(*logical.Window)
	if top != nil && w.reads(item, top.Items) {
		top = nil
	}
	base := t.node
	if top != nil {
		base = top.Input
	}
	node, next := b.a.placed(base, w, item)
	if top != nil {
		if sameWindow(top, next) {
			for _, have := range top.Items {
				if sameItem(have, next.Items[0]) {
					return have.Ref()
				}
			}
			next.Items = append(append([]logical.WindowItem(nil), top.Items...), next.Items...)
		} else {
			node, next = b.a.placed(t.node, w, item)
		}
	}
	last := &next.Items[len(next.Items)-1]
	last.Column = b.a.newColumn(last.Text(), item.Type)
	next.Input = node
	t.node = next
	return last.Ref()
}

// reads reports that the window or the item needs a column that one of items makes.
func (w *window) reads(item logical.WindowItem, items []logical.WindowItem) bool {
	made := map[int]bool{}
	for _, it := range items {
		made[it.ID] = true
	}
	for _, e := range append(w.exprs(), item.Exprs()...) {
		for _, id := range expr.Columns(e) {
			if made[id] {
				return true
			}
		}
	}
	return false
}

func (w *window) exprs() []expr.Expr {
	out := append([]expr.Expr(nil), w.partition...)
	for _, k := range w.order {
		out = append(out, k.Expr)
	}
	for _, l := range w.limits {
		if l != nil {
			out = append(out, l)
		}
	}
	return out
}

// placed computes what the window needs as columns over node, and returns it
// with that as its only item.
func (a *Analyzer) placed(node logical.Node, w *window, item logical.WindowItem) (logical.Node, *logical.Window) {
	p := &placer{a: a, node: node}
	out := &logical.Window{}
	for _, e := range w.partition {
		out.Partition = append(out.Partition, p.column(e))
	}
	for _, k := range w.order {
		out.Order = append(out.Order, logical.SortKey{Column: p.column(k.Expr), Desc: k.Desc, NullsFirst: k.NullsFirst})
	}
	it := logical.WindowItem{Fn: item.Fn, Frame: w.frame}
	for i, bound := range []*logical.Bound{&it.Frame.Start, &it.Frame.End} {
		if w.limits[i] != nil {
			c := p.column(w.limits[i])
			bound.Limit = &c
		}
	}
	it.Type = item.Type
	if item.Agg != nil {
		it.Agg = item.Agg.Rewrite(p.argument)
	}
	for _, e := range item.Args {
		it.Args = append(it.Args, p.argument(e))
	}
	out.Items = []logical.WindowItem{it}
	return keeping(node, p.items), out
}

// placer makes columns of expressions over a node.
type placer struct {
	a     *Analyzer
	node  logical.Node
	items []logical.Item
}

// argument is a constant as it is, and a column of anything else.
func (p *placer) argument(e expr.Expr) expr.Expr {
	if expr.IsConstant(e) {
		return e
	}
	return p.column(e).Ref()
}

// column is the column that holds e: one that there is already, or a new one.
func (p *placer) column(e expr.Expr) logical.Column {
	if c, ok := e.(*expr.Column); ok && !p.a.isOuter(c.ID) {
		return logical.Column{ID: c.ID, Name: c.Name, Type: c.T}
	}
	for _, it := range p.items {
		if expr.Equal(it.Expr, e) && !expr.Volatile(e) {
			return it.Column
		}
	}
	if c, ok := computedIn(p.node, e); ok {
		return c
	}
	col := p.a.newColumn(expr.String(e), e.Type())
	p.items = append(p.items, logical.Item{Column: col, Expr: e})
	return col
}

// computedIn finds an expression that projections on top of a node have computed already.
func computedIn(node logical.Node, e expr.Expr) (logical.Column, bool) {
	there := map[int]bool{}
	for _, c := range node.Columns() {
		there[c.ID] = true
	}
	for p, ok := node.(*logical.Project); ok; p, ok = p.Input.(*logical.Project) {
		for _, it := range p.Items {
			if there[it.ID] && !it.Passes() && expr.Equal(it.Expr, e) && !expr.Volatile(e) {
				return it.Column, true
			}
		}
	}
	return logical.Column{}, false
}

func sameWindow(a, b *logical.Window) bool {
	if len(a.Partition) != len(b.Partition) || len(a.Order) != len(b.Order) {
		return false
	}
	for i, c := range a.Partition {
		if c.ID != b.Partition[i].ID {
			return false
		}
	}
	for i, k := range a.Order {
		if l := b.Order[i]; k.Column.ID != l.Column.ID || k.Desc != l.Desc || k.NullsFirst != l.NullsFirst {
			return false
		}
	}
	return true
}

func sameItem(a, b logical.WindowItem) bool {
	if a.Fn != b.Fn || a.Frame.String() != b.Frame.String() || (a.Agg == nil) != (b.Agg == nil) || len(a.Args) != len(b.Args) {
		return false
	}
	for i, l := range a.Limits() {
		if l.ID != b.Limits()[i].ID {
			return false
		}
	}
	for i, e := range a.Args {
		if !expr.Equal(e, b.Args[i]) {
			return false
		}
	}
	return a.Agg == nil || expr.AggEqual(a.Agg, b.Agg)
}
