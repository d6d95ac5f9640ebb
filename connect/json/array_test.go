package json_test

import (
	"bytes"
	"context"
	stdjson "encoding/json"
	"fmt"
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

func readDocument(t testing.TB, data string, batch int, o connect.Options) (conntest.Result, error) {
	t.Helper()
	src, err := json.Open(context.Background(), conntest.File{Data: []byte(data)}, "t.json", "json", o)
	if err != nil {
		return conntest.Result{}, err
	}
	alloc := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer alloc.AssertSize(t, 0)
	defer src.Close()
	return conntest.Read(src, 7, alloc, conntest.Columns(src), batch)
}

func TestDocuments(t *testing.T) {
	skip := connect.Options{OnError: "skip"}
	tests := []struct {
		name, data string
		options    connect.Options
		rows       [][]string
		lines      []int64
	}{
		{"array", "[{\"a\":1},\n {\"a\":2}\n]\n", connect.Options{}, [][]string{{"1"}, {"2"}}, []int64{1, 2}},
		{"pretty", "\xEF\xBB\xBF[\n  {\n    \"a\": 1\n  },\n  {\n    \"a\": 2\n  }\n]", connect.Options{}, [][]string{{"1"}, {"2"}}, []int64{2, 5}},
		{"brackets in strings", `[{"a":"]},{"},{"a":"\\\"]"}]`, connect.Options{}, [][]string{{"]},{"}, {`\"]`}}, nil},
		{"document", "{\n\"a\": [1, 2]}", connect.Options{}, [][]string{{"[1,2]"}}, []int64{1}},
		{"sequence", "{\"a\":1}{\"a\":2}\n\n{\"a\":3}", connect.Options{}, [][]string{{"1"}, {"2"}, {"3"}}, []int64{1, 1, 3}},
		{"skip", `[{"a":1}, 7, {"a":01}, {"a":tru}, {"a":2}]`, skip, [][]string{{"1"}, {"2"}}, nil},
		{"no rows", " [ ] ", connect.Options{Columns: types.Schema{{Name: "a", Type: types.INT}}}, nil, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for batch := range 3 {
				r, err := readDocument(t, tt.data, batch, tt.options)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.EqualFunc(r.Rows, tt.rows, slices.Equal) {
					t.Errorf("rows %q, want %q", r.Rows, tt.rows)
				}
				if tt.lines != nil && !slices.Equal(r.Lines, tt.lines) {
					t.Errorf("lines %v, want %v", r.Lines, tt.lines)
				}
			}
		})
	}
}

func TestDocumentErrors(t *testing.T) {
	for data, want := range map[string]string{
		"[]":                          "has no rows with keys",
		"":                            "has no rows with keys",
		"[{\"a\":1}\n":                "t.json:2: not valid JSON: the array is not closed",
		"[{\"a\":1},\n":               "t.json:2: not valid JSON: the array is not closed",
		"[{\"a\":1}\n{\"a\":2}]":      "t.json:2: not valid JSON: expected , or ]",
		"[{\"a\":1}]\n]":              "t.json:2: not valid JSON: there is more after the array",
		"[{\"a\":1},\n\n{\"a\":tru}]": "t.json:3: not valid JSON: expected a value at byte 6 of the row",
		"[1, 2]":                      "a row must be one object",
		"[{\"a\":1}, {\"a\":\"x]":     "a string is not closed",
	} {
		_, err := readDocument(t, data, 0, connect.Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", data, err, want)
		}
	}
}

// A value may be longer than what is read at once, and begin anywhere.
func TestLongValues(t *testing.T) {
	var b strings.Builder
	b.WriteByte('[')
	for i := range 300 {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "\n{\"n\": %d, \"s\": %q}", i, strings.Repeat("x]}\"", i*i%20011))
	}
	b.WriteString("\n]")
	r, err := readDocument(t, b.String(), 0, connect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Rows) != 300 {
		t.Fatalf("%d rows", len(r.Rows))
	}
	for i, row := range r.Rows {
		if row[0] != fmt.Sprint(i) || len(row[1]) != 4*(i*i%20011) || r.Lines[i] != int64(i+2) {
			t.Fatalf("row %d: n %s, %d bytes, line %d", i, row[0], len(row[1]), r.Lines[i])
		}
	}
}

// FuzzJSON compares with encoding/json: which arrays are accepted, and their length.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{`[{"a":1},{"a":"x"}]`, `[ {"a":[{}]} ]`, `[{"a":"\u00e9]"}`, `{"a":1}`, `[{}{}]`, `[,]`, `[{"a":1},]`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, data string) {
		if len(data) > 2000 || strings.ContainsRune(data, 0) || bytes.HasPrefix([]byte(data), []byte("\xEF\xBB\xBF")) || !strings.HasPrefix(data, "[") {
			return
		}
		var want []map[string]any
		ok := utf8.ValidString(data) && stdjson.Unmarshal([]byte(data), &want) == nil && !slices.ContainsFunc(want, func(m map[string]any) bool { return m == nil })
		r, err := readDocument(t, data, 0, connect.Options{Columns: types.Schema{{Name: "a", Type: types.STRING}}})
		if err == nil && !ok {
			t.Fatalf("accepted %q", data)
		}
		if err != nil && ok && !strings.Contains(err.Error(), "fits several") && !strings.Contains(err.Error(), "not text") {
			t.Fatalf("refused %q: %v", data, err)
		}
		if err == nil && len(r.Rows) != len(want) {
			t.Fatalf("%q: %d rows, want %d", data, len(r.Rows), len(want))
		}
	})
}
