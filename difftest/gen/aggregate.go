package gen

import (
	"strconv"
	"strings"

	"github.com/rainsql/rainsql/difftest/val"
)

// Aggregate is AGGREGATE … BY.
type Aggregate struct {
	Keys   []Item
	Items  []Item
	Behind bool // of another AGGREGATE, whose BY a GROUP BY would be
}

// Verb implements Step.
func (a *Aggregate) Verb() string {
	if len(a.Items) == 0 {
		return "GROUP BY"
	}
	return "AGGREGATE"
}

// Apply implements Step.
func (a *Aggregate) Apply(in Shape) Shape {
	var keys []*Col
	for _, k := range a.Keys {
		keys = append(keys, k.Out)
	}
	out := Shape{Cols: representatives(keys), Rows: max(1, in.Rows)}
	out.Key = ids(out.Cols)
	for _, it := range a.Items {
		out.Cols = append(out.Cols, it.Out)
	}
	return out
}

// RQL implements Step.
func (a *Aggregate) RQL(sc *scope) string {
	if len(a.Items) == 0 {
		if !a.Behind && a.Keys[0].Out.ID%2 == 0 {
			return "GROUP BY " + sc.rqlGroupKeys(a.Keys)
		}
		return "AGGREGATE BY " + sc.rqlGroupKeys(a.Keys)
	}
	s := "AGGREGATE " + sc.rqlItems(a.Items)
	if len(a.Keys) > 0 {
		s += " BY " + sc.rqlGroupKeys(a.Keys)
	}
	return s
}

// rqlGroupKeys leaves AS out where a key is a column that keeps its name.
func (sc *scope) rqlGroupKeys(keys []Item) string {
	parts := make([]string, len(keys))
	for i, k := range keys {
		text, name := sc.rql(k.E), val.Name(k.Out.Name)
		if parts[i] = text; text != name {
			parts[i] += " AS " + name
		}
	}
	return strings.Join(parts, ", ")
}

// SQL implements Step.
func (a *Aggregate) SQL(in string, sc *scope) string {
	var parts, by []string
	for i, k := range a.Keys {
		parts = append(parts, sc.sql(k.E)+" AS "+k.Out.sql())
		by = append(by, strconv.Itoa(i+1))
	}
	parts = append(parts, sc.sqlItems(a.Items)...)
	in = a.withWindows(in, sc)
	s := "SELECT " + strings.Join(parts, ", ") + " FROM " + in
	if len(by) > 0 {
		s += " GROUP BY " + strings.Join(by, ", ")
	}
	return s
}

// withWindows adds what aggregates need that SQL can only compute beforehand,
// over the rows of each group.
func (a *Aggregate) withWindows(in string, sc *scope) string {
	by := ""
	for _, k := range a.Keys {
		by += sc.sql(k.E) + ", "
	}
	extra := ""
	for _, it := range a.Items {
		it.E.walk(func(e *Expr) {
			if e.Before != "" {
				extra += ", " + strings.ReplaceAll(fill(e.Before, e, func(k *Expr) string { return sc.sql(k) }, nil), "{by}", by)
			}
		})
	}
	if extra == "" {
		return in
	}
	return "(SELECT *" + extra + " FROM " + in + ")"
}

// Uses implements Step.
func (a *Aggregate) Uses() []**Expr { return append(itemUses(a.Keys), itemUses(a.Items)...) }

// Copy implements Step.
func (a *Aggregate) Copy() Step { return &Aggregate{copyItems(a.Keys), copyItems(a.Items), a.Behind} }

// SetOp is UNION, INTERSECT or EXCEPT with another pipeline.
type SetOp struct {
	Op    string // UNION
	All   bool
	Right *Rel
	Out   []*Col // by position
}

// Verb implements Step.
func (s *SetOp) Verb() string {
	if s.All {
		return s.Op + " ALL"
	}
	return s.Op
}

// Inner is the other side.
func (s *SetOp) Inner() *Rel { return s.Right }

// Apply implements Step.
func (s *SetOp) Apply(in Shape) Shape {
	right := s.Right.Shape()
	out := Shape{Rows: in.Rows + right.Rows}
	for i, c := range in.Cols {
		if i >= len(s.Out) || i >= len(right.Cols) {
			break
		}
		n := *s.Out[i]
		n.Name = c.Name
		out.Cols = append(out.Cols, &n)
	}
	if !s.All || s.Op != "UNION" {
		out.Cols = representatives(out.Cols)
	}
	if !s.All {
		out.Key = ids(out.Cols)
	}
	return out
}

// RQL implements Step.
func (s *SetOp) RQL(sc *scope) string {
	return s.Verb() + " (" + s.Right.rql(sc.outer, " ") + ")"
}

// SQL implements Step.
func (s *SetOp) SQL(in string, sc *scope) string {
	side := func(cols []*Col) string {
		var parts []string
		for i, c := range cols {
			if i < len(s.Out) {
				parts = append(parts, "CAST("+c.sql()+" AS "+val.SQLType(s.Out[i].T)+") AS "+s.Out[i].sql())
			}
		}
		return strings.Join(parts, ", ")
	}
	return "SELECT " + side(sc.shape.Cols) + " FROM " + in + " " + s.Verb() +
		" SELECT " + side(s.Right.Shape().Cols) + " FROM (" + s.Right.sqlIn(sc.outer) + ")"
}

// Uses implements Step.
func (*SetOp) Uses() []**Expr { return nil }

// Copy implements Step.
func (s *SetOp) Copy() Step { return &SetOp{s.Op, s.All, s.Right.Copy(), s.Out} }
