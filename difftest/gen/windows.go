package gen

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rainsql/rainsql/difftest/val"
	"github.com/rainsql/rainsql/expr/types"
)

// Windowed is AGGREGATE … BY keys, tumble(t, d): a window of event time is its
// last two keys. It is a verb of its own in the coverage.
type Windowed struct {
	Keys, Items []Item
	Kind        string // tumble, hop, cumulate or session
	Time        *Expr
	Long, Short length // Short: the slide of hop, the step of cumulate
	Start, End  *Col
}

// length is a duration.
type length struct {
	text   string
	micros int64
}

// Verb implements Step.
func (*Windowed) Verb() string { return "WINDOW" }

// Apply implements Step.
func (w *Windowed) Apply(in Shape) Shape {
	var keys []*Col
	for _, k := range w.Keys {
		keys = append(keys, k.Out)
	}
	out := Shape{Cols: append(representatives(keys), w.Start, w.End), Rows: in.Rows * 10}
	out.Key = ids(out.Cols)
	for _, it := range w.Items {
		out.Cols = append(out.Cols, it.Out)
	}
	return out
}

// RQL implements Step.
func (w *Windowed) RQL(sc *scope) string {
	args := []string{sc.rql(w.Time), w.Long.text}
	if w.Short.text != "" {
		args = append(args, w.Short.text)
	}
	by := w.Kind + "(" + strings.Join(args, ", ") + ")"
	if len(w.Keys) > 0 {
		by = sc.rqlGroupKeys(w.Keys) + ", " + by
	}
	return strings.TrimSpace("AGGREGATE "+sc.rqlItems(w.Items)) + " BY " + by
}

// SQL implements Step: the windows of each row are computed first, in
// microseconds since 1970.
func (w *Windowed) SQL(in string, sc *scope) string {
	long, short := w.Long.micros, w.Short.micros
	floor := func(n int64) string { return fmt.Sprintf("(wt - ((wt %% %d) + %d) %% %d)", n, n, n) }
	in = "SELECT *, epoch_us(CAST(" + sc.sql(w.Time) + " AS TIMESTAMP)) AS wt FROM " + in
	start, end := "ws", "we"
	var by []string
	for _, k := range w.Keys {
		by = append(by, sc.sql(k.E))
	}
	switch w.Kind {
	case "tumble":
		in = fmt.Sprintf("SELECT *, %s AS ws, %s + %d AS we FROM (%s) WHERE wt IS NOT NULL", floor(long), floor(long), long, in)
	case "hop":
		in = fmt.Sprintf("SELECT *, unnest(range(%s, wt - %d, -%d)) AS ws FROM (%s) WHERE wt IS NOT NULL", floor(short), long, short, in)
		in = fmt.Sprintf("SELECT *, ws + %d AS we FROM (%s)", long, in)
	case "cumulate":
		in = fmt.Sprintf("SELECT *, %s AS ws, unnest(range(%s + %d, %s + %d + 1, %d)) AS we FROM (%s) WHERE wt IS NOT NULL",
			floor(long), floor(short), short, floor(long), long, short, in)
	case "session":
		over := strings.Join(by, ", ")
		if over != "" {
			over = "PARTITION BY " + over
		}
		in = fmt.Sprintf("SELECT *, lag(wt) OVER (%s ORDER BY wt) AS wl FROM (%s) WHERE wt IS NOT NULL", over, in)
		in = fmt.Sprintf("SELECT *, count(*) FILTER (WHERE wl IS NULL OR wt - wl > %d) OVER (%s ORDER BY wt) AS we FROM (%s)", long, over, in)
		start, end = "min(wt)", fmt.Sprintf("max(wt) + %d", long)
	}
	by = append(by, "we")
	if w.Kind != "session" {
		by = append(by, "ws")
	}
	var parts []string
	for _, k := range w.Keys {
		parts = append(parts, sc.sql(k.E)+" AS "+k.Out.sql())
	}
	parts = append(parts, "make_timestamp("+start+") AS "+w.Start.sql(), "make_timestamp("+end+") AS "+w.End.sql())
	parts = append(parts, sc.sqlItems(w.Items)...)
	return "SELECT " + strings.Join(parts, ", ") + " FROM (" + in + ") GROUP BY " + strings.Join(by, ", ")
}

// Uses implements Step.
func (w *Windowed) Uses() []**Expr {
	return append(append(itemUses(w.Keys), &w.Time), itemUses(w.Items)...)
}

// Copy implements Step.
func (w *Windowed) Copy() Step {
	c := *w
	c.Keys, c.Items, c.Time = copyItems(w.Keys), copyItems(w.Items), copyExpr(w.Time)
	return &c
}

// Parts counts keys and items.
func (w *Windowed) Parts() int { return len(w.Keys) + len(w.Items) }

// RemovePart removes one.
func (w *Windowed) RemovePart(i int) {
	if i < len(w.Keys) {
		w.Keys = slices.Delete(w.Keys, i, i+1)
		return
	}
	i -= len(w.Keys)
	w.Items = slices.Delete(w.Items, i, i+1)
}

const (
	second = int64(1_000_000)
	hour   = 3600 * second
	day    = 24 * hour
)

var (
	sizes = []length{{"10s", 10 * second}, {"90m", 90 * 60 * second}, {"1h", hour}, {"6h", 6 * hour}, {"1d", day}, {"7d", 7 * day}, {"365d", 365 * day}}
	// hops are sizes and slides, also longer than the size; steps divide.
	hops  = [][2]length{{sizes[2], {"20m", hour / 3}}, {sizes[3], sizes[2]}, {sizes[4], {"5h", 5 * hour}}, {sizes[2], sizes[4]}, {sizes[5], {"2d", 2 * day}}, {sizes[6], {"100d", 100 * day}}}
	steps = [][2]length{{sizes[2], {"20m", hour / 3}}, {sizes[4], sizes[3]}, {sizes[5], sizes[4]}, {sizes[6], {"73d", 73 * day}}}
)

func (g *Gen) windowStep(s Shape) Step {
	if s.Rows > 3000 {
		return nil
	}
	w := &Windowed{Kind: pick(g, []string{"tumble", "hop", "cumulate", "session"})}
	w.Time = g.expr(s, want{t: types.TIMESTAMP, limit: 5e10, bare: true}, g.n(2))
	for _, c := range some(g, s.usable(), 20) {
		if (c.T.Kind == types.Timestamp && c.Max < 5e10 || c.T.Kind == types.Date && c.Max < 5e5) && g.chance(0.8) {
			w.Time = column(c)
		}
	}
	if !w.Time.uses() {
		return nil
	}
	switch w.Kind {
	case "hop":
		p := pick(g, hops)
		w.Long, w.Short = p[0], p[1]
	case "cumulate":
		p := pick(g, steps)
		w.Long, w.Short = p[0], p[1]
	default:
		w.Long = pick(g, sizes)
	}
	w.Keys = g.groupKeys(s, pick(g, []int{0, 1, 1, 2}))
	if slices.ContainsFunc(w.Keys, func(it Item) bool { return strings.HasPrefix(it.Out.Name, "window_") }) {
		return nil
	}
	for range 1 + g.n(3) {
		e := g.aggregateItem(s)
		for before := true; before; { // what SQL would compute for the groups beforehand
			before = false
			e.walk(func(x *Expr) { before = before || x.Before != "" })
			if before {
				e = g.aggregateItem(s)
			}
		}
		w.Items = append(w.Items, Item{e, g.fresh(e)})
	}
	w.Start = &Col{ID: g.nextID(), Name: "window_start", T: types.TIMESTAMP, Max: w.Time.Max*86400 + 4e7}
	w.End = &Col{ID: g.nextID(), Name: "window_end", T: types.TIMESTAMP, Max: w.Time.Max*86400 + 4e7}
	return w
}

// Exec sends columns through a program that changes nothing.
type Exec struct {
	Format string
	IDs    []int // of the columns handed on
	Out    []*Col
}

// Verb implements Step.
func (*Exec) Verb() string { return "EXEC" }

// kept pairs the columns that are still there with what they become.
func (x *Exec) kept(in Shape) (from, to []*Col) {
	for i, id := range x.IDs {
		if c := in.find(id); c != nil {
			from, to = append(from, c), append(to, x.Out[i])
		}
	}
	return from, to
}

// Apply implements Step.
func (x *Exec) Apply(in Shape) Shape {
	_, to := x.kept(in)
	out := Shape{Cols: to, Rows: in.Rows}
	for _, k := range in.Key {
		at := slices.Index(x.IDs, k)
		if at < 0 {
			out.Key = nil
			break
		}
		out.Key = append(out.Key, x.Out[at].ID)
	}
	return out
}

// RQL implements Step.
func (x *Exec) RQL(sc *scope) string {
	var items, cols []string
	from, to := x.kept(sc.shape)
	for i, c := range from {
		name, _ := sc.shape.ref(c)
		items = append(items, name+" AS "+val.Name(to[i].Name))
		cols = append(cols, val.Name(to[i].Name)+" "+to[i].T.String())
	}
	return fmt.Sprintf("TRANSFORM %s TRANSFORM USING EXEC 'cat' (format = '%s', columns = (%s))", strings.Join(items, ", "), x.Format, strings.Join(cols, ", "))
}

// SQL implements Step.
func (x *Exec) SQL(in string, sc *scope) string {
	var parts []string
	from, to := x.kept(sc.shape)
	for i, c := range from {
		parts = append(parts, c.sql()+" AS "+to[i].sql())
	}
	return "SELECT " + strings.Join(parts, ", ") + " FROM " + in
}

// Uses implements Step.
func (*Exec) Uses() []**Expr { return nil }

// Copy implements Step.
func (x *Exec) Copy() Step {
	return &Exec{x.Format, slices.Clone(x.IDs), slices.Clone(x.Out)}
}

// Parts counts columns.
func (x *Exec) Parts() int { return len(x.IDs) * min(1, len(x.IDs)-1) }

// RemovePart removes one.
func (x *Exec) RemovePart(i int) {
	x.IDs, x.Out = slices.Delete(x.IDs, i, i+1), slices.Delete(x.Out, i, i+1)
}

func (g *Gen) execStep(s Shape) Step {
	x := &Exec{Format: pick(g, []string{"csv", "jsonl", "tsv"})}
	for _, c := range some(g, s.plain(), 1+g.n(6)) {
		if c.Inexact || !roundTrips(c, x.Format) {
			continue
		}
		o := *c
		o.ID, o.Qual = g.nextID(), ""
		x.IDs, x.Out = append(x.IDs, c.ID), append(x.Out, &o)
	}
	if len(x.IDs) == 0 || g.depth > 1 {
		return nil
	}
	return x
}

// roundTrips reports a column that comes back from text as it went.
func roundTrips(c *Col, format string) bool {
	return !c.T.IsNested() || format == "jsonl" // csv has no lists
}
