package csv_test

import (
	"bytes"
	"context"
	stdcsv "encoding/csv"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/csv"
	"github.com/rainsql/rainsql/connect/internal/conntest"
	"github.com/rainsql/rainsql/connect/scan"
	"github.com/rainsql/rainsql/expr/types"
)

func open(t testing.TB, data string, o connect.Options) (*scan.Source, error) {
	t.Helper()
	return csv.Open(context.Background(), conntest.File{Data: []byte(data)}, "t.csv", "csv", o)
}

// read reads all columns of data, and checks that no memory is left.
func read(t testing.TB, data string, split int64, o connect.Options) (types.Schema, conntest.Result, error) {
	t.Helper()
	src, err := open(t, data, o)
	if err != nil {
		return nil, conntest.Result{}, err
	}
	alloc := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer alloc.AssertSize(t, 0)
	defer src.Close()
	r, err := conntest.Read(src, split, alloc, conntest.Columns(src), 0)
	return src.Schema(), r, err
}

func ptr[T any](v T) *T { return &v }

func TestRead(t *testing.T) {
	const null = conntest.Null
	tests := []struct {
		name, data, schema string
		options            connect.Options
		rows               [][]string
	}{
		{"types", "b,i,f,d,t,s\ntrue,1,1.5,2020-02-29,2020-02-29 12:30,x\nFALSE,-2,3,2021-01-01,2021-01-01T00:00:00.5+01:00,y z\n",
			"b BOOL, i INT, f FLOAT, d DATE, t TIMESTAMP, s STRING", connect.Options{},
			[][]string{{"true", "1", "1.5", "2020-02-29", "2020-02-29T12:30:00Z", "x"}, {"false", "-2", "3.0", "2021-01-01", "2020-12-31T23:00:00.5Z", "y z"}}},
		{"quotes", "a,b\r\n\"x,\r\ny\",\"\"\r\n\"say \"\"hi\"\" to them all\",\r\n",
			"a STRING, b STRING", connect.Options{}, [][]string{{"x,\r\ny", ""}, {`say "hi" to them all`, null}}},
		{"nulls and blanks", "a,b,c\n1, ,\n,x,\n", "a INT, b STRING, c STRING", connect.Options{}, [][]string{{"1", " ", null}, {null, "x", null}}},
		{"widening", "i,d,m,z\n1,2020-01-01,1,007\n2.5,2020-01-02 10:00,true,8\n", "i FLOAT, d TIMESTAMP, m STRING, z STRING", connect.Options{},
			[][]string{{"1.0", "2020-01-01T00:00:00Z", "1", "007"}, {"2.5", "2020-01-02T10:00:00Z", "true", "8"}}},
		{"zeros", "a,b\n0,0.5\n-0,0\n", "a INT, b FLOAT", connect.Options{}, [][]string{{"0", "0.5"}, {"0", "0.0"}}},
		{"names", "a,a,,a_1,column2\n1,2,3,4,5\n", "a INT, a_2 INT, column2_1 INT, a_1 INT, column2 INT", connect.Options{}, [][]string{{"1", "2", "3", "4", "5"}}},
		{"bom, no last newline", "\xEF\xBB\xBFa,b\n1,2", "a INT, b INT", connect.Options{}, [][]string{{"1", "2"}}},
		{"no header", "1,x\n2,y\n", "column0 INT, column1 STRING", connect.Options{Header: ptr(false)}, [][]string{{"1", "x"}, {"2", "y"}}},
		{"no header, named", "1,x\n", "n FLOAT, s STRING", connect.Options{Header: ptr(false), Columns: types.Schema{{Name: "n", Type: types.FLOAT}, {Name: "s", Type: types.STRING}}}, [][]string{{"1.0", "x"}}},
		{"no header, BOM", "\xEF\xBB\xBF1\n2\n", "column0 INT", connect.Options{Header: ptr(false)}, [][]string{{"1"}, {"2"}}},
		{"columns by name", "A,b\n01,2\n", "A STRING, b DECIMAL(10,2)", connect.Options{Columns: types.Schema{{Name: "B", Type: types.DecimalOf(10, 2)}}}, [][]string{{"01", "2.00"}}},
		{"delimiter and null text", "a;b\nNA;\"NA\"\n1;x\n", "a INT, b STRING", connect.Options{Delimiter: ptr(";"), Null: ptr("NA")}, [][]string{{null, "NA"}, {"1", "x"}}},
		{"quote off", "a,b\n5\",\"x\n", "a STRING, b STRING", connect.Options{Quote: ptr("")}, [][]string{{`5"`, `"x`}}},
		{"blank lines", "a,b\n\n1,2\n\r\n3,4\n\n", "a INT, b INT", connect.Options{}, [][]string{{"1", "2"}, {"3", "4"}}},
		{"one column", "a\n1\n\n3\n", "a INT", connect.Options{}, [][]string{{"1"}, {null}, {"3"}}},
		{"header only", "a,b\n", "a STRING, b STRING", connect.Options{}, nil},
		{"skip rows", "a,b\n1,2\n3\n4,5,6\n7,8\n", "a INT, b INT", connect.Options{OnError: "skip"}, [][]string{{"1", "2"}, {"7", "8"}}},
		{"pad rows", "a,b\n1,2\n3\n4,5,6\n", "a INT, b INT", connect.Options{OnError: "null"}, [][]string{{"1", "2"}, {"3", null}, {"4", "5"}}},
		{"null values", "a,b\nx,1\n2,y\n3,4\n", "a INT, b INT", connect.Options{OnError: "null", Columns: types.Schema{{Name: "a", Type: types.INT}, {Name: "b", Type: types.INT}}},
			[][]string{{null, "1"}, {"2", null}, {"3", "4"}}},
		{"skip values", "a,b\nx,1\n2,y\n,4\n", "a INT, b INT", connect.Options{OnError: "skip", Columns: types.Schema{{Name: "a", Type: types.INT}, {Name: "b", Type: types.INT}}},
			[][]string{{null, "4"}}},
		{"bytes", "a\n\xff\x01\n", "a BYTES", connect.Options{Columns: types.Schema{{Name: "a", Type: types.BYTES}}}, [][]string{{`\xFF\x01`}}},
		{"quoted header over lines", "\"a\nb\",c\n1,2\n", "\"a\nb\" INT, c INT", connect.Options{}, [][]string{{"1", "2"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for split := int64(1); split <= int64(len(tt.data))+1; split++ {
				schema, r, err := read(t, tt.data, split, tt.options)
				if err != nil {
					t.Fatalf("split %d: %v", split, err)
				}
				if got := strings.TrimSuffix(strings.TrimPrefix(types.StructOf(schema...).String(), "STRUCT<"), ">"); got != tt.schema {
					t.Fatalf("schema %s, want %s", got, tt.schema)
				}
				if !slices.EqualFunc(r.Rows, tt.rows, slices.Equal) {
					t.Fatalf("split %d: rows %q, want %q", split, r.Rows, tt.rows)
				}
			}
		})
	}
}

func TestErrors(t *testing.T) {
	long := strings.Repeat("1,2\n", 30000)
	tests := []struct {
		name, data string
		options    connect.Options
		want       []string // parts of the message
	}{
		{"late value", "a,b\n" + long + "1,x\n", connect.Options{}, []string{"t.csv:30002: ", `column "b"`, "'x' is not INT", "columns = (b STRING)", "on_error"}},
		{"value by columns", "a\nx\n", connect.Options{Columns: types.Schema{{Name: "a", Type: types.DATE}}}, []string{"t.csv:2:", "'x' is not DATE"}},
		{"field count", "a,b\n1,2\n\"x\ny\",2,3\n", connect.Options{}, []string{"t.csv:3:", "row has 3 fields, expected 2", "on_error"}},
		{"too few fields", "a,b\n1\n", connect.Options{}, []string{"t.csv:2:", "row has 1 field, expected 2"}},
		{"open quote", "a,b\n1,\"x\n2,3\n", connect.Options{}, []string{"t.csv:2:", "never closed", "quote = ''"}},
		{"quote within", "a,b\n1,2\n5\" pipe,3\n", connect.Options{}, []string{"t.csv:3:", "a quote opens within a field", "quote = ''"}},
		{"text after quote", "a,b\n1,2\n\"5\"x,3\n", connect.Options{}, []string{"t.csv:3:", "text follows a closing quote", "quote = ''"}},
		{"not UTF-8", "a,b\nx,1\n\xe9t\xe9,1\n", connect.Options{}, []string{"t.csv:3:", `column "a"`, "not valid UTF-8", "columns = (a BYTES)"}},
		{"unknown column", "alpha,beta\n1,2\n", connect.Options{Columns: types.Schema{{Name: "aplha", Type: types.INT}}}, []string{`"aplha"`, `did you mean "alpha"?`}},
		{"empty", "", connect.Options{}, []string{"t.csv: is empty", "header = false"}},
		{"binary", "a,b\n\x00\x01", connect.Options{}, []string{"t.csv:2:", "NUL"}},
		{"header quote", "a,b\"\n", connect.Options{}, []string{"t.csv:1:", "a quote opens within a field"}},
		{"delimiter", "a\n", connect.Options{Delimiter: ptr("::")}, []string{"delimiter"}},
		{"CR lines", "a,b\r1,2\r", connect.Options{}, []string{"t.csv:1:", "CR alone"}},
		{"nested", "a\n", connect.Options{Columns: types.Schema{{Name: "a", Type: types.ListOf(types.INT)}}}, []string{"cannot hold LIST<INT>"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for _, split := range []int64{0, 7, 1000} {
				_, _, err := read(t, tt.data, split, tt.options)
				if err == nil {
					t.Fatal("no error")
				}
				for _, part := range tt.want {
					if !strings.Contains(err.Error(), part) {
						t.Errorf("split %d: error %q lacks %q", split, err, part)
					}
				}
			}
		})
	}
}

func TestOnErrorCounts(t *testing.T) {
	opts := func(policy string) connect.Options {
		return connect.Options{OnError: policy, Columns: types.Schema{{Name: "a", Type: types.INT}, {Name: "b", Type: types.INT}}}
	}
	const data = "a,b\nx,y\n1\n3,4\n"
	_, r, err := read(t, data, 0, opts("skip"))
	if err != nil || r.Stats.Skipped != 2 || r.Stats.Rows != 1 || !slices.Equal(r.Lines, []int64{4}) {
		t.Errorf("skip: %+v, %v", r, err)
	}
	_, r, err = read(t, data, 0, opts("null"))
	if err != nil || r.Stats.Nulled != 2 || r.Stats.Rows != 3 || r.Stats.Bytes != int64(len(data)) {
		t.Errorf("null: %+v, %v", r, err)
	}
}

func TestPseudoColumnsAndProjection(t *testing.T) {
	const data = "a,b,c\n1,\"x\ny\",3\n4,5,6\n"
	for _, stream := range []bool{false, true} {
		for split := range int64(len(data)) {
			src, err := csv.Open(context.Background(), conntest.File{Data: []byte(data), Stream: stream}, "t.csv", "csv", connect.Options{})
			if err != nil {
				t.Fatal(err)
			}
			alloc := memory.NewCheckedAllocator(memory.DefaultAllocator)
			cols := []connect.Column{{Index: 2}, {Index: -1, Pseudo: connect.PseudoLine}, {Index: 0}, {Index: -1, Pseudo: connect.PseudoOffset}, {Index: -1, Pseudo: connect.PseudoFile}}
			r, err := conntest.Read(src, split, alloc, cols, 0)
			want := [][]string{{"3", "2", "1", "6", "t.csv"}, {"6", "4", "4", "16", "t.csv"}}
			if err != nil || !slices.EqualFunc(r.Rows, want, slices.Equal) || !slices.Equal(r.Lines, []int64{2, 4}) {
				t.Fatalf("split %d: %q, lines %v, %v", split, r.Rows, r.Lines, err)
			}
			if r, err := conntest.Read(src, split, alloc, nil, 0); err != nil || r.Count != 2 || r.Rows != nil {
				t.Fatalf("count %d, %v", r.Count, err)
			}
			src.Close()
			alloc.AssertSize(t, 0)
		}
	}
}

// TestRealFiles compares with encoding/csv over files that no one here made.
func TestRealFiles(t *testing.T) {
	files, _ := filepath.Glob("../../../shared/data/*.csv")
	if len(files) == 0 {
		t.Skip("no ../shared/data here")
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		want, err := stdcsv.NewReader(bytes.NewReader(data)).ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		var columns types.Schema
		for _, name := range want[0] {
			columns = append(columns, types.Field{Name: name, Type: types.STRING})
		}
		src, err := open(t, string(data), connect.Options{Columns: columns})
		if err != nil {
			t.Fatal(err)
		}
		alloc := memory.NewCheckedAllocator(memory.DefaultAllocator)
		r, err := conntest.ReadConcurrently(src, 10_000, alloc, conntest.Columns(src), 4)
		if err != nil {
			t.Fatal(err)
		}
		for i, row := range r.Rows {
			for c, v := range row {
				if v == conntest.Null {
					row[c] = ""
				}
			}
			if !slices.Equal(row, want[i+1]) {
				t.Fatalf("%s row %d: %q, want %q", file, i, row, want[i+1])
			}
		}
		if len(r.Rows) != len(want)-1 {
			t.Fatalf("%s: %d rows, want %d", file, len(r.Rows), len(want)-1)
		}
		src.Close()
		alloc.AssertSize(t, 0)
	}
}

func TestMissingAndCancelled(t *testing.T) {
	src, err := open(t, "a\n1\n", connect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	ctx, cancel := context.WithCancel(context.Background())
	r, err := src.Open(ctx, connect.Split{Length: 4}, connect.Scan{Columns: conntest.Columns(src), Alloc: memory.DefaultAllocator})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cancel()
	if _, err := r.Next(); !errors.Is(err, context.Canceled) {
		t.Errorf("after cancel: %v", err)
	}
}

// TestAbandonedSplits reads a split whose forerunners were opened and closed
// unread, or never opened: it must find out itself where it stands.
func TestAbandonedSplits(t *testing.T) {
	data := "a,b\n" + strings.Repeat("1,\"x\ny\"\n", 100) + "2,z\n"
	for _, openFirst := range []bool{true, false} {
		src, err := open(t, data, connect.Options{})
		if err != nil {
			t.Fatal(err)
		}
		scan := connect.Scan{Columns: []connect.Column{{Index: 0}, {Index: -1, Pseudo: connect.PseudoLine}}, Alloc: memory.DefaultAllocator}
		splits, _ := src.Splits(10)
		last := splits[len(splits)-2:]
		if openFirst {
			for _, s := range splits[:len(splits)-2] {
				r, err := src.Open(context.Background(), s, scan)
				if err != nil {
					t.Fatal(err)
				}
				r.Close()
			}
		}
		var got [][]string
		for _, s := range last {
			r, err := src.Open(context.Background(), s, scan)
			if err != nil {
				t.Fatal(err)
			}
			for b, err := r.Next(); err == nil; b, err = r.Next() {
				for i := range b.Rows {
					got = append(got, conntest.Row(b.Columns, i))
				}
				b.Release()
			}
			r.Close()
		}
		if n := len(got); n == 0 || !slices.Equal(got[n-1], []string{"2", "202"}) {
			t.Errorf("open first %v: %q", openFirst, got)
		}
		src.Close()
	}
}

// TestLongRow reads a row that is longer than a chunk, from splits of any size.
func TestLongRow(t *testing.T) {
	long := strings.Repeat("\"\"\n,é", 700_000)
	data := "a,b\n1,\"" + long + "\"\n2,x\n"
	for _, split := range []int64{0, 100_000, 1 << 30} {
		_, r, err := read(t, data, split, connect.Options{})
		want := [][]string{{"1", strings.ReplaceAll(long, `""`, `"`)}, {"2", "x"}}
		if err != nil || !slices.EqualFunc(r.Rows, want, slices.Equal) || !slices.Equal(r.Lines, []int64{2, 700_003}) {
			t.Errorf("split %d: %d rows, lines %v, %v", split, len(r.Rows), r.Lines, err)
		}
	}
}

func BenchmarkOpen(b *testing.B) {
	data := signs(b, 30_000)
	for b.Loop() {
		src, err := csv.Open(context.Background(), conntest.File{Data: data}, "signs.csv", "csv", connect.Options{})
		if err != nil {
			b.Fatal(err)
		}
		src.Close()
	}
}
