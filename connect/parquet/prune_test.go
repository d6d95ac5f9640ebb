package parquet

import (
	"context"
	"errors"
	"io"
	"math"
	"math/rand/v2"
	"os"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/internal/conntest"
	"github.com/rainsql/rainsql/connect/internal/damage"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// selected reads all columns and returns the rows that fulfil the conditions,
// judged anew by the plain rules of the language.
func selected(t *testing.T, src connect.Source, where, tell []connect.Condition, batch int) (rows [][]string, st connect.Stats) {
	t.Helper()
	splits, err := src.Splits(0)
	if err != nil {
		t.Fatal(err)
	}
	mem := memory.NewCheckedAllocator(memory.NewGoAllocator())
	defer mem.AssertSize(t, 0)
	for _, s := range splits {
		r, err := src.Open(context.Background(), s, connect.Scan{Columns: conntest.Columns(src), Where: tell, BatchRows: batch, Alloc: mem})
		if err != nil {
			t.Fatal(err)
		}
		for {
			b, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
			for i := range b.Rows {
				keep := true
				for _, c := range where {
					keep = keep && fulfils(vec.ValueAt(b.Columns[c.Index], i), c)
				}
				if keep {
					_, line := b.Origin.Locate(i)
					rows = append(rows, append(conntest.Row(b.Columns, i), string(rune(line))))
				}
			}
			b.Release()
		}
		one := r.Stats()
		st.Pruned += one.Pruned
		st.Bytes += one.Bytes
		st.Rows += one.Rows
		r.Close()
	}
	return rows, st
}

func fulfils(v any, c connect.Condition) bool {
	if v == nil {
		return c.Op == connect.IsNull
	}
	sign := 0
	switch want := c.Value.(type) {
	case nil:
		return c.Op == connect.NotNull
	case int64:
		have, ok := v.(int64)
		if d, isDate := v.(arrow.Date32); isDate {
			have, ok = int64(d), true
		}
		if ts, isTime := v.(arrow.Timestamp); isTime {
			have, ok = int64(ts), true
		}
		if !ok {
			return false
		}
		if sign = 1; have < want {
			sign = -1
		} else if have == want {
			sign = 0
		}
	case float64:
		have := v.(float64)
		switch {
		case math.IsNaN(have) || have > want:
			sign = 1
		case have < want:
			sign = -1
		}
	case string:
		if b, ok := v.([]byte); ok {
			v = string(b)
		}
		sign = strings.Compare(v.(string), want)
	case decimal128.Num:
		sign = v.(decimal128.Num).Cmp(want)
	case bool:
		sign = b2i(v.(bool)) - b2i(want)
	}
	switch c.Op {
	case connect.Equal:
		return sign == 0
	case connect.Less:
		return sign < 0
	case connect.LessEqual:
		return sign <= 0
	case connect.Greater:
		return sign > 0
	}
	return c.Op == connect.GreaterEqual && sign >= 0
}

// constantOf takes a value of the column in the form of conditions; nil for NULL and NaN.
func constantOf(a arrow.Array, i int) any {
	switch v := vec.ValueAt(a, i).(type) {
	case arrow.Date32:
		return int64(v)
	case arrow.Timestamp:
		return int64(v)
	case []byte:
		return string(v)
	case float64:
		if !math.IsNaN(v) {
			return v
		}
	case int64, string, decimal128.Num, bool:
		return v
	}
	return nil
}

// Where leaves out only rows that do not matter, whatever the data, the writer
// and the condition.
func TestWhereKeepsRows(t *testing.T) {
	names, files := samples(t)
	schema := damage.Every()
	cols := damage.Table(t, checked(t), 5, schema, 400)
	names, files["random"] = append(names, "random", "random"), writeTable(t, schema, cols, 400, 23)
	r := rand.New(rand.NewPCG(9, 9))
	for _, name := range names {
		src := open(t, files[name], connect.Options{})
		pool := columnsOf(t, src)
		for range 25 {
			var where []connect.Condition
			for range 1 + r.IntN(2) {
				c := connect.Condition{Index: r.IntN(len(src.Schema())), Op: connect.Comparison(r.IntN(int(connect.NotNull) + 1))}
				if c.Op < connect.IsNull {
					if a := pool[c.Index]; a.Len() == 0 || src.Schema()[c.Index].Type.IsNested() {
						continue
					} else if c.Value = constantOf(a, r.IntN(a.Len())); c.Value == nil {
						continue
					}
				}
				where = append(where, c)
			}
			want, _ := selected(t, src, where, nil, 10)
			got, _ := selected(t, src, where, where, 10)
			if len(got) != len(want) {
				t.Fatalf("%s: %+v: %d rows, want %d", name, where, len(got), len(want))
			}
			compare(t, got, want)
		}
	}
}

// columnsOf reads whole columns.
func columnsOf(t *testing.T, src connect.Source) []arrow.Array {
	t.Helper()
	parts := make([][]arrow.Array, len(src.Schema()))
	splits, _ := src.Splits(0)
	for _, s := range splits {
		r, err := src.Open(context.Background(), s, connect.Scan{Columns: conntest.Columns(src), Alloc: memory.DefaultAllocator})
		if err != nil {
			t.Fatal(err)
		}
		for {
			b, err := r.Next()
			if err != nil {
				break
			}
			for i, c := range b.Columns {
				parts[i] = append(parts[i], c)
			}
		}
		r.Close()
	}
	out := make([]arrow.Array, len(parts))
	for i, p := range parts {
		var err error
		if len(p) == 0 {
			out[i], err = vec.FromLiteral(memory.DefaultAllocator, nil, src.Schema()[i].Type, 0)
		} else {
			out[i], err = vec.Concat(memory.DefaultAllocator, p)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// Row groups really are passed over, and then nothing of them is read; so are
// the other columns of batches without a row that matters.
func TestPruning(t *testing.T) {
	mem := checked(t)
	const rows = 10_000
	sorted, float, other := vec.NewFixed[int64](mem, arrow.PrimitiveTypes.Int64, rows), vec.NewFixed[float64](mem, arrow.PrimitiveTypes.Float64, rows), vec.NewFixed[int64](mem, arrow.PrimitiveTypes.Int64, rows)
	text := vec.NewViewBuilder(mem, arrow.BinaryTypes.StringView, rows)
	for i := range rows {
		sorted.Values[i], float.Values[i], other.Values[i] = int64(i), float64(i), int64(i*7919%rows)
		text.AppendString(strings.Repeat(string(rune('a'+i/1000)), 20))
	}
	float.Values[1500] = math.NaN() // in the second row group, which then has no bounds
	schema := types.Schema{{Name: "i", Type: types.INT}, {Name: "f", Type: types.FLOAT}, {Name: "s", Type: types.STRING}, {Name: "o", Type: types.INT}}
	cols := []arrow.Array{sorted.Finish(), float.Finish(), text.Finish(), other.Finish()}
	defer vec.ReleaseAll(cols)
	src := open(t, writeTable(t, schema, cols, 1000, 1000), connect.Options{})
	_, all := selected(t, src, nil, nil, 0)
	for _, c := range []struct {
		where  connect.Condition
		pruned int64
		rows   int
	}{
		{connect.Condition{Index: 0, Op: connect.Equal, Value: int64(4321)}, 9, 1},
		{connect.Condition{Index: 0, Op: connect.Less, Value: int64(1000)}, 9, 1000},
		{connect.Condition{Index: 0, Op: connect.Greater, Value: int64(rows)}, 10, 0},
		{connect.Condition{Index: 1, Op: connect.GreaterEqual, Value: 9000.0}, 8, 1001},
		{connect.Condition{Index: 1, Op: connect.Less, Value: 10.0}, 8, 10},
		{connect.Condition{Index: 2, Op: connect.Equal, Value: strings.Repeat("c", 20)}, 9, 1000},
		{connect.Condition{Index: 2, Op: connect.IsNull}, 10, 0},
	} {
		where := []connect.Condition{c.where}
		got, st := selected(t, src, where, where, 0)
		if st.Pruned != c.pruned || len(got) != c.rows {
			t.Errorf("%+v: %d row groups pruned, %d rows; want %d, %d", c.where, st.Pruned, len(got), c.pruned, c.rows)
		}
		if st.Bytes > all.Bytes*(11-c.pruned)/10 {
			t.Errorf("%+v: %d of %d bytes read", c.where, st.Bytes, all.Bytes)
		}
	}
	// A file that does not tell the order of its bounds: that of numbers is clear, that of text is not.
	src.(*Source).orders = nil
	for i, want := range map[int]int64{0: 9, 1: 8, 2: 0} {
		c := connect.Condition{Index: i, Op: connect.Less, Value: []any{int64(5), 5.0, "ab"}[i]}
		if got, st := selected(t, src, []connect.Condition{c}, []connect.Condition{c}, 0); st.Pruned != want || len(got) == 0 {
			t.Errorf("without order, %+v: %d row groups pruned, want %d; %d rows", c, st.Pruned, want, len(got))
		}
	}
	// One row group, batches of 100 rows: 99 of them never leave the reader.
	src = open(t, writeTable(t, schema, cols, 1000, 0), connect.Options{})
	where := []connect.Condition{{Index: 0, Op: connect.Equal, Value: int64(4321)}}
	if got, st := selected(t, src, where, where, 100); len(got) != 1 || st.Rows != 100 {
		t.Errorf("%d rows, %d given out; want 1, 100", len(got), st.Rows)
	}
}

// A writer that passes over NaN must not hide it: only some are known to tell.
func TestHiddenNaN(t *testing.T) {
	data, err := os.ReadFile("testdata/none-v1.parquet") // by pyarrow; f32 holds NaN and -1.5
	if err != nil {
		t.Fatal(err)
	}
	src := open(t, data, connect.Options{})
	i, _, _ := src.Schema().Index("f32")
	where := []connect.Condition{{Index: i, Op: connect.Greater, Value: 5.0}}
	if got, _ := selected(t, src, where, where, 0); len(got) != 9 {
		t.Errorf("%d rows with NaN, want 9", len(got))
	}
}
