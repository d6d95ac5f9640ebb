package logical

import (
	"slices"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
)

// JoinKind is which rows a Join yields.
type JoinKind string

// The joins. A row's partners are the rows of the other side that agree with it
// in every key and satisfy the residual condition.
const (
	InnerJoin JoinKind = "inner" // each pair of partners
	LeftJoin  JoinKind = "left"  // and the left rows without one, with NULLs
	RightJoin JoinKind = "right" // and the right rows without one
	FullJoin  JoinKind = "full"  // and both
	SemiJoin  JoinKind = "semi"  // the left rows that have a partner
	AntiJoin  JoinKind = "anti"  // the left rows that have none
	// MarkJoin yields every left row once, with a BOOL: whether it has a
	// partner. Where In is set, the first key is that of x IN (…): the mark is
	// NULL where only a NULL stands between the row and a partner.
	MarkJoin JoinKind = "mark"
	// SingleJoin is LeftJoin for a subquery that is a value: a second partner is an error.
	SingleJoin JoinKind = "single"
)

// JoinKey is an equality that partners satisfy, of values of one type: Left
// reads the left table only, Right the right. NULL equals nothing, or itself
// where NullSafe.
type JoinKey struct {
	Left, Right expr.Expr
	NullSafe    bool
}

// Join combines two tables. Its columns are those of the left, then those of
// the right where the kind pairs rows, or the mark.
type Join struct {
	Kind        JoinKind
	Left, Right Node
	Keys        []JoinKey
	Residual    expr.Expr // over both sides; nil: none
	Mark        *Column   // of MarkJoin
	In          bool      // of MarkJoin
	Out         []Column  // those of its columns that it yields; nil: all
	Ordered     bool      // the rows of the left side keep their order, as a subquery may not change it
}

// Conjuncts splits a AND b AND c.
func Conjuncts(e expr.Expr) []expr.Expr {
	if l, ok := e.(*expr.Logic); ok && !l.Or {
		return l.Args
	}
	return []expr.Expr{e}
}

// KeyOf makes a key of a condition that says that something of the left table
// equals something of the right.
func KeyOf(e expr.Expr, left, right Node) (JoinKey, bool) {
	c, ok := e.(*expr.Call)
	if !ok || c.Fn != "=" && c.Fn != "is_not_distinct" || expr.Volatile(e) {
		return JoinKey{}, false
	}
	l, r := c.Args[0], c.Args[1]
	if Reads(l, right) {
		l, r = r, l
	}
	if !Reads(l, left) || !Reads(r, right) {
		return JoinKey{}, false
	}
	return newKey(l, r, c.Fn == "is_not_distinct")
}

// Reads reports that e reads columns of n, and no others.
func Reads(e expr.Expr, n Node) bool {
	ids := expr.Columns(e)
	have := n.Columns()
	for _, id := range ids {
		if !slices.ContainsFunc(have, func(c Column) bool { return c.ID == id }) {
			return false
		}
	}
	return len(ids) > 0
}

// newKey makes l = r a key, if both have one type or become it without fail.
func newKey(l, r expr.Expr, nullSafe bool) (JoinKey, bool) {
	common, ok := types.Common(l.Type(), r.Type())
	if !ok {
		return JoinKey{}, false
	}
	for _, side := range []*expr.Expr{&l, &r} {
		if (*side).Type().Equal(common) {
			continue
		}
		value, err := expr.NewCast(&expr.Column{T: (*side).Type()}, common, false)
		if err != nil || expr.CanFail(value) {
			return JoinKey{}, false
		}
		if *side, err = expr.NewCast(*side, common, false); err != nil {
			return JoinKey{}, false
		}
	}
	return JoinKey{Left: l, Right: r, NullSafe: nullSafe}, true
}

// Pairs reports that rows of both sides are put together.
func (k JoinKind) Pairs() bool { return k != SemiJoin && k != AntiJoin && k != MarkJoin }

// Columns implements Node.
func (n *Join) Columns() []Column {
	if n.Out != nil {
		return n.Out
	}
	return n.all()
}

func (n *Join) all() []Column {
	out := append([]Column(nil), n.Left.Columns()...)
	switch {
	case n.Kind.Pairs():
		return append(out, n.Right.Columns()...)
	case n.Mark != nil:
		return append(out, *n.Mark)
	}
	return out
}

// Inputs implements Node.
func (n *Join) Inputs() []Node { return []Node{n.Left, n.Right} }

// With implements Node.
func (n *Join) With(in []Node) Node { c := *n; c.Left, c.Right = in[0], in[1]; return &c }

// Unnest yields a row for each element of List, a LIST, of each row: its
// columns, then the element. A row whose list is empty or NULL yields none.
type Unnest struct {
	Input   Node
	List    expr.Expr
	Element Column
}

// Columns implements Node.
func (n *Unnest) Columns() []Column {
	return append(append([]Column(nil), n.Input.Columns()...), n.Element)
}

// Inputs implements Node.
func (n *Unnest) Inputs() []Node { return []Node{n.Input} }

// With implements Node.
func (n *Unnest) With(in []Node) Node { c := *n; c.Input = in[0]; return &c }

// Shared is a table that a plan computes once and reads in several places: a
// LET, or a table that a correlated subquery looks back at.
type Shared struct {
	ID    int
	Name  string
	Input Node
}

// SharedColumn is a column of a SharedScan, and the ID of the shared table's column.
type SharedColumn struct {
	Column
	From int
}

// SharedScan reads a Shared, under column identities of its own.
type SharedScan struct {
	ID   int // of the Shared
	Name string
	Out  []SharedColumn
}

// Columns implements Node.
func (n *SharedScan) Columns() []Column {
	out := make([]Column, len(n.Out))
	for i, c := range n.Out {
		out[i] = c.Column
	}
	return out
}

// Inputs implements Node.
func (n *SharedScan) Inputs() []Node { return nil }

// With implements Node.
func (n *SharedScan) With([]Node) Node { return n }

// NewMark returns the column of a mark.
func NewMark(id int) *Column { return &Column{ID: id, Name: "mark", Type: types.BOOL} }
