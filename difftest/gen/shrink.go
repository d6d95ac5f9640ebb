package gen

import (
	"iter"
	"slices"
	"strings"

	"github.com/rainsql/rainsql/expr/types"
)

// Smaller yields queries a little smaller than q, the most hopeful first. Each
// is a copy of its own. They need not mean what q means.
func Smaller(q *Query) iter.Seq[*Query] {
	return func(yield func(*Query) bool) {
		for r, rel := range q.Rels() {
			for i := range rel.Steps {
				for _, cut := range []int{len(rel.Steps), i + 1} {
					if cut == len(rel.Steps) && i == len(rel.Steps)-1 && cut != i+1 {
						continue
					}
					c := q.Copy()
					x := c.Rels()[r]
					x.Steps = slices.Delete(x.Steps, i, cut)
					if c.repair() && !yield(c) {
						return
					}
				}
			}
			if !smallerSource(q, r, rel, yield) || !smallerItems(q, r, rel, yield) || !smallerExprs(q, r, rel, yield) {
				return
			}
		}
	}
}

func smallerSource(q *Query, r int, rel *Rel, yield func(*Query) bool) bool {
	if _, ok := rel.Src.(*fromRel); ok {
		c := q.Copy()
		x := c.Rels()[r]
		inner := x.Src.(*fromRel).rel
		x.Src, x.Steps = inner.Src, append(inner.Steps, x.Steps...)
		if c.repair() && !yield(c) {
			return false
		}
	}
	if f, ok := rel.Src.(*fromOne); ok && len(f.transform.Items) > 1 {
		for i := range f.transform.Items {
			c := q.Copy()
			t := c.Rels()[r].Src.(*fromOne).transform
			t.Items = slices.Delete(t.Items, i, i+1)
			if c.repair() && !yield(c) {
				return false
			}
		}
	}
	return true
}

// smallerItems leaves out parts of verbs.
func smallerItems(q *Query, r int, rel *Rel, yield func(*Query) bool) bool {
	for i, st := range rel.Steps {
		p, ok := st.(interface{ Parts() int })
		if !ok {
			continue
		}
		for j := range p.Parts() {
			c := q.Copy()
			c.Rels()[r].Steps[i].(interface{ RemovePart(int) }).RemovePart(j)
			if c.repair() && !yield(c) {
				return false
			}
		}
	}
	return true
}

// smallerExprs puts parts of expressions in their place.
func smallerExprs(q *Query, r int, rel *Rel, yield func(*Query) bool) bool {
	for i := -1; i < len(rel.Steps); i++ {
		for u := range usesOf(rel, i) {
			for path := 0; ; path++ { // the nodes in the order of a walk
				n := nodeAt(*usesOf(rel, i)[u], path)
				if n == nil {
					break
				}
				for k := range replacements(n) {
					c := q.Copy()
					at := usesOf(c.Rels()[r], i)[u]
					m := nodeAt(*at, path)
					*m = *replacements(m)[k]
					if c.repair() && !yield(c) {
						return false
					}
				}
			}
		}
	}
	return true
}

func usesOf(r *Rel, step int) []**Expr {
	if step >= 0 {
		return r.Steps[step].Uses()
	}
	if f, ok := r.Src.(*fromOne); ok {
		return f.transform.Uses()
	}
	return nil
}

func nodeAt(e *Expr, n int) *Expr {
	var found *Expr
	e.walk(func(x *Expr) {
		if n == 0 {
			found = x
		}
		n--
	})
	return found
}

// replacements are simpler expressions of the same type.
func replacements(e *Expr) []*Expr {
	if e.Op == opColumn || e.Op == opLiteral {
		return nil
	}
	var out []*Expr
	e.walk(func(x *Expr) {
		if x != e && x.T.Equal(e.T) && x.Agg == e.Agg {
			out = append(out, copyExpr(x))
		}
	})
	if !e.Agg {
		out = append(out, simplest(e.T))
	}
	return out
}

// simplest is a literal to stand for anything.
func simplest(t types.Type) *Expr {
	g := New(1, 1, nil)
	if t.IsNested() {
		return Literal(nil, t)
	}
	return Literal(g.value(t, few), t)
}

// repair makes a query whole again from which something was taken: what names
// a column that is not there any more becomes a literal, a verb with nothing
// left to do goes. It returns false where that cannot be.
func (q *Query) repair() bool {
	used := map[*Let]bool{}
	for _, r := range q.Rels() {
		if f, ok := r.Src.(*fromLet); ok {
			used[f.let] = true
		}
	}
	q.Lets = slices.DeleteFunc(q.Lets, func(l *Let) bool { return !used[l] })
	for _, l := range q.Lets {
		if !l.Body.repair(nil) {
			return false
		}
	}
	return q.Main.repair(nil)
}

func (r *Rel) repair(outer *scope) bool {
	switch f := r.Src.(type) {
	case *fromRel:
		if !f.rel.repair(outer) {
			return false
		}
	case *fromOne:
		for _, u := range f.transform.Uses() {
			if !mend(*u, &scope{Shape{}, outer}) {
				return false
			}
		}
	}
	s := r.Src.Shape()
	if len(s.Cols) == 0 {
		return false
	}
	var kept []Step
	for _, st := range r.Steps {
		if h, ok := st.(interface{ Inner() *Rel }); ok {
			if !h.Inner().repair(outer) {
				return false
			}
		}
		sc := &scope{stepScope(st, s), outer}
		for _, u := range st.Uses() {
			if !mend(*u, sc) {
				return false
			}
		}
		switch x := st.(type) {
		case *Drop:
			x.IDs = slices.DeleteFunc(x.IDs, func(id int) bool { return s.find(id) == nil })
			if len(x.IDs) == 0 {
				continue
			}
		case *Rename:
			var n Rename
			for i, id := range x.IDs {
				if s.find(id) != nil {
					n.IDs, n.Names = append(n.IDs, id), append(n.Names, x.Names[i])
				}
			}
			if *x = n; len(n.IDs) == 0 {
				continue
			}
		case *Set:
			var n Set
			for i, id := range x.Old {
				if s.find(id) != nil {
					n.Old, n.Items = append(n.Old, id), append(n.Items, x.Items[i])
				}
			}
			if *x = n; len(n.Old) == 0 {
				continue
			}
		case *Exec:
			if from, _ := x.kept(s); len(from) == 0 {
				continue
			}
		case *Windowed:
			if !x.Time.uses() {
				return false
			}
		case *Sort:
			x.Keys = slices.DeleteFunc(x.Keys, func(k Key) bool { return !k.E.uses() })
			if len(x.Keys) == 0 {
				continue
			}
		case *Limit:
			if s.Order != TotalOrder {
				return false
			}
		case *Distinct:
			if x.On != nil && s.Order != TotalOrder || x.On == nil && s.inexact() {
				return false
			}
		case *Join:
			rs := x.Right.Shape()
			x.Using = slices.DeleteFunc(x.Using, func(u Using) bool { return s.find(u.Left) == nil || rs.find(u.Right) == nil })
			if x.On == nil && len(x.Using) == 0 && x.Kind != "CROSS" {
				return false
			}
		case *SetOp:
			if right := x.Right.Shape(); len(right.Cols) != len(s.Cols) || len(x.Out) != len(s.Cols) {
				return false
			}
		}
		if !follows(kept, st) {
			return false
		}
		s = st.Apply(s)
		if len(s.Cols) == 0 {
			return false
		}
		kept = append(kept, st)
	}
	r.Steps = kept
	return true
}

// stepScope is what a verb's expressions see: mostly the table before it.
func stepScope(st Step, s Shape) Shape {
	if x, ok := st.(interface{ Sees(Shape) Shape }); ok {
		return x.Sees(s)
	}
	return s
}

// mend replaces what names lost columns.
func mend(e *Expr, sc *scope) bool {
	if e.Op == opColumn {
		for s := sc; s != nil; s = s.outer {
			if s.shape.find(e.Col) != nil {
				return true
			}
		}
		*e = *simplest(e.T)
		return true
	}
	if e.Sub != nil && !e.Sub.repair(sc) {
		return false
	}
	for _, k := range e.Kids {
		if !mend(k, sc) {
			return false
		}
	}
	return true
}

// Parts and RemovePart of the verbs that have parts.

// Parts counts items.
func (t *Transform) Parts() int { return len(t.Items) }

// RemovePart removes one.
func (t *Transform) RemovePart(i int) { t.Items = slices.Delete(t.Items, i, i+1) }

// Parts counts items.
func (e *Extend) Parts() int { return len(e.Items) * min(1, len(e.Items)-1) }

// RemovePart removes one.
func (e *Extend) RemovePart(i int) { e.Items = slices.Delete(e.Items, i, i+1) }

// Parts counts items.
func (s *Set) Parts() int { return len(s.Items) * min(1, len(s.Items)-1) }

// RemovePart removes one.
func (s *Set) RemovePart(i int) {
	s.Items, s.Old = slices.Delete(s.Items, i, i+1), slices.Delete(s.Old, i, i+1)
}

// Parts counts keys.
func (s *Sort) Parts() int { return len(s.Keys) * min(1, len(s.Keys)-1) }

// RemovePart removes one.
func (s *Sort) RemovePart(i int) { s.Keys = slices.Delete(s.Keys, i, i+1) }

// Parts counts keys and items.
func (a *Aggregate) Parts() int {
	if len(a.Keys)+len(a.Items) == 1 {
		return 0
	}
	return len(a.Keys) + len(a.Items)
}

// RemovePart removes one.
func (a *Aggregate) RemovePart(i int) {
	if i < len(a.Keys) {
		a.Keys = slices.Delete(a.Keys, i, i+1)
		return
	}
	i -= len(a.Keys)
	a.Items = slices.Delete(a.Items, i, i+1)
}

// Without makes a table with only some of its rows, and all columns.
func (t *Table) Without(name string, keep [][]any) *Table {
	n := *t
	n.Name, n.Rows = name, keep
	n.Path = "'./" + name + "." + t.File + "'"
	if t.File == "csv" || t.File == "jsonl" {
		n.Path += columnsOption(t.Cols)
	}
	return &n
}

// NarrowTo makes the query read a copy of a table without the columns it does
// not need; nil where it needs all. The key stays.
func (q *Query) NarrowTo(t *Table, name string) (*Query, *Table) {
	text := q.SQL()
	c := q.Copy()
	needed := make([]bool, len(t.Cols))
	needed[t.Key] = true
	for _, r := range c.Rels() {
		if f, ok := r.Src.(*fromTable); ok && f.table == t {
			for i, col := range f.cols {
				needed[i] = needed[i] || mentions(text, col.sql())
			}
		}
	}
	if !slices.Contains(needed, false) {
		return nil, nil
	}
	n := *t
	n.Cols, n.Rows, n.Key = nil, make([][]any, len(t.Rows)), 0
	for i, col := range t.Cols {
		if !needed[i] {
			continue
		}
		if i == t.Key {
			n.Key = len(n.Cols)
		}
		n.Cols = append(n.Cols, col)
		for k, row := range t.Rows {
			n.Rows[k] = append(n.Rows[k], row[i])
		}
	}
	out := n.Without(name, n.Rows)
	for _, r := range c.Rels() {
		if f, ok := r.Src.(*fromTable); ok && f.table == t {
			x := &fromTable{table: out, alias: f.alias}
			for i, col := range f.cols {
				if needed[i] {
					x.cols = append(x.cols, col)
				}
			}
			r.Src = x
		}
	}
	return c, out
}

// mentions counts a name twice: once it is made, then it is used.
func mentions(text, name string) bool {
	n := 0
	for i := 0; i+len(name) <= len(text); i++ {
		if text[i:i+len(name)] == name && (i+len(name) == len(text) || text[i+len(name)] < '0' || text[i+len(name)] > '9') {
			n++
		}
	}
	return n > 1
}

// Signature names what a small query is made of, to tell differences apart.
func (q *Query) Signature() string {
	var parts []string
	for _, r := range q.Rels() {
		for _, s := range r.Steps {
			parts = append(parts, s.Verb())
			for _, u := range s.Uses() {
				(*u).walk(func(e *Expr) {
					if e.Op != opLiteral {
						parts = append(parts, e.Op)
					}
				})
			}
		}
	}
	slices.Sort(parts)
	return strings.Join(slices.Compact(parts), " ")
}
