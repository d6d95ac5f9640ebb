package expr

import (
	"math"
	"reflect"
	"slices"

	"github.com/rainsql/rainsql/expr/types"
)

// children returns the operands of e in the order they are written.
func children(e Expr) []Expr {
	switch e := e.(type) {
	case *Call:
		return e.Args
	case *Cast:
		return []Expr{e.Arg}
	case *Case:
		out := make([]Expr, 0, 2*len(e.Whens)+1)
		for _, w := range e.Whens {
			out = append(out, w.If, w.Then)
		}
		if e.Else != nil {
			out = append(out, e.Else)
		}
		return out
	case *Logic:
		return e.Args
	case *In:
		return append([]Expr{e.Arg}, e.List...)
	}
	return nil
}

// Walk calls f with e and, where f returns true, with what is below, from the
// top down and in the order of the text.
func Walk(e Expr, f func(Expr) bool) {
	if !f(e) {
		return
	}
	for _, c := range children(e) {
		Walk(c, f)
	}
}

// Rewrite rebuilds e from the bottom up, putting f(node) in place of each node.
// What f leaves alone is shared with e, which does not change. f must keep types.
func Rewrite(e Expr, f func(Expr) Expr) Expr {
	old := children(e)
	if len(old) == 0 {
		return f(e)
	}
	changed := false
	args := make([]Expr, len(old))
	for i, c := range old {
		args[i] = Rewrite(c, f)
		changed = changed || args[i] != c
	}
	if changed {
		e = withChildren(e, args)
	}
	return f(e)
}

// withChildren is a copy of e over other operands, as children lists them.
func withChildren(e Expr, args []Expr) Expr {
	switch e := e.(type) {
	case *Call:
		return &Call{Fn: e.Fn, Args: args, T: e.T}
	case *Cast:
		return &Cast{Arg: args[0], T: e.T, Try: e.Try}
	case *Case:
		c := &Case{Whens: make([]When, len(e.Whens)), T: e.T}
		for i := range c.Whens {
			c.Whens[i] = When{If: args[2*i], Then: args[2*i+1]}
		}
		if e.Else != nil {
			c.Else = args[len(args)-1]
		}
		return c
	case *Logic:
		return &Logic{Or: e.Or, Args: args}
	case *In:
		return &In{Arg: args[0], List: args[1:], Not: e.Not}
	}
	return e
}

// Columns returns the IDs of the columns that e reads, each once, ascending.
func Columns(e Expr) []int {
	var ids []int
	Walk(e, func(e Expr) bool {
		if c, ok := e.(*Column); ok {
			ids = append(ids, c.ID)
		}
		return true
	})
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Equal reports that a and b are the same expression, node by node: columns by
// ID, constants by type and value (NaN equals NaN, 0.0 is not -0.0).
func Equal(a, b Expr) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	if a == b {
		return true
	}
	if !a.Type().Equal(b.Type()) {
		return false
	}
	switch x := a.(type) {
	case *Column:
		y, ok := b.(*Column)
		return ok && x.ID == y.ID
	case *Literal:
		y, ok := b.(*Literal)
		return ok && equalValues(x.Value, y.Value)
	case *Call:
		if y, ok := b.(*Call); !ok || x.Fn != y.Fn {
			return false
		}
	case *Cast:
		if y, ok := b.(*Cast); !ok || x.Try != y.Try {
			return false
		}
	case *Case:
		if y, ok := b.(*Case); !ok || len(x.Whens) != len(y.Whens) {
			return false
		}
	case *Logic:
		if y, ok := b.(*Logic); !ok || x.Or != y.Or {
			return false
		}
	case *In:
		if y, ok := b.(*In); !ok || x.Not != y.Not {
			return false
		}
	}
	return slices.EqualFunc(children(a), children(b), Equal)
}

func equalValues(a, b any) bool {
	switch x := a.(type) {
	case float64:
		y, ok := b.(float64)
		return ok && (math.Float64bits(x) == math.Float64bits(y) || x != x && y != y)
	case []any:
		y, ok := b.([]any)
		return ok && slices.EqualFunc(x, y, equalValues)
	}
	return reflect.DeepEqual(a, b)
}

// CanFail reports that some values of its columns make e an error.
func CanFail(e Expr) bool {
	fails := false
	Walk(e, func(e Expr) bool {
		switch e := e.(type) {
		case *Cast:
			fails = fails || !e.Try && castFails(e.Arg.Type(), e.T)
		case *Call:
			_, o, err := overloadOf(e)
			fails = fails || err != nil || o.fails
		}
		return !fails
	})
	return fails
}

// Volatile reports that e may give different values for equal rows: it calls
// random(). What is constant within a query, such as now(), is not volatile.
func Volatile(e Expr) bool { return calls(e, func(f *entry) bool { return f.Volatile }) }

func calls(e Expr, is func(*entry) bool) bool {
	found := false
	Walk(e, func(e Expr) bool {
		if c, ok := e.(*Call); ok {
			f, known := lookup(c.Fn)
			found = found || known && is(f)
		}
		return !found
	})
	return found
}

// IsConstant reports that e reads no column and gives the same value for every
// row of every query.
func IsConstant(e Expr) bool {
	if calls(e, func(f *entry) bool { return f.Volatile || f.stable }) {
		return false
	}
	constant := true
	Walk(e, func(e Expr) bool {
		if _, ok := e.(*Column); ok {
			constant = false
		}
		return constant
	})
	return constant
}

// isTrue and isFalse recognise constant conditions.
func isTrue(e Expr) bool  { return isBool(e, true) }
func isFalse(e Expr) bool { return isBool(e, false) }

func isBool(e Expr, want bool) bool {
	l, ok := e.(*Literal)
	if !ok || l.T.Kind != types.Bool {
		return false
	}
	v, ok := l.Value.(bool)
	return ok && v == want
}
