package formats_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/formats"
	"github.com/rainsql/rainsql/connect/internal/conntest"
	"github.com/rainsql/rainsql/expr/types"
)

// table is a column of each: INT, STRING, LIST<INT>.
func table(t *testing.T, alloc memory.Allocator) (types.Schema, []arrow.Array) {
	t.Helper()
	schema := types.Schema{{Name: "n", Type: types.INT}, {Name: "a b", Type: types.STRING}, {Name: "l", Type: types.ListOf(types.INT)}}
	var cols []arrow.Array
	for i, data := range []string{`[1, null, -3]`, `["x,\"y\"", "", "line\nend"]`, `[[1,2], null, []]`} {
		col, _, err := array.FromJSON(alloc, schema[i].Type.Arrow(), strings.NewReader(data))
		if err != nil {
			t.Fatal(err)
		}
		cols = append(cols, col)
	}
	return schema, cols
}

func release(cols []arrow.Array) {
	for _, c := range cols {
		c.Release()
	}
}

func TestWrite(t *testing.T) {
	no, semi, null := false, ";", "NULL"
	tests := []struct {
		format  string
		options connect.Options
		want    string
	}{
		{"csv", connect.Options{}, "n,a b,l\n1,\"x,\"\"y\"\"\",\"[1,2]\"\n,\"\",\n-3,\"line\nend\",[]\n"},
		{"tsv", connect.Options{}, "n\ta b\tl\n1\t\"x,\"\"y\"\"\"\t[1,2]\n\t\"\"\t\n-3\t\"line\nend\"\t[]\n"},
		{"csv", connect.Options{Header: &no, Delimiter: &semi, Null: &null}, "1;\"x,\"\"y\"\"\";[1,2]\nNULL;\"\";NULL\n-3;\"line\nend\";[]\n"},
		{"jsonl", connect.Options{}, `{"n":1,"a b":"x,\"y\"","l":[1,2]}` + "\n" + `{"n":null,"a b":"","l":null}` + "\n" + `{"n":-3,"a b":"line\nend","l":[]}` + "\n"},
	}
	for _, tt := range tests {
		alloc := memory.NewCheckedAllocator(memory.DefaultAllocator)
		schema, cols := table(t, alloc)
		var b bytes.Buffer
		s, err := formats.NewWriter(&b, tt.format, schema, tt.options)
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(s.Write(cols, 3), s.Commit()); err != nil {
			t.Fatal(err)
		}
		if b.String() != tt.want || s.Bytes() != int64(len(tt.want)) {
			t.Errorf("%s:\n%s\nwant\n%s", tt.format, b.String(), tt.want)
		}
		release(cols)
		alloc.AssertSize(t, 0)
	}
}

func TestWriteRefuses(t *testing.T) {
	twice := types.Schema{{Name: "a", Type: types.INT}, {Name: "a", Type: types.INT}}
	for format, want := range map[string]string{"jsonl": `two columns named "a"`, "json": `two columns named "a"`, "text": "exactly one STRING", "parquet.gz": "not compressed as a whole", "cvs": `did you mean "csv"`} {
		_, err := formats.NewWriter(&bytes.Buffer{}, format, twice, connect.Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", format, err)
		}
	}
}

// rows reads a file back as text.
func rows(t *testing.T, path string, o connect.Options) [][]string {
	t.Helper()
	src, err := formats.OpenSource(context.Background(), formats.Local{}, path, path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	r, err := conntest.Read(src, 5, memory.DefaultAllocator, conntest.Columns(src), 0)
	if err != nil {
		t.Fatal(err)
	}
	return r.Rows
}

func TestFileRoundTrip(t *testing.T) {
	want := [][]string{{"1", `x,"y"`, "[1,2]"}, {conntest.Null, "", conntest.Null}, {"-3", "line\nend", "[]"}}
	for _, name := range []string{"t.csv", "t.TSV", "t.jsonl", "t.csv.gz", "t.jsonl.zst"} {
		path := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(path, []byte("old"), 0o640); err != nil {
			t.Fatal(err)
		}
		schema, cols := table(t, memory.DefaultAllocator)
		write := func(mode string, end func(connect.Sink) error) {
			s, err := formats.NewSink(formats.Local{}, path, path, schema, connect.Options{Mode: mode})
			if err != nil {
				t.Fatal(err)
			}
			if err := errors.Join(s.Write(cols, 3), end(s), s.Abort()); err != nil {
				t.Fatal(err)
			}
		}
		write("", connect.Sink.Abort)
		if b, _ := os.ReadFile(path); string(b) != "old" {
			t.Errorf("after abort: %q", b)
		}
		write("", connect.Sink.Commit)
		if got := rows(t, path, connect.Options{}); !slices.EqualFunc(got, want, slices.Equal) {
			t.Errorf("%s: %q", name, got)
		}
		write("append", connect.Sink.Commit)
		if got := rows(t, path, connect.Options{}); !slices.EqualFunc(got, append(slices.Clone(want), want...), slices.Equal) {
			t.Errorf("%s after append: %q", name, got)
		}
		if info, _ := os.Stat(path); info.Mode().Perm() != 0o640 {
			t.Errorf("permissions are now %v", info.Mode())
		}
		if _, err := formats.NewSink(formats.Local{}, path, path, schema, connect.Options{Mode: "error"}); !errors.Is(err, fs.ErrExist) {
			t.Errorf("mode error: %v", err)
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), "*")); len(left) != 1 {
			t.Errorf("left behind: %v", left)
		}
		if hidden, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".*.tmp")); len(hidden) != 0 {
			t.Errorf("left behind: %v", hidden)
		}
		release(cols)
	}
}

func TestAppendChecksHeader(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.csv")
	if err := os.WriteFile(path, []byte("other\n1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := formats.NewSink(formats.Local{}, path, path, types.Schema{{Name: "a", Type: types.INT}}, connect.Options{Mode: "append"})
	if err == nil || !strings.Contains(err.Error(), "its header is not that of the rows to append") {
		t.Error(err)
	}
}

func TestText(t *testing.T) {
	path := filepath.Join(t.TempDir(), "t.log")
	if err := os.WriteFile(path, []byte("\xEF\xBB\xBFone\r\n\ntwo, \"x\"\nlast"), 0o600); err != nil {
		t.Fatal(err)
	}
	want := [][]string{{"one"}, {""}, {`two, "x"`}, {"last"}}
	src, err := formats.OpenSource(context.Background(), formats.Local{}, path, path, connect.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	for split := range int64(30) {
		alloc := memory.NewCheckedAllocator(memory.DefaultAllocator)
		r, err := conntest.Read(src, split, alloc, conntest.Columns(src), 3)
		if err != nil || !slices.EqualFunc(r.Rows, want, slices.Equal) || !slices.Equal(r.Lines, []int64{1, 2, 3, 4}) {
			t.Fatalf("split %d: %q, %v, %v", split, r.Rows, r.Lines, err)
		}
		if r, err := conntest.Read(src, split, alloc, nil, 0); err != nil || r.Count != 4 {
			t.Fatalf("split %d: count %d, %v", split, r.Count, err)
		}
	}
}

func TestOpenErrors(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.gz"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "b.csv.gz"), []byte("a,b\n1,2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{"none.csv": "no such file", "": "is a directory", "a.gz": "does not tell its format", "b.csv.gz": "is not gzip data"} {
		_, err := formats.OpenSource(context.Background(), formats.Local{}, filepath.Join(dir, name), "shown", connect.Options{})
		if err == nil || !strings.HasPrefix(err.Error(), "shown: ") || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
		if (name == "none.csv") != errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: not found is %v", name, errors.Is(err, fs.ErrNotExist))
		}
	}
}

// TestFIFO reads from and writes to a pipe, which has neither size nor offsets.
func TestFIFO(t *testing.T) {
	path := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip("no pipes here:", err)
	}
	schema := types.Schema{{Name: "n", Type: types.INT}, {Name: "s", Type: types.STRING}}
	done := make(chan error)
	const batches, perBatch = 300, 1000 // beyond what one chunk holds
	go func() {
		s, err := formats.NewSink(formats.Local{}, path, path, schema, connect.Options{Format: "csv"})
		if err != nil {
			done <- err
			return
		}
		nb, sb := array.NewInt64Builder(memory.DefaultAllocator), array.NewStringViewBuilder(memory.DefaultAllocator)
		for i := range perBatch {
			nb.Append(int64(i))
			sb.Append(fmt.Sprint("text number ", i))
		}
		cols := []arrow.Array{nb.NewArray(), sb.NewArray()}
		for range batches {
			err = errors.Join(err, s.Write(cols, perBatch))
		}
		done <- errors.Join(err, s.Commit())
	}()
	src, err := formats.OpenSource(context.Background(), formats.Local{}, path, path, connect.Options{Format: "csv"})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	alloc := memory.NewCheckedAllocator(memory.DefaultAllocator)
	r, err := conntest.Read(src, 0, alloc, conntest.Columns(src), 0)
	if err := errors.Join(err, <-done); err != nil {
		t.Fatal(err)
	}
	if len(r.Rows) != batches*perBatch || r.Lines[len(r.Lines)-1] != batches*perBatch+1 {
		t.Fatalf("%d rows", len(r.Rows))
	}
	for i, row := range r.Rows {
		if row[0] != fmt.Sprint(i%perBatch) || row[1] != "text number "+row[0] {
			t.Fatalf("row %d: %q", i, row)
		}
	}
}
