package json_test

import (
	"bytes"
	"context"
	stdjson "encoding/json"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/internal/conntest"
	"github.com/rainsql/rainsql/connect/json"
	"github.com/rainsql/rainsql/expr/types"
)

const null = conntest.Null

func read(t testing.TB, data string, split int64, o connect.Options) (types.Schema, conntest.Result, error) {
	t.Helper()
	src, err := json.Open(context.Background(), conntest.File{Data: []byte(data)}, "t.jsonl", "jsonl", o)
	if err != nil {
		return nil, conntest.Result{}, err
	}
	alloc := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer alloc.AssertSize(t, 0)
	defer src.Close()
	r, err := conntest.Read(src, split, alloc, conntest.Columns(src), 0)
	return src.Schema(), r, err
}

func TestRead(t *testing.T) {
	column := func(name string, t types.Type) connect.Options {
		return connect.Options{Columns: types.Schema{{Name: name, Type: t}}}
	}
	tests := []struct {
		name, data, schema string
		options            connect.Options
		rows               [][]string
	}{
		{"union of keys", `{"a":1}` + "\n" + `{"b":"x","a":2}` + "\r\n\n" + `{}`, "a INT, b STRING", connect.Options{}, [][]string{{"1", null}, {"2", "x"}, {null, null}}},
		{"types", `{"b":true,"f":1,"d":"2020-02-29","t":"2020-02-29T10:00:00Z","n":null,"s":"12"}` + "\n" + `{"f":2.5e0,"t":"2020-02-29"}`,
			"b BOOL, f FLOAT, d DATE, t TIMESTAMP, n STRING, s STRING", connect.Options{},
			[][]string{{"true", "1.0", "2020-02-29", "2020-02-29T10:00:00Z", null, "12"}, {null, "2.5", null, "2020-02-29T00:00:00Z", null, null}}},
		{"mixtures", `{"a":1,"b":[1]}` + "\n" + `{"a":"x","b":{"c":2}}` + "\n" + `{"a":true,"b":3}`, "a STRING, b STRING", connect.Options{},
			[][]string{{"1", "[1]"}, {"x", `{"c":2}`}, {"true", "3"}}},
		{"nested", `{"l":[1,null,2.5],"s":{"x":"é","y":[{"z":1}]}}` + "\n" + `{"l":[],"s":{"y":null}}` + "\n" + `{"l":null}`,
			"l LIST<FLOAT>, s STRUCT<x STRING, y LIST<STRUCT<z INT>>>", connect.Options{},
			[][]string{{"[1.0,null,2.5]", `{"x":"é","y":[{"z":1}]}`}, {"[]", `{"x":null,"y":null}`}, {null, null}}},
		{"escapes", `{"\u0061":"\"\\\/\b\f\n\r\t\u00e9\ud83d\ude00\ud83d and long enough"}`, "a STRING", connect.Options{},
			[][]string{{"\"\\/\b\f\n\r\té😀\uFFFD and long enough"}}},
		{"last duplicate wins", `{"a":1,"a":2}`, "a INT", connect.Options{}, [][]string{{"2"}}},
		{"given type", `{"a":"7"}`, "a INT, z DATE", connect.Options{Columns: types.Schema{{Name: "a", Type: types.INT}, {Name: "z", Type: types.DATE}}}, [][]string{{"7", null}}},
		{"days far away", `{"d":"12345-06-07","l":["0044-03-15 (BC)"]}` + "\n" + `{"d":"-0043-03-15","l":[]}`, "d DATE, l LIST<DATE>",
			connect.Options{Columns: types.Schema{{Name: "d", Type: types.DATE}, {Name: "l", Type: types.ListOf(types.DATE)}}},
			[][]string{{"12345-06-07", `["0044-03-15 (BC)"]`}, {"0044-03-15 (BC)", "[]"}}},
		{"days far away are not inferred", `{"d":"12345-06-07"}`, "d STRING", connect.Options{}, [][]string{{"12345-06-07"}}},
		{"list of decimals", `{"a":[1,2.5]}`, "a LIST<DECIMAL(4,2)>", column("a", types.ListOf(types.DecimalOf(4, 2))), [][]string{{"[1.00,2.50]"}}},
		{"skip", `{"a":1}` + "\nnot json\n" + `{"a":2}`, "a INT", connect.Options{OnError: "skip"}, [][]string{{"1"}, {"2"}}},
		{"null", `{"a":1}` + "\n{\n" + `{"a":"x"}`, "a INT", connect.Options{OnError: "null", Columns: types.Schema{{Name: "a", Type: types.INT}}}, [][]string{{"1"}, {null}, {null}}},
		{"skip nested", `{"a":[1]}` + "\n" + `{"a":["x"]}` + "\n" + `{"a":[3]}`, "a LIST<INT>", connect.Options{OnError: "skip", Columns: types.Schema{{Name: "a", Type: types.ListOf(types.INT)}}}, [][]string{{"[1]"}, {"[3]"}}},
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
	long := strings.Repeat(`{"a":1,"l":[1]}`+"\n", 21000)
	tests := []struct {
		name, data string
		want       []string
	}{
		{"late value", long + `{"a":"x"}`, []string{"t.jsonl:21001:", `column "a"`, "'x' is not INT", "columns = (a STRING)"}},
		{"late nested", long + `{"l":[1.5]}`, []string{"t.jsonl:21001:", `column "l"`, "'[1.5]' is not LIST<INT>"}},
		{"late syntax", long + `{"a":01}`, []string{"t.jsonl:21001:", "not valid JSON", "byte 7"}},
		{"syntax", "{\"a\":1}\n{'a':1}", []string{"t.jsonl:2:", "not valid JSON", "on_error"}},
		{"array", "[1]", []string{"t.jsonl:1:", "one object"}},
		{"deep", `{"a":` + strings.Repeat("[", 2000) + strings.Repeat("]", 2000) + "}", []string{"nesting deeper than 1000"}},
		{"empty", "\n\n", []string{"columns = (name TYPE"}},
		{"not UTF-8", "{\"a\":\"\xff\"}", []string{"t.jsonl:1:", "UTF-8"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := read(t, tt.data, 0, connect.Options{})
			if err == nil {
				t.Fatal("no error")
			}
			for _, part := range tt.want {
				if !strings.Contains(err.Error(), part) {
					t.Errorf("error %q lacks %q", err, part)
				}
			}
		})
	}
}

// FuzzJSONL compares with encoding/json: what is accepted, and the strings.
func FuzzJSONL(f *testing.F) {
	for _, s := range []string{`{"a":"\u00e9\ud83d\ude00"}`, `{"a":[1,{"b":null}],"c":-0.5e-3}`, `{"a":"x","a":"y"}`, `{"a":tru}`, "{\"a\":\"\x01\"}", ` { } `, `{"a":"\ud800"}`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		if len(line) > 2000 || strings.ContainsAny(line, "\n\x00") || strings.Trim(line, " \t\r") == "" || bytes.HasPrefix([]byte(line), []byte("\xEF\xBB\xBF")) {
			return
		}
		var want map[string]any
		ok := utf8.ValidString(line) && stdjson.Unmarshal([]byte(line), &want) == nil && want != nil
		o := connect.Options{Columns: types.Schema{{Name: "a", Type: types.STRING}}}
		_, r, err := read(t, line, 0, o)
		if err != nil {
			if ok && !strings.Contains(err.Error(), "which fits several") && !strings.Contains(err.Error(), "not text") && !strings.HasPrefix(err.Error(), "t.jsonl: is ") {
				t.Fatalf("refused %q: %v", line, err)
			}
			return
		}
		if !ok {
			t.Fatalf("accepted %q", line)
		}
		if s, isString := want["a"].(string); isString {
			src, _ := json.Open(context.Background(), conntest.File{Data: []byte(line)}, "t", "jsonl", o)
			i, _, _ := src.Schema().Index("a")
			if got := r.Rows[0][i]; got != s {
				t.Fatalf("%q: got %q, want %q", line, got, s)
			}
		}
	})
}

func BenchmarkScan(b *testing.B) {
	var buf bytes.Buffer
	for i := range 50_000 {
		stdjson.NewEncoder(&buf).Encode(map[string]any{"id": i, "name": "someone of some name", "price": float64(i) / 8, "live": i%2 == 0, "at": "2026-01-31T10:00:00Z"})
	}
	src, err := json.Open(context.Background(), conntest.File{Data: buf.Bytes()}, "t", "jsonl", connect.Options{})
	if err != nil {
		b.Fatal(err)
	}
	defer src.Close()
	b.SetBytes(int64(buf.Len()))
	splits, _ := src.Splits(0)
	for b.Loop() {
		for _, s := range splits {
			r, err := src.Open(context.Background(), s, connect.Scan{Columns: conntest.Columns(src), Alloc: memory.DefaultAllocator})
			if err != nil {
				b.Fatal(err)
			}
			for {
				batch, err := r.Next()
				if err != nil {
					break
				}
				batch.Release()
			}
			r.Close()
		}
	}
}
