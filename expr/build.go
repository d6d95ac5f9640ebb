package expr

import (
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// NewCast converts e to t: as it is where e has that type, computed at once
// where e is a constant that converts. A constant that does not is left to fail
// on the rows that reach it. An error means that no value of e's type converts.
func NewCast(e Expr, t types.Type, try bool) (Expr, error) {
	from := e.Type()
	if from.Equal(t) {
		return e, nil
	}
	if err := castable(from, t); err != nil {
		return nil, err
	}
	c := &Cast{Arg: e, T: t, Try: try}
	if l, ok := e.(*Literal); ok {
		if out, err := castLiteral(l, t, try); err == nil {
			return out, nil
		}
	}
	return c, nil
}

// castLiteral converts a constant now.
func castLiteral(l *Literal, t types.Type, try bool) (*Literal, error) {
	if l.Value == nil {
		return &Literal{T: t}, nil
	}
	a, err := vec.FromLiteral(memory.DefaultAllocator, l.Value, l.T, 1)
	if err != nil {
		return nil, err
	}
	defer a.Release()
	out, err := castArray(memory.DefaultAllocator, a, l.T, t, try)
	if err != nil {
		var row *RowError
		if errors.As(err, &row) {
			err = row.Err
		}
		return nil, err
	}
	defer out.Release()
	return &Literal{Value: vec.ValueAt(out, 0), T: t}, nil
}

// coerce converts e to the type its place asks for, where that was found
// possible. A constant that does not fit is an error here and now.
func coerce(e Expr, t types.Type) (Expr, error) {
	if e.Type().Equal(t) {
		return e, nil
	}
	if l, ok := e.(*Literal); ok {
		return castLiteral(l, t, false)
	}
	return NewCast(e, t, false)
}

// commonType is the type that all of es convert to; string literals take that
// of the others.
func commonType(es []Expr) (types.Type, error) {
	t, texts, ok := types.NULL, false, false
	for _, e := range es {
		if isTextLiteral(e) {
			texts = true
			continue
		}
		was := t
		if t, ok = types.Common(t, e.Type()); !ok {
			return t, fmt.Errorf("%s and %s do not go together: CAST one to the other's type", was, e.Type())
		}
	}
	if t.Kind == types.Null && texts {
		t = types.STRING
	}
	return t, nil
}

func coerceAll(es []Expr, t types.Type) ([]Expr, error) {
	out := make([]Expr, len(es))
	for i, e := range es {
		var err error
		if out[i], err = coerce(e, t); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// NewCase builds CASE: the conditions must be BOOL, the results meet in their
// common type. els nil means NULL.
func NewCase(whens []When, els Expr) (Expr, error) {
	if len(whens) == 0 {
		return nil, errors.New("CASE needs at least one WHEN")
	}
	results := make([]Expr, 0, len(whens)+1)
	c := &Case{Whens: make([]When, len(whens))}
	for i, w := range whens {
		cond, err := condition(w.If, "WHEN")
		if err != nil {
			return nil, err
		}
		c.Whens[i].If = cond
		results = append(results, w.Then)
	}
	if els != nil {
		results = append(results, els)
	}
	t, err := commonType(results)
	if err != nil {
		return nil, fmt.Errorf("the branches of CASE have no common type: %w", err)
	}
	if results, err = coerceAll(results, t); err != nil {
		return nil, err
	}
	for i := range c.Whens {
		c.Whens[i].Then = results[i]
	}
	if els != nil {
		c.Else = results[len(results)-1]
	}
	c.T = t
	return c, nil
}

// condition makes e BOOL: NULL and the literals 'true' and 'false' become it.
func condition(e Expr, where string) (Expr, error) {
	if k := e.Type().Kind; k != types.Bool && k != types.Null && !isTextLiteral(e) {
		return nil, fmt.Errorf("%s needs a condition (BOOL), not %s: compare it with something", where, e.Type())
	}
	return coerce(e, types.BOOL)
}

// NewLogic joins conditions by AND, or by OR. What is itself such a chain is
// merged into one; a single argument is returned as it is.
func NewLogic(or bool, args ...Expr) (Expr, error) {
	name := "AND"
	if or {
		name = "OR"
	}
	var flat []Expr
	for _, a := range args {
		if l, ok := a.(*Logic); ok && l.Or == or {
			flat = append(flat, l.Args...)
			continue
		}
		c, err := condition(a, name)
		if err != nil {
			return nil, err
		}
		flat = append(flat, c)
	}
	switch len(flat) {
	case 0:
		return nil, fmt.Errorf("%s needs conditions", name)
	case 1:
		return flat[0], nil
	}
	return &Logic{Or: or, Args: flat}, nil
}

// NewNot negates a condition.
func NewNot(e Expr) (Expr, error) { return NewCall("not", e) }

// NewIn builds e [NOT] IN (list). All meet in their common type.
func NewIn(e Expr, list []Expr, not bool) (Expr, error) {
	if len(list) == 0 {
		return nil, errors.New("IN needs at least one value in its list")
	}
	all := append([]Expr{e}, list...)
	t, err := commonType(all)
	if err != nil {
		return nil, fmt.Errorf("the values of IN have no common type: %w", err)
	}
	if all, err = coerceAll(all, t); err != nil {
		return nil, err
	}
	return &In{Arg: all[0], List: all[1:], Not: not}, nil
}

// Null is the constant NULL of type t.
func Null(t types.Type) *Literal { return &Literal{T: t} }

// Constant is a literal of the type that its Go value says: bool, int (INT),
// int64, float64, string, []byte, arrow.Date32, arrow.Timestamp or an interval;
// nil is NULL. Anything else is NULL too: build such a Literal by hand.
func Constant(v any) *Literal {
	t := types.NULL
	switch x := v.(type) {
	case bool:
		t = types.BOOL
	case int:
		v, t = int64(x), types.INT
	case int64:
		t = types.INT
	case float64:
		t = types.FLOAT
	case string:
		t = types.STRING
	case []byte:
		t = types.BYTES
	case arrow.Date32:
		t = types.DATE
	case arrow.Timestamp:
		t = types.TIMESTAMP
	case arrow.MonthDayNanoInterval:
		t = types.INTERVAL
	default:
		v = nil
	}
	return &Literal{Value: v, T: t}
}
