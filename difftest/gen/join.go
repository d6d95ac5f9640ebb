package gen

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rainsql/rainsql/difftest/val"
	"github.com/rainsql/rainsql/expr/types"
)

// Join is a JOIN of any kind.
type Join struct {
	Kind  string // LEFT
	Right *Rel
	Alias string // of the right side, always
	On    *Expr  // nil for CROSS and USING
	Using []Using
}

// Using is a column of USING: those of both sides, and what they become.
type Using struct {
	Left, Right int
	Out         *Col
}

// Verb implements Step.
func (j *Join) Verb() string { return j.Kind + " JOIN" }

// Inner is the right side.
func (j *Join) Inner() *Rel { return j.Right }

// half reports a join that only chooses left rows.
func (j *Join) half() bool { return j.Kind == "SEMI" || j.Kind == "ANTI" }

// Sees is what the condition sees: the columns of both sides.
func (j *Join) Sees(in Shape) Shape {
	right := j.Right.Shape()
	return Shape{Cols: slices.Concat(in.Cols, requalify(right.Cols, j.Alias)), Rows: in.Rows * right.Rows}
}

func nullable(cols []*Col) []*Col {
	out := make([]*Col, len(cols))
	for i, c := range cols {
		n := *c
		n.Null = true
		out[i] = &n
	}
	return out
}

// Apply implements Step.
func (j *Join) Apply(in Shape) Shape {
	right := j.Right.Shape()
	if j.half() {
		in.Order = NoOrder
		return in
	}
	l, r := in.Cols, requalify(right.Cols, j.Alias)
	if j.Kind == "RIGHT" || j.Kind == "FULL" {
		l = nullable(l)
	}
	if j.Kind == "LEFT" || j.Kind == "FULL" {
		r = nullable(r)
	}
	out := Shape{Rows: max(in.Rows, 1) * max(right.Rows, 1)}
	if j.Kind == "FULL" {
		out.Rows += in.Rows + right.Rows
	}
	hidden := map[int]bool{}
	for _, u := range j.Using {
		hidden[u.Left], hidden[u.Right] = true, true
		if lc, rc := in.find(u.Left), right.find(u.Right); lc != nil && rc != nil {
			n := *u.Out
			n.Null = lc.Null || rc.Null || j.Kind != "INNER"
			out.Cols = append(out.Cols, &n)
		}
	}
	for _, c := range slices.Concat(l, r) {
		if !hidden[c.ID] {
			out.Cols = append(out.Cols, c)
		}
	}
	if in.keyed() && right.keyed() && len(j.Using) == 0 {
		out.Key = slices.Concat(in.Key, right.Key)
	}
	return out
}

// RQL implements Step.
func (j *Join) RQL(sc *scope) string {
	var source string
	switch src := j.Right.Src.(type) {
	case *fromTable:
		source = src.table.Path
	case *fromLet:
		source = src.let.Name
	}
	if source == "" || len(j.Right.Steps) > 0 {
		source = "(" + j.Right.rql(sc.outer, " ") + ")"
	}
	text := j.Kind + " JOIN " + source + " AS " + j.Alias
	if j.Kind == "INNER" && len(j.Alias)%2 == 0 {
		text = text[len("INNER "):]
	}
	switch {
	case len(j.Using) > 0:
		var names []string
		for _, u := range j.Using {
			names = append(names, val.Name(u.Out.Name))
		}
		return text + " USING (" + strings.Join(names, ", ") + ")"
	case j.On != nil:
		return text + " ON " + (&scope{j.Sees(sc.shape), sc.outer}).rql(j.On)
	}
	return text
}

// SQL implements Step.
func (j *Join) SQL(in string, sc *scope) string {
	right := "(" + j.Right.sqlOnly(sc.outer) + ")"
	var conds []string
	for _, u := range j.Using {
		conds = append(conds, fmt.Sprintf("x%d = x%d", u.Left, u.Right))
	}
	if j.On != nil {
		conds = append(conds, (&scope{j.Sees(sc.shape), sc.outer}).sql(j.On))
	}
	cond := strings.Join(conds, " AND ")
	left := sc.shape
	left.Order = NoOrder
	if j.half() {
		return "SELECT " + left.sqlCols() + " FROM (SELECT " + left.sqlCols() + " FROM " + in + ") AS l " + j.Kind + " JOIN " + right + " AS r ON " + cond
	}
	var parts []string
	for _, c := range j.Apply(sc.shape).Cols {
		text := c.sql()
		for _, u := range j.Using {
			if u.Out.ID == c.ID {
				pick := fmt.Sprintf("x%d", u.Left)
				switch j.Kind {
				case "RIGHT":
					pick = fmt.Sprintf("x%d", u.Right)
				case "FULL":
					pick = fmt.Sprintf("coalesce(x%d, x%d)", u.Left, u.Right)
				}
				text = pick + " AS " + text
			}
		}
		parts = append(parts, text)
	}
	text := "SELECT " + strings.Join(parts, ", ") + " FROM (SELECT " + left.sqlCols() + " FROM " + in + ") AS l " + j.Kind + " JOIN " + right + " AS r"
	if cond != "" {
		text += " ON " + cond
	}
	return text
}

// Uses implements Step.
func (j *Join) Uses() []**Expr {
	if j.On == nil {
		return nil
	}
	return []**Expr{&j.On}
}

// Copy implements Step.
func (j *Join) Copy() Step {
	c := *j
	c.Right, c.Using = j.Right.Copy(), slices.Clone(j.Using)
	if j.On != nil {
		c.On = copyExpr(j.On)
	}
	return &c
}

// Parts counts what can go: a column of USING, or the condition's own parts,
// which are expressions already.
func (j *Join) Parts() int { return len(j.Using) * min(1, len(j.Using)-1) }

// RemovePart removes one.
func (j *Join) RemovePart(i int) { j.Using = slices.Delete(j.Using, i, i+1) }

func (g *Gen) join(s Shape) Step {
	if g.depth > 2 {
		return nil
	}
	j := &Join{Kind: pick(g, []string{"INNER", "INNER", "LEFT", "LEFT", "RIGHT", "FULL", "SEMI", "ANTI", "CROSS"}), Alias: fmt.Sprintf("j%d", g.nextID())}
	j.Right = g.rel(pick(g, []int{0, 0, 0, 1, 2}))
	rs := j.Right.Shape()
	if pairs := max(1, s.Rows) * max(1, rs.Rows); pairs > 150_000 || j.Kind == "CROSS" && pairs > 5000 || len(s.Cols)+len(rs.Cols) > 24 {
		return nil
	}
	if j.Kind == "CROSS" {
		return j
	}
	both := j.Sees(s)
	if g.chance(0.25) && g.using(s, rs, j) {
		return j
	}
	var conds []*Expr
	for range 1 + g.n(2) {
		if e := g.equality(s, rs, both); e != nil {
			conds = append(conds, e)
		}
	}
	if len(conds) == 0 || g.chance(0.25) {
		if e := g.expr(both, want{t: types.BOOL, bare: true}, 2); e.uses() {
			conds = append(conds, e)
		}
	}
	if len(conds) == 0 {
		return nil
	}
	j.On = conds[0]
	for _, c := range conds[1:] {
		j.On = &Expr{Op: "and", T: types.BOOL, Kids: []*Expr{j.On, c}, RQL: "({0} AND {1})", SQL: "({0} AND {1})", Null: true}
	}
	return j
}

// using finds columns of the same name and type.
func (g *Gen) using(s, rs Shape, j *Join) bool {
	for _, l := range s.usable() {
		if l.Qual == "" && slices.ContainsFunc(s.Cols, func(c *Col) bool { return c != l && c.Name == l.Name }) {
			continue
		}
		named := Shape{Cols: requalify(rs.Cols, j.Alias)}
		for _, r := range named.plain() {
			if same, _ := s.ref(l); same == val.Name(l.Name) && l.Name == r.Name && l.T.Equal(r.T) && !distinguishable(l) && !r.Inexact && g.chance(0.7) {
				out := *l
				out.ID, out.Qual, out.Max = g.nextID(), "", max(l.Max, r.Max)
				if j.half() {
					out.ID = l.ID
				}
				j.Using = append(j.Using, Using{l.ID, r.ID, &out})
			}
		}
	}
	return len(j.Using) > 0
}

// equality compares a column of each side.
func (g *Gen) equality(s, rs, both Shape) *Expr {
	var pairs [][2]*Col
	for _, l := range both.usable() {
		for _, r := range both.usable() {
			if s.find(l.ID) == nil || rs.find(r.ID) == nil {
				continue
			}
			exact := func(t types.Type) bool { return t.IsInt() || t.Kind == types.Decimal }
			if l.T.Equal(r.T) || exact(l.T) && exact(r.T) || l.T.IsTemporal() && r.T.IsTemporal() {
				pairs = append(pairs, [2]*Col{l, r})
			}
		}
	}
	if len(pairs) == 0 {
		return nil
	}
	if rare := slices.DeleteFunc(slices.Clone(pairs), func(p [2]*Col) bool {
		return p[0].T.Kind == types.Int64 || p[0].T.Kind == types.Bool || p[0].T.Kind == types.String
	}); len(rare) > 0 && g.chance(0.3) {
		pairs = rare
	}
	p := pick(g, pairs)
	for range 3 { // keys of few values meet more often
		if p[0].Max > 10 {
			p = pick(g, pairs)
		}
	}
	if g.chance(0.5) {
		p[0], p[1] = p[1], p[0]
	}
	e := &Expr{Op: "=", T: types.BOOL, Kids: []*Expr{column(p[0]), column(p[1])}, RQL: "({0} = {1})", Null: true}
	if g.chance(0.1) {
		e.Op, e.RQL = "is_not_distinct", "({0} IS NOT DISTINCT FROM {1})"
	}
	e.SQL = e.RQL
	return e
}
