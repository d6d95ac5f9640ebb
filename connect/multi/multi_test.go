package multi_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/csv"
	"github.com/rainsql/rainsql/connect/internal/conntest"
	"github.com/rainsql/rainsql/connect/json"
	"github.com/rainsql/rainsql/connect/multi"
	"github.com/rainsql/rainsql/expr/types"
)

const null = conntest.Null

// opener opens files of a map, and counts those that are open.
func opener(files map[string]string, live *int) multi.Opener {
	return func(ctx context.Context, name string, o connect.Options) (connect.Source, error) {
		in := &counted{File: conntest.File{Data: []byte(files[name])}, live: live}
		*live++
		if strings.HasSuffix(name, ".csv") {
			return csv.Open(ctx, in, name, "csv", o)
		}
		return json.Open(ctx, in, name, "jsonl", o)
	}
}

type counted struct {
	conntest.File
	live *int
}

func (c *counted) Close() error {
	*c.live--
	return nil
}

func TestReconcile(t *testing.T) {
	no := false
	tests := []struct {
		name    string
		files   [][2]string
		options connect.Options
		schema  string
		rows    [][]string
	}{
		{"same", [][2]string{{"1.csv", "a,b\n1,x\n"}, {"2.csv", "a,b\n2,y"}}, connect.Options{}, "a INT, b STRING", [][]string{{"1", "x"}, {"2", "y"}}},
		{"another order", [][2]string{{"1.csv", "a,b\n1,x\n"}, {"2.csv", "b,a\ny,2"}}, connect.Options{}, "a INT, b STRING", [][]string{{"1", "x"}, {"2", "y"}}},
		{"one less, one more", [][2]string{{"1.csv", "a,b\n1,x\n"}, {"2.csv", "c,a\n2020-02-29,2"}}, connect.Options{}, "a INT, b STRING, c DATE",
			[][]string{{"1", "x", null}, {"2", null, "2020-02-29"}}},
		{"keys beyond the first file", [][2]string{{"1.jsonl", `{"a":1}`}, {"2.jsonl", `{"b":2}` + "\n" + `{"a":3}`}}, connect.Options{}, "a INT", [][]string{{"1"}, {null}, {"3"}}},
		{"given types", [][2]string{{"1.csv", "a,b\n1,x\n"}, {"2.csv", "a\n2.5"}}, connect.Options{Columns: types.Schema{{Name: "a", Type: types.FLOAT}, {Name: "b", Type: types.STRING}}}, "a FLOAT, b STRING",
			[][]string{{"1.0", "x"}, {"2.5", null}}},
		{"named without header", [][2]string{{"1.csv", "1,x\n"}, {"2.csv", "2,y"}}, connect.Options{Header: &no, Columns: types.Schema{{Name: "n", Type: types.INT}, {Name: "s", Type: types.STRING}}},
			"n INT, s STRING", [][]string{{"1", "x"}, {"2", "y"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			for split := range int64(5) {
				files, names, live := map[string]string{}, []string{}, 0
				for i := range 12 { // more than are kept open
					f := tt.files[min(i, len(tt.files)-1)]
					name := strings.Repeat("0", i) + f[0]
					if i >= len(tt.files) {
						f[1], _, _ = strings.Cut(f[1], "\n") // no rows, if there is a header
						if !strings.HasSuffix(f[0], ".csv") || tt.options.Header != nil {
							continue
						}
					}
					files[name] = f[1]
					names = append(names, name)
				}
				src, err := multi.Open(context.Background(), names, tt.options, opener(files, &live))
				if err != nil {
					t.Fatal(err)
				}
				if got := strings.TrimSuffix(strings.TrimPrefix(types.StructOf(src.Schema()...).String(), "STRUCT<"), ">"); got != tt.schema {
					t.Fatalf("schema %s, want %s", got, tt.schema)
				}
				alloc := memory.NewCheckedAllocator(memory.DefaultAllocator)
				r, err := conntest.Read(src, split, alloc, conntest.Columns(src), 0)
				if err != nil {
					t.Fatal(err)
				}
				if !slices.EqualFunc(r.Rows, tt.rows, slices.Equal) {
					t.Errorf("rows %q, want %q", r.Rows, tt.rows)
				}
				alloc.AssertSize(t, 0)
				if live > 8 {
					t.Errorf("%d files are open that no one reads", live)
				}
				if err := src.Close(); err != nil || live != 0 {
					t.Errorf("%d files are left open, %v", live, err)
				}
			}
		})
	}
}

// The types of a text format are those of the first file: what does not fit
// them in another is a late value, as it would be in one file.
func TestLateValue(t *testing.T) {
	live := 0
	src, err := multi.Open(context.Background(), []string{"1.csv", "2.csv"}, connect.Options{}, opener(map[string]string{"1.csv": "a\n1", "2.csv": "a\n2.5"}, &live))
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	_, err = conntest.Read(src, 0, memory.DefaultAllocator, conntest.Columns(src), 0)
	if err == nil || !strings.HasPrefix(err.Error(), `2.csv:2: column "a": value '2.5' is not INT`) {
		t.Errorf("%v", err)
	}
}

// Formats with types of their own widen them, or are refused with both named.
func TestTypesOfTheirOwn(t *testing.T) {
	open := func(a, b types.Type) (*multi.Source, error) {
		return multi.Open(context.Background(), []string{"1", "2"}, connect.Options{}, func(_ context.Context, name string, o connect.Options) (connect.Source, error) {
			typ := map[string]types.Type{"1": a, "2": b}[name]
			if len(o.Columns) > 0 {
				typ = o.Columns[0].Type
			}
			return typed{schema: types.Schema{{Name: "x", Type: typ}}}, nil
		})
	}
	src, err := open(types.INT, types.FLOAT)
	if err != nil || src.Schema()[0].Type.String() != "FLOAT" {
		t.Errorf("%v, %v", src, err)
	}
	_, err = open(types.INT, types.STRING)
	if err == nil || !strings.HasPrefix(err.Error(), `2: column "x": is STRING here and INT in 1`) {
		t.Error(err)
	}
}

type typed struct {
	connect.Source
	schema types.Schema
}

func (t typed) Schema() types.Schema { return t.schema }
func (t typed) Size() int64          { return 1 }
func (t typed) Close() error         { return nil }
