package vec

import (
	"fmt"
	"math"
	"reflect"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/types"
)

func checked(t testing.TB) *memory.CheckedAllocator {
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	t.Cleanup(func() { mem.AssertSize(t, 0) })
	return mem
}

func dec(v int64) decimal128.Num { return decimal128.FromI64(v) }

// samples has values of every type, each with a NULL among them.
var samples = []struct {
	t    types.Type
	vals []any
}{
	{types.BOOL, []any{true, nil, false, true}},
	{types.INT8, []any{int64(-128), nil, int64(127), int64(0)}},
	{types.INT16, []any{int64(-300), nil, int64(300)}},
	{types.INT32, []any{int64(math.MinInt32), nil, int64(7)}},
	{types.INT, []any{int64(math.MinInt64), nil, int64(math.MaxInt64), int64(0)}},
	{types.FLOAT32, []any{1.5, nil, -0.25}},
	{types.FLOAT, []any{math.Inf(1), nil, -1.5, 0.0}},
	{types.DecimalOf(38, 2), []any{dec(150), nil, dec(-1)}},
	{types.STRING, []any{"", nil, "exactly twelv", "short", "a text that is too long for a view to hold", "short"}},
	{types.BYTES, []any{[]byte{}, nil, []byte{0xff, 0}, []byte("thirteen byte")}},
	{types.DATE, []any{arrow.Date32(-1), nil, arrow.Date32(20000)}},
	{types.TIMESTAMP, []any{arrow.Timestamp(-1), nil, arrow.Timestamp(1)}},
	{types.INTERVAL, []any{arrow.MonthDayNanoInterval{Months: 1, Days: -2, Nanoseconds: 3}, nil}},
	{types.ListOf(types.STRING), []any{[]any{"a", nil, "thirteen byte"}, nil, []any{}, []any{"b"}}},
	{types.StructOf(types.Field{Name: "a", Type: types.INT}, types.Field{Name: "b", Type: types.ListOf(types.INT8)}),
		[]any{[]any{int64(1), []any{int64(2)}}, nil, []any{nil, nil}}},
}

// build makes a column of values, by way of FromLiteral and Concat.
func build(t testing.TB, mem memory.Allocator, typ types.Type, vals []any) arrow.Array {
	t.Helper()
	var parts []arrow.Array
	defer func() { ReleaseAll(parts) }()
	for _, v := range append([]any{nil}, vals...) {
		a, err := FromLiteral(mem, v, typ, 1)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, a)
	}
	all, err := Concat(mem, parts)
	if err != nil {
		t.Fatal(err)
	}
	defer all.Release()
	return array.NewSlice(all, 1, int64(all.Len())) // never at offset 0
}

func read(a arrow.Array) []any {
	out := make([]any, a.Len())
	for i := range out {
		out[i] = ValueAt(a, i)
	}
	return out
}

// dictionary encodes a text column.
func dictionary(t testing.TB, mem memory.Allocator, a arrow.Array) arrow.Array {
	var idx []int32
	codes, nulls := make([]int32, a.Len()), NewNulls(mem, a.Len())
	for i := range codes {
		if ValidityOf(a).Null(i) {
			nulls.Set(i)
			codes[i] = 1 << 30 // anything at all may stand under a NULL
			continue
		}
		at := slices.IndexFunc(idx, func(j int32) bool { return Equal(a, i, a, int(j)) })
		if at < 0 {
			at, idx = len(idx), append(idx, int32(i))
		}
		codes[i] = int32(at)
	}
	vals, err := Take(mem, a, idx)
	if err != nil {
		t.Fatal(err)
	}
	defer vals.Release()
	return NewDictionary(mem, codes, vals, &nulls)
}

// layouts returns a column in each of the layouts that its type may have; the
// caller releases them.
func layouts(t testing.TB, mem memory.Allocator, typ types.Type, vals []any) map[string]arrow.Array {
	a := build(t, mem, typ, vals)
	plain, err := Plain(mem, a)
	if err != nil {
		t.Fatal(err)
	}
	dense, err := Compact(mem, a)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]arrow.Array{"as built": a, "plain": plain, "compact": dense}
	if IsText(a.DataType()) {
		out["dictionary"] = dictionary(t, mem, a)
		out["plain dictionary"] = dictionary(t, mem, plain)
	}
	return out
}

func TestLayouts(t *testing.T) {
	for _, s := range samples {
		t.Run(s.t.String(), func(t *testing.T) {
			mem := checked(t)
			all := layouts(t, mem, s.t, s.vals)
			base := make([]uint64, len(s.vals))
			Hash(all["as built"], base, false)
			for name, a := range all {
				defer a.Release()
				if got := read(a); !reflect.DeepEqual(got, s.vals) {
					t.Errorf("%s: reads %v, want %v", name, got, s.vals)
				}
				hashes := make([]uint64, a.Len())
				if Hash(a, hashes, false); !slices.Equal(hashes, base) {
					t.Errorf("%s hashes to %x, as built to %x", name, hashes, base)
				}
				idx := []int32{int32(len(s.vals) - 1), -1, 0, 1, 0}
				last := len(s.vals) - 1
				taken, err := Take(mem, a, idx)
				if err != nil {
					t.Fatal(err)
				}
				want := []any{s.vals[last], nil, s.vals[0], s.vals[1], s.vals[0]}
				if got := read(taken); !reflect.DeepEqual(got, want) {
					t.Errorf("%s: takes %v, want %v", name, got, want)
				}
				for other, b := range all {
					joined, err := Concat(mem, []arrow.Array{taken, b, array.NewNull(1)})
					if err != nil {
						t.Fatal(err)
					}
					if got := read(joined); !reflect.DeepEqual(got, slices.Concat(want, s.vals, []any{nil})) {
						t.Errorf("%s and %s join to %v", name, other, got)
					}
					joined.Release()
					for i := range s.vals {
						if Compare(a, i, b, i) != 0 {
							t.Errorf("row %d differs from itself, %s and %s", i, name, other)
						}
					}
				}
				taken.Release()
				if Bytes(a) <= 0 {
					t.Errorf("%s holds no memory", name)
				}
			}
			rows, err := FromLiteral(mem, s.vals[0], s.t, 3)
			if err != nil {
				t.Fatal(err)
			}
			if got := read(rows); !reflect.DeepEqual(got, []any{s.vals[0], s.vals[0], s.vals[0]}) {
				t.Errorf("a constant column is %v", got)
			}
			rows.Release()
			if _, err := FromLiteral(mem, struct{}{}, s.t, 1); err == nil {
				t.Error("a value of no type was taken")
			}
		})
	}
}

// TestHashGolden pins the hash: a change here breaks clusters and checkpoints.
func TestHashGolden(t *testing.T) {
	mem := checked(t)
	hash := func(typ types.Type, v any) uint64 {
		a, err := FromLiteral(mem, v, typ, 1)
		if err != nil {
			t.Fatal(err)
		}
		defer a.Release()
		out := make([]uint64, 1)
		Hash(a, out, false)
		return out[0]
	}
	for _, tt := range []struct {
		t    types.Type
		v    any
		want uint64
	}{
		{types.INT, nil, 0x6a09e667f3bcc909},
		{types.INT, int64(0), 0xe220a8397b1dcdaf}, // splitmix64 from 0: its published first output
		{types.INT8, int64(0), 0xe220a8397b1dcdaf},
		{types.INT, int64(-1), 0xe4d971771b652c20},
		{types.DecimalOf(5, 2), dec(-100), 0xe4d971771b652c20}, // -1.00
		{types.STRING, "", 0x2d06800538d394c2},                 // XXH3_64bits of nothing
		{types.BYTES, []byte{}, 0x2d06800538d394c2},
		{types.FLOAT, math.Copysign(0, -1), 0xe220a8397b1dcdaf},
	} {
		if got := hash(tt.t, tt.v); got != tt.want {
			t.Errorf("%s %v hashes to %#x, want %#x", tt.t, tt.v, got, tt.want)
		}
	}
	for _, tt := range []struct {
		a, b types.Type
		x, y any
	}{
		{types.FLOAT, types.FLOAT32, 1.5, 1.5},
		{types.FLOAT, types.FLOAT, math.NaN(), math.Float64frombits(0xfff8000000000123)},
		{types.DecimalOf(5, 1), types.DecimalOf(20, 3), dec(15), dec(1500)},
		{types.INTERVAL, types.INTERVAL, arrow.MonthDayNanoInterval{Months: 1}, arrow.MonthDayNanoInterval{Days: 29, Nanoseconds: dayNanos}},
	} {
		if x, y := hash(tt.a, tt.x), hash(tt.b, tt.y); x != y {
			t.Errorf("%v hashes to %#x, %v to %#x", tt.x, x, tt.y, y)
		}
	}
}

func TestOrder(t *testing.T) {
	for _, s := range []struct {
		t    types.Type
		vals []any // ascending, all different
	}{
		{types.INT, []any{int64(math.MinInt64), int64(-1), int64(0), int64(math.MaxInt64), nil}},
		{types.FLOAT, []any{math.Inf(-1), -1.0, 0.0, math.Inf(1), math.NaN(), nil}},
		{types.STRING, []any{"", "B", "a", "a text that is too long A", "a text that is too long B", "ä", nil}},
		{types.BOOL, []any{false, true, nil}},
		{types.DecimalOf(38, 2), []any{decimal128.GetMaxValue(38).Negate(), dec(-1), dec(0), dec(1), nil}},
		{types.INTERVAL, []any{arrow.MonthDayNanoInterval{Nanoseconds: -1}, arrow.MonthDayNanoInterval{Days: 29}, arrow.MonthDayNanoInterval{Months: 1}, nil}},
		{types.ListOf(types.INT), []any{[]any{}, []any{int64(1)}, []any{int64(1), int64(0)}, []any{nil}, nil}},
	} {
		mem := checked(t)
		for name, a := range layouts(t, mem, s.t, s.vals) {
			n := a.Len()
			for i := range n {
				for j := range n {
					want := 0
					if i != j {
						want = map[bool]int{true: -1, false: 1}[i < j]
					}
					if got := Compare(a, i, a, j); got != want {
						t.Errorf("%s %s: compares %v with %v as %d", s.t, name, s.vals[i], s.vals[j], got)
					}
				}
			}
			for o, want := range map[Order][]int{
				{}:                             upTo(n, false, false),
				{Desc: true}:                   upTo(n, true, false),
				{NullsFirst: true}:             upTo(n, false, true),
				{Desc: true, NullsFirst: true}: upTo(n, true, true),
			} {
				rows := upTo(n, false, true)
				f := NewComparator([]arrow.Array{a}, []arrow.Array{a}, []Order{o})
				if slices.SortFunc(rows, f); !slices.Equal(rows, want) {
					t.Errorf("%s %s by %+v: %v, want %v", s.t, name, o, rows, want)
				}
			}
			a.Release()
		}
	}
}

// upTo is the order of n ascending rows of which the last is NULL.
func upTo(n int, desc, nullsFirst bool) []int {
	out := make([]int, n-1)
	for i := range out {
		out[i] = i
	}
	if desc {
		slices.Reverse(out)
	}
	if nullsFirst {
		return append([]int{n - 1}, out...)
	}
	return append(out, n-1)
}

func TestCompareDecimals(t *testing.T) {
	for _, tt := range []struct {
		x    decimal128.Num
		sx   int32
		y    decimal128.Num
		sy   int32
		want int
	}{
		{dec(15), 1, dec(150), 2, 0},
		{dec(math.MaxInt64), 0, decimal128.GetMaxValue(38), 20, 1},
		{decimal128.GetMaxValue(38), 0, decimal128.GetMaxValue(38), 38, 1},
		{dec(-15), 1, dec(-1), 0, -1},
	} {
		if got := CompareDecimals(tt.x, tt.sx, tt.y, tt.sy); got != tt.want {
			t.Errorf("%v, %v: %d", tt.x, tt.y, got)
		}
	}
}

// TestCompactUnpins checks that a few rows do not keep a large buffer.
func TestCompactUnpins(t *testing.T) {
	mem := checked(t)
	b := NewViewBuilder(mem, arrow.BinaryTypes.StringView, 0)
	for i := range 10_000 {
		b.AppendString(fmt.Sprintf("a text too long for a header %d", i))
	}
	all := b.Finish()
	few, err := Take(mem, all, []int32{9999, 5})
	all.Release()
	if err != nil {
		t.Fatal(err)
	}
	defer few.Release()
	own, err := Compact(mem, few)
	if err != nil {
		t.Fatal(err)
	}
	defer own.Release()
	if Bytes(few) < 300_000 || Bytes(own) > 1000 {
		t.Errorf("before %d bytes, after %d", Bytes(few), Bytes(own))
	}
	if got := ValueAt(own, 0); got != "a text too long for a header 9999" {
		t.Errorf("got %v", got)
	}
}

func TestEqualTo(t *testing.T) {
	mem := checked(t)
	texts := []any{"", "a", "twelve bytes", "thirteen byte", "thirteen bytf", "thirteen bytes", "twelve byt\x00", nil}
	for name, a := range layouts(t, mem, types.STRING, texts) {
		r := Strings(a)
		for j, want := range texts[:7] {
			eq := r.EqualTo([]byte(want.(string)))
			for i := range texts[:7] {
				if eq.At(i) != (i == j) {
					t.Errorf("%s: %q = %q is %v", name, texts[i], want, eq.At(i))
				}
			}
		}
		a.Release()
	}
}

func BenchmarkHash(b *testing.B) {
	mem := memory.NewGoAllocator()
	ints := NewFixed[int64](mem, arrow.PrimitiveTypes.Int64, 8192)
	texts := NewViewBuilder(mem, arrow.BinaryTypes.StringView, 8192)
	for i := range ints.Values {
		ints.Values[i] = int64(i)
		texts.AppendString(fmt.Sprintf("a text of some length %d", i))
	}
	out := make([]uint64, 8192)
	for name, a := range map[string]arrow.Array{"int": ints.Finish(), "text": texts.Finish()} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(8192)
			for b.Loop() {
				Hash(a, out, false)
			}
		})
	}
}

func BenchmarkTakeViews(b *testing.B) {
	mem := memory.NewGoAllocator()
	texts := NewViewBuilder(mem, arrow.BinaryTypes.StringView, 8192)
	idx := make([]int32, 8192)
	for i := range idx {
		idx[i] = int32(8191 - i)
		texts.AppendString(fmt.Sprintf("a text of some length %d", i))
	}
	a := texts.Finish()
	b.SetBytes(8192)
	for b.Loop() {
		t, err := Take(mem, a, idx)
		if err != nil {
			b.Fatal(err)
		}
		t.Release()
	}
}

// TestStructOrder sorts structs as DuckDB does: field by field, with what is
// NULL within one last upward and first downward, and a NULL struct last.
func TestStructOrder(t *testing.T) {
	mem := checked(t)
	st := types.StructOf(types.Field{Name: "a", Type: types.INT}, types.Field{Name: "b", Type: types.STRING})
	var parts []arrow.Array
	defer func() { ReleaseAll(parts) }()
	for _, v := range []any{[]any{int64(2), "x"}, []any{int64(1), nil}, nil, []any{int64(1), "y"}, []any{nil, "a"}, []any{int64(2), "a"}} {
		a, err := FromLiteral(mem, v, st, 1)
		if err != nil {
			t.Fatal(err)
		}
		parts = append(parts, a)
	}
	all, err := Concat(mem, parts)
	if err != nil {
		t.Fatal(err)
	}
	defer all.Release()
	for _, tt := range []struct {
		order Order
		want  []int
	}{
		{Order{}, []int{3, 1, 5, 0, 4, 2}},
		{Order{Desc: true}, []int{4, 0, 5, 1, 3, 2}},
		{Order{Desc: true, NullsFirst: true}, []int{2, 4, 0, 5, 1, 3}},
	} {
		got := []int{0, 1, 2, 3, 4, 5}
		slices.SortFunc(got, NewComparator([]arrow.Array{all}, []arrow.Array{all}, []Order{tt.order}))
		if !slices.Equal(got, tt.want) {
			t.Errorf("%+v: %v, want %v", tt.order, got, tt.want)
		}
	}
}
