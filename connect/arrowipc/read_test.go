package arrowipc

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/internal/conntest"
	"github.com/rainsql/rainsql/expr/types"
)

// wanted is testdata/want.json: what ../parquet/testdata/make.py put into the files.
type wanted struct {
	Files  map[string]int
	Tables []struct {
		Columns [][2]string
		Rows    [][]string
	}
}

func readWanted(t *testing.T) (w wanted) {
	t.Helper()
	b, err := os.ReadFile("testdata/want.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &w); err != nil {
		t.Fatal(err)
	}
	return w
}

// checked is an allocator that fails the test if anything is not given back.
func checked(t testing.TB) *memory.CheckedAllocator {
	t.Helper()
	alloc := memory.NewCheckedAllocator(memory.NewGoAllocator())
	t.Cleanup(func() { alloc.AssertSize(t, 0) })
	return alloc
}

func open(t testing.TB, data []byte, o connect.Options) connect.Source {
	t.Helper()
	src, err := Open(context.Background(), conntest.File{Data: data}, "f.arrow", o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	return src
}

func schemaOf(t *testing.T, columns [][2]string) (s types.Schema) {
	t.Helper()
	for _, c := range columns {
		typ, err := types.Parse(c[1])
		if err != nil {
			t.Fatal(err)
		}
		s = append(s, types.Field{Name: c[0], Type: typ})
	}
	return s
}

// Files that other programs wrote read as what these put in, in batches of any size.
func TestFilesOfOthers(t *testing.T) {
	w := readWanted(t)
	for name, table := range w.Files {
		t.Run(name, func(t *testing.T) {
			want := w.Tables[table]
			data, err := os.ReadFile(filepath.Join("testdata", name))
			if err != nil {
				t.Fatal(err)
			}
			src := open(t, data, connect.Options{})
			if s := schemaOf(t, want.Columns); !src.Schema().Equal(s) {
				t.Fatalf("schema %v, want %v", src.Schema(), s)
			}
			for _, batch := range []int{0, 1, 5} {
				got, err := conntest.Read(src, 0, checked(t), conntest.Columns(src), batch)
				if err != nil {
					t.Fatal(err)
				}
				compare(t, got.Rows, want.Rows)
				for i, line := range got.Lines {
					if line != int64(i)+1 {
						t.Fatalf("row %d is said to be row %d", i+1, line)
					}
				}
			}
			for i := range want.Columns { // each column alone
				got, err := conntest.Read(src, 1<<30, checked(t), []connect.Column{{Index: i}, {Index: -1, Pseudo: connect.PseudoOffset}}, 3)
				if err != nil {
					t.Fatal(err)
				}
				if len(got.Rows) != len(want.Rows) {
					t.Fatalf("%d rows, want %d", len(got.Rows), len(want.Rows))
				}
				for k, row := range got.Rows {
					if row[0] != want.Rows[k][i] {
						t.Fatalf("column %s, row %d: %s, want %s", want.Columns[i][0], k, row[0], want.Rows[k][i])
					}
				}
			}
		})
	}
}

func compare(t testing.TB, got, want [][]string) {
	t.Helper()
	if len(got) != len(want) {
		t.Fatalf("%d rows, want %d", len(got), len(want))
	}
	for i := range want {
		if !slices.Equal(got[i], want[i]) {
			t.Fatalf("row %d:\n got %q\nwant %q", i, got[i], want[i])
		}
	}
}
