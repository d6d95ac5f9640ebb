package expr

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// compile turns the tree into nodes. The constants it lays out are released by close.
func (ev *Evaluator) compile(e Expr) (node, error) {
	switch e := e.(type) {
	case *Column:
		return &columnNode{id: e.ID, t: e.T}, nil
	case *Literal:
		a, err := vec.FromLiteral(ev.mem, e.Value, e.T, 1)
		if err != nil {
			return nil, fmt.Errorf("a constant of the expression is broken: %w", err)
		}
		return &constNode{arr: a}, nil
	case *Call:
		return ev.compileCall(e)
	case *Cast:
		arg, err := ev.compile(e.Arg)
		if err != nil {
			return nil, err
		}
		return &castNode{arg: arg, from: e.Arg.Type(), to: e.T, try: e.Try, column: onlyName(e.Arg)}, nil
	case *Case:
		args, err := ev.compileAll(children(e))
		if err != nil {
			return nil, err
		}
		c := &caseNode{t: e.T}
		if e.Else != nil {
			c.els = args[len(args)-1]
		}
		for i := range e.Whens {
			c.ifs, c.thens = append(c.ifs, args[2*i]), append(c.thens, args[2*i+1])
		}
		return c, nil
	case *Logic:
		args, err := ev.compileAll(e.Args)
		if err != nil {
			return nil, err
		}
		return &logicNode{or: e.Or, args: args}, nil
	case *In:
		return ev.compileIn(e)
	}
	return nil, fmt.Errorf("an expression of kind %T cannot be evaluated", e)
}

func (ev *Evaluator) compileAll(es []Expr) ([]node, error) {
	out := make([]node, 0, len(es))
	for _, e := range es {
		n, err := ev.compile(e)
		if err != nil {
			closeAll(out)
			return nil, err
		}
		out = append(out, n)
	}
	return out, nil
}

func closeAll(nodes []node) {
	for _, n := range nodes {
		n.close()
	}
}

func (ev *Evaluator) compileCall(e *Call) (node, error) {
	f, o, err := overloadOf(e)
	if err != nil {
		return nil, err
	}
	args, err := ev.compileAll(e.Args)
	if err != nil {
		return nil, err
	}
	if f.lazy {
		return lazyNode(f.Name, args, e.T), nil
	}
	c := &callNode{o: o, args: args, t: e.T, volatile: f.Volatile, dict: -1}
	if i := onlyColumn(args); i >= 0 && !f.Volatile && !o.fails && !o.nulls {
		if k := e.Args[i].Type().Kind; k == types.String || k == types.Bytes {
			c.dict = i
		}
	}
	if i := onlyColumn(args); i >= 0 {
		c.column = onlyName(e.Args[i])
	}
	if n := newColumnFilter(f.Name, c, e); n != nil {
		return n, nil
	}
	return c, nil
}

// onlyColumn returns the place of the one column among constants, or -1.
func onlyColumn(args []node) int {
	at := -1
	for i, a := range args {
		switch a.(type) {
		case *constNode:
		case *columnNode:
			if at >= 0 {
				return -1
			}
			at = i
		default:
			return -1
		}
	}
	return at
}

// columnNode is a column of the input.
type columnNode struct {
	id int
	t  types.Type
}

func (c *columnNode) eval(f *frame) (vector, error) {
	if err := f.check(c); err != nil {
		return vector{}, err
	}
	a, err := f.column(c.id)
	return vector{arr: a}, err
}
func (c *columnNode) close() {}

// constNode is a literal.
type constNode struct{ arr arrow.Array }

func (c *constNode) eval(*frame) (vector, error) {
	c.arr.Retain()
	return vector{arr: c.arr, konst: true}, nil
}

func (c *constNode) close() {
	if c.arr != nil {
		c.arr.Release()
		c.arr = nil
	}
}

// castNode converts.
type castNode struct {
	arg      node
	from, to types.Type
	try      bool
	column   string // the only one that arg reads, for messages; or ""
}

func (c *castNode) eval(f *frame) (vector, error) {
	v, err := c.arg.eval(f)
	if err != nil {
		return v, err
	}
	defer v.release()
	if v.konst && f.n == 0 {
		return emptyVector(f, c.to)
	}
	a, err := castArray(f.ev.mem, v.arr, c.from, c.to, c.try)
	if err != nil {
		return vector{}, ofColumn(c.column, f.fail(err, v.konst))
	}
	return vector{arr: a, konst: v.konst}, nil
}
func (c *castNode) close() { c.arg.close() }

// emptyVector is what a constant amounts to where no row asks for it, so that a
// failing one does not fail.
func emptyVector(f *frame, t types.Type) (vector, error) {
	a, err := vec.FromLiteral(f.ev.mem, nil, t, 0)
	return vector{arr: a}, err
}

// nullVector is the constant NULL.
func nullVector(f *frame, t types.Type) (vector, error) {
	a, err := vec.FromLiteral(f.ev.mem, nil, t, 1)
	return vector{arr: a, konst: true}, err
}
