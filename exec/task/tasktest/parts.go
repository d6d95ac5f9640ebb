// Package tasktest runs graphs for tests as a cluster would: cut into parts that know each other by their links alone.
package tasktest

import (
	"context"
	"errors"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/exec/exchange"
	"github.com/rainsql/rainsql/exec/exchange/frame"
	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/exec/task"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/planner/dag"
)

// InParts runs graphs as task.Graph does, in n parts within this process. What a graph measures of its operators is not put together: such a graph runs
// as a whole.
func InParts(n int) func(context.Context, *dag.Graph, *task.Runtime, *task.Stats) (*task.Report, error) {
	return func(ctx context.Context, g *dag.Graph, rt *task.Runtime, stats *task.Stats) (*task.Report, error) {
		if rt.Measure {
			return task.Graph(ctx, g, rt, stats)
		}
		return nil, run(ctx, g, rt, stats, n)
	}
}

// cut is a graph in parts.
type cut struct {
	ctx    context.Context //nolint:containedctx // of the query
	fail   context.CancelCauseFunc
	base   []int // by stage: the part of its first task; the others follow in turn
	n      int
	parts  []*task.Running
	ready  chan struct{} // closed once all parts are there
	splits map[[2]int]*task.Shared
	types  map[int][]types.Type // of the columns, by edge
	mem    memory.Allocator
	wires  sync.WaitGroup
}

func run(outer context.Context, g *dag.Graph, rt *task.Runtime, stats *task.Stats, n int) (err error) {
	c := &cut{base: assign(g), n: n, ready: make(chan struct{}), splits: map[[2]int]*task.Shared{}, types: map[int][]types.Type{}, mem: rt.Env.Alloc}
	for _, st := range g.Stages {
		for _, o := range st.Ops {
			if r, ok := o.Spec.(*dag.Receive); ok {
				c.types[r.Edge] = r.Types
			}
		}
	}
	c.ctx, c.fail = context.WithCancelCause(outer)
	defer c.fail(nil)
	defer func() {
		for _, p := range c.parts {
			err = errors.Join(err, p.Close())
		}
	}()
	own := *rt
	own.Opener = uncommitted{rt.Opener}
	for k := range n {
		p, err := task.Start(c.ctx, g, c.part(k), &own, stats)
		if p != nil {
			c.parts = append(c.parts, p)
		}
		if err != nil {
			return err
		}
	}
	close(c.ready)
	if err := c.all(); err != nil {
		return err
	}
	for _, p := range c.parts {
		if err := p.Commit(outer); err != nil {
			return err
		}
	}
	return rt.Opener.Commit(outer)
}

// all runs all parts to their ends; the first error ends the others.
func (c *cut) all() error {
	var work sync.WaitGroup
	for _, p := range c.parts {
		work.Go(func() {
			if err := p.Run(c.ctx); err != nil {
				c.fail(err)
			}
		})
	}
	work.Wait()
	err := context.Cause(c.ctx)
	c.fail(errors.New("the query has ended"))
	c.wires.Wait()
	return err
}

// assign gives each stage the part of its first task. Stages joined by a forward edge have the same.
func assign(g *dag.Graph) []int {
	base := make([]int, len(g.Stages))
	for i := range base {
		base[i] = i
	}
	for again := true; again; {
		again = false
		for _, st := range g.Stages {
			for _, e := range st.Outputs {
				if least := min(base[st.ID], base[e.To]); e.Kind == dag.Forward && base[st.ID] != base[e.To] {
					base[st.ID], base[e.To], again = least, least, true
				}
			}
		}
	}
	return base
}

func (c *cut) at(stage, index int) int { return (c.base[stage] + index) % c.n }

func (c *cut) part(k int) task.Part {
	return task.Part{
		Here: func(stage, index int) bool { return c.at(stage, index) == k },
		Away: c.away,
		Splits: func(stage, op int, splits []connect.Split, _ bool) task.Splits {
			key := [2]int{stage, op}
			if c.splits[key] == nil {
				c.splits[key] = task.NewShared(splits)
			}
			if c.at(stage, 0) != k {
				return inRuns{c.splits[key]}
			}
			return c.splits[key]
		},
	}
}

// inRuns takes several splits at once, as who has to ask another server does.
type inRuns struct{ *task.Shared }

// Take implements task.Splits.
func (r inRuns) Take(ctx context.Context, most int) (all task.Taken, err error) {
	for range most {
		got, err := r.Shared.Take(ctx, 1)
		if err != nil || len(got.Splits) == 0 {
			return all, err
		}
		all.Splits = append(all.Splits, got.Splits...)
	}
	return all, nil
}

// wire is a way between two parts.
type wire struct {
	c      *cut
	types  []types.Type
	way    chan exchange.Message // closed: the producer is done
	credit chan struct{}
	inlet  *exchange.Inlet // once there
	there  chan struct{}
}

// mostCredit is more than any edge gives.
const mostCredit = 100

func (c *cut) away(edge, producer, consumer int) exchange.Away {
	w := &wire{c: c, types: c.types[edge], way: make(chan exchange.Message, mostCredit), credit: make(chan struct{}, mostCredit), there: make(chan struct{})}
	c.wires.Go(func() {
		select {
		case <-c.ready:
		case <-c.ctx.Done():
			w.drop()
			return
		}
		for _, p := range c.parts {
			if in := p.Inlet(edge, producer, consumer, func() { w.credit <- struct{}{} }); in != nil {
				w.inlet = in
				for range p.Credit(edge) {
					w.credit <- struct{}{}
				}
			}
		}
		if w.inlet == nil {
			c.fail(errors.New("nobody has the consumer"))
			return
		}
		close(w.there)
		w.carry()
	})
	return w
}

// carry hands on what is sent, until the producer is done.
func (w *wire) carry() {
	enc, err := frame.NewEncoder(w.c.mem, w.types)
	dec, err2 := frame.NewDecoder(w.c.mem, w.types)
	if err = errors.Join(err, err2); err != nil {
		w.c.fail(err)
		w.drop()
		return
	}
	defer enc.Release()
	defer dec.Release()
	for {
		select {
		case m, ok := <-w.way:
			if !ok {
				w.inlet.End()
				return
			}
			m, err := w.across(m, enc, dec)
			if err == nil {
				err = w.inlet.Put(m)
			}
			if err != nil {
				w.c.fail(err)
				w.drop()
				return
			}
		case <-w.c.ctx.Done():
			w.drop()
			return
		}
	}
}

// across makes bytes of a message and a message of the bytes. Where its rows came from is kept, which a frame does not tell.
func (w *wire) across(m exchange.Message, enc *frame.Encoder, dec *frame.Decoder) (exchange.Message, error) {
	if m.Batch == nil {
		return m, nil
	}
	defer m.Batch.Release()
	sent, err := enc.Encode(frame.Message{Kind: frame.Batch, Split: m.Split, Batch: m.Batch})
	if err != nil {
		return m, err
	}
	defer sent.Release()
	received := sent.Copy(w.c.mem)
	defer received.Release()
	back, err := dec.Decode(received)
	if err != nil {
		return m, err
	}
	b := back.Batch
	b.Split, b.Origin, b.OriginRows = m.Batch.Split, m.Batch.Origin, m.Batch.OriginRows
	return exchange.Message{Batch: b, Split: m.Split}, nil
}

// drop releases what is on the way, until the producer is done, as it is at the latest when its part is closed.
func (w *wire) drop() {
	for m := range w.way {
		m.Release()
	}
}

// Send implements exchange.Away.
func (w *wire) Send(ctx context.Context, m exchange.Message) (op.Flow, error) {
	select {
	case <-w.there:
	case <-ctx.Done():
		m.Release()
		return op.Enough, context.Cause(ctx)
	}
	select {
	case <-w.credit:
		w.way <- m // has room for all credit
		return op.More, nil
	case <-w.inlet.Stopped():
		m.Release()
		return op.Enough, nil
	case <-ctx.Done():
		m.Release()
		return op.Enough, context.Cause(ctx)
	}
}

// Stopped implements exchange.Away.
func (w *wire) Stopped() bool {
	select {
	case <-w.there:
	default:
		return false
	}
	select {
	case <-w.inlet.Stopped():
		return true
	default:
		return false
	}
}

// Done implements exchange.Away.
func (w *wire) Done() { close(w.way) }

// uncommitted leaves what follows all sinks to who runs the parts.
type uncommitted struct{ task.Opener }

func (uncommitted) Commit(context.Context) error { return nil }
