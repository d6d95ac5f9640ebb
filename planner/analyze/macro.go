package analyze

import (
	"fmt"
	"maps"
	"strings"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/planner/logical"
)

// macro is a function that CREATE FUNCTION has defined: its body stands in
// place of each call, with the arguments for its parameters.
type macro struct {
	name   string
	params []logical.Column // their IDs are those that the body reads
	body   expr.Expr        // nil: it was faulty, which has been reported
}

// CreateFunction has defined a function; there is nothing to run.
type CreateFunction struct{ Name string }

// createFunction binds CREATE FUNCTION f(x TYPE, …) = e. The body sees its
// parameters and the functions defined before it, nothing else.
func (a *Analyzer) createFunction(f *ast.CreateFunction) Statement {
	key := strings.ToLower(f.Name.Text)
	if expr.IsFunction(key) || expr.IsAggregate(key) || windowOnly[key].usage != "" || eventWindows[key] != "" {
		a.errorf(f.Name, "choose another name", "%s is a function of the language", key)
		return nil
	}
	m := &macro{name: f.Name.Text}
	a.env.macros = maps.Clone(a.env.macros) // queries bound before keep those they saw
	if a.env.macros == nil {
		a.env.macros = map[string]*macro{}
	}
	before := len(a.diags.List)
	s := &scope{source: "the parameters of " + f.Name.Text}
	seen := map[string]bool{}
	for _, p := range f.Params {
		t, _ := a.typeName(p.Type)
		if seen[strings.ToLower(p.Name.Text)] {
			a.errorf(p.Name, "", "two parameters are called %q", p.Name.Text)
		}
		seen[strings.ToLower(p.Name.Text)] = true
		// Negative, so that they are never those of a table's columns.
		a.env.paramIDs--
		col := logical.Column{ID: a.env.paramIDs, Name: p.Name.Text, Type: t}
		m.params = append(m.params, col)
		s.entries = append(s.entries, entry{name: p.Name.Text, col: col})
	}
	if len(a.diags.List) == before {
		m.body = (&binder{a: a, scope: s, where: "CREATE FUNCTION"}).bind(f.Body)
	}
	a.env.macros[key] = m
	return &CreateFunction{Name: f.Name.Text}
}

// dropFunction binds DROP FUNCTION f.
func (a *Analyzer) dropFunction(n *ast.Name) Statement {
	key := strings.ToLower(n.Text)
	if a.env.macros[key] == nil {
		hint := ""
		if expr.IsFunction(key) || expr.IsAggregate(key) {
			hint = "it is a function of the language"
		}
		a.errorf(n, hint, "no function %q was created", n.Text)
		return nil
	}
	a.env.macros = maps.Clone(a.env.macros)
	delete(a.env.macros, key)
	return &CreateFunction{Name: n.Text}
}

// macro puts a function's body in place of a call.
func (b *binder) macro(c *ast.Call, m *macro) expr.Expr {
	switch {
	case c.Over != nil:
		b.a.errorf(c, "put OVER behind a function of the language inside it", "%s is a function of your own, and takes no OVER", m.name)
		return nil
	case c.Star, c.Distinct, len(c.OrderBy) > 0, c.Filter != nil:
		b.a.errorf(c, "", "%s is no aggregate: it takes neither *, DISTINCT, ORDER BY nor FILTER", m.name)
		return nil
	case len(c.Args) != len(m.params):
		b.a.errorf(c, "it is "+m.signature(), "%s takes %d arguments, not %d", m.name, len(m.params), len(c.Args))
		return nil
	}
	args, ok := b.all(c.Args)
	if !ok || m.body == nil {
		return nil
	}
	by := map[int]expr.Expr{}
	for i, p := range m.params {
		x, err := expr.Pass(args[i], p.Type)
		if err != nil {
			b.a.errorf(c.Args[i], "CAST it", "%s(%s): %s", m.name, p.Name, err)
			return nil
		}
		by[p.ID] = x
	}
	if n := m.size(by); n > maxExpansion {
		b.a.errorf(c, "give names to its parts with EXTEND", "%s becomes an expression of more than %d parts", m.name, maxExpansion)
		return nil
	}
	return expr.Rewrite(m.body, func(e expr.Expr) expr.Expr {
		if p, ok := e.(*expr.Column); ok && by[p.ID] != nil {
			return by[p.ID]
		}
		return e
	})
}

// maxExpansion bounds what functions that call each other can grow to.
const maxExpansion = 50_000

// size is how many nodes the body has with the arguments in place.
func (m *macro) size(by map[int]expr.Expr) int {
	sizes := map[int]int{}
	for id, arg := range by {
		expr.Walk(arg, func(expr.Expr) bool { sizes[id]++; return true })
	}
	n := 0
	expr.Walk(m.body, func(e expr.Expr) bool {
		n++
		if p, ok := e.(*expr.Column); ok {
			n += sizes[p.ID]
		}
		return n <= maxExpansion
	})
	return n
}

func (m *macro) signature() string {
	list := make([]string, len(m.params))
	for i, p := range m.params {
		list[i] = p.Name + " " + p.Type.String()
	}
	return fmt.Sprintf("%s(%s)", m.name, strings.Join(list, ", "))
}
