package gen

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rainsql/rainsql/expr/types"
)

// Key is a key of SORT.
type Key struct {
	E          *Expr
	Desc       bool
	NullsFirst bool
}

func copyKeys(keys []Key) []Key {
	out := slices.Clone(keys)
	for i := range out {
		out[i].E = copyExpr(out[i].E)
	}
	return out
}

func (k Key) suffix() string {
	s := ""
	if k.Desc {
		s = " DESC"
	}
	if k.NullsFirst {
		s += " NULLS FIRST"
	}
	return s
}

func (k Key) sql(sc *scope) string {
	s := sc.sql(k.E)
	if k.Desc {
		s += " DESC"
	} else {
		s += " ASC"
	}
	if k.NullsFirst {
		return s + " NULLS FIRST"
	}
	return s + " NULLS LAST"
}

func (sc *scope) rqlKeys(keys []Key) string {
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = sc.rql(k.E) + k.suffix()
	}
	return strings.Join(parts, ", ")
}

func (sc *scope) sqlKeys(keys []Key) string {
	parts := make([]string, len(keys))
	for i, k := range keys {
		parts[i] = k.sql(sc)
	}
	return strings.Join(parts, ", ")
}

// Sort puts rows in order.
type Sort struct{ Keys []Key }

// Verb implements Step.
func (*Sort) Verb() string { return "SORT" }

// Apply implements Step: the order is total where it was before, or where the
// keys tell any two rows apart.
func (s *Sort) Apply(in Shape) Shape {
	out := in
	out.Order = max(in.Order, PartialOrder)
	has := func(id int) bool {
		return slices.ContainsFunc(s.Keys, func(k Key) bool { return k.E.Op == opColumn && k.E.Col == id })
	}
	if in.keyed() && !slices.ContainsFunc(in.Key, func(id int) bool { return !has(id) }) {
		out.Order = TotalOrder
	}
	if !slices.ContainsFunc(in.Cols, func(c *Col) bool { return !has(c.ID) || distinguishable(c) }) {
		out.Order = TotalOrder
	}
	return out
}

// distinguishable reports a column of which equal values can be told apart.
func distinguishable(c *Col) bool {
	return c.T.IsFloat() || c.T.Kind == types.Interval || c.T.IsNested() || c.Inexact
}

// RQL implements Step.
func (s *Sort) RQL(sc *scope) string { return "SORT " + sc.rqlKeys(s.Keys) }

// SQL implements Step.
func (s *Sort) SQL(in string, sc *scope) string {
	keys := sc.sqlKeys(s.Keys)
	if sc.shape.Order != NoOrder {
		keys += ", o"
	}
	number := "rank()"
	if s.Apply(sc.shape).Order == TotalOrder {
		number = "row_number()"
	}
	before := sc.shape
	before.Order = NoOrder
	return fmt.Sprintf("SELECT %s, %s OVER (ORDER BY %s) AS o FROM %s", before.sqlCols(), number, keys, in)
}

// Uses implements Step.
func (s *Sort) Uses() []**Expr {
	var out []**Expr
	for i := range s.Keys {
		out = append(out, &s.Keys[i].E)
	}
	return out
}

// Copy implements Step.
func (s *Sort) Copy() Step { return &Sort{copyKeys(s.Keys)} }

// Limit takes the first rows.
type Limit struct{ N, Offset int }

// Verb implements Step.
func (*Limit) Verb() string { return "LIMIT" }

// Apply implements Step.
func (l *Limit) Apply(in Shape) Shape {
	in.Rows = min(in.Rows, float64(l.N))
	return in
}

// RQL implements Step.
func (l *Limit) RQL(*scope) string {
	s := fmt.Sprintf("LIMIT %d", l.N)
	if l.Offset > 0 {
		s += fmt.Sprintf(" OFFSET %d", l.Offset)
	}
	return s
}

// SQL implements Step.
func (l *Limit) SQL(in string, _ *scope) string {
	return fmt.Sprintf("SELECT * FROM %s ORDER BY o LIMIT %d OFFSET %d", in, l.N, l.Offset)
}

// Uses implements Step.
func (*Limit) Uses() []**Expr { return nil }

// Copy implements Step.
func (l *Limit) Copy() Step { return l }
