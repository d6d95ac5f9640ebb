package gen

import (
	"slices"
	"strings"

	"github.com/rainsql/rainsql/difftest/val"
)

func copyExpr(e *Expr) *Expr {
	c := *e
	c.Kids = make([]*Expr, len(e.Kids))
	for i, k := range e.Kids {
		c.Kids[i] = copyExpr(k)
	}
	if e.Sub != nil {
		c.Sub = e.Sub.Copy()
	}
	return &c
}

// Item is `e AS name`.
type Item struct {
	E   *Expr
	Out *Col
}

func copyItems(items []Item) []Item {
	out := make([]Item, len(items))
	for i, it := range items {
		out[i] = Item{copyExpr(it.E), it.Out}
	}
	return out
}

func itemUses(items []Item) []**Expr {
	var out []**Expr
	for i := range items {
		out = append(out, &items[i].E)
	}
	return out
}

func (sc *scope) rqlItems(items []Item) string {
	parts := make([]string, len(items))
	for i, it := range items {
		parts[i] = sc.rql(it.E) + " AS " + val.Name(it.Out.Name)
	}
	return strings.Join(parts, ", ")
}

func (sc *scope) sqlItems(items []Item) []string {
	parts := make([]string, len(items))
	for i, it := range items {
		parts[i] = sc.sql(it.E) + " AS " + it.Out.sql()
	}
	return parts
}

func (sc *scope) withOrder(parts []string) string {
	if sc.shape.Order != NoOrder {
		parts = append(parts, "o")
	}
	return strings.Join(parts, ", ")
}

// Filter keeps rows.
type Filter struct{ E *Expr }

func (*Filter) Verb() string           { return "FILTER" }
func (f *Filter) Apply(in Shape) Shape { return in }
func (f *Filter) RQL(sc *scope) string { return "FILTER " + sc.rql(f.E) }
func (f *Filter) SQL(in string, sc *scope) string {
	return "SELECT * FROM " + in + " WHERE " + sc.sql(f.E)
}
func (f *Filter) Uses() []**Expr { return []**Expr{&f.E} }
func (f *Filter) Copy() Step     { return &Filter{copyExpr(f.E)} }

// Transform makes exactly these columns.
type Transform struct {
	Items    []Item
	Distinct bool
}

// Verb implements Step.
func (t *Transform) Verb() string {
	if t.Distinct {
		return "TRANSFORM DISTINCT"
	}
	return "TRANSFORM"
}

// Apply implements Step: a key survives where its columns are handed on.
func (t *Transform) Apply(in Shape) Shape {
	out := Shape{Order: in.Order, Rows: in.Rows}
	for _, it := range t.Items {
		out.Cols = append(out.Cols, it.Out)
	}
	for _, k := range in.Key {
		at := slices.IndexFunc(t.Items, func(it Item) bool { return it.E.Op == opColumn && it.E.Col == k })
		if at < 0 {
			out.Key = nil
			break
		}
		out.Key = append(out.Key, t.Items[at].Out.ID)
	}
	if t.Distinct {
		out.Order = NoOrder
	}
	return out
}

// RQL implements Step.
func (t *Transform) RQL(sc *scope) string { return t.Verb() + " " + sc.rqlItems(t.Items) }

// SQL implements Step.
func (t *Transform) SQL(in string, sc *scope) string {
	if t.Distinct {
		return "SELECT DISTINCT " + strings.Join(sc.sqlItems(t.Items), ", ") + " FROM " + in
	}
	return "SELECT " + sc.withOrder(sc.sqlItems(t.Items)) + " FROM " + in
}

// Uses implements Step.
func (t *Transform) Uses() []**Expr { return itemUses(t.Items) }

// Copy implements Step.
func (t *Transform) Copy() Step { return &Transform{copyItems(t.Items), t.Distinct} }

// Extend adds columns.
type Extend struct{ Items []Item }

// Verb implements Step.
func (*Extend) Verb() string { return "EXTEND" }

// Apply implements Step.
func (e *Extend) Apply(in Shape) Shape {
	out := in
	out.Cols = slices.Clone(in.Cols)
	for _, it := range e.Items {
		out.Cols = append(out.Cols, it.Out)
	}
	return out
}

// RQL implements Step.
func (e *Extend) RQL(sc *scope) string { return "EXTEND " + sc.rqlItems(e.Items) }

// SQL implements Step.
func (e *Extend) SQL(in string, sc *scope) string {
	return "SELECT *, " + strings.Join(sc.sqlItems(e.Items), ", ") + " FROM " + in
}

// Uses implements Step.
func (e *Extend) Uses() []**Expr { return itemUses(e.Items) }

// Copy implements Step.
func (e *Extend) Copy() Step { return &Extend{copyItems(e.Items)} }

// Set replaces the values of columns; Out has the name of the old column.
type Set struct {
	Old   []int
	Items []Item
}

// Verb implements Step.
func (*Set) Verb() string { return "SET" }

// Apply implements Step.
func (s *Set) Apply(in Shape) Shape {
	out := in
	out.Cols = slices.Clone(in.Cols)
	for i, c := range out.Cols {
		if at := slices.Index(s.Old, c.ID); at >= 0 {
			n := *s.Items[at].Out
			n.Name, n.Qual = c.Name, c.Qual
			out.Cols[i] = &n
		}
	}
	return out
}

// RQL implements Step.
func (s *Set) RQL(sc *scope) string {
	parts := make([]string, len(s.Items))
	for i, it := range s.Items {
		name := "lost_column"
		if c := sc.shape.find(s.Old[i]); c != nil {
			name, _ = sc.shape.ref(c)
		}
		parts[i] = name + " = " + sc.rql(it.E)
	}
	return "SET " + strings.Join(parts, ", ")
}

// SQL implements Step.
func (s *Set) SQL(in string, sc *scope) string {
	var parts []string
	for _, c := range sc.shape.Cols {
		if at := slices.Index(s.Old, c.ID); at >= 0 {
			parts = append(parts, sc.sql(s.Items[at].E)+" AS "+s.Items[at].Out.sql())
			continue
		}
		parts = append(parts, c.sql())
	}
	return "SELECT " + sc.withOrder(parts) + " FROM " + in
}

// Uses implements Step.
func (s *Set) Uses() []**Expr { return itemUses(s.Items) }

// Copy implements Step.
func (s *Set) Copy() Step { return &Set{slices.Clone(s.Old), copyItems(s.Items)} }

// Drop leaves columns out.
type Drop struct{ IDs []int }

// Verb implements Step.
func (*Drop) Verb() string { return "DROP" }

// Apply implements Step.
func (d *Drop) Apply(in Shape) Shape {
	out := in
	out.Cols = slices.DeleteFunc(slices.Clone(in.Cols), func(c *Col) bool { return slices.Contains(d.IDs, c.ID) })
	return out
}

// RQL implements Step.
func (d *Drop) RQL(sc *scope) string {
	var parts []string
	for _, id := range d.IDs {
		if c := sc.shape.find(id); c != nil {
			name, _ := sc.shape.ref(c)
			parts = append(parts, name)
		}
	}
	return "DROP " + strings.Join(parts, ", ")
}

// SQL implements Step.
func (d *Drop) SQL(in string, sc *scope) string {
	return "SELECT " + d.Apply(sc.shape).sqlCols() + " FROM " + in
}

// Uses implements Step.
func (*Drop) Uses() []**Expr { return nil }

// Copy implements Step.
func (d *Drop) Copy() Step { return &Drop{slices.Clone(d.IDs)} }

// Rename renames columns.
type Rename struct {
	IDs   []int
	Names []string
}

// Verb implements Step.
func (*Rename) Verb() string { return "RENAME" }

// Apply implements Step.
func (r *Rename) Apply(in Shape) Shape {
	out := in
	out.Cols = slices.Clone(in.Cols)
	for i, c := range out.Cols {
		if at := slices.Index(r.IDs, c.ID); at >= 0 {
			n := *c
			n.Name = r.Names[at]
			out.Cols[i] = &n
		}
	}
	return out
}

// RQL implements Step.
func (r *Rename) RQL(sc *scope) string {
	var parts []string
	for i, id := range r.IDs {
		if c := sc.shape.find(id); c != nil {
			name, _ := sc.shape.ref(c)
			parts = append(parts, name+" AS "+val.Name(r.Names[i]))
		}
	}
	return "RENAME " + strings.Join(parts, ", ")
}

// SQL implements Step.
func (r *Rename) SQL(in string, sc *scope) string { return "SELECT * FROM " + in }

// Uses implements Step.
func (*Rename) Uses() []**Expr { return nil }

// Copy implements Step.
func (r *Rename) Copy() Step { return &Rename{slices.Clone(r.IDs), slices.Clone(r.Names)} }

// Alias is AS: it names the table so far.
type Alias struct{ Name string }

// Verb implements Step.
func (*Alias) Verb() string { return "AS" }

// Apply implements Step.
func (a *Alias) Apply(in Shape) Shape {
	in.Cols = requalify(in.Cols, a.Name)
	return in
}

// RQL implements Step.
func (a *Alias) RQL(*scope) string { return "AS " + a.Name }

// SQL implements Step.
func (a *Alias) SQL(in string, _ *scope) string { return "SELECT * FROM " + in }

// Uses implements Step.
func (*Alias) Uses() []**Expr { return nil }

// Copy implements Step.
func (a *Alias) Copy() Step { return a }
