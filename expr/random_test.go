package expr

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// generator makes random expressions over testCols.
type generator struct{ r *rand.Rand }

func (g generator) pick(es ...Expr) Expr { return es[g.r.IntN(len(es))] }

// leaf is a column or constant of about type t.
func (g generator) leaf(t types.Type) Expr {
	var es []Expr
	for i, f := range testCols {
		if f.Type.Kind == t.Kind {
			es = append(es, &Column{ID: i, Name: f.Name, T: f.Type})
		}
	}
	for _, l := range wireLiterals() {
		if l.T.Kind == t.Kind {
			es = append(es, l)
		}
	}
	es = append(es, Null(t))
	switch t.Kind {
	case types.String:
		es = append(es, Constant("a"), Constant(""), Constant("%Y-%m"), Constant("year"), Constant("a%"), Constant("2"),
			Constant("Europe/Berlin"), Constant("max"), Constant("desc"), Constant("nulls first"), Constant("$[0]"))
	case types.Int64:
		es = append(es, Constant(0), Constant(1), Constant(-2), Constant(100))
	case types.List:
		if e, err := NewCall("list_value", g.leaf(*t.Elem), g.leaf(*t.Elem)); err == nil {
			es = append(es, e, e)
		}
	case types.Struct:
		if e, err := NewStruct([]string{"a"}, []Expr{g.leaf(types.INT)}); err == nil {
			es = append(es, e, e)
		}
	}
	return g.pick(es...)
}

var leafTypes = []types.Type{types.ListOf(types.INT), types.INT, types.INT32, types.FLOAT, types.STRING, types.DATE, types.TIMESTAMP, types.BOOL, types.DecimalOf(5, 2), types.INTERVAL, types.BYTES}

func (g generator) arg(p param, t types.Type, depth int) Expr {
	switch p.kind {
	case exactly:
		t = p.t
	case anything:
		t = leafTypes[g.r.IntN(len(leafTypes))]
	case anyDecimal:
		t = types.DecimalOf(5, 2)
	case listOfSame:
		t = types.ListOf(t)
	case anyStruct:
		t = types.StructOf(types.Field{Name: "a", Type: types.INT})
	}
	if depth > 0 && g.r.IntN(3) == 0 {
		if e := g.expr(t, depth-1); e != nil {
			return e
		}
	}
	return g.leaf(t)
}

// expr is a CASE, a cast or a call that gives about t, or nil.
func (g generator) expr(t types.Type, depth int) Expr {
	switch g.r.IntN(4) {
	case 0:
		if e, err := NewCase([]When{{g.leaf(types.BOOL), g.leaf(t)}}, g.leaf(t)); err == nil {
			return e
		}
	case 1:
		if e, err := NewCast(g.leaf(leafTypes[g.r.IntN(len(leafTypes))]), t, g.r.IntN(2) == 0); err == nil {
			return e
		}
	case 2:
		if e, err := NewCall("coalesce", g.leaf(t), g.leaf(t)); err == nil {
			return e
		}
	}
	return nil
}

func (g generator) call(f Function, o overload) (Expr, error) {
	n := len(o.params)
	if o.variadic {
		n += g.r.IntN(3)
	}
	args, t := make([]Expr, n), leafTypes[g.r.IntN(len(leafTypes))]
	for i := range args {
		args[i] = g.arg(o.param(i), t, 1)
	}
	if f.Name == "struct_pack" {
		return NewStruct([]string{"a", "b c"}, []Expr{args[0], g.leaf(t)})
	}
	if f.Name == "struct_extract" {
		args[1] = Constant("a")
	}
	return NewCall(f.Name, args...)
}

// TestRandomCalls calls every overload of every function with random arguments
// and holds that a batch gives what its rows give one by one, that the result
// has the type announced, and that the wire form means the same.
func TestRandomCalls(t *testing.T) {
	g := generator{rand.New(rand.NewPCG(7, 7))}
	tried, failed := 0, 0
	mem := memory.NewGoAllocator()
	in := testInput(t, mem)
	defer vec.ReleaseAll(in.Cols)
	for _, f := range Functions() {
		if f.Aggregate || f.Volatile {
			continue
		}
		e, _ := lookup(f.Name)
		for _, o := range e.overloads {
			for range 60 {
				call, err := g.call(f, o)
				if err != nil {
					continue // a constant that does not fit its place
				}
				tried++
				if !checkRows(t, call, in) {
					failed++
				}
				if t.Failed() {
					return
				}
			}
		}
	}
	t.Logf("%d calls, of which %d were errors", tried, failed)
	if tried < 5000 || failed > tried/2 {
		t.Errorf("the generator has grown weak: %d calls, %d errors", tried, failed)
	}
}

func checkRows(t *testing.T, e Expr, in Input) (ok bool) {
	mem := checked(t)
	defer func() {
		if p := recover(); p != nil {
			t.Errorf("%s: panic: %v", String(e), p)
			panic(p)
		}
	}()
	ev, err := NewEvaluator(e, mem, nil)
	if err != nil {
		t.Errorf("%s: %v", String(e), err)
		return false
	}
	defer ev.Close()
	whole, err := ev.Eval(in, nil)
	var all []string
	if err == nil {
		if whole.Len() != in.Rows || !holds(whole.DataType(), e.Type()) {
			t.Errorf("%s: %d rows of %s for %s", String(e), whole.Len(), whole.DataType(), e.Type())
		}
		all = printed(mem, whole)
		whole.Release()
	}
	var row *RowError
	if err != nil && !errors.As(err, &row) {
		t.Errorf("%s: %v is of no row", String(e), err)
		return false
	}
	if err != nil && !CanFail(e) {
		t.Errorf("%s: fails with %v, and says that it cannot", String(e), err)
	}
	for i := range in.Rows {
		a, oneErr := ev.Eval(in, []int32{int32(i)})
		if oneErr == nil {
			got := printed(mem, a)[0]
			if err == nil && got != all[i] || err != nil && row.Row == i {
				t.Errorf("%s: row %d alone is %s, among all %v, %v", String(e), i, got, all, err)
			}
			a.Release()
		} else if err == nil {
			t.Errorf("%s: row %d alone is %v", String(e), i, oneErr)
		}
	}
	if e.Type().Kind == types.Bool && err == nil {
		got, err := ev.Filter(in, nil, nil)
		var want []int32
		for i, v := range all {
			if v == "true" {
				want = append(want, int32(i))
			}
		}
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: filters %v, %v, its values are %v", String(e), got, err, all)
		}
	}
	checkWire(t, e)
	return err == nil
}

func checkWire(t *testing.T, e Expr) {
	wire, err := MarshalExpr(e)
	if err != nil {
		t.Errorf("%s: %v", String(e), err)
		return
	}
	back, err := UnmarshalExpr(wire)
	if err != nil || !Equal(e, back) {
		t.Errorf("%s: comes back as %s: %v", wire, fmt.Sprint(back), err)
	}
}
