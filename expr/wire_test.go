package expr

import (
	"bytes"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// wireLiterals are constants that a careless codec would change.
func wireLiterals() []*Literal {
	return []*Literal{
		Null(types.STRING), Null(types.ListOf(types.INT)), Constant(true),
		Constant(int64(math.MinInt64)), Constant(int64(1<<53 + 1)),
		Constant(math.NaN()), Constant(math.Inf(-1)), Constant(math.Copysign(0, -1)), Constant(0.1),
		Constant("a\x00\u2028<>'\""), Constant("\xff\xfe not UTF-8"), Constant([]byte{0, 255}),
		Constant(arrow.Date32(-719528)), Constant(arrow.Timestamp(math.MaxInt64)),
		Constant(arrow.MonthDayNanoInterval{Months: -1, Days: 2, Nanoseconds: math.MinInt64}),
		{Value: decimal128.GetMaxValue(38).Negate(), T: types.DecimalOf(38, 10)},
		{Value: float64(float32(0.1)), T: types.FLOAT32},
		{Value: int64(-128), T: types.INT8},
		{Value: []any{"a", nil}, T: types.ListOf(types.STRING)},
		{Value: []any{int64(1), []any{1.5}}, T: types.StructOf(types.Field{Name: "a b", Type: types.INT}, types.Field{Name: "l", Type: types.ListOf(types.FLOAT)})},
	}
}

func TestWireLiterals(t *testing.T) {
	for _, l := range wireLiterals() {
		wire, err := MarshalExpr(l)
		if err != nil {
			t.Fatal(err)
		}
		back, err := UnmarshalExpr(wire)
		if err != nil || !Equal(l, back) {
			t.Errorf("%s comes back as %#v, %v", wire, back, err)
		}
	}
}

// TestWireRefuses feeds plans that no planner writes.
func TestWireRefuses(t *testing.T) {
	lit := `{"lit":1,"t":"INT"}`
	deep := strings.Repeat(`{"fn":"not","args":[`, 2500) + `{"lit":true,"t":"BOOL"}` + strings.Repeat(`],"t":"BOOL"}`, 2500)
	for name, src := range map[string]string{
		"not JSON":             `{`,
		"something after":      lit + lit,
		"unknown field":        `{"lit":1,"t":"INT","x":1}`,
		"two kinds":            `{"lit":1,"t":"INT","col":1}`,
		"unknown function":     `{"fn":"rm","args":[],"t":"INT"}`,
		"alias":                `{"fn":"lcase","args":[{"lit":"a","t":"STRING"}],"t":"STRING"}`,
		"wrong arity":          `{"fn":"lower","args":[],"t":"STRING"}`,
		"wrong argument":       `{"fn":"lower","args":[` + lit + `],"t":"STRING"}`,
		"wrong result":         `{"fn":"lower","args":[{"lit":"a","t":"STRING"}],"t":"INT"}`,
		"missing conversion":   `{"fn":"sqrt","args":[` + lit + `],"t":"FLOAT"}`,
		"bad pattern":          `{"fn":"regexp_matches","args":[{"lit":"a","t":"STRING"},{"lit":"(","t":"STRING"}],"t":"BOOL"}`,
		"negative column":      `{"col":-1,"name":"x","t":"INT"}`,
		"INT8 too large":       `{"lit":300,"t":"INT8"}`,
		"DECIMAL too large":    `{"lit":"100","t":"DECIMAL(2,0)"}`,
		"FLOAT as a number":    `{"lit":1.5,"t":"FLOAT"}`,
		"fields missing":       `{"lit":[1],"t":"STRUCT<a INT, b INT>"}`,
		"impossible cast":      `{"cast":{"lit":0,"t":"DATE"},"t":"BOOL"}`,
		"condition not BOOL":   `{"and":[` + lit + `,` + lit + `]}`,
		"one condition":        `{"or":[{"lit":true,"t":"BOOL"}]}`,
		"no branches":          `{"case":[],"t":"INT"}`,
		"branch of other type": `{"case":[[{"lit":true,"t":"BOOL"},{"lit":"a","t":"STRING"}]],"t":"INT"}`,
		"IN of other type":     `{"in":` + lit + `,"list":[{"lit":"a","t":"STRING"}]}`,
		"too deep":             deep,
	} {
		if e, err := UnmarshalExpr([]byte(src)); err == nil {
			t.Errorf("%s: was read as %s", name, String(e))
		}
	}
}

func FuzzUnmarshalExpr(f *testing.F) {
	for _, l := range wireLiterals() {
		b, err := MarshalExpr(l)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, src := range []string{
		"i + j * 2 > 7 and s like 'a%' or b", "case when i > 1 then upper(k) else s end", "i in (1, j)", "coalesce(i, j)",
		"try_cast(s as DECIMAL(5,2))", "date_trunc('month', d) + INTERVAL '1 day'", "regexp_replace(s, 'a', 'b', 'g')",
		"list_extract([i, j], 1)", "round(m, 1) * m", "concat_ws('-', i, s)", "lpad(s, 3, 'x')", "hash(i, s)", "strptime(s, '%Y')",
	} {
		b, err := MarshalExpr(parse(f, src, testCols...))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		e, err := UnmarshalExpr(data)
		if err != nil {
			return
		}
		once, err := MarshalExpr(e)
		if err != nil {
			t.Fatalf("cannot be written again: %v", err)
		}
		back, err := UnmarshalExpr(once)
		if err != nil || !Equal(e, back) {
			t.Fatalf("%s is not what it was: %v", once, err)
		}
		if twice, _ := MarshalExpr(back); !bytes.Equal(once, twice) {
			t.Fatalf("written as %s, then as %s", once, twice)
		}
		_ = String(e)
		mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
		in := testInput(t, mem)
		empty := sliced(in, 0, 0)
		for _, in := range []Input{in, empty} {
			ev, err := NewEvaluator(e, mem, nil)
			if err != nil {
				continue
			}
			if a, err := ev.Eval(in, nil); err == nil {
				if a.Len() != in.Rows || !holds(a.DataType(), e.Type()) {
					t.Fatalf("%s: %d rows of %s for %d of %s", once, a.Len(), a.DataType(), in.Rows, e.Type())
				}
				a.Release()
			}
			if e.Type().Kind == types.Bool {
				_, _ = ev.Filter(in, []int32{}, nil)
			}
			ev.Close()
		}
		vec.ReleaseAll(in.Cols)
		vec.ReleaseAll(empty.Cols)
		mem.AssertSize(t, 0)
	})
}
