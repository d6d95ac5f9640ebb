package analyze

import (
	"fmt"

	"github.com/rainsql/rainsql/planner/logical"
)

// used is a LET that a statement reads: bound once, however often it is read.
type used struct {
	table  *table
	shared *logical.Shared // nil where it has no rows to read
}

// letTable is the table of a LET, computed once for all its uses in a
// statement, under column identities of this use's own.
func (a *Analyzer) letTable(l let) *table {
	u := a.letUses[l.pipe]
	if u == nil {
		u = a.bindLet(l)
		a.letUses[l.pipe] = u
	}
	if u.shared == nil {
		return u.table
	}
	out := &table{scope: u.table.scope.with(), sorted: u.table.sorted}
	scan := &logical.SharedScan{ID: u.shared.ID, Name: u.shared.Name}
	fresh := map[int]logical.Column{}
	for _, c := range u.shared.Input.Columns() {
		col := a.newColumn(c.Name, c.Type)
		fresh[c.ID] = col
		scan.Out = append(scan.Out, logical.SharedColumn{Column: col, From: c.ID})
	}
	for i, e := range out.scope.entries {
		out.scope.entries[i].table = l.name
		out.scope.entries[i].col = fresh[e.col.ID]
	}
	out.node, out.scope.source = scan, l.name
	return out
}

// bindLet binds a LET among the names that it could see where it stands.
func (a *Analyzer) bindLet(l let) *used {
	src, env, outer := a.src, *a.env, a.outer
	a.src, a.env.lets, a.env.macros, a.outer = l.src, l.env, l.macros, nil
	a.inLet++
	t := a.pipeline(l.pipe)
	a.inLet--
	a.src, a.env.lets, a.env.macros, a.outer = src, env.lets, env.macros, outer
	u := &used{table: t}
	if !t.scope.poison {
		u.shared = a.share(l.name, t.node)
	}
	return u
}

func (a *Analyzer) sharedTable(id int) *logical.Shared {
	for _, sh := range a.shared {
		if sh.ID == id {
			return sh
		}
	}
	panic(fmt.Sprintf("no shared table %d", id))
}

// inOrder returns the shared tables of the statement, each before those that read it.
func (a *Analyzer) inOrder() []*logical.Shared {
	var out []*logical.Shared
	seen := map[int]bool{}
	var visit func(sh *logical.Shared)
	visit = func(sh *logical.Shared) {
		if seen[sh.ID] {
			return
		}
		seen[sh.ID] = true
		logical.Walk(sh.Input, func(n logical.Node) {
			if s, ok := n.(*logical.SharedScan); ok {
				visit(a.sharedTable(s.ID))
			}
		})
		out = append(out, sh)
	}
	for _, sh := range a.shared {
		visit(sh)
	}
	return out
}

// share makes a table one that the statement's plan can read in several places.
func (a *Analyzer) share(name string, n logical.Node) *logical.Shared {
	sh := &logical.Shared{ID: len(a.shared) + 1, Name: name, Input: n}
	a.shared = append(a.shared, sh)
	return sh
}
