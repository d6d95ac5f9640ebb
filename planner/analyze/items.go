package analyze

import (
	"strings"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/planner/logical"
)

// items binds a list of items: stars are spread, the rest computed. The result
// is the new entries and the items that compute them.
func (a *Analyzer) items(t *table, list []*ast.Item, where string) (entries []entry, items []logical.Item) {
	for _, it := range list {
		if it.Star != nil {
			es, is := a.star(t, it.Star)
			entries, items = append(entries, es...), append(items, is...)
			continue
		}
		e, item, ok := a.item(t, it, where)
		entries = append(entries, e)
		if ok {
			items = append(items, item)
		}
	}
	return entries, items
}

func (a *Analyzer) item(t *table, it *ast.Item, where string) (entry, logical.Item, bool) {
	name := a.itemName(it)
	x := a.bind(t, it.Expr, where)
	if x == nil {
		return entry{name: name, poison: true}, logical.Item{}, false
	}
	return a.computed(name, x)
}

// computed gives an expression its column: its own where it only passes one of
// the table's on. One of a table further out is new here.
func (a *Analyzer) computed(name string, x expr.Expr) (entry, logical.Item, bool) {
	if c, ok := x.(*expr.Column); ok && !a.isOuter(c.ID) {
		col := logical.Column{ID: c.ID, Name: name, Type: c.T}
		return entry{name: name, col: col}, logical.Item{Column: col, Expr: x}, true
	}
	col := a.newColumn(name, x.Type())
	return entry{name: name, col: col}, logical.Item{Column: col, Expr: x}, true
}

// itemName is the alias, the last name of a path, or the text as written.
func (a *Analyzer) itemName(it *ast.Item) string {
	if it.Alias != nil {
		return it.Alias.Text
	}
	switch e := it.Expr.(type) {
	case *ast.Ref:
		return e.Name.Text
	case *ast.Field:
		return e.Name.Text
	}
	return a.text(it.Expr)
}

func (a *Analyzer) star(t *table, st *ast.Star) (entries []entry, items []logical.Item) {
	s := t.scope
	if st.Table != nil && !s.hasTable(st.Table.Text) {
		a.errorf(st.Table, "", "no table %q here", st.Table.Text)
		return nil, nil
	}
	left := map[string]*ast.Name{}
	for _, n := range st.Except {
		left[strings.ToLower(n.Text)] = n
	}
	replaced := map[string]*ast.Replace{}
	for _, r := range st.Replace {
		replaced[strings.ToLower(r.Name.Text)] = r
	}
	used := map[string]bool{}
	for _, e := range s.visible() {
		key := strings.ToLower(e.name)
		if st.Table != nil && !strings.EqualFold(e.table, st.Table.Text) {
			continue
		}
		used[key] = true
		if left[key] != nil {
			continue
		}
		if r := replaced[key]; r != nil && !e.poison {
			ne, item, ok := a.item(t, &ast.Item{Expr: r.Expr, Alias: &ast.Name{Text: e.name}}, "REPLACE")
			entries = append(entries, ne)
			if ok {
				items = append(items, item)
			}
			continue
		}
		entries = append(entries, entry{name: e.name, col: e.col, poison: e.poison})
		if !e.poison {
			items = append(items, logical.Item{Column: e.col, Expr: e.col.Ref()})
		}
	}
	if s.poison {
		return entries, items
	}
	for _, n := range st.Except {
		if !used[strings.ToLower(n.Text)] {
			a.errorf(n, s.nearest("", n.Text), "%s", s.missing("", n.Text))
		}
	}
	for _, r := range st.Replace {
		if !used[strings.ToLower(r.Name.Text)] {
			a.errorf(r.Name, s.nearest("", r.Name.Text), "%s", s.missing("", r.Name.Text))
		}
	}
	return entries, items
}

func hasStar(items []*ast.Item) bool {
	for _, it := range items {
		if it.Star != nil {
			return true
		}
	}
	return false
}

// project makes a Project whose columns are distinct.
func project(in logical.Node, items []logical.Item) logical.Node {
	seen := map[int]bool{}
	var out []logical.Item
	for _, it := range items {
		if !seen[it.ID] {
			seen[it.ID] = true
			out = append(out, it)
		}
	}
	return &logical.Project{Input: in, Items: out}
}

// keeping passes on all of a node's columns, then the others.
func keeping(in logical.Node, more []logical.Item) logical.Node {
	var items []logical.Item
	for _, c := range in.Columns() {
		items = append(items, logical.Item{Column: c, Expr: c.Ref()})
	}
	computed := false
	for _, m := range more {
		computed = computed || !m.Passes()
	}
	if !computed {
		return in
	}
	return project(in, append(items, more...))
}

// position finds the entry that SET, DROP or RENAME names.
func (a *Analyzer) position(s *scope, n *ast.Name, hint string) (int, bool) {
	e, msg, near := s.find("", n.Text)
	if msg != "" {
		if hint != "" && !strings.HasPrefix(near, "did you mean") {
			near = hint
		}
		a.errorf(n, near, "%s", msg)
		return 0, false
	}
	for i, have := range s.entries {
		if have.name == e.name && have.table == e.table && !have.hidden {
			return i, true
		}
	}
	if !s.poison {
		a.errorf(n, "EXTEND "+n.Text+" AS … makes a column of it", "%q is a pseudo-column", n.Text)
	}
	return 0, false
}

// keyColumns binds expressions that a node needs as columns, computing those that are none yet.
func (a *Analyzer) keyColumns(t *table, list []ast.Expr, where string) []logical.Column {
	var cols []logical.Column
	var items []logical.Item
	for _, e := range list {
		x := a.bind(t, e, where)
		if x == nil {
			continue
		}
		_, item, _ := a.computed(a.text(e), x)
		items = append(items, item)
		cols = append(cols, item.Column)
	}
	t.node = keeping(t.node, items)
	return cols
}

func unique(cols []logical.Column) []logical.Column {
	seen := map[int]bool{}
	var out []logical.Column
	for _, c := range cols {
		if !seen[c.ID] {
			seen[c.ID] = true
			out = append(out, c)
		}
	}
	return out
}
