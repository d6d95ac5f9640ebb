package logical

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rainsql/rainsql/expr"
)

// Window computes functions over the rows around each row: those of its
// partition, in order, within a frame. Its columns are its input's, then the
// items'; rows keep their order.
type Window struct {
	Input     Node
	Partition []Column
	Order     []SortKey // of rows within a partition; equal ones are peers, and keep their order
	Items     []WindowItem
}

// WindowItem is a function and the column it makes: Agg, or the function Fn of
// Args. Their arguments are columns of the input or constants.
type WindowItem struct {
	Column
	Fn    string // lower case; empty where Agg is set
	Args  []expr.Expr
	Agg   *expr.AggCall
	Frame Frame
}

// Frame is which rows of a partition a function sees, from Start to End; Unit
// is rows, range or groups.
type Frame struct {
	Unit       string
	Start, End Bound
}

// Bound is an end of a frame.
type Bound struct {
	Kind   BoundKind
	Offset int64   // of Preceding and Following by rows or groups; at least 0
	Limit  *Column // of Preceding and Following by range: the key at which the frame ends
}

// BoundKind is the kind of a Bound.
type BoundKind string

// The bounds of frames.
const (
	UnboundedPreceding BoundKind = "unbounded preceding"
	Preceding          BoundKind = "preceding"
	CurrentRow         BoundKind = "current row"
	Following          BoundKind = "following"
	UnboundedFollowing BoundKind = "unbounded following"
)

// Columns implements Node.
func (n *Window) Columns() []Column {
	out := append([]Column(nil), n.Input.Columns()...)
	for _, it := range n.Items {
		out = append(out, it.Column)
	}
	return out
}

// Inputs implements Node.
func (n *Window) Inputs() []Node { return []Node{n.Input} }

// With implements Node.
func (n *Window) With(in []Node) Node { c := *n; c.Input = in[0]; return &c }

// Exprs are the expressions of the item.
func (it WindowItem) Exprs() []expr.Expr {
	if it.Agg != nil {
		return it.Agg.Exprs()
	}
	return it.Args
}

// Limits are the columns that bound the item's frame.
func (it WindowItem) Limits() []Column {
	var out []Column
	for _, b := range []Bound{it.Frame.Start, it.Frame.End} {
		if b.Limit != nil {
			out = append(out, *b.Limit)
		}
	}
	return out
}

// mapExprs returns the window with f applied to the expressions of its items.
func (n *Window) mapExprs(f func(expr.Expr) expr.Expr) Node {
	c := *n
	c.Items = slices.Clone(n.Items)
	for i, it := range n.Items {
		if it.Agg != nil {
			c.Items[i].Agg = it.Agg.Rewrite(f)
			continue
		}
		c.Items[i].Args = make([]expr.Expr, len(it.Args))
		for k, a := range it.Args {
			c.Items[i].Args[k] = f(a)
		}
	}
	return &c
}

func windowLine(n *Window) string {
	items := make([]string, len(n.Items))
	for i, it := range n.Items {
		items[i] = named(it.Text(), it.Name)
		if f := it.Frame; f.Unit != "" && !(f.Unit == "range" && f.Start.Kind == UnboundedPreceding && f.End.Kind == CurrentRow) {
			items[i] += " over " + f.String()
		}
	}
	s := "window " + strings.Join(items, ", ")
	if len(n.Partition) > 0 {
		s += " partition by " + names(n.Partition)
	}
	if len(n.Order) > 0 {
		s += " order by " + keyList(n.Order)
	}
	return s
}

// Text is the function without its window.
func (it WindowItem) Text() string {
	if it.Agg != nil {
		return expr.AggString(it.Agg)
	}
	args := make([]string, len(it.Args))
	for i, a := range it.Args {
		args[i] = expr.String(a)
	}
	return it.Fn + "(" + strings.Join(args, ", ") + ")"
}

// String is the frame as RQL, and empty for that of functions that have none.
func (f Frame) String() string {
	if f.Unit == "" {
		return ""
	}
	return fmt.Sprintf("%s between %s and %s", f.Unit, f.Start, f.End)
}

// String is the bound as RQL.
func (b Bound) String() string {
	switch {
	case b.Kind != Preceding && b.Kind != Following:
		return string(b.Kind)
	case b.Limit != nil:
		return b.Limit.Name
	}
	return fmt.Sprintf("%d %s", b.Offset, b.Kind)
}
