package task

import (
	"context"
	"errors"
	"sync"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/exec/exchange"
	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/planner/dag"
)

// Part says which tasks of a graph run in this process, and how these reach the
// others. The zero value is a graph that runs here as a whole. The tasks of a
// forward edge are in one part.
type Part struct {
	// Here tells whether a task of a stage runs in this process; nil: all do.
	Here func(stage, task int) bool
	// Away gives the way of a producer here to a consumer elsewhere; see exchange.Apart.
	Away func(edge, producer, consumer int) exchange.Away
	// Splits gives who hands out the splits of a scan, operator op of a stage. Every part finds the same splits in the same
	// source. If their readers have to know what the splits before theirs hold and it implements connect.Counts, too, those of all
	// parts tell each other by it. nil: this part does.
	Splits func(stage, op int, splits []connect.Split, counted bool) Splits
	// Failed is told the first error of Run, or the end of its context, before the task that finds it lets go of its neighbours: the ways to other
	// parts must not pass that on as the end of the task's rows. It must not wait, nor end the context of Run, which may go on to find a better
	// error. nil: nobody is told.
	Failed func(error)
}

func (p Part) here(stage, task int) bool { return p.Here == nil || p.Here(stage, task) }

// tasks tells which tasks of a stage are here; nil: all.
func (p Part) tasks(st *dag.Stage) []bool {
	if p.Here == nil {
		return nil
	}
	list := make([]bool, st.Tasks)
	for i := range list {
		list[i] = p.Here(st.ID, i)
	}
	return list
}

// any tells whether a task of a stage is here.
func (p Part) any(st *dag.Stage) bool {
	for i := range st.Tasks {
		if p.here(st.ID, i) {
			return true
		}
	}
	return false
}

// Running is a part of a graph that runs, or is about to. Its methods are called by one goroutine, but Inlet.
type Running struct {
	r   *run
	err error // of Close
	end sync.Once
}

// Start opens the sources of a part and makes its tasks and links: from then on others may send to it. Close must follow, also
// after an error, unless nothing is returned with it. ctx lasts until Close: what is opened is read and written by it.
func Start(ctx context.Context, g *dag.Graph, part Part, rt *Runtime, stats *Stats) (*Running, error) {
	if err := g.Check(); err != nil {
		return nil, err
	}
	r := &run{rt: rt, part: part, graph: g, env: rt.Env, edges: map[int]*exchange.Edge{}, stats: stats, shared: map[int]*together{}}
	if rt.Measure {
		r.meters = NewReport(g)
	}
	err := r.prepare(ctx)
	if err == nil {
		err = r.buildAll(ctx)
	}
	return &Running{r: r}, err
}

// Report is what was measured; nil unless the runtime asks for it.
func (p *Running) Report() *Report { return p.r.meters }

// Inlet gives the way in over an edge of a producer elsewhere to a consumer here; see exchange.Edge. nil: there is none.
func (p *Running) Inlet(edge, producer, consumer int, taken func()) *exchange.Inlet {
	if e := p.r.edges[edge]; e != nil {
		return e.Inlet(producer, consumer, taken)
	}
	return nil
}

// Credit is how many messages a producer elsewhere may have on their way over an edge; 0 over one that does not come here.
func (p *Running) Credit(edge int) int {
	if e := p.r.edges[edge]; e != nil {
		return e.Credit()
	}
	return 0
}

// Run runs the tasks that are here to their ends. The first error, or the end of ctx, stops them all.
func (p *Running) Run(outer context.Context) error {
	r := p.r
	ctx, cancel := context.WithCancelCause(outer)
	defer cancel(nil)
	var first error
	var once sync.Once
	fail := func(err error) {
		if err != nil {
			once.Do(func() {
				first = err
				if r.part.Failed != nil {
					r.part.Failed(err)
				}
				cancel(err)
			})
		}
	}
	var wg sync.WaitGroup
	for _, t := range r.tasks {
		wg.Go(func() {
			fail(t.run(ctx, r.env))
			fail(t.release())
		})
	}
	wg.Wait()
	if first == nil {
		first = context.Cause(ctx)
	}
	if outer.Err() != nil {
		first = context.Cause(outer) // whatever failed on the way out
	}
	if fault := (*faultError)(nil); errors.As(first, &fault) && outer.Err() == nil {
		return r.earliest(outer, fault)
	}
	return first
}

// Commit makes the effects of all tasks visible, now that none of them, here or elsewhere, can fail any more.
func (p *Running) Commit(ctx context.Context) error {
	r := p.r
	for _, t := range r.tasks {
		for _, n := range t.nodes {
			if c, ok := n.op.(op.Committer); ok {
				if err := c.Commit(); err != nil {
					return err
				}
			}
		}
	}
	if err := r.commitShared(); err != nil {
		return err
	}
	if err := r.rt.Opener.Commit(ctx); err != nil {
		return err
	}
	for _, s := range r.sinks {
		r.stats.wrote(Written{Path: s.path, Rows: s.op.Rows()})
	}
	return nil
}

// Close frees everything. What was not committed is undone. Nobody may use an Inlet any more. It is idempotent.
func (p *Running) Close() error {
	p.end.Do(func() {
		var errs []error
		for _, t := range p.r.tasks {
			errs = append(errs, t.close())
		}
		errs = append(errs, p.r.abortShared())
		for _, e := range p.r.edges {
			e.Drain()
		}
		p.err = errors.Join(append(errs, p.r.closeQueues())...)
	})
	return p.err
}

// prepare makes links and opens sources.
func (r *run) prepare(ctx context.Context) error {
	for _, st := range r.graph.Stages {
		for _, e := range st.Outputs {
			to := r.graph.Stages[e.To]
			if !r.part.any(st) && !r.part.any(to) {
				continue
			}
			apart := exchange.Apart{Producers: r.part.tasks(st), Consumers: r.part.tasks(to)}
			if r.part.Away != nil {
				apart.Away = func(producer, consumer int) exchange.Away { return r.part.Away(e.ID, producer, consumer) }
			}
			r.edges[e.ID] = exchange.New(e, st.Tasks, to.Tasks, apart, r.env.Alloc, r.env.Memory)
		}
		queues := map[int]*splitQueue{}
		r.queues = append(r.queues, queues)
		if !r.part.any(st) {
			continue
		}
		for i, o := range st.Ops {
			if s, ok := o.Spec.(*dag.Scan); ok {
				q, err := newSplitQueue(ctx, s, r.hand(st.ID, i), r.rt.Opener, r.rt.SplitBytes, r.env.Alloc)
				if err != nil {
					return err
				}
				queues[i] = q
				if r.part.here(st.ID, 0) { // one of the parts counts what all of them find
					if r.part.here(st.ID, 0) { // once, of all parts
						r.stats.expect(q.splits)
					}
				}
			}
		}
	}
	return nil
}

func (r *run) hand(stage, op int) func([]connect.Split, bool) Splits {
	return func(splits []connect.Split, counted bool) Splits {
		if r.part.Splits != nil {
			if s := r.part.Splits(stage, op, splits, counted); s != nil {
				return s
			}
		}
		return NewSplits(len(splits))
	}
}

func (r *run) buildAll(ctx context.Context) error {
	for _, st := range r.graph.Stages {
		for i := range st.Tasks {
			if !r.part.here(st.ID, i) {
				continue
			}
			t, err := r.build(ctx, st, i, nil)
			r.tasks = append(r.tasks, t)
			if err != nil {
				return err
			}
		}
	}
	return nil
}
