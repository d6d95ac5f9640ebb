package analyze

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/text"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/parser/ast"
)

func (b *binder) literal(e ast.Expr) expr.Expr {
	switch e := e.(type) {
	case *ast.NumberLit:
		return b.number(e, false)
	case *ast.UnitLit:
		return b.unit(e)
	case *ast.StringLit:
		return expr.Constant(e.Value)
	case *ast.BoolLit:
		return expr.Constant(e.Value)
	case *ast.NullLit:
		return expr.Null(types.NULL)
	case *ast.Param:
		if v, ok := b.a.param(e); ok {
			return expr.Constant(v)
		}
	case *ast.TypedLit:
		if e.Type == "DATE" {
			if d, ok := text.ParseLongDate([]byte(e.Value)); ok {
				return &expr.Literal{Value: d, T: types.DATE}
			}
			b.a.errorf(e, "write DATE '2026-01-31'", "'%s' is not a date", e.Value)
			return nil
		}
		if ts, ok := text.ParseTimestampOrDate([]byte(e.Value)); ok {
			return &expr.Literal{Value: ts, T: types.TIMESTAMP}
		}
		b.a.errorf(e, "write TIMESTAMP '2026-01-31 10:00:00Z'", "'%s' is not a timestamp", e.Value)
	case *ast.IntervalLit:
		if iv, ok := text.ParseInterval([]byte(strings.TrimSpace(e.Value + " " + e.Unit))); ok {
			return &expr.Literal{Value: iv, T: types.INTERVAL}
		}
		b.a.errorf(e, "write INTERVAL '10' SECOND or 10s", "'%s' is not an interval", e.Value)
	}
	return nil
}

// number gives a number its type: INT where it fits 64 bits, DECIMAL with a
// point or beyond, FLOAT with an exponent.
func (b *binder) number(e *ast.NumberLit, negative bool) expr.Expr {
	s := strings.ReplaceAll(e.Text, "_", "")
	if negative {
		s = "-" + s
	}
	digits := strings.TrimPrefix(s, "-")
	switch {
	case strings.HasPrefix(strings.ToLower(digits), "0x"):
		n, err := strconv.ParseInt(strings.Replace(strings.ToLower(s), "0x", "", 1), 16, 64)
		if err != nil {
			b.a.errorf(e, "", "%s does not fit INT", e.Text)
			return nil
		}
		return expr.Constant(n)
	case strings.ContainsAny(s, "eE"):
		f, err := strconv.ParseFloat(s, 64)
		if err != nil || math.IsInf(f, 0) {
			b.a.errorf(e, "", "%s does not fit FLOAT", e.Text)
			return nil
		}
		return expr.Constant(f)
	case !strings.Contains(s, "."):
		if n, err := strconv.ParseInt(s, 10, 64); err == nil {
			return expr.Constant(n)
		}
	}
	return b.decimal(e, s)
}

func (b *binder) decimal(e *ast.NumberLit, s string) expr.Expr {
	whole, frac, _ := strings.Cut(s, ".")
	n, ok := new(big.Int).SetString(whole+frac, 10)
	digits := len(strings.TrimLeft(strings.TrimPrefix(whole, "-"), "0")) + len(frac)
	if !ok || digits > types.MaxPrecision {
		b.a.errorf(e, "write it with an exponent for a FLOAT", "%s has more than %d digits", e.Text, types.MaxPrecision)
		return nil
	}
	return &expr.Literal{Value: decimal128.FromBigInt(n), T: types.DecimalOf(max(digits, 1), len(frac))}
}

// unit reads 10s, 5m, 64MB: an INTERVAL or, for a size, an INT of bytes.
func (b *binder) unit(e *ast.UnitLit) expr.Expr {
	if d, err := ParseDuration(e.Text); err == nil {
		days := int32(0)
		if _, unit := cutUnit(e.Text); strings.EqualFold(unit, "d") || strings.EqualFold(unit, "w") {
			days = int32(d / (24 * time.Hour))
			d %= 24 * time.Hour
		}
		return &expr.Literal{Value: arrow.MonthDayNanoInterval{Days: days, Nanoseconds: int64(d)}, T: types.INTERVAL}
	}
	if n, err := ParseSize(e.Text); err == nil {
		return expr.Constant(n)
	}
	b.a.errorf(e, "durations are written 250ms, 10s, 5m, 1h, 7d; sizes 64MB", "%q is neither a duration nor a size", e.Text)
	return nil
}

// wholeNumber reads a literal or a parameter where a plan needs a number.
func (a *Analyzer) wholeNumber(e ast.Expr, what string) (int64, bool) {
	s, ok := a.plainText(e)
	if !ok {
		return 0, false
	}
	base := 10
	if hex, found := strings.CutPrefix(strings.ToLower(s), "0x"); found {
		s, base = hex, 16
	}
	n, err := strconv.ParseInt(s, base, 64)
	if err != nil {
		a.errorf(e, "", "%s takes a whole number, not %s", what, fmt.Sprintf("%q", s))
		return 0, false
	}
	return n, true
}
