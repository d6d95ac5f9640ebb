package exchange

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
	"github.com/rainsql/rainsql/planner/dag"
)

// wire is a way between two processes that holds its messages to the credit.
type wire struct {
	credit chan struct{}
	way    chan Message // nil in it: the end
	in     *Inlet
}

func (w *wire) Send(ctx context.Context, m Message) (op.Flow, error) {
	select {
	case <-w.credit:
	case <-w.in.Stopped():
		m.Release()
		return op.Enough, nil
	case <-ctx.Done():
		m.Release()
		return op.Enough, context.Cause(ctx)
	}
	w.way <- m // has room for the credit and the end
	return op.More, nil
}

func (w *wire) Stopped() bool { return w.in.to.isStopped() }
func (w *wire) Done()         { close(w.way) }

// carry hands on what comes over the wire.
func (w *wire) carry(t *testing.T) {
	for m := range w.way {
		if err := w.in.Put(m); err != nil {
			t.Error(err)
		}
	}
	w.in.End()
}

// cut makes an edge whose tasks are spread over processes: task i is in process at(i).
func cut(t *testing.T, spec dag.Edge, producers, consumers, processes int, mem memory.Allocator) (edges []*Edge, carriers *sync.WaitGroup) {
	at := func(task int) int { return task % processes }
	carriers = &sync.WaitGroup{}
	edges = make([]*Edge, processes)
	for k := range edges {
		apart := Apart{Away: func(producer, consumer int) Away {
			to := edges[at(consumer)]
			w := &wire{credit: make(chan struct{}, 100), way: make(chan Message, to.Credit())}
			w.in = to.Inlet(producer, consumer, func() { w.credit <- struct{}{} })
			for range to.Credit() {
				w.credit <- struct{}{}
			}
			carriers.Go(func() { w.carry(t) })
			return w
		}}
		for p := range producers {
			apart.Producers = append(apart.Producers, at(p) == k)
		}
		for c := range consumers {
			apart.Consumers = append(apart.Consumers, at(c) == k)
		}
		edges[k] = New(spec, producers, consumers, apart, mem, op.NewMemory(0))
	}
	return edges, carriers
}

func numbers(mem memory.Allocator, split int, values ...int64) *op.Batch {
	f := vec.NewFixed[int64](mem, types.INT.Arrow(), len(values))
	copy(f.Values, values)
	return &op.Batch{Cols: []arrow.Array{f.Finish()}, Rows: len(values), Split: split}
}

// run moves the same batches over an edge, and gives what each consumer got, in its order. A consumer that wants only some walks away after
// those.
func run(t *testing.T, spec dag.Edge, producers, consumers, processes, wants int) [][]string {
	t.Helper()
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	edges, carriers := cut(t, spec, producers, consumers, processes, mem)
	ctx := t.Context()
	var tasks sync.WaitGroup
	for p := range producers {
		s := edges[p%processes].Sender(p)
		tasks.Go(func() {
			defer s.Close()
			rnd := rand.New(rand.NewPCG(1, uint64(p)))
			at := int64(0)
			for split := p; split < 60; split += producers {
				for range rnd.IntN(4) {
					values := make([]int64, 1+rnd.IntN(50))
					for i := range values {
						at += rnd.Int64N(3)
						values[i] = at*int64(producers) + int64(p)
					}
					b := numbers(mem, split, values...)
					flow, err := s.Send(ctx, b)
					b.Release()
					if err != nil {
						t.Error(err)
					}
					if flow == op.Enough {
						return
					}
				}
				if err := s.EndSplit(ctx, split); err != nil {
					t.Error(err)
				}
			}
		})
	}
	got := make([][]string, consumers)
	for c := range consumers {
		r := edges[c%processes].Receiver(c)
		tasks.Go(func() {
			defer r.Stop()
			for len(got[c]) < wants {
				m, err := r.Next(ctx)
				if errors.Is(err, io.EOF) {
					return
				}
				if err != nil {
					t.Error(err)
					return
				}
				if m.Batch != nil {
					for _, v := range vec.Values[int64](m.Batch.Cols[0]) {
						got[c] = append(got[c], fmt.Sprint(v))
					}
				}
				m.Release()
			}
		})
	}
	tasks.Wait()
	carriers.Wait()
	for _, e := range edges {
		e.Drain()
	}
	mem.AssertSize(t, 0)
	return got
}

// TestApart: an edge whose tasks run in three processes gives every consumer what one within a process does, in the same order where it has one.
func TestApart(t *testing.T) {
	const all = 1 << 30
	for name, tc := range map[string]struct {
		spec      dag.Edge
		consumers int
		ordered   bool
	}{
		"gather":    {dag.Edge{Kind: dag.Gather}, 1, false},
		"by split":  {dag.Edge{Kind: dag.BySplit}, 1, true},
		"merge":     {dag.Edge{Kind: dag.Merge, Sort: []dag.SortKey{{Column: 0}}}, 1, true},
		"hash":      {dag.Edge{Kind: dag.Hash, Keys: []int{0}}, 5, false},
		"hash one":  {dag.Edge{Kind: dag.Hash, Keys: []int{0}}, 1, false},
		"broadcast": {dag.Edge{Kind: dag.Broadcast}, 4, false},
		"forward":   {dag.Edge{Kind: dag.Forward}, 6, true},
	} {
		t.Run(name, func(t *testing.T) {
			want := run(t, tc.spec, 6, tc.consumers, 1, all)
			got := run(t, tc.spec, 6, tc.consumers, 3, all)
			for c := range want {
				if !tc.ordered {
					slices.Sort(want[c])
					slices.Sort(got[c])
				}
				if len(want[c]) == 0 || !slices.Equal(got[c], want[c]) {
					t.Errorf("consumer %d has %d rows, not these %d", c, len(got[c]), len(want[c]))
				}
			}
			run(t, tc.spec, 6, tc.consumers, 3, 70) // they walk away: nothing hangs, and nothing is left
		})
	}
	t.Run("rebalance", func(t *testing.T) {
		var want, got []string
		for c := range 4 {
			want = append(want, run(t, dag.Edge{Kind: dag.Rebalance}, 6, 4, 1, all)[c]...)
		}
		for _, rows := range run(t, dag.Edge{Kind: dag.Rebalance}, 6, 4, 3, all) {
			got = append(got, rows...)
		}
		slices.Sort(want)
		slices.Sort(got)
		if !slices.Equal(got, want) {
			t.Errorf("%d rows, not these %d", len(got), len(want))
		}
	})
}

// TestCredit: a producer elsewhere that sends more than there is room for, or after its end, is an error and costs nothing.
func TestCredit(t *testing.T) {
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	for _, spec := range []dag.Edge{{Kind: dag.Gather}, {Kind: dag.BySplit}} {
		e := New(spec, 2, 1, Apart{Producers: []bool{true, false}}, mem, op.NewMemory(0))
		if e.Inlet(0, 0, nil) != nil || e.Inlet(2, 0, nil) != nil || e.Inlet(1, 1, nil) != nil || e.Inlet(-1, 0, nil) != nil {
			t.Error("a way in for a task that is here, or that there is none of")
		}
		in := e.Inlet(1, 0, func() {})
		if e.Inlet(1, 0, func() {}) != nil {
			t.Error("a way in twice")
		}
		for i := range 100 {
			err := in.Put(Message{Batch: numbers(mem, i, 1, 2, 3), Split: i})
			if i < e.Credit() && err != nil || i == 99 && !errors.Is(err, errCredit) {
				t.Errorf("message %d: %v", i, err)
			}
		}
		in.End()
		if err := in.Put(Message{Batch: numbers(mem, 1, 1), Split: 1}); err == nil {
			t.Error("after the end")
		}
		e.Drain()
	}
	mem.AssertSize(t, 0)
}
