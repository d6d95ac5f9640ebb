// Package logical is the plan of a query as relational algebra: what is to be
// computed, with every name and type bound, and nothing of how or where.
//
// A column has an identity (ID) that is unique in its plan and survives the
// nodes that pass it through, so a rule may move a node without renumbering
// expressions. Nodes are plain data, immutable once built: a rule returns new ones.
package logical

import (
	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
)

// Column is a column of a plan.
type Column struct {
	ID   int
	Name string
	Type types.Type
}

// Ref returns the expression that reads the column.
func (c Column) Ref() *expr.Column { return &expr.Column{ID: c.ID, Name: c.Name, T: c.Type} }

// Node is an operation on tables.
type Node interface {
	// Columns is what the node yields, in order.
	Columns() []Column
	// Inputs are the nodes it reads.
	Inputs() []Node
	// With returns the node with other inputs, as many as Inputs.
	With(inputs []Node) Node
}

// Scan reads files. Filter, if any, is a predicate pushed down into it, over its columns.
type Scan struct {
	Path    string // as the user wrote it
	Options connect.Options
	Size    int64        // bytes, or -1
	Schema  types.Schema // the stored columns
	Out     []ScanColumn
	Filter  expr.Expr
}

// ScanColumn is a column of a Scan and where it comes from.
type ScanColumn struct {
	Column
	From connect.Column
}

// Range is range(From, To, Step): one column of INT, To excluded.
type Range struct {
	From, To, Step int64
	Out            []Column // the column, or none where only rows count
}

// Values is Rows rows without columns: one for a pipeline that begins with
// TRANSFORM, none where a filter can never be true.
type Values struct{ Rows int64 }

// Empty yields no rows of the given columns.
type Empty struct{ Out []Column }

// Filter keeps the rows for which Cond is true.
type Filter struct {
	Input Node
	Cond  expr.Expr
}

// Item is a computed column. One that passes a column on keeps its ID.
type Item struct {
	Column
	Expr expr.Expr
}

// Passes reports whether the item only hands its input column on.
func (i Item) Passes() bool {
	c, ok := i.Expr.(*expr.Column)
	return ok && c.ID == i.ID
}

// Project yields exactly its items.
type Project struct {
	Input Node
	Items []Item
}

// AggItem is an aggregate and the column it makes.
type AggItem struct {
	Column
	Call *expr.AggCall
}

// Aggregate groups by its keys (none: one group, even of no rows) and computes
// aggregates. Its columns are the keys, then the aggregates. Partial says that
// it may be computed in two steps, before and after an exchange.
type Aggregate struct {
	Input   Node
	Keys    []Item
	Aggs    []AggItem
	Partial bool
}

// Distinct keeps one row of those that agree in On: the first in order where Ordered.
type Distinct struct {
	Input   Node
	On      []Column
	Ordered bool
}

// SortKey is a column to order by.
type SortKey struct {
	Column     Column
	Desc       bool
	NullsFirst bool
}

// Sort orders its input, stably.
type Sort struct {
	Input Node
	Keys  []SortKey
}

// TopK is the first Count rows after Offset of the sorted input.
type TopK struct {
	Input         Node
	Keys          []SortKey
	Count, Offset int64
}

// Limit passes Count rows after Offset; Count < 0 is without limit.
type Limit struct {
	Input         Node
	Count, Offset int64
}

// SetKind is the kind of a SetOp.
type SetKind string

// The set operations.
const (
	UnionAll     SetKind = "union all"
	Intersect    SetKind = "intersect"
	IntersectAll SetKind = "intersect all"
	Except       SetKind = "except"
	ExceptAll    SetKind = "except all"
)

// SetOp combines tables by position. Cols[i] are the columns of input i, in
// order and of the types of Out.
type SetOp struct {
	Kind  SetKind
	Parts []Node
	Cols  [][]Column
	Out   []Column
}

// Target is where rows are written.
type Target struct {
	Path    string
	Options connect.Options
}

// Tee writes the columns Cols to Target under Names, and passes its input on.
type Tee struct {
	Input  Node
	Target Target
	Cols   []Column
	Names  []string
}

// Sink ends a plan: the columns Cols go to Target, or to the caller if it is
// nil, under Names. A column may stand in Cols several times. Shared are the
// tables that the plan reads in several places, each before those that read it.
type Sink struct {
	Input  Node
	Target *Target
	Cols   []Column
	Names  []string
	Shared []*Shared
}

// Schema is the schema of what the sink receives.
func (n *Sink) Schema() types.Schema { return schemaOf(n.Cols, n.Names) }

// Schema is the schema of what the tee writes.
func (n *Tee) Schema() types.Schema { return schemaOf(n.Cols, n.Names) }

func schemaOf(cols []Column, names []string) types.Schema {
	out := make(types.Schema, len(cols))
	for i, c := range cols {
		out[i] = types.Field{Name: names[i], Type: c.Type}
	}
	return out
}
