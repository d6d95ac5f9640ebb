// Package gen makes random tables and random pipelines over them. A pipeline
// is a typed tree from which two texts are rendered: RQL for rainsql, and SQL
// for DuckDB, one nested SELECT a verb.
//
// In SQL every column is called x<ID>; a table whose rows have an order
// carries it in a hidden column o: the rows' numbers where the order is total,
// else the rank of each row, equal for rows of which either may come first.
package gen

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/rainsql/rainsql/difftest/val"
	"github.com/rainsql/rainsql/expr/types"
)

// Col is a column at some place of a pipeline. Its ID is its identity.
type Col struct {
	ID      int
	Name    string // in RQL
	Qual    string // the table's name in RQL; "" where none leads to it
	T       types.Type
	Null    bool    // may hold NULL
	Max     float64 // no value is larger; see Expr.Max
	Tame    bool    // of a FLOAT: sums of it are exact
	Inexact bool    // may differ a little between engines: carried and compared, never computed with
	Loose   bool    // an engine may keep any of several values that it holds equal
}

func (c *Col) sql() string { return "x" + strconv.Itoa(c.ID) }

// Order is what is known of the order of rows.
type Order int

// The orders.
const (
	NoOrder Order = iota
	PartialOrder
	TotalOrder
)

// Shape is what is known of a table between two verbs.
type Shape struct {
	Cols  []*Col
	Order Order
	Key   []int   // columns that together are never the same in two rows; nil: none known
	Rows  float64 // at most
}

func (s Shape) find(id int) *Col {
	for _, c := range s.Cols {
		if c.ID == id {
			return c
		}
	}
	return nil
}

// keyed reports whether the key is still there.
func (s Shape) keyed() bool {
	for _, id := range s.Key {
		if s.find(id) == nil {
			return false
		}
	}
	return len(s.Key) > 0
}

func (s Shape) inexact() bool {
	for _, c := range s.Cols {
		if c.Inexact {
			return true
		}
	}
	return false
}

// ref is how RQL names a column within the shape; ok is false where it cannot.
func (s Shape) ref(c *Col) (string, bool) {
	same, qualified := 0, 0
	for _, d := range s.Cols {
		if strings.EqualFold(c.Name, d.Name) {
			same++
			if c.Qual == d.Qual {
				qualified++
			}
		}
	}
	switch {
	case same == 1:
		return val.Name(c.Name), true
	case c.Qual != "" && qualified == 1:
		return c.Qual + "." + val.Name(c.Name), true
	}
	return val.Name(c.Name), false
}

// usable lists the columns that an expression may name.
func (s Shape) usable() []*Col {
	var out []*Col
	for _, c := range s.Cols {
		if _, ok := s.ref(c); ok && !c.Inexact {
			out = append(out, c)
		}
	}
	return out
}

// plain lists the columns that a verb may name, which takes no table's name.
func (s Shape) plain() []*Col {
	var out []*Col
	for _, c := range s.Cols {
		if name, ok := s.ref(c); ok && name == val.Name(c.Name) {
			out = append(out, c)
		}
	}
	return out
}

func (s Shape) sqlCols() string {
	parts := make([]string, len(s.Cols), len(s.Cols)+1)
	for i, c := range s.Cols {
		parts[i] = c.sql()
	}
	if s.Order != NoOrder {
		parts = append(parts, "o")
	}
	return strings.Join(parts, ", ")
}

// Expr is a node of an expression. Its texts hold {0}, {1} … for its children
// and {f} for the function's name; a column has none, nor has a subquery.
type Expr struct {
	Op      string // for the coverage: a function of the function table, or what else it is
	T       types.Type
	Kids    []*Expr
	RQL     string
	SQL     string
	Col     int // the column's ID, if Op is "column"
	Sub     *Rel
	Value   any     // of a literal
	Null    bool    // may be NULL
	Max     float64 // bound of a number's size, a text's length, a date's days, a timestamp's and interval's seconds from 0
	Tame    bool
	Inexact bool
	Loose   bool
	Fails   bool   // may fail for some rows
	Agg     bool   // an aggregate, or OVER
	Before  string // columns that SQL computes before it aggregates; {by} are the keys
}

const (
	opColumn  = "column"
	opLiteral = "literal"
)

func (e *Expr) walk(f func(*Expr)) {
	f(e)
	for _, k := range e.Kids {
		k.walk(f)
	}
}

// fails reports whether any part may fail.
func (e *Expr) fails() bool {
	any := false
	e.walk(func(x *Expr) { any = any || x.Fails })
	return any
}

// scope is where an expression stands: its table, and those around it.
type scope struct {
	shape Shape
	outer *scope
}

func (sc *scope) rql(e *Expr) string {
	switch {
	case e.Op == opColumn:
		for s := sc; s != nil; s = s.outer {
			if c := s.shape.find(e.Col); c != nil {
				name, _ := s.shape.ref(c)
				if s != sc && c.Qual != "" {
					return c.Qual + "." + val.Name(c.Name)
				}
				return name
			}
		}
		return "lost_column"
	}
	return fill(e.RQL, e, func(k *Expr) string { return sc.rql(k) }, func() string { return e.Sub.rqlIn(sc) })
}

func (sc *scope) sql(e *Expr) string {
	if e.Op == opColumn {
		return "x" + strconv.Itoa(e.Col)
	}
	return fill(e.SQL, e, func(k *Expr) string { return sc.sql(k) }, func() string { return e.Sub.sqlOnly(sc) })
}

// fill puts children into a template: {0} … are children, {*} all of them
// separated by commas, {q} the subquery, {o} the hidden order.
func fill(template string, e *Expr, kid func(*Expr) string, sub func() string) string {
	var sb strings.Builder
	for {
		before, rest, ok := strings.Cut(template, "{")
		sb.WriteString(before)
		if !ok {
			return sb.String()
		}
		name, after, ok := strings.Cut(rest, "}")
		n, err := strconv.Atoi(name)
		switch {
		case ok && err == nil && n < len(e.Kids):
			sb.WriteString(kid(e.Kids[n]))
		case ok && name == "*":
			for i, k := range e.Kids {
				if i > 0 {
					sb.WriteString(", ")
				}
				sb.WriteString(kid(k))
			}
		case ok && name == "q":
			sb.WriteString(sub())
		default: // a brace of the language
			sb.WriteByte('{')
			template = rest
			continue
		}
		template = after
	}
}

// Literal makes a literal.
func Literal(v any, t types.Type) *Expr {
	e := &Expr{Op: opLiteral, T: t, Value: v, RQL: val.RQL(v, t), SQL: val.SQL(v, t), Null: v == nil, Max: size(v)}
	e.Tame = tameValue(v)
	return e
}

func column(c *Col) *Expr {
	return &Expr{Op: opColumn, T: c.T, Col: c.ID, Null: c.Null, Max: c.Max, Tame: c.Tame, Inexact: c.Inexact, Loose: c.Loose}
}

// Step is a verb.
type Step interface {
	// Verb names it for the coverage.
	Verb() string
	// Apply says what comes out.
	Apply(in Shape) Shape
	// RQL is its text. SQL makes a SELECT around another.
	RQL(sc *scope) string
	SQL(in string, sc *scope) string
	// Uses lists the expressions it evaluates, to be looked at or replaced.
	Uses() []**Expr
	// Copy is a deep enough copy: what Uses points to may change.
	Copy() Step
}

// Rel is a pipeline.
type Rel struct {
	Src   Source
	Steps []Step
}

// Source is what a pipeline begins with.
type Source interface {
	Shape() Shape
	RQL(outer *scope) string
	SQL(outer *scope) string
	Copy() Source
}

// Shapes are the shapes before the first verb, after it, and so on.
func (r *Rel) Shapes() []Shape {
	s := r.Src.Shape()
	out := []Shape{s}
	for _, st := range r.Steps {
		s = st.Apply(s)
		out = append(out, s)
	}
	return out
}

// Shape is that of the result.
func (r *Rel) Shape() Shape {
	s := r.Shapes()
	return s[len(s)-1]
}

// Copy copies a pipeline; columns and tables are shared.
func (r *Rel) Copy() *Rel {
	out := &Rel{Src: r.Src.Copy()}
	for _, s := range r.Steps {
		out.Steps = append(out.Steps, s.Copy())
	}
	return out
}

func (r *Rel) rqlIn(outer *scope) string { return r.rql(outer, " ") }

func (r *Rel) rql(outer *scope, sep string) string {
	parts := []string{r.Src.RQL(outer)}
	shapes := r.Shapes()
	for i, s := range r.Steps {
		parts = append(parts, s.RQL(&scope{shapes[i], outer}))
	}
	return strings.Join(parts, sep)
}

func (r *Rel) sqlIn(outer *scope) string {
	text := r.Src.SQL(outer)
	shapes := r.Shapes()
	for i, s := range r.Steps {
		text = s.SQL("("+text+")", &scope{shapes[i], outer})
	}
	return text
}

// sqlOnly is the pipeline with nothing but its columns, for a subquery.
func (r *Rel) sqlOnly(outer *scope) string {
	s := r.Shape()
	s.Order = NoOrder
	return "SELECT " + s.sqlCols() + " FROM (" + r.sqlIn(outer) + ")"
}

// Query is a whole script: LETs, then a pipeline.
type Query struct {
	Lets []*Let
	Main *Rel
}

// Let is a named pipeline.
type Let struct {
	Name string
	Body *Rel
}

// RQL is the query for rainsql.
func (q *Query) RQL() string {
	var sb strings.Builder
	for _, l := range q.Lets {
		fmt.Fprintf(&sb, "LET %s = (%s);\n", l.Name, l.Body.rql(nil, " "))
	}
	sb.WriteString(q.Main.rql(nil, "\n"))
	return sb.String()
}

// SQL is the query for DuckDB. If its rows have an order, their number or
// rank is its last column.
func (q *Query) SQL() string {
	var sb strings.Builder
	for i, l := range q.Lets {
		sb.WriteString(map[bool]string{true: "WITH ", false: ", "}[i == 0])
		fmt.Fprintf(&sb, "%s AS (%s)", l.Name, l.Body.sqlIn(nil))
	}
	s := q.Main.Shape()
	fmt.Fprintf(&sb, " SELECT %s FROM (%s)", s.sqlCols(), q.Main.sqlIn(nil))
	if s.Order != NoOrder {
		sb.WriteString(" ORDER BY o")
	}
	return strings.TrimSpace(sb.String())
}

// Copy copies a query.
func (q *Query) Copy() *Query {
	out := &Query{}
	renamed := map[*Let]*Let{}
	for _, l := range q.Lets {
		c := &Let{Name: l.Name, Body: l.Body.Copy()}
		c.Body.relink(renamed)
		renamed[l] = c
		out.Lets = append(out.Lets, c)
	}
	out.Main = q.Main.Copy()
	out.Main.relink(renamed)
	return out
}
