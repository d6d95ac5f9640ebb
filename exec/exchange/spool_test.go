package exchange

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/vec"
	"github.com/rainsql/rainsql/planner/dag"
)

// wide is a batch with a column of each layout that tasks hold, of which row 0 says n.
func wide(t *testing.T, mem memory.Allocator, n int64) *op.Batch {
	t.Helper()
	ints := array.NewInt64Builder(mem)
	defer ints.Release()
	ints.AppendValues([]int64{n, 7, 8}, []bool{true, false, true})
	texts := array.NewStringViewBuilder(mem)
	defer texts.Release()
	texts.AppendValues([]string{"short", "longer than the twelve bytes of a view", ""}, []bool{true, true, false})
	values := texts.NewArray()
	defer values.Release()
	nulls := vec.NewNulls(mem, 3)
	nulls.Set(1)
	b := &op.Batch{Rows: 3, Split: int(n), Cols: []arrow.Array{ints.NewArray(), vec.NewDictionary(mem, []int32{1, 0, 1}, values, &nulls)}}
	for _, typ := range []struct{ arrow, json string }{{"list", `[[1,null],[],null]`}, {"struct", `[{"a":"x"},null,{"a":null}]`}} {
		var dt arrow.DataType = arrow.ListOf(arrow.PrimitiveTypes.Int64)
		if typ.arrow == "struct" {
			dt = arrow.StructOf(arrow.Field{Name: "a", Type: arrow.BinaryTypes.StringView, Nullable: true})
		}
		col, _, err := array.FromJSON(mem, dt, strings.NewReader(typ.json))
		if err != nil {
			t.Fatal(err)
		}
		b.Cols = append(b.Cols, col)
	}
	return b
}

// row is a row as text, NULL and all.
func row(b *op.Batch, i int) string {
	var out []string
	for _, c := range b.Cols {
		out = append(out, c.ValueStr(i))
	}
	return strings.Join(out, "|")
}

// TestSpool writes far ahead of its reader, within memory and beyond it, and
// where the query's budget allows none at all.
func TestSpool(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	for name, budget := range map[string]int64{"in memory": 0, "on disk": 1} {
		for _, limit := range []int64{spoolBytes, 2000} {
			mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
			used := op.NewMemory(budget)
			e := New(dag.Edge{Kind: dag.Forward, Spool: true}, 1, 1, Apart{}, mem, used)
			e.spools[0].limit = limit
			ctx := context.Background()
			s, r := e.Sender(0), e.Receiver(0)
			const many = 50
			for n := range many {
				b := wide(t, mem, int64(n))
				flow, err := s.Send(ctx, b)
				b.Release()
				if err := errors.Join(err, s.EndSplit(ctx, n)); err != nil || flow != op.More {
					t.Fatal(flow, err)
				}
				if n%20 == 0 { // the reader goes on now and then
					read(t, mem, r, n/20)
				}
			}
			s.Close()
			for n := 3; n < many; n++ {
				read(t, mem, r, n)
			}
			if _, err := r.Next(ctx); err == nil {
				t.Errorf("%s: something comes after the end", name)
			}
			r.Stop()
			e.Drain()
			if used.Used() != 0 {
				t.Errorf("%s: %d bytes on the account", name, used.Used())
			}
			mem.AssertSize(t, 0)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "rainsql-spill-*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// read takes the batch n and the end of its split.
func read(t *testing.T, mem memory.Allocator, r Receiver, n int) {
	t.Helper()
	m, err := r.Next(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	want := wide(t, mem, int64(n))
	for i := range 3 {
		if got, want := row(m.Batch, i), row(want, i); got != want {
			t.Errorf("batch %d, row %d: %s, want %s", n, i, got, want)
		}
	}
	if m.Split != n || m.Batch.Split != n {
		t.Errorf("batch %d is of split %d", n, m.Split)
	}
	want.Release()
	m.Batch.Release()
	if end, err := r.Next(context.Background()); err != nil || end.Batch != nil || end.Split != n {
		t.Errorf("the end of split %d: %v, %v", n, end, err)
	}
}

// TestSpoolStops leaves a reader, and a writer, that go away half-way.
func TestSpoolStops(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	e := New(dag.Edge{Kind: dag.Forward, Spool: true}, 1, 1, Apart{}, mem, op.NewMemory(1))
	s, r := e.Sender(0), e.Receiver(0)
	b := wide(t, mem, 1)
	for range 3 {
		if _, err := s.Send(context.Background(), b); err != nil {
			t.Fatal(err)
		}
	}
	r.Stop()
	if flow, err := s.Send(context.Background(), b); flow != op.Enough || err != nil {
		t.Errorf("after the reader has gone: %v, %v", flow, err)
	}
	b.Release()
	ctx, cancel := context.WithCancel(context.Background())
	other := New(dag.Edge{Kind: dag.Forward, Spool: true}, 1, 1, Apart{}, mem, op.NewMemory(0))
	cancel()
	if _, err := other.Receiver(0).Next(ctx); err == nil {
		t.Error("waits for ever")
	}
	e.Drain()
	other.Drain()
	mem.AssertSize(t, 0)
}

// TestSharedDictionary hands one batch to several tasks, which all look into its dictionary.
func TestSharedDictionary(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	const tasks = 4
	e := New(dag.Edge{Kind: dag.Broadcast}, 1, tasks, Apart{}, mem, op.NewMemory(0))
	s := e.Sender(0)
	for n := range 50 {
		b := wide(t, mem, int64(n))
		if _, err := s.Send(context.Background(), b); err != nil {
			t.Fatal(err)
		}
		b.Release()
		var wg sync.WaitGroup
		for i := range tasks {
			m, err := e.Receiver(i).Next(context.Background())
			if err != nil {
				t.Fatal(err)
			}
			wg.Go(func() {
				for _, c := range m.Batch.Cols {
					if d, ok := c.(*array.Dictionary); ok && d.Dictionary().Len() != 3 {
						t.Error("its values are lost")
					}
				}
				m.Batch.Release()
			})
		}
		wg.Wait()
	}
	s.Close()
	e.Drain()
	mem.AssertSize(t, 0)
}
