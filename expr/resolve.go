package expr

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rainsql/rainsql/expr/types"
)

// FuncError says why a call cannot be built. The planner adds the position: of
// the argument Arg where that is 0 or more, else of the whole call.
type FuncError struct {
	Fn      string       // as the user wrote it
	Args    []types.Type // what was passed
	Accepts []string     // the signatures that exist; nil for an unknown function
	Suggest string       // a function of a similar name, or ""
	Arg     int          // the argument at fault, or -1
	Err     error        // what is wrong with it, where more is known
}

// Error says what is wrong and what would be right.
func (e *FuncError) Error() string {
	switch {
	case e.Err != nil:
		return e.Err.Error()
	case e.Accepts == nil && e.Suggest != "":
		return fmt.Sprintf("no function %q: did you mean %q?", e.Fn, e.Suggest)
	case e.Accepts == nil:
		return fmt.Sprintf("no function %q: SHOW FUNCTIONS lists what there is", e.Fn)
	}
	if comparison[e.Fn] && len(e.Args) == 2 {
		return fmt.Sprintf("%s and %s cannot be compared; CAST one of them", e.Args[0], e.Args[1])
	}
	args := make([]string, len(e.Args))
	for i, a := range e.Args {
		args[i] = a.String()
	}
	takes := make([]string, len(e.Accepts))
	for i, s := range e.Accepts {
		left, _, _ := strings.Cut(s, "->")
		takes[i] = "(" + strings.TrimSpace(left) + ")"
	}
	const most = 6
	if len(takes) > most {
		takes = append(takes[:most], "…")
	}
	return fmt.Sprintf("%s does not take (%s): it takes %s; CAST what has another type",
		e.Fn, strings.Join(args, ", "), strings.Join(takes, " or "))
}

// comparison are the operators whose signatures would tell a user nothing.
var comparison = map[string]bool{"=": true, "<>": true, "<": true, "<=": true, ">": true, ">=": true}

// Unwrap returns what is wrong with the argument.
func (e *FuncError) Unwrap() error { return e.Err }

// NewCall applies the function called name to args: it picks the overload that
// needs the fewest conversions and inserts them. A string literal takes the type
// of its place (ts > '2026-01-01'). The error is a *FuncError.
//
// Some names have a node or form of their own and give that: and, or, in
// (argument, then the list), between.
func NewCall(name string, args ...Expr) (Expr, error) {
	switch strings.ToLower(name) {
	case "and", "or":
		return NewLogic(strings.EqualFold(name, "or"), args...)
	case "in":
		if len(args) >= 2 {
			return NewIn(args[0], args[1:], false)
		}
	case "between":
		if len(args) == 3 {
			return newBetween(args)
		}
	}
	e, ok := lookup(name)
	if !ok {
		return nil, &FuncError{Fn: name, Args: typesOf(args), Suggest: suggestFunction(name), Arg: -1}
	}
	return e.call(name, args)
}

func newBetween(args []Expr) (Expr, error) {
	lo, err := NewCall(">=", args[0], args[1])
	if err != nil {
		return nil, err
	}
	hi, err := NewCall("<=", args[0], args[2])
	if err != nil {
		return nil, err
	}
	return NewLogic(false, lo, hi)
}

func typesOf(args []Expr) []types.Type {
	ts := make([]types.Type, len(args))
	for i, a := range args {
		ts[i] = a.Type()
	}
	return ts
}

func (e *entry) call(name string, args []Expr) (Expr, error) {
	if op, ok := compareOps[e.Name]; ok {
		args = simplerConstant(op, args)
	}
	var best *overload
	var bestTypes []types.Type
	bestCost := 0
	for i := range e.overloads {
		o := &e.overloads[i]
		want, cost, ok := o.match(args)
		if ok && (best == nil || cost < bestCost) {
			best, bestTypes, bestCost = o, want, cost
		}
	}
	if best == nil {
		return nil, &FuncError{Fn: name, Args: typesOf(args), Accepts: e.Signatures, Arg: -1}
	}
	out := make([]Expr, len(args))
	for i, a := range args {
		var err error
		if out[i], err = coerce(a, bestTypes[i]); err != nil {
			return nil, &FuncError{Fn: name, Args: typesOf(args), Accepts: e.Signatures, Arg: i, Err: err}
		}
	}
	t, err := best.typeFor(bestTypes, out)
	if err != nil {
		return nil, &FuncError{Fn: name, Args: typesOf(args), Accepts: e.Signatures, Arg: -1, Err: err}
	}
	if best.check != nil {
		if i, err := best.check(out); err != nil {
			return nil, &FuncError{Fn: name, Args: typesOf(args), Accepts: e.Signatures, Arg: i, Err: err}
		}
	}
	return &Call{Fn: e.Name, Args: out, T: t}, nil
}

// overloadOf finds the overload that c was built for.
func overloadOf(c *Call) (*entry, *overload, error) {
	e, ok := lookup(c.Fn)
	if !ok {
		return nil, nil, &FuncError{Fn: c.Fn, Suggest: suggestFunction(c.Fn), Arg: -1}
	}
	var best *overload
	bestCost := 0
	for i := range e.overloads {
		o := &e.overloads[i]
		if _, cost, ok := o.match(c.Args); ok && (best == nil || cost < bestCost) {
			best, bestCost = o, cost
		}
	}
	if best == nil {
		return nil, nil, &FuncError{Fn: c.Fn, Args: typesOf(c.Args), Accepts: e.Signatures, Arg: -1}
	}
	return e, best, nil
}

// match reports whether the arguments fit, the type that each must be converted
// to, and how much conversion that is.
func (o *overload) match(args []Expr) (want []types.Type, cost int, ok bool) {
	if len(args) != len(o.params) && (!o.variadic || len(args) < len(o.params)) {
		return nil, 0, false
	}
	t, generic, ok := o.bind(args)
	if !ok {
		return nil, 0, false
	}
	if generic {
		cost++ // an exact signature wins
	}
	want = make([]types.Type, len(args))
	for i, a := range args {
		have := a.Type()
		switch p := o.param(i); p.kind {
		case anything:
			want[i] = have
			if have.Kind == types.List {
				cost += listAsText
			}
		case same:
			want[i] = t
		case listOfSame:
			want[i] = types.ListOf(t)
		case anyStruct:
			if have.Kind != types.Struct {
				return nil, 0, false
			}
			want[i] = have
		case anyDecimal:
			want[i] = have
			if have.Kind != types.Decimal {
				if !have.IsInt() && have.Kind != types.Null {
					return nil, 0, false
				}
				want[i] = decimalFor(a)
			}
		default:
			want[i] = p.t
		}
		c, ok := conversion(a, want[i])
		if !ok {
			return nil, 0, false
		}
		cost += c
	}
	return want, cost, true
}

// listAsText makes a signature of lists win over one of anything, which would
// print them.
const listAsText = 100

func (o *overload) param(i int) param { return o.params[min(i, len(o.params)-1)] }

// bind finds what T stands for.
func (o *overload) bind(args []Expr) (t types.Type, generic, ok bool) {
	texts := false
	for i, a := range args {
		have := a.Type()
		switch o.param(i).kind {
		case same:
			if isTextLiteral(a) {
				generic, texts = true, true
				continue
			}
		case listOfSame:
			switch have.Kind {
			case types.Null:
			case types.List:
				have = *have.Elem
			default:
				return t, true, false
			}
		default:
			continue
		}
		generic = true
		if t, ok = types.Common(t, have); !ok {
			return t, true, false
		}
	}
	switch {
	case t.Kind != types.Null:
	case texts:
		t = types.STRING
	case !o.ofLists(): // elements may stay undecided: [] goes with every list
		t = types.INT
	}
	return t, generic, true
}

// ofLists reports that the overload takes or gives LIST<T>.
func (o *overload) ofLists() bool {
	is := func(p param) bool { return p.kind == listOfSame }
	return is(o.result) || slices.ContainsFunc(o.params, is)
}

// decimalFor is the DECIMAL that an integer argument becomes. A literal needs no
// room for numbers that it is not.
func decimalFor(a Expr) types.Type {
	if l, ok := a.(*Literal); ok {
		if v, ok := l.Value.(int64); ok && int64(int32(v)) == v {
			return types.DecimalOf(10, 0)
		}
	}
	if a.Type().Kind == types.Null {
		return types.DecimalOf(18, 3)
	}
	return types.AsDecimal(a.Type())
}

func isTextLiteral(a Expr) bool {
	l, ok := a.(*Literal)
	return ok && l.T.Kind == types.String && l.Value != nil
}

// conversion returns what it costs to pass a where a value of type to is wanted.
func conversion(a Expr, to types.Type) (int, bool) {
	if c, ok := implicit(a.Type(), to); ok {
		return c, true
	}
	if isTextLiteral(a) && !to.IsNested() {
		return 10, true
	}
	return 0, false
}

// implicit tells which conversions are made unasked, and ranks them.
func implicit(from, to types.Type) (int, bool) {
	switch {
	case from.Equal(to):
		return 0, true
	case from.Kind == types.Null:
		return 1, true
	case from.IsInt() && to.IsInt() && from.Kind < to.Kind:
		return 1, true
	case from.IsInt() && to.Kind == types.Decimal:
		return 2, true
	case from.Kind == types.Decimal && to.Kind == types.Decimal:
		return 1, true
	case from.IsInt() && to.Kind == types.Float64:
		return 4, true
	case from.Kind == types.Decimal && to.Kind == types.Float64:
		return 3, true
	case from.Kind == types.Float32 && to.Kind == types.Float64:
		return 1, true
	case from.Kind == types.Date && to.Kind == types.Timestamp:
		return 2, true
	case from.Kind == types.List && to.Kind == types.List:
		return implicit(*from.Elem, *to.Elem)
	case from.Kind == types.Struct && to.Kind == types.Struct && len(from.Fields) == len(to.Fields):
		cost := 0
		for i, f := range from.Fields {
			c, ok := implicit(f.Type, to.Fields[i].Type)
			if !ok {
				return 0, false
			}
			cost += c
		}
		return cost, true
	}
	return 0, false
}

func (o *overload) typeFor(args []types.Type, exprs []Expr) (types.Type, error) {
	if o.typeWith != nil {
		return o.typeWith(exprs)
	}
	if o.typeOf != nil {
		return o.typeOf(args)
	}
	switch o.result.kind {
	case same, listOfSame:
		for i, a := range args {
			switch o.param(i).kind {
			case same:
				if o.result.kind == same {
					return a, nil
				}
				return types.ListOf(a), nil
			case listOfSame:
				if o.result.kind == same {
					return *a.Elem, nil
				}
				return a, nil
			}
		}
	case exactly:
		return o.result.t, nil
	case anything, anyDecimal, anyStruct:
		if len(args) > 0 {
			return args[0], nil
		}
	}
	return types.Type{}, errors.New("the result has no type")
}
