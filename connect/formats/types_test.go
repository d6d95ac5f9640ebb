package formats_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/formats"
	"github.com/rainsql/rainsql/connect/internal/conntest"
	"github.com/rainsql/rainsql/expr/types"
)

// sample is a column of each type, as JSON that Arrow reads, with its extremes.
var sample = []struct {
	name   string
	typ    types.Type
	values []string // NULL comes besides
	nested bool
}{
	{"b", types.BOOL, []string{"true", "false"}, false},
	{"i8", types.INT8, []string{"-128", "127", "0"}, false},
	{"i16", types.INT16, []string{"-32768", "32767"}, false},
	{"i32", types.INT32, []string{"-2147483648", "2147483647"}, false},
	{"i64", types.INT, []string{"-9223372036854775808", "9223372036854775807"}, false},
	{"f32", types.FLOAT32, []string{"3.4028234663852886e38", "1e-45", "-1.5"}, false},
	{"f64", types.FLOAT, []string{"1.7976931348623157e308", "5e-324", "0.1"}, false},
	{"dec", types.DecimalOf(9, 2), []string{`"-9999999.99"`, `"9999999.99"`, `"0.01"`}, false},
	{"wide", types.DecimalOf(38, 10), []string{`"-9999999999999999999999999999.9999999999"`, `"0.0000000001"`}, false},
	{"s", types.STRING, []string{`""`, `"a,\"b\"\r\nc\td"`, `"ünïcödé 😀"`, `" 007 "`, `"null"`, fmt.Sprintf("%q", strings.Repeat("long ", 5000))}, false},
	{"d", types.DATE, []string{`"0001-01-01"`, `"9999-12-31"`, `"1970-01-01"`}, false},
	{"t", types.TIMESTAMP, []string{"-62135596800000000", "253402300799999999", "-500000"}, false},
	{"l", types.ListOf(types.INT), []string{"[]", "[1, null, -3]"}, true},
	{"ls", types.ListOf(types.STRING), []string{`["", "x\"y", null]`}, true},
	{"st", types.StructOf(types.Field{Name: "x", Type: types.FLOAT}, types.Field{Name: "y z", Type: types.ListOf(types.DATE)}), []string{`{"x": 1.5, "y z": ["2026-01-31", null]}`, `{"x": null, "y z": null}`}, true},
	{"deep", types.ListOf(types.StructOf(types.Field{Name: "k", Type: types.ListOf(types.ListOf(types.STRING))})), []string{`[{"k": [["a"], [], null]}, null]`}, true},
}

// everyType is the sample as columns of as many rows, shorter ones filled with
// NULL. Parquet has no INTERVAL below zero or below a millisecond.
func everyType(t *testing.T, alloc memory.Allocator, nested, unsigned bool) (types.Schema, []arrow.Array, int) {
	t.Helper()
	const rows = 7
	var schema types.Schema
	var cols []arrow.Array
	add := func(name string, typ types.Type, col arrow.Array) {
		schema = append(schema, types.Field{Name: name, Type: typ})
		cols = append(cols, col)
	}
	for _, s := range sample {
		if s.nested && !nested {
			continue
		}
		values := append([]string{"null"}, s.values...)
		for len(values) < rows {
			values = append(values, "null")
		}
		col, _, err := array.FromJSON(alloc, s.typ.Arrow(), strings.NewReader("["+strings.Join(values, ",")+"]"))
		if err != nil {
			t.Fatalf("%s: %v", s.name, err)
		}
		add(s.name, s.typ, col)
	}
	special := array.NewFloat64Builder(alloc)
	defer special.Release()
	special.AppendValues([]float64{0, math.NaN(), math.Inf(1), math.Inf(-1), math.Copysign(0, -1), 1, 2}, []bool{false, true, true, true, true, true, true})
	add("special", types.FLOAT, special.NewArray())
	bin := array.NewBinaryViewBuilder(alloc)
	defer bin.Release()
	for i, v := range []string{"", "\x00\xff\x80", "plain", strings.Repeat("\xfe", 20), "\r\n", "", "'"} {
		if i == 0 {
			bin.AppendNull()
		} else {
			bin.AppendString(v)
		}
	}
	add("bytes", types.BYTES, bin.NewArray())
	span := array.NewMonthDayNanoIntervalBuilder(alloc)
	defer span.Release()
	for _, v := range []arrow.MonthDayNanoInterval{{}, {Months: 14}, {Days: -3}, {Nanoseconds: 3_600_000_001_000}, {Months: -1, Days: 2, Nanoseconds: -1000}, {}, {}} {
		if unsigned {
			v.Months, v.Days, v.Nanoseconds = max(v.Months, -v.Months), max(v.Days, -v.Days), max(v.Nanoseconds, 0)/1_000_000*1_000_000
		}
		span.Append(v)
	}
	add("span", types.INTERVAL, span.NewArray())
	return schema, cols, rows
}

// cells is what columns hold, as text.
func cells(t *testing.T, src connect.Source, alloc memory.Allocator) [][]string {
	t.Helper()
	r, err := conntest.Read(src, 0, alloc, conntest.Columns(src), 3)
	if err != nil {
		t.Fatal(err)
	}
	return r.Rows
}

// printed is what columns hold, as cells has it.
func printed(cols []arrow.Array, rows int) [][]string {
	out := make([][]string, rows)
	for i := range out {
		for _, c := range cols {
			out[i] = append(out[i], conntest.Cell(c, i))
		}
	}
	return out
}

// Every type comes back from every format that has it as it went in.
func TestEveryTypeThroughEveryFormat(t *testing.T) {
	for _, f := range []string{"csv", "tsv", "csv.gz", "csv.zst", "jsonl", "jsonl.gz", "json", "json.zst", "parquet", "arrow", "arrows"} {
		t.Run(f, func(t *testing.T) {
			alloc := memory.NewCheckedAllocator(memory.DefaultAllocator)
			defer alloc.AssertSize(t, 0)
			text := !strings.HasPrefix(f, "parquet") && !strings.HasPrefix(f, "arrow")
			schema, cols, rows := everyType(t, alloc, !strings.Contains(f, "sv"), f == "parquet")
			defer release(cols)
			path := filepath.Join(t.TempDir(), "t."+f)
			s, err := formats.NewSink(formats.Local{}, path, path, schema, connect.Options{})
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(s.Write(cols, rows), s.Commit()); err != nil {
				t.Fatal(err)
			}
			var o connect.Options
			if text {
				o.Columns = schema
			}
			src, err := formats.OpenSource(context.Background(), formats.Local{}, path, path, o)
			if err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			if !src.Schema().Equal(schema) {
				t.Fatalf("schema\n%v\nwant\n%v", src.Schema(), schema)
			}
			got, want := cells(t, src, alloc), printed(cols, rows)
			if len(got) != len(want) {
				t.Fatalf("%d rows, want %d", len(got), len(want))
			}
			for i := range want {
				for c := range want[i] {
					if got[i][c] != want[i][c] {
						t.Errorf("row %d, %s: %.60q, want %.60q", i, schema[c].Name, got[i][c], want[i][c])
					}
				}
			}
		})
	}
}

// python returns a Python that has DuckDB, which RAINSQL_TEST_PYTHON names.
func python(t *testing.T) string {
	t.Helper()
	exe := os.Getenv("RAINSQL_TEST_PYTHON")
	if exe == "" {
		t.Skip("RAINSQL_TEST_PYTHON names no Python that has duckdb")
	}
	return exe
}

// DuckDB reads what is written here, and what it writes is read here: the same
// values either way.
func TestWithDuckDB(t *testing.T) {
	exe := python(t)
	dir := t.TempDir()
	schema, cols, rows := everyType(t, memory.DefaultAllocator, true, true)
	defer release(cols)
	for _, f := range []string{"parquet", "jsonl", "json", "jsonl.gz", "json.zst"} {
		path := filepath.Join(dir, "ours."+f)
		s, err := formats.NewSink(formats.Local{}, path, path, schema, connect.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(s.Write(cols, rows), s.Commit()); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command(exe, "-c", crossRead)
	cmd.Dir = dir
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v\n%s", err, errs.String())
	}
	want := printed(cols, rows)
	for _, f := range []string{"theirs.parquet", "theirs2.parquet"} {
		path := filepath.Join(dir, f)
		src, err := formats.OpenSource(context.Background(), formats.Local{}, path, path, connect.Options{})
		if err != nil {
			t.Fatal(err)
		}
		got := cells(t, src, memory.DefaultAllocator)
		for i := range want {
			for c := range want[i] {
				if got[i][c] != want[i][c] {
					t.Errorf("%s: row %d, %s: %.60q, want %.60q", f, i, schema[c].Name, got[i][c], want[i][c])
				}
			}
		}
		if err := src.Close(); err != nil {
			t.Error(err)
		}
	}
}

// crossRead has DuckDB read our files, check them against each other, and write
// its own.
const crossRead = `
import duckdb
con = duckdb.connect()
con.execute("SET TimeZone = 'UTC'")
n = con.execute("SELECT count(*) FROM 'ours.parquet'").fetchall()[0][0]
assert n == 7, n
for name in ["ours.jsonl", "ours.json", "ours.jsonl.gz", "ours.json.zst"]:
    n, a, b, s = con.execute(f"SELECT count(*), min(i8), count(b), max(length(s)) FROM '{name}'").fetchall()[0]
    assert (n, a, b, s) == (7, -128, 2, 25000), (name, n, a, b, s)
con.execute("COPY (FROM 'ours.parquet') TO 'theirs.parquet' (FORMAT parquet)")
con.execute("COPY (FROM 'ours.parquet') TO 'theirs2.parquet' (FORMAT parquet, COMPRESSION snappy, PARQUET_VERSION v2, ROW_GROUP_SIZE 2048)")
`
