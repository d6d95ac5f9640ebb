package expr

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math"

	"github.com/rainsql/rainsql/expr/types"
)

// UnmarshalExpr reads what MarshalExpr writes, and trusts nothing: functions,
// arity, types and values are checked as if it were built anew, unknown fields
// and nesting past 2,000 are refused. Whatever it returns can be evaluated
// without a panic.
func UnmarshalExpr(data []byte) (Expr, error) {
	v, err := decodeJSON(data)
	if err != nil {
		return nil, err
	}
	return readExpr(v, 0)
}

func decodeJSON(data []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, fmt.Errorf("the expression is not JSON: %w", err)
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, fmt.Errorf("there is something after the expression")
	}
	return v, nil
}

// wireObject is a JSON object of which every field must be read.
type wireObject map[string]any

func readObject(v any) (wireObject, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("expected an object, not %T", v)
	}
	return m, nil
}

// only reports fields other than these.
func (o wireObject) only(names ...string) error {
	for k := range o {
		known := false
		for _, n := range names {
			known = known || n == k
		}
		if !known {
			return fmt.Errorf("unknown field %q", k)
		}
	}
	return nil
}

func (o wireObject) typeField() (types.Type, error) {
	s, ok := o["t"].(string)
	if !ok {
		return types.Type{}, fmt.Errorf("the type is missing")
	}
	return types.Parse(s)
}

func (o wireObject) flag(name string) (bool, error) {
	v, ok := o[name]
	if !ok {
		return false, nil
	}
	b, ok := v.(bool)
	if !ok {
		return false, fmt.Errorf("%q is not true or false", name)
	}
	return b, nil
}

func readExprs(v any, depth int) ([]Expr, error) {
	list, ok := v.([]any)
	if !ok {
		return nil, fmt.Errorf("expected a list of expressions")
	}
	out := make([]Expr, len(list))
	for i, x := range list {
		var err error
		if out[i], err = readExpr(x, depth); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func readExpr(v any, depth int) (Expr, error) {
	if depth > maxDepth {
		return nil, fmt.Errorf("the expression is nested deeper than %d", maxDepth)
	}
	o, err := readObject(v)
	if err != nil {
		return nil, err
	}
	depth++
	for name, read := range map[string]func(wireObject, int) (Expr, error){
		"col": readColumn, "lit": readLiteral, "fn": readCall, "cast": readCast, "case": readCase,
		"and": readLogic, "or": readLogic, "in": readIn,
	} {
		if _, ok := o[name]; ok {
			return read(o, depth)
		}
	}
	return nil, fmt.Errorf("an expression of unknown kind")
}

func readColumn(o wireObject, _ int) (Expr, error) {
	if err := o.only("col", "name", "t"); err != nil {
		return nil, err
	}
	id, err := readInt(o["col"], 0, math.MaxInt32)
	if err != nil {
		return nil, err
	}
	name, err := readText(o["name"])
	if err != nil {
		return nil, err
	}
	t, err := o.typeField()
	return &Column{ID: int(id), Name: name, T: t}, err
}

func readLiteral(o wireObject, _ int) (Expr, error) {
	if err := o.only("lit", "t"); err != nil {
		return nil, err
	}
	t, err := o.typeField()
	if err != nil {
		return nil, err
	}
	v, err := readValue(o["lit"], t)
	return &Literal{Value: v, T: t}, err
}

func readCall(o wireObject, depth int) (Expr, error) {
	if err := o.only("fn", "args", "t"); err != nil {
		return nil, err
	}
	name, ok := o["fn"].(string)
	if !ok {
		return nil, fmt.Errorf("a function's name is missing")
	}
	args, err := readExprs(o["args"], depth)
	if err != nil {
		return nil, err
	}
	t, err := o.typeField()
	if err != nil {
		return nil, err
	}
	f, ok := table()[name]
	if !ok || f.Name != name {
		return nil, &FuncError{Fn: name, Suggest: suggestFunction(name), Arg: -1}
	}
	// Built anew it must come out the same: no conversion is missing.
	e, err := f.call(name, args)
	if err != nil {
		return nil, err
	}
	c, ok := e.(*Call)
	if !ok || !c.T.Equal(t) {
		return nil, fmt.Errorf("%s does not give %s here", name, t)
	}
	for i, a := range c.Args {
		if a != args[i] {
			return nil, fmt.Errorf("argument %d of %s lacks a conversion to %s", i+1, name, a.Type())
		}
	}
	return c, nil
}

func readCast(o wireObject, depth int) (Expr, error) {
	if err := o.only("cast", "t", "try"); err != nil {
		return nil, err
	}
	arg, err := readExpr(o["cast"], depth)
	if err != nil {
		return nil, err
	}
	t, err := o.typeField()
	if err != nil {
		return nil, err
	}
	try, err := o.flag("try")
	if err != nil {
		return nil, err
	}
	return &Cast{Arg: arg, T: t, Try: try}, castable(arg.Type(), t)
}

func readCase(o wireObject, depth int) (Expr, error) {
	if err := o.only("case", "else", "t"); err != nil {
		return nil, err
	}
	t, err := o.typeField()
	if err != nil {
		return nil, err
	}
	list, ok := o["case"].([]any)
	if !ok || len(list) == 0 {
		return nil, fmt.Errorf("a CASE has no branches")
	}
	c := &Case{T: t}
	for _, x := range list {
		pair, err := readExprs(x, depth)
		if err != nil {
			return nil, err
		}
		if len(pair) != 2 || pair[0].Type().Kind != types.Bool || !pair[1].Type().Equal(t) {
			return nil, fmt.Errorf("a branch of CASE is not a condition and a %s", t)
		}
		c.Whens = append(c.Whens, When{If: pair[0], Then: pair[1]})
	}
	if x, ok := o["else"]; ok {
		if c.Else, err = readExpr(x, depth); err != nil {
			return nil, err
		}
		if !c.Else.Type().Equal(t) {
			return nil, fmt.Errorf("the ELSE of CASE is not %s", t)
		}
	}
	return c, nil
}

func readLogic(o wireObject, depth int) (Expr, error) {
	name := "and"
	if _, ok := o["or"]; ok {
		name = "or"
	}
	if err := o.only(name); err != nil {
		return nil, err
	}
	args, err := readExprs(o[name], depth)
	if err != nil {
		return nil, err
	}
	if len(args) < 2 {
		return nil, fmt.Errorf("%s needs two conditions", name)
	}
	for _, a := range args {
		if a.Type().Kind != types.Bool {
			return nil, fmt.Errorf("%s takes conditions, not %s", name, a.Type())
		}
	}
	return &Logic{Or: name == "or", Args: args}, nil
}

func readIn(o wireObject, depth int) (Expr, error) {
	if err := o.only("in", "list", "not"); err != nil {
		return nil, err
	}
	arg, err := readExpr(o["in"], depth)
	if err != nil {
		return nil, err
	}
	list, err := readExprs(o["list"], depth)
	if err != nil {
		return nil, err
	}
	not, err := o.flag("not")
	if err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("the list of IN is empty")
	}
	for _, x := range list {
		if !x.Type().Equal(arg.Type()) {
			return nil, fmt.Errorf("IN compares %s with %s", arg.Type(), x.Type())
		}
	}
	return &In{Arg: arg, List: list, Not: not}, nil
}
