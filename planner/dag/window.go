package dag

import (
	"fmt"
	"slices"
	"strings"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
)

// Window appends functions over the rows around each row. All rows of a
// partition must come to the same task. It yields rows in the order in which
// they came, or in that of the INT column Position, which also orders peers.
type Window struct {
	Partition []int        `json:"partition"`
	Order     []SortKey    `json:"order"`
	Position  *int         `json:"position,omitempty"`
	Items     []WindowItem `json:"items"`
}

// WindowItem is an aggregate, or the function Fn of Args. All of them are
// columns or constants.
type WindowItem struct {
	Name  string     `json:"name"`
	Fn    string     `json:"fn,omitempty"`
	Args  []Expr     `json:"args,omitempty"`
	Agg   *Agg       `json:"agg,omitempty"`
	Frame Frame      `json:"frame"`
	Type  types.Type `json:"type"`
}

// Frame is the rows of its partition that a function sees. Unit is rows, range
// or groups, or empty where the function sees the whole partition.
type Frame struct {
	Unit  string `json:"unit,omitempty"`
	Start Bound  `json:"start,omitzero"`
	End   Bound  `json:"end,omitzero"`
}

// Bound is an end of a frame. A range ends at the key that the column Limit
// holds in the row, of the type of the sort key.
type Bound struct {
	Kind   BoundKind `json:"kind"`
	Offset int64     `json:"offset,omitempty"`
	Limit  *int      `json:"limit,omitempty"`
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

func (*Window) spec() {}

// windowFunctions are the functions that are no aggregates: how many arguments
// they take, and whether they look at the frame.
var windowFunctions = map[string]struct {
	least, most int
	framed      bool
}{
	"row_number": {}, "rank": {}, "dense_rank": {}, "percent_rank": {}, "cume_dist": {}, "ntile": {least: 1, most: 1},
	"lag": {least: 1, most: 3}, "lead": {least: 1, most: 3},
	"first_value": {1, 1, true}, "last_value": {1, 1, true}, "nth_value": {2, 2, true},
}

// check reports whether the operator can run over columns of these types.
func (w *Window) check(in []types.Type) ([]types.Type, error) {
	if err := inRange(w.Partition, len(in)); err != nil {
		return nil, err
	}
	if err := sortKeys(w.Order, in); err != nil {
		return nil, err
	}
	if w.Position != nil && (inRange([]int{*w.Position}, len(in)) != nil || in[*w.Position].Kind != types.Int64) {
		return nil, fmt.Errorf("position %d is no column of INT", *w.Position)
	}
	out := slices.Clone(in)
	for _, it := range w.Items {
		if err := it.check(in, w.Order); err != nil {
			return nil, fmt.Errorf("%s: %w", it.Name, err)
		}
		out = append(out, it.Type)
	}
	return out, nil
}

func (it WindowItem) check(in []types.Type, order []SortKey) error {
	if it.Agg != nil {
		return it.checkAggregate(in, order)
	}
	f, ok := windowFunctions[it.Fn]
	if !ok {
		return fmt.Errorf("unknown window function %q", it.Fn)
	}
	if len(it.Args) < f.least || len(it.Args) > f.most {
		return fmt.Errorf("%s of %d arguments", it.Fn, len(it.Args))
	}
	want := types.INT
	for i, a := range it.Args {
		if err := plainArgument(a.Expr, in); err != nil {
			return err
		}
		value := it.Fn != "ntile" && i != 1
		switch {
		case value && i == 0:
			want = a.Type()
		case value && !a.Type().Equal(want), !value && a.Type().Kind != types.Int64:
			return fmt.Errorf("argument %d of %s is %s", i+1, it.Fn, a.Type())
		}
	}
	if it.Fn == "percent_rank" || it.Fn == "cume_dist" {
		want = types.FLOAT
	}
	if !it.Type.Equal(want) {
		return fmt.Errorf("%s is %s, not %s", it.Fn, want, it.Type)
	}
	if f.framed || it.Frame.Unit != "" {
		return it.Frame.check(in, order)
	}
	return nil
}

func (it WindowItem) checkAggregate(in []types.Type, order []SortKey) error {
	if it.Agg.AggCall == nil || it.Fn != "" || len(it.Args) > 0 {
		return fmt.Errorf("an aggregate is missing")
	}
	for _, e := range it.Agg.Exprs() {
		if err := plainArgument(e, in); err != nil {
			return err
		}
	}
	if !it.Type.Equal(it.Agg.T) {
		return fmt.Errorf("%s is %s, not %s", it.Agg.Fn, it.Agg.T, it.Type)
	}
	return it.Frame.check(in, order)
}

// plainArgument checks a column or a constant.
func plainArgument(e expr.Expr, in []types.Type) error {
	if e == nil {
		return fmt.Errorf("an expression is missing")
	}
	if _, ok := e.(*expr.Column); !ok && !expr.IsConstant(e) {
		return fmt.Errorf("%s is neither a column nor a constant", expr.String(e))
	}
	return expression(e, in)
}

func (f Frame) check(in []types.Type, order []SortKey) error {
	if f.Unit != "rows" && f.Unit != "range" && f.Unit != "groups" {
		return fmt.Errorf("unknown unit %q of a frame", f.Unit)
	}
	if f.Start.Kind == UnboundedFollowing || f.End.Kind == UnboundedPreceding {
		return fmt.Errorf("a frame from %s to %s", f.Start.Kind, f.End.Kind)
	}
	for _, b := range []Bound{f.Start, f.End} {
		switch b.Kind {
		case UnboundedPreceding, CurrentRow, UnboundedFollowing:
			if b.Limit != nil || b.Offset != 0 {
				return fmt.Errorf("%s with an offset", b.Kind)
			}
			continue
		case Preceding, Following:
		default:
			return fmt.Errorf("unknown bound %q of a frame", b.Kind)
		}
		switch {
		case f.Unit != "range" && (b.Limit != nil || b.Offset < 0):
			return fmt.Errorf("%d %s", b.Offset, b.Kind)
		case f.Unit != "range":
		case b.Limit == nil || b.Offset != 0 || len(order) != 1 || inRange([]int{*b.Limit}, len(in)) != nil:
			return fmt.Errorf("a range without its limit, or its key")
		case !in[*b.Limit].Equal(in[order[0].Column]):
			return fmt.Errorf("a range of %s up to %s", in[order[0].Column], in[*b.Limit])
		}
	}
	return nil
}

// describeWindow is the operator on one line.
func describeWindow(w *Window, names []string) string {
	items := make([]string, len(w.Items))
	for i, it := range w.Items {
		items[i] = it.text()
		if items[i] != it.Name {
			items[i] += " AS " + it.Name
		}
		if f := it.Frame; f.Unit != "" && !(f.Unit == "range" && f.Start.Kind == UnboundedPreceding && f.End.Kind == CurrentRow) {
			items[i] += " over " + f.text()
		}
	}
	s := "window " + strings.Join(items, ", ")
	if len(w.Partition) > 0 {
		s += " partition by " + positions(w.Partition, names)
	}
	if len(w.Order) > 0 {
		s += " order by " + sortText(w.Order, names)
	}
	if w.Position != nil {
		s += fmt.Sprintf(" position #%d", *w.Position)
	}
	return s
}

func (it WindowItem) text() string {
	if it.Agg != nil {
		return expr.AggString(it.Agg.AggCall)
	}
	args := make([]string, len(it.Args))
	for i, a := range it.Args {
		args[i] = expr.String(a.Expr)
	}
	return it.Fn + "(" + strings.Join(args, ", ") + ")"
}

func (f Frame) text() string {
	if f.Unit == "" {
		return ""
	}
	return fmt.Sprintf("%s between %s and %s", f.Unit, f.Start.text(), f.End.text())
}

func (b Bound) text() string {
	switch {
	case b.Kind != Preceding && b.Kind != Following:
		return string(b.Kind)
	case b.Limit != nil:
		return fmt.Sprintf("#%d", *b.Limit)
	}
	return fmt.Sprintf("%d %s", b.Offset, b.Kind)
}
