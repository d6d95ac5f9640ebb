package analyze

import (
	"slices"

	"github.com/rainsql/rainsql/planner/logical"
)

// frame is a table that a subquery under way can look back at, and the columns
// of it that the subquery uses: where there are any, it is correlated.
type frame struct {
	scope *scope
	used  []logical.Column
}

// outerColumn finds a name in the tables around a subquery, the nearest first.
func (a *Analyzer) outerColumn(table, name string) (logical.Column, bool) {
	for _, f := range slices.Backward(a.outer) {
		e, msg, _ := f.scope.find(table, name)
		if msg != "" || e.poison {
			continue
		}
		if !slices.ContainsFunc(f.used, func(c logical.Column) bool { return c.ID == e.col.ID }) {
			f.used = append(f.used, e.col)
		}
		return e.col, true
	}
	return logical.Column{}, false
}

// outerHas is outerColumn without using the column.
func (a *Analyzer) outerHas(table, name string) bool {
	return slices.ContainsFunc(a.outer, func(f *frame) bool {
		_, msg, _ := f.scope.find(table, name)
		return msg == ""
	})
}

// isOuter tells the columns of tables around a subquery from its own.
func (a *Analyzer) isOuter(id int) bool {
	return slices.ContainsFunc(a.outer, func(f *frame) bool {
		return slices.ContainsFunc(f.used, func(c logical.Column) bool { return c.ID == id })
	})
}

// hasTable reports whether a qualifier leads to a table here or around.
func (b *binder) hasTable(name string) bool {
	return b.scope.hasTable(name) || slices.ContainsFunc(b.a.outer, func(f *frame) bool { return f.scope.hasTable(name) })
}
