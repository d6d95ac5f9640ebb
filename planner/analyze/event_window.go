package analyze

import (
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/planner/logical"
)

// Windows of event time are keys of an AGGREGATE: when each begins and ends.
// Over bounded input they are arithmetic: in microseconds since 1970, rounded
// down. Rows without a time belong to no window.

// eventWindows are the window functions of BY, and how they are called.
var eventWindows = map[string]string{
	"tumble": "tumble(time, size)", "hop": "hop(time, size, slide)", "session": "session(time, gap)",
	"cumulate": "cumulate(time, size, step)",
}

const (
	// maxWindowMicros bounds sizes, so that no arithmetic leaves 64 bits.
	maxWindowMicros = int64(1) << 53
	// maxWindows bounds in how many windows a row may be.
	maxWindows = 10_000
	// windowBlock is how many windows of a row are made at once.
	windowBlock = 100
)

// sessionKey is a session() whose windows wait for the other keys.
type sessionKey struct {
	at         *ast.Call
	time       expr.Expr
	gap        int64
	start, end logical.Column
}

// eventKey binds a window of event time in BY: its two keys.
func (a *Analyzer) eventKey(t *table, k *ast.Item, c *ast.Call, g *grouping, out *scope) {
	name := strings.ToLower(c.Name.Text)
	start, end := a.newColumn("window_start", types.TIMESTAMP), a.newColumn("window_end", types.TIMESTAMP)
	second := g.windowed
	ok := a.bindEventKey(t, k, c, name, g, start, end)
	if second {
		return
	}
	for _, col := range []logical.Column{start, end} {
		out.entries = append(out.entries, entry{name: col.Name, col: col, poison: !ok})
		if ok {
			g.keys = append(g.keys, groupKey{item: logical.Item{Column: col, Expr: col.Ref()}, name: col.Name, text: col.Name})
		}
	}
}

func (a *Analyzer) bindEventKey(t *table, k *ast.Item, c *ast.Call, name string, g *grouping, start, end logical.Column) bool {
	b := &binder{a: a, table: t, scope: t.scope, where: "BY"}
	want := strings.Count(eventWindows[name], ",") + 1
	switch {
	case k.Alias != nil:
		a.errorf(k.Alias, "leave AS out, and RENAME them after", "%s() makes two columns, window_start and window_end", name)
		return false
	case c.Star || c.Distinct || len(c.OrderBy) > 0 || c.Filter != nil || c.Over != nil || len(c.Args) != want:
		a.errorf(c, "", "%s() is called as %s", name, eventWindows[name])
		return false
	case g.windowed:
		a.errorf(c, "AGGREGATE twice", "BY takes one window of event time")
		return false
	}
	g.windowed = true
	if call, ok := c.Args[0].(*ast.Call); ok && strings.EqualFold(call.Name.Text, "proc_time") {
		a.errorf(call, "window by a column that holds the time", "%s(proc_time(), …) needs a stream", name)
		return false
	}
	ts := b.bind(c.Args[0])
	var d [2]int64
	ok := ts != nil
	for i, arg := range c.Args[1:] {
		var good bool
		d[i], good = b.micros(arg, name)
		ok = ok && good
	}
	if !ok {
		return false
	}
	if !ts.Type().IsTemporal() && ts.Type().Kind != types.Null {
		a.errorf(c.Args[0], "CAST it, or read it with strptime", "%s() needs a TIMESTAMP or DATE, and this is %s", name, ts.Type())
		return false
	}
	ts = castTo1(ts, types.TIMESTAMP)
	e := &windowMath{}
	switch name {
	case "session":
		g.session = &sessionKey{at: c, time: ts, gap: d[0], start: start, end: end}
		return true
	case "tumble":
		known := e.not(e.call("is_null", ts))
		from := e.floor(e.call("epoch_us", ts), d[0])
		t.node = keeping(&logical.Filter{Input: t.node, Cond: known}, []logical.Item{
			{Column: start, Expr: e.call("make_timestamp", from)},
			{Column: end, Expr: e.call("make_timestamp", e.call("+", from, expr.Constant(d[0])))},
		})
	case "hop":
		if count := (d[0]-1)/d[1] + 1; count > maxWindows {
			return a.tooMany(c, name, count)
		}
		us := e.call("epoch_us", ts)
		first := e.call("+", e.floor(e.call("-", us, expr.Constant(d[0])), d[1]), expr.Constant(d[1]))
		at := a.spread(t, e, first, us, d[1], (d[0]-1)/d[1]+1)
		t.node = keeping(t.node, []logical.Item{
			{Column: start, Expr: e.call("make_timestamp", at)},
			{Column: end, Expr: e.call("make_timestamp", e.call("+", at, expr.Constant(d[0])))},
		})
	case "cumulate":
		if d[0]%d[1] != 0 {
			a.errorf(c.Args[2], "", "the step of cumulate() must divide its size")
			return false
		}
		if d[0]/d[1] > maxWindows {
			return a.tooMany(c, name, d[0]/d[1])
		}
		us := e.call("epoch_us", ts)
		base := e.floor(us, d[0])
		first := e.call("+", e.floor(us, d[1]), expr.Constant(d[1])) // the step divides the size: both are aligned
		last := e.call("+", base, expr.Constant(d[0]))
		at := a.spread(t, e, first, last, d[1], d[0]/d[1])
		t.node = keeping(t.node, []logical.Item{
			{Column: start, Expr: e.call("make_timestamp", base)},
			{Column: end, Expr: e.call("make_timestamp", at)},
		})
	}
	return a.made(c, e)
}

func (a *Analyzer) tooMany(c *ast.Call, name string, n int64) bool {
	a.errorf(c, "", "%s() would put each row into %d windows, and %d is the most", name, n, maxWindows)
	return false
}

// made reports an expression that could not be built.
func (a *Analyzer) made(c *ast.Call, e *windowMath) bool {
	if e.err != nil {
		a.errorf(c, "", "%s", e.err)
		return false
	}
	return true
}

// spread makes a row for each of the numbers first, first+step, … up to and with
// last, of which there are most at most, and returns the number. They are made a
// block at a time, so that batches stay small.
func (a *Analyzer) spread(t *table, e *windowMath, first, last expr.Expr, step, most int64) expr.Expr {
	if most > windowBlock {
		block := a.newColumn("block", types.INT)
		blocks := e.call("range", expr.Constant(int64(0)), expr.Constant(most*step), expr.Constant(windowBlock*step))
		t.node = &logical.Unnest{Input: t.node, List: blocks, Element: block}
		from := e.call("+", first, block.Ref())
		to := e.call("+", from, expr.Constant((windowBlock-1)*step))
		first, last = from, e.call("least", last, to)
	}
	at := a.newColumn("window", types.INT)
	list := e.call("generate_series", first, last, expr.Constant(step))
	if e.err == nil {
		t.node = &logical.Unnest{Input: t.node, List: list, Element: at}
	}
	return at.Ref()
}

// micros reads a duration of whole microseconds.
func (b *binder) micros(at ast.Expr, name string) (int64, bool) {
	lit, ok := b.constant(at, "a duration of "+name+"()")
	if !ok {
		return 0, false
	}
	if lit.T.Kind == types.String {
		x := b.castTo(at, lit, types.INTERVAL)
		if lit, ok = x.(*expr.Literal); !ok {
			return 0, false
		}
	}
	iv, ok := lit.Value.(arrow.MonthDayNanoInterval)
	const day = int64(24 * time.Hour / time.Microsecond)
	us := int64(iv.Days)*day + iv.Nanoseconds/1000
	switch {
	case !ok:
		b.a.errorf(at, "write it like 10s, 5m, 1h or 7d", "%s() needs a duration here, and this is %s", name, lit.T)
	case iv.Months != 0:
		b.a.errorf(at, "give it in days, or group BY date_trunc('month', …)", "%s() cannot count months, which differ in length", name)
	case iv.Nanoseconds%1000 != 0:
		b.a.errorf(at, "", "%s() needs whole microseconds", name)
	case us <= 0:
		b.a.errorf(at, "", "a duration of %s() must be more than 0", name)
	case iv.Days > 1<<20 || us > maxWindowMicros:
		b.a.errorf(at, "", "a duration of %s() can be 285 years at most", name)
	default:
		return us, true
	}
	return 0, false
}

// windowMath builds expressions of known types; the first error stays.
type windowMath struct{ err error }

func (m *windowMath) call(fn string, args ...expr.Expr) expr.Expr {
	if m.err != nil {
		return expr.Null(types.NULL)
	}
	x, err := expr.NewCall(fn, args...)
	if err != nil {
		m.err = err
		return expr.Null(types.NULL)
	}
	return x
}

func (m *windowMath) not(x expr.Expr) expr.Expr { return m.call("not", x) }

// floor is the greatest multiple of d that is not more than x.
func (m *windowMath) floor(x expr.Expr, d int64) expr.Expr {
	width := expr.Constant(d)
	rest := m.call("%", m.call("+", m.call("%", x, width), width), width)
	return m.call("-", x, rest)
}

// sessions numbers the sessions of the other keys' groups: a row that is later
// than the one before by more than the gap begins one.
func (a *Analyzer) sessions(t *table, g *grouping) bool {
	s := g.session
	e := &windowMath{}
	t.node = &logical.Filter{Input: t.node, Cond: e.not(e.call("is_null", s.time))}
	p := &placer{a: a, node: t.node}
	ts := p.column(s.time)
	var by []logical.Column
	for i, k := range g.keys {
		if k.item.ID == s.start.ID || k.item.ID == s.end.ID {
			continue
		}
		col := p.column(k.item.Expr)
		g.keys[i].item.Expr = col.Ref()
		by = append(by, col)
	}
	t.node = keeping(t.node, p.items)
	order := []logical.SortKey{{Column: ts}}
	before := a.newColumn("before", types.TIMESTAMP)
	t.node = &logical.Window{Input: t.node, Partition: by, Order: order, Items: []logical.WindowItem{
		{Column: before, Fn: "lag", Args: []expr.Expr{ts.Ref()}},
	}}
	apart := e.call(">", e.call("-", e.call("epoch_us", ts.Ref()), e.call("epoch_us", before.Ref())), expr.Constant(s.gap))
	if e.err != nil {
		return a.made(s.at, e)
	}
	begins, err := expr.NewCase([]expr.When{{If: apart, Then: expr.Constant(int64(1))}}, expr.Constant(int64(0)))
	if err != nil {
		e.err = err
		return a.made(s.at, e)
	}
	began := a.newColumn("begins", types.INT)
	t.node = keeping(t.node, []logical.Item{{Column: began, Expr: begins}})
	number, ok := a.over("sum", began, logical.Frame{Unit: "rows", Start: logical.Bound{Kind: logical.UnboundedPreceding}, End: logical.Bound{Kind: logical.CurrentRow}})
	whole := logical.Frame{Unit: "rows", Start: logical.Bound{Kind: logical.UnboundedPreceding}, End: logical.Bound{Kind: logical.UnboundedFollowing}}
	first, ok1 := a.over("min", ts, whole)
	last, ok2 := a.over("max", ts, whole)
	if !ok || !ok1 || !ok2 {
		return false
	}
	t.node = &logical.Window{Input: t.node, Partition: by, Order: order, Items: []logical.WindowItem{number}}
	t.node = &logical.Window{Input: t.node, Partition: append(append([]logical.Column(nil), by...), number.Column), Items: []logical.WindowItem{first, last}}
	t.node = keeping(t.node, []logical.Item{
		{Column: s.start, Expr: e.call("make_timestamp", e.call("epoch_us", first.Ref()))},
		{Column: s.end, Expr: e.call("make_timestamp", e.call("+", e.call("epoch_us", last.Ref()), expr.Constant(s.gap)))},
	})
	return a.made(s.at, e)
}

// over is an aggregate of a column over a frame.
func (a *Analyzer) over(fn string, col logical.Column, f logical.Frame) (logical.WindowItem, bool) {
	call, err := expr.NewAgg(fn, []expr.Expr{col.Ref()}, false, nil, nil)
	if err != nil {
		return logical.WindowItem{}, false
	}
	return logical.WindowItem{Column: a.newColumn(expr.AggString(call), call.T), Agg: call, Frame: f}, true
}
