package expr

import (
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// Fold computes what is constant and drops what cannot matter: true AND x is x,
// false AND x is false, a CASE loses branches that are never taken. A constant
// that fails is left as it is, to fail on the rows that reach it, if any.
func Fold(e Expr) (Expr, error) {
	return Rewrite(e, foldNode), nil
}

func foldNode(e Expr) Expr {
	switch x := e.(type) {
	case *Column, *Literal:
		return e
	case *Logic:
		if e = foldLogic(x); e != x {
			return e
		}
	case *Case:
		if e = foldCase(x); e != x {
			return e
		}
	}
	for _, c := range children(e) {
		if _, ok := c.(*Literal); !ok {
			return e
		}
	}
	if !IsConstant(e) {
		return e
	}
	v, err := evalConstant(e)
	if err != nil || tooLarge(v.Value) {
		return e
	}
	return v
}

// tooLarge keeps what repeat('x', 1000000) makes out of plans.
func tooLarge(v any) bool {
	const most = 64 << 10
	switch v := v.(type) {
	case string:
		return len(v) > most
	case []byte:
		return len(v) > most
	case []any:
		return len(v) > most/16
	}
	return false
}

// evalConstant computes an expression without columns.
func evalConstant(e Expr) (*Literal, error) {
	ev, err := NewEvaluator(e, memory.DefaultAllocator, nil)
	if err != nil {
		return nil, err
	}
	defer ev.Close()
	a, err := ev.Eval(Input{Rows: 1}, nil)
	if err != nil {
		return nil, err
	}
	defer a.Release()
	return &Literal{Value: vec.ValueAt(a, 0), T: e.Type()}, nil
}

// foldLogic drops arguments that decide nothing and cuts after one that decides
// all: those before it stay if they can fail, since they run first.
func foldLogic(l *Logic) Expr {
	var args []Expr
	for _, a := range l.Args {
		if isBool(a, !l.Or) {
			continue
		}
		if isBool(a, l.Or) {
			for len(args) > 0 && !CanFail(args[len(args)-1]) {
				args = args[:len(args)-1]
			}
			args = append(args, a)
			break
		}
		args = append(args, a)
	}
	switch {
	case len(args) == len(l.Args):
		return l
	case len(args) == 0:
		return &Literal{Value: !l.Or, T: types.BOOL}
	case len(args) == 1:
		return args[0]
	}
	return &Logic{Or: l.Or, Args: args}
}

func foldCase(c *Case) Expr {
	var whens []When
	els := c.Else
	for _, w := range c.Whens {
		if isFalse(w.If) || isNull(w.If) {
			continue
		}
		if isTrue(w.If) {
			els = w.Then
			break
		}
		whens = append(whens, w)
	}
	switch {
	case len(whens) == 0 && els == nil:
		return Null(c.T)
	case len(whens) == 0:
		return els
	case len(whens) == len(c.Whens):
		return c
	}
	return &Case{Whens: whens, Else: els, T: c.T}
}

func isNull(e Expr) bool {
	l, ok := e.(*Literal)
	return ok && l.Value == nil
}
