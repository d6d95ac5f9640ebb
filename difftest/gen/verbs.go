package gen

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rainsql/rainsql/difftest/val"
	"github.com/rainsql/rainsql/expr/types"
)

func (g *Gen) filter(s Shape) Step {
	g.subqueries = true
	defer func() { g.subqueries = false }()
	return &Filter{g.expr(s, want{t: types.BOOL, bare: true}, 1+g.n(3))}
}

// items makes computed columns and, for TRANSFORM, columns handed on.
func (g *Gen) items(s Shape, n int, hand bool) []Item {
	var out []Item
	for range n {
		var e *Expr
		if hand && g.chance(0.4) {
			if list := s.usable(); len(list) > 0 {
				c := pick(g, list)
				o := *c
				o.ID, o.Qual = g.nextID(), ""
				if !slices.ContainsFunc(out, func(it Item) bool { return it.Out.Name == o.Name }) {
					out = append(out, Item{column(c), &o})
				}
				continue
			}
		}
		t := pick(g, roots)
		if g.chance(0.2) {
			t = g.anyType(s)
		}
		g.subqueries = true
		e = g.expr(s, want{t: t}, 1+g.n(3))
		g.subqueries = false
		if g.chance(0.06) {
			t := e.T
			e = &Expr{Op: "typeof", T: types.STRING, Kids: []*Expr{e}, RQL: "typeof({0})", SQL: val.Text(t.String()), Max: 100}
		}
		out = append(out, Item{e, g.fresh(e)})
	}
	return out
}

func (g *Gen) transform(s Shape) Step {
	items := g.items(s, 1+g.n(5), true)
	if g.chance(0.6) && s.keyed() { // keep the key: LIMIT and others can go on
		for _, id := range s.Key {
			c := s.find(id)
			if _, ok := s.ref(c); ok && !c.Inexact && !slices.ContainsFunc(items, func(it Item) bool { return it.Out.Name == c.Name }) {
				o := *c
				o.ID, o.Qual = g.nextID(), ""
				items = append(items, Item{column(c), &o})
			}
		}
	}
	t := &Transform{Items: items}
	if len(items) == 0 {
		return nil
	}
	if g.chance(0.15) && !t.Apply(s).inexact() {
		t.Distinct = true
		for _, it := range t.Items {
			it.Out.Loose = it.Out.Loose || distinguishable(it.Out)
			it.Out.Inexact = it.Out.Inexact || it.Out.Loose
		}
	}
	return t
}

func (g *Gen) extend(s Shape) Step { return &Extend{g.items(s, 1+g.n(2), false)} }

func (g *Gen) set(s Shape) Step {
	list := some(g, s.plain(), 1+g.n(2))
	out := &Set{}
	for _, c := range list {
		t := c.T
		if g.chance(0.4) {
			t = pick(g, roots)
		}
		e := g.expr(s, want{t: t}, 1+g.n(2))
		o := g.fresh(e)
		o.Name, o.Qual = c.Name, c.Qual
		out.Old = append(out.Old, c.ID)
		out.Items = append(out.Items, Item{e, o})
	}
	if len(list) == 0 {
		return nil
	}
	return out
}

func (g *Gen) dropSome(s Shape) Step {
	can := s.plain()
	if len(can) < 2 || len(s.Cols) < 3 {
		return nil
	}
	return &Drop{ids(some(g, can, 1+g.n(min(3, len(can)-1))))}
}

func (g *Gen) rename(s Shape) Step {
	list := s.plain()
	if len(list) == 0 {
		return nil
	}
	r := &Rename{}
	for _, c := range some(g, list, 1+g.n(2)) {
		r.IDs = append(r.IDs, c.ID)
		r.Names = append(r.Names, fmt.Sprintf("r%d", g.nextID()))
	}
	return r
}

func (g *Gen) groupKeys(s Shape, n int) []Item {
	var keys []Item
	for range n {
		var e *Expr
		if list := s.usable(); len(list) > 0 && g.chance(0.8) {
			c := pick(g, g.leanRare(list))
			e = column(c)
			o := *c
			o.ID, o.Qual = g.nextID(), ""
			if !slices.ContainsFunc(keys, func(it Item) bool { return it.Out.Name == o.Name }) {
				keys = append(keys, Item{e, &o})
			}
			continue
		}
		e = g.expr(s, want{t: pick(g, roots), bare: true}, 1)
		if !e.uses() || e.T.Kind == types.Interval {
			continue
		}
		keys = append(keys, Item{e, g.fresh(e)})
	}
	return keys
}

// uses reports whether an expression names a column.
func (e *Expr) uses() bool {
	any := false
	e.walk(func(x *Expr) { any = any || x.Op == opColumn })
	return any
}

func (g *Gen) aggregateStep(s Shape) Step {
	a := &Aggregate{}
	a.Keys = g.groupKeys(s, pick(g, []int{0, 1, 1, 1, 2, 2, 3}))
	n := 1 + g.n(4)
	if len(a.Keys) > 0 && g.chance(0.08) {
		n = 0
	}
	for range n {
		e := g.aggregateItem(s)
		a.Items = append(a.Items, Item{e, g.fresh(e)})
	}
	return a
}

func (g *Gen) distinct(s Shape) Step {
	if s.inexact() {
		return nil
	}
	return &Distinct{}
}

func (g *Gen) distinctOn(s Shape) Step {
	if s.Order != TotalOrder {
		return nil
	}
	d := &Distinct{}
	for _, k := range g.groupKeys(s, 1+g.n(2)) {
		d.On = append(d.On, k.E)
	}
	if len(d.On) == 0 {
		return nil
	}
	return d
}

// sort makes keys, mostly so many that the order is total.
func (g *Gen) sort(s Shape) Step {
	out := &Sort{}
	add := func(e *Expr) {
		if !e.uses() || e.T.Kind == types.Struct && !g.features["structorder"] || e.T.Kind == types.Interval && e.Op != opColumn {
			return
		}
		out.Keys = append(out.Keys, Key{E: e, Desc: g.chance(0.4), NullsFirst: g.chance(0.2)})
	}
	list := s.usable()
	if len(list) == 0 {
		return nil
	}
	for _, c := range some(g, g.leanRare(list), 1+g.n(2)) {
		add(column(c))
	}
	if g.chance(0.2) {
		add(g.expr(s, want{t: pick(g, roots), bare: true}, 1))
	}
	if g.chance(0.7) {
		if s.keyed() {
			for _, id := range s.Key {
				if c := s.find(id); slices.Contains(list, c) {
					add(column(c))
				}
			}
		} else if len(list) == len(s.Cols) {
			for _, c := range list {
				add(column(c))
			}
		}
	}
	if len(out.Keys) == 0 {
		return nil
	}
	return out
}

func (g *Gen) limit(s Shape) Step {
	if s.Order != TotalOrder {
		return nil
	}
	return &Limit{N: pick(g, []int{0, 1, 3, 5, 10, 10, 30, 100}), Offset: pick(g, []int{0, 0, 0, 1, 5})}
}

func (g *Gen) aliasStep(Shape) Step { return &Alias{fmt.Sprintf("q%d", g.nextID())} }

// setOp makes the other side of the same columns: often from the same table,
// so that rows meet.
func (g *Gen) setOp(s Shape) Step {
	if g.depth > 2 {
		return nil
	}
	if few := s.few(); len(s.Cols) > 3 && len(few) > 0 && g.chance(0.5) || len(s.Cols) > 8 {
		if rare := g.leanRare(s.usable()); len(rare) < len(s.usable()) {
			few = append(few, rare...)
		}
		t := &Transform{} // columns of few values, so that rows repeat and meet
		for _, c := range some(g, few, 1+g.n(2)) {
			o := *c
			o.ID, o.Qual = g.nextID(), ""
			t.Items = append(t.Items, Item{column(c), &o})
		}
		if len(t.Items) == 0 || len(t.Items) == 2 && strings.EqualFold(t.Items[0].Out.Name, t.Items[1].Out.Name) {
			return nil
		}
		g.next = (*Gen).setOp
		return t
	}
	op := &SetOp{Op: pick(g, []string{"UNION", "UNION", "INTERSECT", "EXCEPT"}), All: g.chance(0.5)}
	if s.inexact() && !(op.Op == "UNION" && op.All) {
		return nil
	}
	right := g.rel(g.n(2))
	rs := right.Shape()
	t := &Transform{}
	for _, c := range s.Cols {
		at := g.sideType(c.T)
		var e *Expr
		same := slices.DeleteFunc(rs.usable(), func(d *Col) bool { return !d.T.Equal(at) })
		byName := slices.IndexFunc(same, func(d *Col) bool { return d.Name == c.Name })
		switch {
		case byName >= 0:
			e = column(same[byName])
		case len(same) > 0:
			e = column(pick(g, same))
		default:
			e = g.expr(rs, want{t: at, bare: true}, 0)
		}
		t.Items = append(t.Items, Item{e, g.fresh(e)})
		common, _ := types.Common(c.T, e.T)
		m := max(c.Max, e.Max)
		if c.T.Kind == types.Date && e.T.Kind == types.Timestamp {
			m = max(c.Max*86400, e.Max)
		}
		if e.T.Kind == types.Date && c.T.Kind == types.Timestamp {
			m = max(c.Max, e.Max*86400)
		}
		op.Out = append(op.Out, &Col{ID: g.nextID(), Name: c.Name, T: common, Null: c.Null || e.Null, Max: m, Tame: c.Tame && e.Tame, Inexact: c.Inexact || e.Inexact, Loose: c.Loose || e.Loose})
	}
	right.Steps = append(right.Steps, t)
	op.Right = right
	return op
}

// leanRare is the list, or now and then what of it has a rare type.
func (g *Gen) leanRare(list []*Col) []*Col {
	if !g.chance(0.25) {
		return list
	}
	rare := slices.DeleteFunc(slices.Clone(list), func(c *Col) bool {
		switch c.T.Kind {
		case types.Int8, types.Int16, types.Int32, types.Float32, types.Bytes, types.Interval, types.List, types.Struct:
			return false
		}
		return true
	})
	if len(rare) == 0 {
		return list
	}
	return rare
}

// few lists columns of few different values.
func (s Shape) few() []*Col {
	var out []*Col
	for _, c := range s.usable() {
		if c.T.IsNumeric() && c.Max <= 10 || c.T.Kind == types.Bool || c.T.Kind == types.String && c.Max <= 5 {
			out = append(out, c)
		}
	}
	return out
}

// sideType is the type itself, or one that meets it.
func (g *Gen) sideType(t types.Type) types.Type {
	if !g.chance(0.15) {
		return t
	}
	switch t.Kind {
	case types.Int8, types.Int16, types.Int32, types.Int64:
		return pick(g, []types.Type{types.INT, types.DecimalOf(9, 2)})
	case types.Float32:
		return types.FLOAT
	case types.Date:
		return types.TIMESTAMP
	case types.Timestamp:
		return types.DATE
	}
	return t
}
