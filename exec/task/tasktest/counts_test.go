package tasktest_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"go.uber.org/goleak"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/connect/csv"
	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/exec/task"
	"github.com/rainsql/rainsql/exec/task/tasktest"
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
	"github.com/rainsql/rainsql/planner/dag"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// quoted is rows of a number and a text in quotes, in every third of which lines end.
func quoted(rows int) string {
	var b strings.Builder
	b.WriteString("n,\"the\ntext\"\n")
	for i := range rows {
		if i%3 == 0 {
			fmt.Fprintf(&b, "%d,\"a, \"\"b\"\"\n9,\"\"c\n\"\n", i)
		} else {
			fmt.Fprintf(&b, "%d,\"it is number %d\"\n", i, i)
		}
	}
	return b.String()
}

// opener opens the same bytes for each part, and counts what each reads.
type opener struct {
	task.Opener
	data []byte
	read []*atomic.Int64 // by part
}

type counted struct {
	*bytes.Reader
	read *atomic.Int64
}

func (counted) Forget(int64) {}
func (counted) Close() error { return nil }

func (c counted) ReadAt(p []byte, off int64) (int, error) {
	n, err := c.Reader.ReadAt(p, off)
	c.read.Add(int64(n))
	return n, err
}

func (o *opener) OpenSource(ctx context.Context, _ string, _ connect.Options) (connect.Source, error) {
	o.read = append(o.read, &atomic.Int64{})
	return csv.Open(ctx, counted{bytes.NewReader(o.data), o.read[len(o.read)-1]}, "t.csv", "csv", connect.Options{Columns: stored})
}

func (*opener) Commit(context.Context) error { return nil }

var stored = types.Schema{{Name: "n", Type: types.INT}, {Name: "the\ntext", Type: types.STRING}}

// scanOf is a scan in so many tasks, whose numbers and lines go to the caller.
func scanOf(tasks int, kind dag.Kind, middle ...dag.Spec) *dag.Graph {
	columns := []connect.Column{{Index: 0}, {Index: -1, Pseudo: connect.PseudoLine}}
	scan := &dag.Stage{ID: 0, Tasks: tasks, Outputs: []dag.Edge{{ID: 0, To: 1, Kind: kind}}}
	scan.Ops = append(scan.Ops, dag.Op{Spec: &dag.Scan{Path: "t.csv", Stored: stored, Columns: columns, Names: []string{"n", "l"}}})
	for i, m := range middle {
		scan.Ops = append(scan.Ops, dag.Op{Spec: m, Inputs: []int{i}})
	}
	last := &dag.Stage{ID: 1, Tasks: 1, Ops: []dag.Op{
		{Spec: &dag.Receive{Edge: 0, Types: []types.Type{types.INT, types.INT}}}, {Spec: &dag.Result{Columns: []int{0, 1}}, Inputs: []int{0}},
	}}
	return &dag.Graph{Stages: []*dag.Stage{scan, last}, Schema: types.Schema{{Name: "n", Type: types.INT}, {Name: "l", Type: types.INT}}}
}

// run runs a graph in three parts and gives the numbers and lines that come.
func run(t *testing.T, g *dag.Graph, o *opener, splitBytes int64, enough int) (got [][2]int64, err error) {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	rt := &task.Runtime{
		Opener: o, SplitBytes: splitBytes, Env: &op.Env{Alloc: mem, Memory: op.NewMemory(0), Eval: &expr.Env{}},
		Result: func(_ context.Context, cols []arrow.Array, rows int) (op.Flow, error) {
			for i := range rows {
				got = append(got, [2]int64{vec.Values[int64](cols[0])[i], vec.Values[int64](cols[1])[i]})
			}
			if enough > 0 && len(got) >= enough {
				return op.Enough, nil
			}
			return op.More, nil
		},
	}
	_, err = tasktest.InParts(3)(t.Context(), g, rt, &task.Stats{})
	return got, err
}

// check holds rows of quoted against what they are.
func check(t *testing.T, got [][2]int64, rows int) {
	t.Helper()
	slices.SortFunc(got, func(a, b [2]int64) int { return int(a[0] - b[0]) })
	if len(got) != rows {
		t.Fatalf("%d rows, want %d", len(got), rows)
	}
	line := int64(3)
	for i, row := range got {
		if row != [2]int64{int64(i), line} {
			t.Fatalf("row %d: %v, want line %d", i, row, line)
		}
		if line++; i%3 == 0 {
			line += 2
		}
	}
}

// TestQuotesInParts: rows with lines in quotes come out right, wherever splits begin, and however they are spread over parts.
func TestQuotesInParts(t *testing.T) {
	data := []byte(quoted(300))
	for _, size := range []int64{1, 7, 16, 100, 1000, 100_000} {
		for _, kind := range []dag.Kind{dag.Gather, dag.BySplit} {
			got, err := run(t, scanOf(4, kind), &opener{data: data}, size, 0)
			if err != nil {
				t.Fatalf("splits of %d: %v", size, err)
			}
			if kind == dag.BySplit && !slices.IsSortedFunc(got, func(a, b [2]int64) int { return int(a[0] - b[0]) }) {
				t.Errorf("splits of %d: not in order", size)
			}
			check(t, got, 300)
		}
	}
}

// TestReadOnce: no part reads what others do, to count in it.
func TestReadOnce(t *testing.T) {
	const rows, split = 200_000, 64 << 10
	data := []byte(quoted(rows))
	o := &opener{data: data}
	got, err := run(t, scanOf(6, dag.Gather), o, split, 0)
	if err != nil {
		t.Fatal(err)
	}
	check(t, got, rows)
	var total int64
	for _, n := range o.read {
		t.Logf("%d bytes of %d", n.Load(), len(data))
		total += n.Load()
	}
	// Of a split some bytes more are read, for its last row, and of the file its head, by each part; the first split is counted by itself.
	splits := int64(len(data)/split + 1)
	if most := int64(len(data)) + splits*4200 + split + 3*(300<<10); total > most || len(o.read) != 3 {
		t.Errorf("%d bytes of %d were read, want %d at most", total, len(data), most)
	}
}

// TestEnoughOfQuotes: parts end although some of them, or some of their tasks, want no more rows while others wait for their counts.
func TestEnoughOfQuotes(t *testing.T) {
	data := []byte(quoted(3000))
	for i := range 30 {
		if _, err := run(t, scanOf(4, dag.BySplit), &opener{data: data}, 500, 1+50*i); err != nil {
			t.Fatal(err)
		}
		got, err := run(t, scanOf(7, dag.Gather, &dag.Limit{Count: int64(1 + i)}), &opener{data: data}, 500, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) < 1+i || len(got) > 7*(1+i) {
			t.Errorf("%d rows of limits of %d", len(got), 1+i)
		}
	}
}

// TestStrayQuote: the first fault is told, and its line, whichever part comes to which first.
func TestStrayQuote(t *testing.T) {
	data := quoted(3000)
	at := strings.Index(data, "\n2000,") + len("\n2000,\"it")
	line := 1 + strings.Count(data[:at], "\n")
	data = data[:at] + `"` + data[at:]
	for range 20 {
		_, err := run(t, scanOf(5, dag.Gather), &opener{data: []byte(data)}, 700, 0)
		var told *connect.Error
		if !errors.As(err, &told) || told.Line != int64(line) || !strings.Contains(told.Hint, "quote = ''") {
			t.Fatalf("%v, want line %d", err, line)
		}
	}
}
