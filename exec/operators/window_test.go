package operators_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/exec/operators"
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
	"github.com/rainsql/rainsql/planner/dag"
)

// The rows of these tests: a partition, a key to order by, and a value, of
// which each may be NULL.
const (
	colPart = iota
	colKey
	colValue
	colFloat
	colLow  // key - 2
	colHigh // key + 3
	columns
)

type row [columns]any

var columnTypes = []types.Type{types.INT, types.INT, types.INT, types.FLOAT, types.INT, types.INT}

func column(i int) *expr.Column {
	return &expr.Column{ID: i, Name: fmt.Sprint("c", i), T: columnTypes[i]}
}

func randomRows(r *rand.Rand, n int) []row {
	out := make([]row, n)
	maybe := func(v any) any {
		if r.IntN(6) == 0 {
			return nil
		}
		return v
	}
	for i := range out {
		key := maybe(int64(r.IntN(1 + n/4)))
		out[i] = row{maybe(int64(r.IntN(2))), key, maybe(int64(r.IntN(7) - 3)), maybe(float64(r.IntN(64)) / 4), nil, nil}
		if k, ok := key.(int64); ok {
			out[i][colLow], out[i][colHigh] = k-2, k+3
		}
	}
	return out
}

// collect keeps what an operator yields.
type collect struct{ rows [][]any }

func (c *collect) Push(_ context.Context, b *op.Batch) (op.Flow, error) {
	for i := range b.Rows {
		var out []any
		for _, col := range b.Cols {
			out = append(out, vec.ValueAt(col, i))
		}
		c.rows = append(c.rows, out)
	}
	return op.More, nil
}

func batch(t *testing.T, mem memory.Allocator, rows []row) *op.Batch {
	t.Helper()
	b := &op.Batch{Rows: len(rows), Split: -1}
	for c, ct := range columnTypes {
		parts := make([]arrow.Array, len(rows))
		for i, r := range rows {
			var err error
			if parts[i], err = vec.FromLiteral(mem, r[c], ct, 1); err != nil {
				t.Fatal(err)
			}
		}
		col, err := vec.Concat(mem, parts)
		vec.ReleaseAll(parts)
		if err != nil {
			t.Fatal(err)
		}
		b.Cols = append(b.Cols, col)
	}
	return b
}

func runWindow(ctx context.Context, t *testing.T, mem memory.Allocator, limit int64, spec *dag.Window, rows []row) ([][]any, error) {
	t.Helper()
	w := operators.NewWindow(spec)
	defer func() {
		if err := w.Close(); err != nil {
			t.Error(err)
		}
	}()
	if err := w.Open(ctx, &op.Env{Alloc: mem, Memory: op.NewMemory(limit)}); err != nil {
		t.Fatal(err)
	}
	out := &collect{}
	for from := 0; from < len(rows); from += 37 {
		b := batch(t, mem, rows[from:min(from+37, len(rows))])
		_, err := w.Push(ctx, 0, b, out)
		b.Release()
		if err != nil {
			return nil, err
		}
	}
	return out.rows, w.Finish(ctx, 0, out)
}

func at(i int) *int { return &i }

// testFrames are frames of every unit, short and long ones.
func testFrames() []dag.Frame {
	bound := func(kind dag.BoundKind, n int64) dag.Bound { return dag.Bound{Kind: kind, Offset: n} }
	first, last, here := bound(dag.UnboundedPreceding, 0), bound(dag.UnboundedFollowing, 0), bound(dag.CurrentRow, 0)
	var out []dag.Frame
	for _, unit := range []string{"rows", "groups", "range"} {
		out = append(out, dag.Frame{Unit: unit, Start: first, End: here}, dag.Frame{Unit: unit, Start: here, End: last}, dag.Frame{Unit: unit, Start: first, End: last})
		if unit != "range" {
			for _, n := range [][2]int64{{2, 1}, {50, 3}, {0, 90}} {
				out = append(out, dag.Frame{Unit: unit, Start: bound(dag.Preceding, n[0]), End: bound(dag.Following, n[1])})
			}
			out = append(out, dag.Frame{Unit: unit, Start: bound(dag.Preceding, 1), End: bound(dag.Preceding, 3)},
				dag.Frame{Unit: unit, Start: bound(dag.Following, 2), End: bound(dag.Following, 1<<40)})
		}
	}
	low, high := dag.Bound{Kind: dag.Preceding, Limit: at(colLow)}, dag.Bound{Kind: dag.Following, Limit: at(colHigh)}
	return append(out, dag.Frame{Unit: "range", Start: low, End: high}, dag.Frame{Unit: "range", Start: first, End: high}, dag.Frame{Unit: "range", Start: low, End: last})
}

func testAggregates(t *testing.T) []*expr.AggCall {
	var out []*expr.AggCall
	add := func(fn string, distinct bool, filter expr.Expr, args ...expr.Expr) {
		call, err := expr.NewAgg(fn, args, distinct, filter, nil)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, call)
	}
	v, f := column(colValue), column(colFloat)
	positive, err := expr.NewCall(">", v, expr.Constant(int64(0)))
	if err != nil {
		t.Fatal(err)
	}
	add("count", false, nil)
	for _, fn := range []string{"count", "sum", "avg"} {
		add(fn, false, nil, v)
		add(fn, true, nil, v)
		add(fn, false, positive, v)
		add(fn, true, positive, f)
	}
	for _, fn := range []string{"min", "max", "first", "last", "any_value", "list", "mode"} {
		add(fn, false, nil, v)
		add(fn, false, positive, f)
	}
	add("sum", false, nil, f)
	add("stddev_samp", false, nil, f)
	add("arg_max", false, nil, v, f)
	add("quantile_disc", false, nil, v, expr.Constant(0.3))
	add("quantile_cont", false, positive, f, expr.Constant(0.7))
	add("median", true, nil, f)
	return out
}

// Aggregates give, for each frame, what they give of the frame's rows alone.
func TestWindowAggregates(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{1, 30, 210} {
		rows := randomRows(r, n)
		calls := testAggregates(t)
		o := newOracle(t, rows, calls)
		for _, frame := range testFrames() {
			order := dag.SortKey{Column: colKey, Desc: r.IntN(2) == 0 && frame.Start.Limit == nil && frame.End.Limit == nil, NullsFirst: r.IntN(2) == 0}
			spec := &dag.Window{Partition: []int{colPart}, Order: []dag.SortKey{order}}
			for _, c := range calls {
				spec.Items = append(spec.Items, dag.WindowItem{Name: c.Fn, Agg: &dag.Agg{AggCall: c}, Frame: frame, Type: c.T})
			}
			var inside []int
			checkWindow(t, spec, rows, func(row int, part []int, k int) any {
				if k == 0 {
					lo, hi := naiveFrame(rows, part, slices.Index(part, row), order, frame)
					inside = part[lo:max(lo, hi)]
				}
				return o.aggregate(t, calls[k], inside)
			})
		}
	}
}

// Functions that need no frame, by their definitions.
func TestWindowRanks(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	rows := randomRows(r, 200)
	order := dag.SortKey{Column: colKey, Desc: true}
	spec := &dag.Window{Partition: []int{colPart}, Order: []dag.SortKey{order}}
	item := func(fn string, t types.Type, args ...expr.Expr) {
		it := dag.WindowItem{Name: fn, Fn: fn, Type: t}
		for _, a := range args {
			it.Args = append(it.Args, dag.Expr{Expr: a})
		}
		spec.Items = append(spec.Items, it)
	}
	item("row_number", types.INT)
	item("rank", types.INT)
	item("dense_rank", types.INT)
	item("percent_rank", types.FLOAT)
	item("cume_dist", types.FLOAT)
	item("ntile", types.INT, expr.Constant(int64(7)))
	item("lag", types.INT, column(colValue), expr.Constant(int64(2)), column(colKey))
	item("lead", types.INT, column(colValue), column(colValue))
	checkWindow(t, spec, rows, func(row int, part []int, k int) any {
		i := slices.Index(part, row)
		before, peers, kinds := 0, 0, map[any]bool{}
		for j, other := range part {
			switch {
			case rows[other][colKey] == rows[row][colKey]:
				peers++
			case j < i:
				before++
				kinds[rows[other][colKey]] = true
			}
		}
		n := len(part)
		switch k {
		case 0:
			return int64(i + 1)
		case 1:
			return int64(before + 1)
		case 2:
			return int64(len(kinds) + 1)
		case 3:
			if n == 1 {
				return 0.0
			}
			return float64(before) / float64(n-1)
		case 4:
			return float64(before+peers) / float64(n)
		case 5: // deal out: the first n%7 parts have one more
			left, part := i, 1
			for size := 0; ; part++ {
				if size = n / 7; part <= n%7 {
					size++
				}
				if left < size {
					return int64(part)
				}
				left -= size
			}
		case 6:
			if i < 2 {
				return rows[row][colKey]
			}
			return rows[part[i-2]][colValue]
		}
		by, ok := rows[row][colValue].(int64)
		if !ok || i+int(by) < 0 || i+int(by) >= n {
			return nil
		}
		return rows[part[i+int(by)]][colValue]
	})
}

// checkWindow runs an operator and holds each result against want, of a row, the
// rows of its partition in order, and the item.
func checkWindow(t *testing.T, spec *dag.Window, rows []row, want func(row int, part []int, item int) any) {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	got, err := runWindow(context.Background(), t, mem, 0, spec, rows)
	if err != nil {
		t.Fatal(err)
	}
	if len(got) != len(rows) {
		t.Fatalf("%d rows, want %d", len(got), len(rows))
	}
	order := spec.Order[0]
	for i := range rows {
		if !reflect.DeepEqual(got[i][:columns], rows[i][:]) {
			t.Fatalf("row %d is %v, want %v", i, got[i][:columns], rows[i])
		}
		var part []int
		for j := range rows {
			if rows[j][colPart] == rows[i][colPart] {
				part = append(part, j)
			}
		}
		slices.SortStableFunc(part, func(a, b int) int { return compareKeys(rows[a][colKey], rows[b][colKey], order) })
		for k, it := range spec.Items {
			if w := want(i, part, k); !close64(got[i][columns+k], w) {
				t.Fatalf("%s over %+v, row %d of %d (%v): %v, want %v", it.Name, it.Frame, i, len(rows), rows[i], got[i][columns+k], w)
			}
		}
	}
}

func compareKeys(a, b any, k dag.SortKey) int {
	switch {
	case a == nil && b == nil:
		return 0
	case a == nil || b == nil:
		if (a == nil) == k.NullsFirst {
			return -1
		}
		return 1
	}
	c := int(a.(int64) - b.(int64))
	if k.Desc {
		return -c
	}
	return c
}

// naiveFrame is the rows of a partition that row i sees, by going over all of them.
func naiveFrame(rows []row, part []int, i int, k dag.SortKey, f dag.Frame) (lo, hi int) {
	key := func(j int) any { return rows[part[j]][colKey] }
	peers := make([]int, len(part)) // numbers those with equal keys alike
	for j := range part[1:] {
		peers[j+1] = peers[j]
		if key(j+1) != key(j) {
			peers[j+1]++
		}
	}
	in := func(j int, b dag.Bound, start bool) bool { // j is not outside of this end
		sign := 1
		if !start {
			sign = -1
		}
		n := int(min(b.Offset, 1<<20))
		switch b.Kind {
		case dag.UnboundedPreceding, dag.UnboundedFollowing:
			return true
		case dag.Preceding:
			n = -n
		case dag.CurrentRow:
			n = 0
		}
		switch {
		case f.Unit == "rows":
			return (j-i-n)*sign >= 0
		case f.Unit == "groups" || b.Limit == nil:
			return (peers[j]-peers[i]-n)*sign >= 0
		case key(i) == nil:
			return compareKeys(key(j), nil, k)*sign >= 0
		}
		limit := rows[part[i]][*b.Limit]
		return compareKeys(key(j), limit, k)*sign >= 0
	}
	lo = -1
	for j := range part {
		if in(j, f.Start, true) && in(j, f.End, false) {
			if lo < 0 {
				lo = j
			}
			hi = j + 1
		}
	}
	return max(lo, 0), hi
}

// oracle computes aggregates of some of the rows, apart from any window.
type oracle struct {
	rows []row
	args map[*expr.AggCall][]arrow.Array // of all rows
}

func newOracle(t *testing.T, rows []row, calls []*expr.AggCall) *oracle {
	t.Helper()
	mem := memory.DefaultAllocator
	o := &oracle{rows: rows, args: map[*expr.AggCall][]arrow.Array{}}
	b := batch(t, mem, rows)
	for _, call := range calls {
		for _, e := range call.Inputs() {
			ev, err := expr.NewEvaluator(e, mem, nil)
			if err != nil {
				t.Fatal(err)
			}
			col, err := ev.Eval(b.Input(), nil)
			if err != nil {
				t.Fatal(err)
			}
			o.args[call] = append(o.args[call], col)
		}
	}
	return o
}

func (o *oracle) aggregate(t *testing.T, call *expr.AggCall, inside []int) any {
	t.Helper()
	acc, err := expr.NewAccumulator(call, memory.DefaultAllocator)
	if err != nil {
		t.Fatal(err)
	}
	defer acc.Release()
	acc.Resize(1)
	var chosen []int32
	for _, i := range inside {
		if v, ok := o.rows[i][colValue].(int64); call.Filter == nil || ok && v > 0 {
			chosen = append(chosen, int32(i))
		}
	}
	if len(chosen) > 0 {
		var args []arrow.Array
		for _, a := range o.args[call] {
			col, err := vec.Take(memory.DefaultAllocator, a, chosen)
			if err != nil {
				t.Fatal(err)
			}
			args = append(args, col)
		}
		if err := acc.Update(make([]uint32, len(chosen)), args); err != nil {
			t.Fatal(err)
		}
	}
	col, err := acc.Result()
	if err != nil {
		t.Fatal(err)
	}
	return vec.ValueAt(col, 0)
}

// close64 compares values, FLOATs up to rounding.
func close64(a, b any) bool {
	x, ok1 := a.(float64)
	y, ok2 := b.(float64)
	if ok1 && ok2 {
		return x-y < 1e-9 && y-x < 1e-9
	}
	return reflect.DeepEqual(a, b)
}

// What fails or is stopped frees all it holds.
func TestWindowFails(t *testing.T) {
	rows := randomRows(rand.New(rand.NewPCG(5, 6)), 300)
	frame := dag.Frame{Unit: "rows", Start: dag.Bound{Kind: dag.Preceding, Offset: 100}, End: dag.Bound{Kind: dag.CurrentRow}}
	var items []dag.WindowItem
	for _, c := range testAggregates(t) {
		items = append(items, dag.WindowItem{Name: c.Fn, Agg: &dag.Agg{AggCall: c}, Frame: frame, Type: c.T})
	}
	ntile := dag.WindowItem{Name: "ntile", Fn: "ntile", Args: []dag.Expr{{Expr: column(colValue)}}, Type: types.INT}
	run := func(name string, ctx context.Context, limit int64, items []dag.WindowItem) {
		t.Run(name, func(t *testing.T) {
			mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
			defer mem.AssertSize(t, 0)
			spec := &dag.Window{Partition: []int{colPart}, Order: []dag.SortKey{{Column: colKey}}, Items: items}
			if _, err := runWindow(ctx, t, mem, limit, spec, rows); err == nil {
				t.Error("no error")
			}
		})
	}
	ended, end := context.WithCancel(context.Background())
	end()
	run("stopped", ended, 0, items)
	run("a wrong argument", context.Background(), 0, append(items[:len(items):len(items)], ntile))
	for limit := int64(10_000); limit < 60_000; limit += 1_000 {
		run(fmt.Sprintf("memory of %d bytes", limit), context.Background(), limit, append(items[:len(items):len(items)], ntile))
	}
}
