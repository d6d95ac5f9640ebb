package parquet

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/internal/conntest"
	"github.com/rainsql/rainsql/connect/internal/damage"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// writeTable returns the file of a table, written batch rows at a time into row
// groups of limit rows (0: the usual).
func writeTable(t testing.TB, schema types.Schema, cols []arrow.Array, batch int, limit int64) []byte {
	t.Helper()
	var out damage.Out
	sink, err := NewSink(&out, schema, connect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if limit > 0 {
		sink.(*Sink).limit = limit
	}
	for from := 0; from < cols[0].Len(); from += batch {
		to := min(from+batch, cols[0].Len())
		part := make([]arrow.Array, len(cols))
		for i, c := range cols {
			part[i] = array.NewSlice(c, int64(from), int64(to))
		}
		err := sink.Write(part, to-from)
		vec.ReleaseAll(part)
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := sink.Commit(); err != nil {
		t.Fatal(err)
	}
	if !out.Committed || sink.Bytes() != int64(out.Len()) {
		t.Fatalf("committed: %v, %d bytes of %d", out.Committed, sink.Bytes(), out.Len())
	}
	return out.Bytes()
}

// What is written reads back the same: every type, any number of rows, row
// groups and batches.
func TestRoundTrip(t *testing.T) {
	for _, c := range []struct {
		rows, batch int
		limit       int64
	}{{0, 1, 0}, {1, 1, 0}, {3000, 700, 0}, {3000, 3000, 1024}} {
		t.Run(fmt.Sprint(c.rows, c.limit), func(t *testing.T) {
			cols := damage.Table(t, checked(t), uint64(c.rows), damage.Every(), c.rows)
			src := open(t, writeTable(t, damage.Every(), cols, c.batch, c.limit), connect.Options{})
			if !src.Schema().Equal(damage.Every()) {
				t.Fatalf("schema %v", src.Schema())
			}
			for _, batch := range []int{0, 37} {
				got, err := conntest.Read(src, 0, checked(t), conntest.Columns(src), batch)
				if err != nil {
					t.Fatal(err)
				}
				compare(t, got.Rows, damage.Text(cols))
			}
			got, err := conntest.ReadConcurrently(src, 0, checked(t), conntest.Columns(src), 3)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, got.Rows, damage.Text(cols))
			splits, err := src.Splits(0)
			if want := (c.rows + 1023) / 1024; err != nil || c.limit > 0 && len(splits) != want {
				t.Fatalf("%d splits, want %d: %v", len(splits), want, err)
			}
		})
	}
}

// Dictionaries that overflow, that never pay, and that come from outside.
func TestDictionaries(t *testing.T) {
	const rows = 40_000
	mem := checked(t)
	schema := types.Schema{
		{Name: "few", Type: types.STRING}, {Name: "grows", Type: types.STRING}, {Name: "unique", Type: types.INT},
		{Name: "coded", Type: types.STRING}, {Name: "null", Type: types.STRING},
	}
	few, grows := vec.NewViewBuilder(mem, arrow.BinaryTypes.StringView, rows), vec.NewViewBuilder(mem, arrow.BinaryTypes.StringView, rows)
	unique := vec.NewFixed[int64](mem, arrow.PrimitiveTypes.Int64, rows)
	null := vec.NewViewBuilder(mem, arrow.BinaryTypes.StringView, rows)
	values := vec.NewViewBuilder(mem, arrow.BinaryTypes.StringView, 3)
	for _, v := range []string{"unused", "red", "a colour with a long name"} {
		values.AppendString(v)
	}
	codes, nulls := make([]int32, rows), vec.NewNulls(mem, rows)
	for i := range rows {
		few.AppendString([]string{"x", "yy", "a value of more than twelve bytes"}[i%3])
		if i < rows/2 {
			grows.AppendString("same")
		} else {
			grows.AppendString(strings.Repeat(fmt.Sprint(i), 20))
		}
		unique.Values[i] = int64(i) * 7919
		null.AppendNull()
		if codes[i] = int32(1 + i%2); i%5 == 0 {
			nulls.Set(i)
			codes[i] = 0
		}
	}
	dict := values.Finish()
	cols := []arrow.Array{few.Finish(), grows.Finish(), unique.Finish(), vec.NewDictionary(mem, codes, dict, &nulls), null.Finish()}
	dict.Release()
	defer vec.ReleaseAll(cols)
	src := open(t, writeTable(t, schema, cols, 5000, 30_000), connect.Options{})
	got, err := conntest.Read(src, 0, checked(t), conntest.Columns(src), 0)
	if err != nil {
		t.Fatal(err)
	}
	compare(t, got.Rows, damage.Text(cols))

	// Columns with few values arrive as codes; a dictionary larger than the batch would not pay.
	splits, _ := src.Splits(0)
	r, err := src.Open(t.Context(), splits[0], connect.Scan{Columns: conntest.Columns(src), Alloc: mem})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	b, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	defer b.Release()
	for i, want := range []bool{true, false, false, true} {
		if _, coded := b.Columns[i].(*array.Dictionary); coded != want {
			t.Errorf("column %s is coded: %v, want %v", schema[i].Name, coded, want)
		}
	}
}

// What cannot be written is told, with its column.
func TestRefusals(t *testing.T) {
	for want, schema := range map[string]types.Schema{
		`column "a": is there twice`:             {{Name: "a", Type: types.INT}, {Name: "a", Type: types.INT}},
		`column "s.a": is there twice`:           {{Name: "s", Type: types.ListOf(types.StructOf(types.Field{Name: "a", Type: types.INT}, types.Field{Name: "a", Type: types.INT}))}},
		`column "s": is a STRUCT without fields`: {{Name: "s", Type: types.StructOf()}},
		"there is no column to write":            {},
	} {
		if err := Check(schema); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v: %v, want %s", schema, err, want)
		}
	}
	for _, iv := range []arrow.MonthDayNanoInterval{{Days: -1}, {Nanoseconds: 1}} {
		a, err := vec.FromLiteral(memory.DefaultAllocator, iv, types.INTERVAL, 1)
		if err != nil {
			t.Fatal(err)
		}
		var out damage.Out
		sink, err := NewSink(&out, types.Schema{{Name: "iv", Type: types.INTERVAL}}, connect.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := sink.Write([]arrow.Array{a}, 1); err == nil || !strings.Contains(err.Error(), `column "iv"`) {
			t.Errorf("%v: %v", iv, err)
		}
		if err := sink.Commit(); err == nil || !out.Aborted || out.Committed {
			t.Errorf("a failed sink was committed: %v", err)
		}
	}
}

// The option columns reads columns as other types.
func TestColumnsOption(t *testing.T) {
	mem := checked(t)
	schema := types.Schema{{Name: "i", Type: types.INT}, {Name: "s", Type: types.STRING}, {Name: "raw", Type: types.BYTES}}
	i, err := vec.FromLiteral(mem, int64(300), types.INT, 2)
	if err != nil {
		t.Fatal(err)
	}
	s, err := vec.FromLiteral(mem, "2026-01-02", types.STRING, 2)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := vec.FromLiteral(mem, []byte{0xff}, types.BYTES, 2)
	if err != nil {
		t.Fatal(err)
	}
	cols := []arrow.Array{i, s, raw}
	defer vec.ReleaseAll(cols)
	data := writeTable(t, schema, cols, 2, 0)
	for _, c := range []struct {
		name string
		typ  types.Type
		want string // of the first row, or of the error
	}{
		{"i", types.FLOAT, "300.0"}, {"i", types.STRING, "300"}, {"i", types.DecimalOf(5, 1), "300.0"},
		{"i", types.INT8, `f:1: column "i": "300" cannot be read as INT8; read the column as INT`},
		{"s", types.DATE, "2026-01-02"}, {"s", types.TIMESTAMP, "2026-01-02T00:00:00Z"}, {"s", types.BYTES, "2026-01-02"},
		{"s", types.INT, `f:1: column "s": "2026-01-02" cannot be read as INT; read the column as STRING`},
		{"raw", types.STRING, `f:1: column "raw": text is not valid UTF-8; columns = ("raw" BYTES) would read it as it is`},
	} {
		src, err := Open(t.Context(), conntest.File{Data: data}, "f", connect.Options{Columns: types.Schema{{Name: c.name, Type: c.typ}}})
		if err != nil {
			t.Fatal(err)
		}
		at := slices.IndexFunc(schema, func(f types.Field) bool { return f.Name == c.name })
		res, err := conntest.Read(src, 0, mem, []connect.Column{{Index: at}}, 0)
		got := fmt.Sprint(err)
		if err == nil {
			got = res.Rows[0][0]
		}
		if got != c.want {
			t.Errorf("%s as %s:\n got %s\nwant %s", c.name, c.typ, got, c.want)
		}
	}
	_, err = Open(t.Context(), conntest.File{Data: data}, "f", connect.Options{Columns: types.Schema{{Name: "i", Type: types.ListOf(types.INT)}}})
	if err == nil || !strings.Contains(err.Error(), "cannot be read as LIST<INT>") {
		t.Error(err)
	}
}
