package link

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
	"github.com/rainsql/rainsql/planner/dag"
)

// run moves the same batches over an edge between n processes, and gives what each consumer got, in its order. A consumer that wants only some walks
// away after those.
func run(t *testing.T, spec dag.Edge, producers, consumers, n, wants int) (got [][]string) {
	t.Helper()
	w := newWorld(t, spec, producers, consumers, n, types.INT)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var tasks sync.WaitGroup
	for p, s := range w.senders() {
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
					b := numbers(w.mem, split, values...)
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
	got = make([][]string, consumers)
	for c := range consumers {
		r := w.processes[w.at(c)].edge.Receiver(c)
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
	for _, p := range w.processes {
		if err := p.closeOuts(); err != nil {
			t.Errorf("process %d: %v", p.k, err)
		}
		p.server.GracefulStop()
	}
	var sent, received int64
	for _, p := range w.processes {
		sent, received = sent+p.sent.Bytes.Load(), received+p.received.Bytes.Load()
		if err := errors.Join(append(p.told, p.served...)...); err != nil {
			t.Errorf("process %d: %v", p.k, err)
		}
	}
	if sent != received || n > 1 && spec.Kind != dag.Forward && sent == 0 {
		t.Errorf("%d bytes sent, %d received", sent, received)
	}
	w.close()
	return got
}

// TestKinds: an edge of any kind gives every consumer the same over links as within a process, in the same order where it has one.
func TestKinds(t *testing.T) {
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
		"rebalance": {dag.Edge{Kind: dag.Rebalance}, 4, false},
		"forward":   {dag.Edge{Kind: dag.Forward}, 6, true},
	} {
		t.Run(name, func(t *testing.T) {
			want := run(t, tc.spec, 6, tc.consumers, 1, all)
			for _, n := range []int{2, 3} {
				got := run(t, tc.spec, 6, tc.consumers, n, all)
				if tc.spec.Kind == dag.Rebalance { // which consumer gets a batch is chance
					want, got = [][]string{slices.Concat(want...)}, [][]string{slices.Concat(got...)}
				}
				for c := range want {
					if !tc.ordered {
						slices.Sort(want[c])
						slices.Sort(got[c])
					}
					if len(want[c]) == 0 || !slices.Equal(got[c], want[c]) {
						t.Errorf("%d processes: consumer %d has %d rows, not these %d", n, c, len(got[c]), len(want[c]))
					}
				}
				run(t, tc.spec, 6, tc.consumers, n, 70) // they walk away: nothing hangs, and nothing is left
			}
		})
	}
}
