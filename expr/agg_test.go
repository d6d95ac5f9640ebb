package expr

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// parseAgg reads f([DISTINCT] args [ORDER BY key [DESC]]).
func parseAgg(t testing.TB, src string, cols ...types.Field) *AggCall {
	t.Helper()
	name, rest, _ := strings.Cut(strings.TrimSuffix(src, ")"), "(")
	rest, distinct := strings.CutPrefix(rest, "DISTINCT ")
	var keys []SortKey
	if args, key, ok := strings.Cut(rest, " ORDER BY "); ok {
		k, desc := strings.CutSuffix(key, " DESC")
		rest, keys = args, []SortKey{{Expr: parse(t, k, cols...), Desc: desc}}
	}
	var args []Expr
	if rest != "*" {
		r := &reader{toks: lex(rest + ")"), cols: cols}
		args = r.args(")")
	}
	c, err := NewAgg(name, args, distinct, nil, keys)
	if err != nil {
		t.Fatalf("%s: %v", src, err)
	}
	return c
}

// feed evaluates the inputs of c over in and adds them.
func feed(t testing.TB, mem memory.Allocator, acc Accumulator, c *AggCall, in Input, groups []uint32) {
	t.Helper()
	var args []arrow.Array
	defer func() { vec.ReleaseAll(args) }()
	for _, e := range c.Inputs() {
		ev, err := NewEvaluator(e, mem, nil)
		if err != nil {
			t.Fatal(err)
		}
		a, err := ev.Eval(in, nil)
		ev.Close()
		if err != nil {
			t.Fatal(err)
		}
		args = append(args, a)
	}
	if err := acc.Update(groups, args); err != nil {
		t.Fatal(err)
	}
}

func newAcc(t testing.TB, c *AggCall, mem memory.Allocator, groups int) Accumulator {
	t.Helper()
	acc, err := NewAccumulator(c, mem)
	if err != nil {
		t.Fatal(err)
	}
	acc.Resize(groups)
	return acc
}

// column makes a column of RQL constants, such as "1, NULL, 3".
func makeColumn(t testing.TB, mem memory.Allocator, typ types.Type, vals ...string) arrow.Array {
	t.Helper()
	parts := make([]arrow.Array, len(vals))
	for i, v := range vals {
		var e Expr = Null(typ)
		if v != "NULL" {
			var err error
			if e, err = NewCast(Constant(v), typ, false); err != nil {
				t.Fatal(err)
			}
		}
		l, ok := e.(*Literal)
		if !ok {
			t.Fatalf("%q is no %s", v, typ)
		}
		a, err := vec.FromLiteral(mem, l.Value, typ, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Release()
		parts[i] = a
	}
	if len(parts) == 0 {
		a, err := vec.FromLiteral(mem, nil, typ, 0)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	all, err := vec.Concat(mem, parts)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func TestAggregateExamples(t *testing.T) {
	x := types.Field{Name: "x", Type: types.INT}
	for _, f := range Functions() {
		if !f.Aggregate {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			mem := checked(t)
			c := parseAgg(t, f.Example, x)
			acc := newAcc(t, c, mem, 1)
			defer acc.Release()
			col := makeColumn(t, mem, types.INT, "1", "2", "3")
			defer col.Release()
			feed(t, mem, acc, c, Input{Cols: []arrow.Array{col}, Rows: 3}, make([]uint32, 3))
			res, err := acc.Result()
			if err != nil {
				t.Fatal(err)
			}
			defer res.Release()
			if got := printed(mem, res); got[0] != f.Result {
				t.Errorf("%s over 1, 2, 3 = %s, want %s", f.Example, got, f.Result)
			}
		})
	}
}

// TestAggregates checks results worked by hand, over two groups, a third being
// empty, each time whole, in two batches, and by way of states.
func TestAggregates(t *testing.T) {
	cols := []types.Field{
		{Name: "i", Type: types.INT}, {Name: "f", Type: types.FLOAT}, {Name: "s", Type: types.STRING},
		{Name: "d", Type: types.DecimalOf(5, 2)}, {Name: "b", Type: types.BOOL}, {Name: "n", Type: types.INT8}, {Name: "t", Type: types.DATE},
	}
	data := [][]string{
		{"5", "1", "9", "NULL", "1", "1", "4", "NULL"},
		{"1.5", "nan", "0.5", "2", "NULL", "1", "3", "NULL"},
		{"pear", "apple and more than twelve", "fig", "NULL", "", "apple and more than twelve", "zoo", "kiwi"},
		{"1.25", "2.50", "3.75", "NULL", "-1.25", "2.50", "0.01", "NULL"},
		{"true", "false", "true", "NULL", "true", "false", "true", "NULL"},
		{"100", "1", "100", "NULL", "1", "1", "127", "NULL"},
		{"2026-01-01", "2026-01-05", "2026-01-03", "NULL", "2026-01-05", "2026-01-05", "2025-01-01", "NULL"},
	}
	groups := []uint32{0, 1, 0, 0, 1, 1, 0, 1}
	for _, tt := range []struct{ src, g0, g1, empty string }{
		{"count(*)", "4", "4", "0"},
		{"count(i)", "3", "3", "0"},
		{"count(DISTINCT i)", "3", "1", "0"},
		{"sum(i)", "18", "3", "NULL"},
		{"sum(n)", "327", "3", "NULL"},
		{"sum(b)", "3", "1", "NULL"},
		{"sum(DISTINCT i)", "18", "1", "NULL"},
		{"sum(f)", "7.0", "nan", "NULL"},
		{"sum(d)", "5.01", "3.75", "NULL"},
		{"avg(i)", "6.0", "1.0", "NULL"},
		{"avg(d)", "1.67", "1.25", "NULL"},
		{"min(i)", "4", "1", "NULL"},
		{"max(n)", "127", "1", "NULL"},
		{"min(f)", "0.5", "1.0", "NULL"},
		{"max(f)", "3.0", "nan", "NULL"},
		{"min(s)", "fig", "", "NULL"},
		{"max(s)", "zoo", "kiwi", "NULL"},
		{"max(d)", "3.75", "2.50", "NULL"},
		{"min(t)", "2025-01-01", "2026-01-05", "NULL"},
		{"bool_and(b)", "true", "false", "NULL"},
		{"bool_or(b)", "true", "true", "NULL"},
		{"first(s)", "pear", "apple and more than twelve", "NULL"},
		{"last(s)", "zoo", "kiwi", "NULL"},
		{"last(i)", "4", "NULL", "NULL"},
		{"any_value(i)", "5", "1", "NULL"},
		{"first(s ORDER BY i DESC)", "fig", "apple and more than twelve", "NULL"},
		{"arg_max(s, i)", "fig", "apple and more than twelve", "NULL"},
		{"arg_min(s, d)", "zoo", "", "NULL"},
		{"list(i)", "[5,9,null,4]", "[1,1,1,null]", "NULL"},
		{"list(i ORDER BY i DESC)", "[9,5,4,null]", "[1,1,1,null]", "NULL"},
		{"list(DISTINCT i)", "[5,9,null,4]", "[1,null]", "NULL"},
		{"string_agg(s, '+')", "pear+fig+zoo", "apple and more than twelve++apple and more than twelve+kiwi", "NULL"},
		{"string_agg(DISTINCT s, '+' ORDER BY s)", "fig+pear+zoo", "+apple and more than twelve+kiwi", "NULL"},
		{"median(i)", "5.0", "1.0", "NULL"},
		{"median(t)", "2026-01-01 00:00:00", "2026-01-05 00:00:00", "NULL"},
		{"quantile_cont(i, 0.75)", "7.0", "1.0", "NULL"},
		{"quantile_disc(s, 0.5)", "pear", "apple and more than twelve", "NULL"},
		{"mode(n)", "100", "1", "NULL"},
		{"var_samp(i)", "7.0", "0.0", "NULL"},
		{"var_pop(i)", "4.666666666666667", "0.0", "NULL"},
		{"stddev(d)", "1.9050459312048096", "2.165063509461097", "NULL"},
		{"covar_samp(i, i)", "7.0", "0.0", "NULL"},
		{"corr(i, -i)", "-1.0", "nan", "NULL"},
		{"approx_count_distinct(s)", "3", "3", "0"},
		{"approx_quantile(i, 0.5)", "5.0", "1.0", "NULL"},
	} {
		t.Run(tt.src, func(t *testing.T) {
			mem := checked(t)
			in := Input{Rows: len(groups)}
			defer func() { vec.ReleaseAll(in.Cols) }()
			for i, c := range cols {
				in.Cols = append(in.Cols, makeColumn(t, mem, c.Type, data[i]...))
			}
			c := parseAgg(t, tt.src, cols...)
			if wire, err := MarshalAgg(c); err != nil {
				t.Error(err)
			} else if c, err = UnmarshalAgg(wire); err != nil {
				t.Fatalf("%s: %v", wire, err)
			}
			want := []string{tt.g0, tt.g1, tt.empty}
			check := func(how string, acc Accumulator) {
				res, err := acc.Result()
				if err != nil {
					t.Fatal(err)
				}
				defer res.Release()
				if got := printed(mem, res); !slices.Equal(got, want) {
					t.Errorf("%s: got %q, want %q", how, got, want)
				}
			}
			whole := newAcc(t, c, mem, 3)
			defer whole.Release()
			feed(t, mem, whole, c, in, groups)
			check("whole", whole)

			parts, merged := newAcc(t, c, mem, 1), newAcc(t, c, mem, 3)
			defer parts.Release()
			defer merged.Release()
			for _, r := range [][2]int{{0, 3}, {3, len(groups)}} {
				cut := sliced(in, r[0], r[1])
				parts.Resize(3)
				feed(t, mem, parts, c, cut, groups[r[0]:r[1]])
				one := newAcc(t, c, mem, 3)
				feed(t, mem, one, c, cut, groups[r[0]:r[1]])
				state, err := one.State()
				one.Release()
				if err != nil {
					t.Fatal(err)
				}
				for i, st := range c.StateTypes() {
					if !holds(state[i].DataType(), st) {
						t.Errorf("state %d is %s, not %s", i, state[i].DataType(), st)
					}
				}
				err = merged.Merge([]uint32{0, 1, 2}, state)
				vec.ReleaseAll(state)
				vec.ReleaseAll(cut.Cols)
				if err != nil {
					t.Fatal(err)
				}
			}
			check("in batches", parts)
			check("merged", merged)
			if merged.Bytes() <= 0 {
				t.Error("no memory is accounted for")
			}
		})
	}
}

func TestSumOverflow(t *testing.T) {
	mem := checked(t)
	c := parseAgg(t, "sum(x)", types.Field{Name: "x", Type: types.INT})
	acc := newAcc(t, c, mem, 1)
	defer acc.Release()
	for i, vals := range [][]string{{"9223372036854775807", "1"}, {"-2"}} {
		col := makeColumn(t, mem, types.INT, vals...)
		feed(t, mem, acc, c, Input{Cols: []arrow.Array{col}, Rows: len(vals)}, make([]uint32, len(vals)))
		col.Release()
		res, err := acc.Result()
		if i == 0 {
			if err == nil || !strings.Contains(err.Error(), "9223372036854775808 does not fit INT") {
				t.Errorf("got %v", err)
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := printed(mem, res)[0]; got != "9223372036854775806" {
			t.Errorf("a sum that returns into range is %s", got)
		}
		res.Release()
	}
}

// TestManyGroups checks the accumulators that rewrite their rows against maps.
func TestManyGroups(t *testing.T) {
	mem := checked(t)
	x := types.Field{Name: "x", Type: types.STRING}
	least, texts := map[uint32]string{}, map[uint32]map[string]bool{}
	minimum, count := parseAgg(t, "min(x)", x), parseAgg(t, "count(DISTINCT x)", x)
	a, b := newAcc(t, minimum, mem, 500), newAcc(t, count, mem, 500)
	defer a.Release()
	defer b.Release()
	r := rand.New(rand.NewPCG(1, 2))
	for range 150 {
		vals, groups := make([]string, 50), make([]uint32, 50)
		for i := range vals {
			vals[i], groups[i] = strings.Repeat(string(rune('a'+r.IntN(26))), 1+r.IntN(20)), uint32(r.IntN(500))
			if v, ok := least[groups[i]]; !ok || vals[i] < v {
				least[groups[i]] = vals[i]
			}
			if texts[groups[i]] == nil {
				texts[groups[i]] = map[string]bool{}
			}
			texts[groups[i]][vals[i]] = true
		}
		col := makeColumn(t, mem, types.STRING, vals...)
		feed(t, mem, a, minimum, Input{Cols: []arrow.Array{col}, Rows: 50}, groups)
		feed(t, mem, b, count, Input{Cols: []arrow.Array{col}, Rows: 50}, groups)
		col.Release()
	}
	got, err := a.Result()
	if err != nil {
		t.Fatal(err)
	}
	defer got.Release()
	n, err := b.Result()
	if err != nil {
		t.Fatal(err)
	}
	defer n.Release()
	for g := range 500 {
		v := vec.ValueAt(got, g)
		if want, ok := least[uint32(g)]; ok && v != want || !ok && v != nil {
			t.Errorf("group %d: least is %v, want %q", g, v, want)
		}
		if v := vec.ValueAt(n, g); v != int64(len(texts[uint32(g)])) {
			t.Errorf("group %d: %v different, want %d", g, v, len(texts[uint32(g)]))
		}
	}
}

func TestSketches(t *testing.T) {
	mem := checked(t)
	x := types.Field{Name: "x", Type: types.INT}
	const n = 100_000
	b := vec.NewFixed[int64](mem, arrow.PrimitiveTypes.Int64, n)
	for i := range b.Values {
		b.Values[i] = int64(i)
	}
	col := b.Finish()
	defer col.Release()
	for _, tt := range []struct {
		src       string
		want, off float64
	}{
		{"approx_count_distinct(x)", n, 0.05},
		{"approx_quantile(x, 0.5)", n / 2, 0.02},
		{"approx_quantile(x, 0.99)", n * 0.99, 0.005},
	} {
		c := parseAgg(t, tt.src, x)
		acc, other := newAcc(t, c, mem, 1), newAcc(t, c, mem, 1)
		feed(t, mem, acc, c, Input{Cols: []arrow.Array{col}, Rows: n}, make([]uint32, n))
		feed(t, mem, other, c, Input{Cols: []arrow.Array{col}, Rows: n}, make([]uint32, n))
		state, err := other.State()
		if err != nil {
			t.Fatal(err)
		}
		if err := acc.Merge([]uint32{0}, state); err != nil { // the same values again
			t.Fatal(err)
		}
		vec.ReleaseAll(state)
		res, err := acc.Result()
		if err != nil {
			t.Fatal(err)
		}
		var got float64
		switch v := vec.ValueAt(res, 0).(type) {
		case int64:
			got = float64(v)
		case float64:
			got = v
		}
		if math.Abs(got-tt.want) > tt.off*tt.want {
			t.Errorf("%s = %v, want about %v", tt.src, got, tt.want)
		}
		res.Release()
		acc.Release()
		other.Release()
	}
}
