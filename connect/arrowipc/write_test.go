package arrowipc

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/internal/conntest"
	"github.com/rainsql/rainsql/connect/internal/damage"
	"github.com/rainsql/rainsql/connect/scan"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// writeTable returns the file or stream of a table, written batch rows at a time.
func writeTable(t testing.TB, schema types.Schema, cols []arrow.Array, batch int, stream bool) []byte {
	t.Helper()
	var out damage.Out
	sink, err := NewSink(&out, schema, connect.Options{}, stream)
	if err != nil {
		t.Fatal(err)
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
		if from%2 == 0 { // so that there is more than one record batch
			if err := sink.(*Sink).Flush(); err != nil {
				t.Fatal(err)
			}
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

// What is written reads back the same: every type, any number of rows, as a
// file, a stream, and a stream through a pipe.
func TestRoundTrip(t *testing.T) {
	for _, rows := range []int{0, 1, 3000} {
		cols := damage.Table(t, checked(t), uint64(rows), damage.Every(), rows)
		for _, stream := range []bool{false, true} {
			data := writeTable(t, damage.Every(), cols, 701, stream)
			for name, in := range map[string]scan.Input{
				"file": conntest.File{Data: data}, "pipe": pipe{scan.NewStream(strings.NewReader(string(data)))},
			} {
				t.Run(fmt.Sprint(rows, stream, name), func(t *testing.T) {
					src, err := Open(t.Context(), in, "f", connect.Options{})
					if err != nil {
						t.Fatal(err)
					}
					defer src.Close()
					if !src.Schema().Equal(damage.Every()) {
						t.Fatalf("schema %v", src.Schema())
					}
					got, err := conntest.Read(src, 0, checked(t), conntest.Columns(src), 37)
					if err != nil {
						t.Fatal(err)
					}
					compare(t, got.Rows, damage.Text(cols))
				})
			}
		}
	}
}

// pipe makes an input of a stream.
type pipe struct{ *scan.Stream }

func (pipe) Close() error { return nil }

// Splits cut a file between record batches, and number rows all the same.
func TestSplits(t *testing.T) {
	schema := types.Schema{{Name: "i", Type: types.INT}}
	b := vec.NewFixed[int64](checked(t), arrow.PrimitiveTypes.Int64, 5000)
	for i := range b.Values {
		b.Values[i] = int64(i)
	}
	col := b.Finish()
	defer col.Release()
	src := open(t, writeTable(t, schema, []arrow.Array{col}, 100, false), connect.Options{})
	cols := []connect.Column{{Index: 0}, {Index: -1, Pseudo: connect.PseudoLine}, {Index: -1, Pseudo: connect.PseudoOffset}, {Index: -1, Pseudo: connect.PseudoFile}}
	for _, target := range []int64{1, 5000, 0} {
		splits, err := src.Splits(target)
		if err != nil || target == 1 && len(splits) != 50 || target == 0 && len(splits) != 1 {
			t.Fatalf("target %d: %d splits, %v", target, len(splits), err)
		}
		slices.Reverse(splits) // the last first: the heads before it must be read
		n := 5000
		for _, s := range splits {
			got, err := conntest.Read(one{src, s}, 0, checked(t), cols, 64)
			if err != nil {
				t.Fatal(err)
			}
			n -= got.Count
			for k, row := range got.Rows {
				i := n + k
				if want := []string{fmt.Sprint(i), fmt.Sprint(i + 1), fmt.Sprint(i), "f.arrow"}; !slices.Equal(row, want) || got.Lines[k] != int64(i)+1 {
					t.Fatalf("row %q at %d, want %q", row, got.Lines[k], want)
				}
			}
		}
		if n != 0 {
			t.Fatalf("target %d: %d rows are missing", target, n)
		}
	}
	all, err := conntest.ReadConcurrently(src, 1, checked(t), cols, 3)
	if err != nil || len(all.Rows) != 5000 || all.Rows[4999][0] != "4999" {
		t.Fatalf("%d rows read concurrently: %v", len(all.Rows), err)
	}
	count, err := conntest.Read(src, 0, checked(t), nil, 0)
	if err != nil || count.Count != 5000 {
		t.Fatalf("%d rows counted: %v", count.Count, err)
	}
}

// one is a source of a single split.
type one struct {
	connect.Source
	split connect.Split
}

func (o one) Splits(int64) ([]connect.Split, error) { return []connect.Split{o.split}, nil }

// What cannot be read or written is told.
func TestRefusals(t *testing.T) {
	if err := Check(types.Schema{{Name: "a", Type: types.INT}, {Name: "a", Type: types.INT}}); err == nil || !strings.HasPrefix(err.Error(), `column "a": is there twice`) {
		t.Error(err)
	}
	for data, want := range map[string]string{
		"":                                 "f: is not an Arrow file or stream: it has only 0 bytes",
		"FEA1xxxxxxxxxxxx":                 "f: is in the first version of Feather",
		"a,b,c\n1,2,3\n":                   "f: is not an Arrow file or stream",
		"ARROW1\x00\x00 and nothing to it": "f: is an Arrow file without its end",
	} {
		if _, err := Open(t.Context(), conntest.File{Data: []byte(data)}, "f", connect.Options{}); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%q: %v, want %s", data, err, want)
		}
	}
}
