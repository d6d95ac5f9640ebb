package analyze

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/parser/ast"
	"github.com/rainsql/rainsql/planner/logical"
)

// window binds PARTITION BY, ORDER BY and the frame.
func (b *binder) window(o *ast.Over) (*window, bool) {
	w := &window{}
	var ok bool
	if w.partition, ok = b.all(o.Partition); !ok {
		return nil, false
	}
	for _, k := range o.OrderBy {
		x := b.bind(k.Expr)
		if x == nil {
			return nil, false
		}
		w.order = append(w.order, expr.SortKey{Expr: x, Desc: strings.EqualFold(k.Dir, "DESC"), NullsFirst: strings.EqualFold(k.Nulls, "FIRST")})
	}
	if o.Frame != nil {
		return w, b.frame(w, o)
	}
	w.frame = logical.Frame{Unit: "range", Start: logical.Bound{Kind: logical.UnboundedPreceding}, End: logical.Bound{Kind: logical.CurrentRow}}
	if len(w.order) == 0 {
		w.frame.End.Kind = logical.UnboundedFollowing
	}
	return w, true
}

// boundOrder orders the bounds of frames as they follow each other.
var boundOrder = map[logical.BoundKind]int{
	logical.UnboundedPreceding: 0, logical.Preceding: 1, logical.CurrentRow: 2, logical.Following: 3, logical.UnboundedFollowing: 4,
}

func (b *binder) frame(w *window, o *ast.Over) bool {
	f := o.Frame
	w.frame.Unit = strings.ToLower(f.Unit)
	start := logical.BoundKind(strings.ToLower(f.Start.Kind))
	end := logical.CurrentRow
	endNode := ast.Node(f)
	if f.End != nil {
		end, endNode = logical.BoundKind(strings.ToLower(f.End.Kind)), f.End
	}
	switch {
	case start == logical.UnboundedFollowing:
		b.a.errorf(f.Start, "", "a frame cannot begin with UNBOUNDED FOLLOWING")
		return false
	case end == logical.UnboundedPreceding:
		b.a.errorf(endNode, "", "a frame cannot end with UNBOUNDED PRECEDING")
		return false
	case boundOrder[start] > boundOrder[end]:
		b.a.errorf(f, "write BETWEEN the earlier AND the later bound", "the frame ends with %s, before it begins with %s",
			strings.ToUpper(string(end)), strings.ToUpper(string(start)))
		return false
	}
	w.frame.Start.Kind, w.frame.End.Kind = start, end
	if w.frame.Unit == "range" {
		return b.rangeFrame(w, o)
	}
	ok := b.rowOffset(&w.frame.Start, f.Start, f.Unit)
	if f.End != nil {
		ok = b.rowOffset(&w.frame.End, f.End, f.Unit) && ok
	}
	return ok
}

// rowOffset reads n of n PRECEDING.
func (b *binder) rowOffset(bound *logical.Bound, at *ast.Bound, unit string) bool {
	if at.Offset == nil {
		return true
	}
	lit, ok := b.constant(at.Offset, "the bound of a frame")
	if !ok {
		return false
	}
	if lit.T.Kind == types.String {
		if x := b.castTo(at.Offset, lit, types.INT); x == nil {
			return false
		} else if lit, ok = x.(*expr.Literal); !ok {
			return false
		}
	}
	n, ok := lit.Value.(int64)
	if !ok || n < 0 {
		b.a.errorf(at.Offset, "", "%s counts with a whole number that is not negative, not with %s", unit, b.a.text(at.Offset))
		return false
	}
	bound.Offset = n
	return true
}

// constant binds what must not depend on rows.
func (b *binder) constant(at ast.Expr, what string) (*expr.Literal, bool) {
	before := len(b.a.diags.List)
	x := b.bind(at)
	if x == nil {
		return nil, false
	}
	if expr.IsConstant(x) {
		folded, err := expr.Fold(x)
		if err != nil {
			b.funcError(at, []ast.Expr{at}, err)
			return nil, false
		}
		x = folded
	}
	lit, ok := x.(*expr.Literal)
	if !ok && len(b.a.diags.List) == before {
		b.a.errorf(at, "", "%s must be a constant", what)
	}
	return lit, ok
}

// rangeFrame binds a frame by values of the key: each end that has an offset
// becomes a column, the key less or more the offset.
func (b *binder) rangeFrame(w *window, o *ast.Over) bool {
	ends := []*ast.Bound{o.Frame.Start, o.Frame.End}
	kinds := []logical.BoundKind{w.frame.Start.Kind, w.frame.End.Kind}
	offset := false
	for i, at := range ends {
		if at == nil || at.Offset == nil {
			continue
		}
		offset = true
		if len(w.order) != 1 {
			b.a.errorf(at, "ROWS or GROUPS need none", "RANGE with an offset needs exactly one key in ORDER BY, and there are %d", len(w.order))
			return false
		}
		if w.limits[i] = b.limit(at, o, w.order[0], kinds[i]); w.limits[i] == nil {
			return false
		}
	}
	if !offset {
		return true
	}
	// The key and the ends are compared, so they must be of one type.
	common := w.order[0].Expr.Type()
	for _, l := range w.limits {
		if l != nil {
			if t, ok := types.Common(common, l.Type()); ok {
				common = t
			}
		}
	}
	w.order[0].Expr = castTo1(w.order[0].Expr, common)
	for i, l := range w.limits {
		if l != nil {
			w.limits[i] = castTo1(l, common)
		}
	}
	return true
}

// limit is the key at which a frame ends.
func (b *binder) limit(at *ast.Bound, o *ast.Over, key expr.SortKey, kind logical.BoundKind) expr.Expr {
	t := key.Expr.Type()
	if !t.IsNumeric() && !t.IsTemporal() {
		b.a.errorf(o.OrderBy[0], "ROWS or GROUPS take any key", "RANGE with an offset needs a number, a DATE or a TIMESTAMP to order by, and this is %s", t)
		return nil
	}
	lit, ok := b.constant(at.Offset, "the bound of a frame")
	if !ok {
		return nil
	}
	switch ot := lit.T; {
	case ot.Kind == types.String: // a parameter: it takes the type that it needs
	case t.IsNumeric() && !ot.IsNumeric():
		b.a.errorf(at.Offset, "", "a RANGE over %s reaches a number far, and this is %s", t, ot)
		return nil
	case t.IsTemporal() && ot.Kind != types.Interval && !(t.Kind == types.Date && ot.IsInt()):
		b.a.errorf(at.Offset, "write it like 10s, 1h or 7d", "a RANGE over %s reaches a duration far, and this is %s", t, ot)
		return nil
	}
	fn := "-"
	if (kind == logical.Following) != key.Desc {
		fn = "+"
	}
	x := b.build(at.Offset, []ast.Expr{o.OrderBy[0].Expr, at.Offset}, fn, key.Expr, lit)
	if x == nil {
		return nil
	}
	if call, ok := x.(*expr.Call); ok && len(call.Args) == 2 {
		used, err := expr.Fold(call.Args[1])
		if l, isLit := used.(*expr.Literal); err != nil || !isLit || !notNegative(l.Value) {
			b.a.errorf(at.Offset, "", "a frame's offset cannot be negative or NULL")
			return nil
		}
	}
	return x
}

// notNegative reports a number or duration that is not negative, NULL or NaN.
func notNegative(v any) bool {
	switch v := v.(type) {
	case int64:
		return v >= 0
	case float64:
		return v >= 0
	case decimal128.Num:
		return v.Sign() >= 0
	case arrow.MonthDayNanoInterval:
		return v.Months >= 0 && v.Days >= 0 && v.Nanoseconds >= 0
	}
	return false
}
