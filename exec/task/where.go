package task

import (
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/planner/dag"
)

// conditions returns what of a scan's filter a reader can use to leave out what
// the filter would drop: its conjuncts that compare a stored column with a
// constant. The filter itself still sees every row that comes.
func conditions(s *dag.Scan) []connect.Condition {
	if s.Filter == nil {
		return nil
	}
	all := []expr.Expr{s.Filter.Expr}
	if l, ok := s.Filter.Expr.(*expr.Logic); ok && !l.Or {
		all = l.Args
	}
	var out []connect.Condition
	for _, e := range all {
		if c, ok := e.(*expr.Call); ok {
			if cond, ok := condition(c, s); ok {
				out = append(out, cond)
			}
		}
	}
	return out
}

var comparisons = map[string]connect.Comparison{
	"=": connect.Equal, "<": connect.Less, "<=": connect.LessEqual, ">": connect.Greater, ">=": connect.GreaterEqual,
	"is_null": connect.IsNull, "is_not_null": connect.NotNull,
}

// turned is a comparison with its sides exchanged.
var turned = map[connect.Comparison]connect.Comparison{
	connect.Equal: connect.Equal, connect.Less: connect.Greater, connect.LessEqual: connect.GreaterEqual,
	connect.Greater: connect.Less, connect.GreaterEqual: connect.LessEqual,
}

func condition(c *expr.Call, s *dag.Scan) (connect.Condition, bool) {
	op, ok := comparisons[c.Fn]
	if !ok {
		return connect.Condition{}, false
	}
	if len(c.Args) == 1 {
		at, ok := stored(c.Args[0], s)
		return connect.Condition{Index: at, Op: op}, ok
	}
	column, constant := c.Args[0], c.Args[1]
	if _, ok := column.(*expr.Literal); ok {
		column, constant, op = constant, column, turned[op]
	}
	at, ok := stored(column, s)
	lit, isLiteral := constant.(*expr.Literal)
	if !ok || !isLiteral {
		return connect.Condition{}, false
	}
	v, ok := plain(lit, s.Stored[at].Type)
	return connect.Condition{Index: at, Op: op, Value: v}, ok
}

// stored returns which column of the file an expression is, as it is or widened
// without a change of its value.
func stored(e expr.Expr, s *dag.Scan) (int, bool) {
	if c, ok := e.(*expr.Cast); ok {
		from, to := c.Arg.Type(), c.T
		if !(from.IsInt() && to.Kind == types.Int64 || from.IsFloat() && to.Kind == types.Float64) {
			return 0, false
		}
		e = c.Arg
	}
	c, ok := e.(*expr.Column)
	if !ok || c.ID < 0 || c.ID >= len(s.Columns) || s.Columns[c.ID].Pseudo != "" {
		return 0, false
	}
	return s.Columns[c.ID].Index, true
}

// plain returns a constant in the form that connect.Condition has for a column.
func plain(lit *expr.Literal, column types.Type) (any, bool) {
	switch v := lit.Value.(type) {
	case int64:
		return v, column.IsInt()
	case float64:
		return v, column.IsFloat() && !math.IsNaN(v)
	case bool:
		return v, column.Kind == types.Bool
	case string:
		return v, column.Kind == types.String
	case []byte:
		return string(v), column.Kind == types.Bytes
	case arrow.Date32:
		return int64(v), column.Kind == types.Date
	case arrow.Timestamp:
		return int64(v), column.Kind == types.Timestamp
	case decimal128.Num:
		return v, column.Kind == types.Decimal && lit.T.Scale == column.Scale
	}
	return nil, false
}
