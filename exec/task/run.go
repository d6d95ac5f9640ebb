// Package task runs a stage graph: it makes the operators of each task, joins
// tasks by links, and sees to it that a query ends whole or not at all.
package task

import (
	"context"
	"errors"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/exec/exchange"
	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/exec/operators"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/planner/dag"
)

// Opener opens what a plan names. It is safe for concurrent use.
type Opener interface {
	OpenSource(ctx context.Context, path string, o connect.Options) (connect.Source, error)
	NewSink(path string, schema types.Schema, o connect.Options) (connect.Sink, error)
	// StartProgram runs an external program, if that is allowed here.
	StartProgram(ctx context.Context, p *connect.Program, mem memory.Allocator) (connect.Process, error)
	// Commit comes once, after every sink's: a place whose files can appear
	// together, in one step, may have waited for it. If it fails none has.
	Commit(ctx context.Context) error
}

// Runtime is what a query runs with. All fields but Result are needed; Result
// is where the graph hands rows to its caller.
type Runtime struct {
	Opener     Opener
	Env        *op.Env
	SplitBytes int64 // size of a scan's splits; 0: the format's choice
	Result     operators.Receiver
	Measure    bool // count rows and time of each operator
}

// Written is a file that a query wrote.
type Written struct {
	Path string
	Rows int64
}

type run struct {
	rt     *Runtime
	graph  *dag.Graph
	env    *op.Env
	edges  map[int]*exchange.Edge
	queues []map[int]*splitQueue // by stage, then operator
	meters *Report               // nil: nothing is measured
	stats  *Stats
	sinks  []sink
}

type sink struct {
	path string
	op   *operators.Sink
}

// Graph runs a graph to its end. On an error, or when ctx ends, every task is
// stopped and nothing that a sink wrote becomes visible. stats is filled in as
// it goes, but for Written, which is there at the end. The report is nil unless
// the runtime asks for one. All resources are freed on return.
func Graph(ctx context.Context, g *dag.Graph, rt *Runtime, stats *Stats) (*Report, error) {
	if err := g.Check(); err != nil {
		return nil, err
	}
	r := &run{rt: rt, graph: g, env: rt.Env, edges: map[int]*exchange.Edge{}, stats: stats}
	if rt.Measure {
		r.meters = newReport(g)
	}
	err := r.all(ctx)
	return r.meters, err
}

func (r *run) all(outer context.Context) (err error) {
	ctx, cancel := context.WithCancelCause(outer)
	defer cancel(nil)
	defer func() { err = errors.Join(err, r.closeQueues()) }()
	if err := r.prepare(ctx); err != nil {
		return err
	}
	defer func() {
		for _, e := range r.edges {
			e.Drain()
		}
	}()
	tasks, err := r.buildAll(ctx)
	defer func() {
		for _, t := range tasks {
			err = errors.Join(err, t.close())
		}
	}()
	if err != nil {
		cancel(err)
		return err
	}
	var first error
	var once sync.Once
	var wg sync.WaitGroup
	for _, t := range tasks {
		wg.Go(func() {
			if err := t.run(ctx, r.env); err != nil {
				once.Do(func() {
					first = err
					cancel(err)
				})
			}
			if err := t.release(); err != nil {
				once.Do(func() {
					first = err
					cancel(err)
				})
			}
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
	if first != nil {
		return first
	}
	if err := commit(tasks); err != nil {
		return err
	}
	if err := r.rt.Opener.Commit(outer); err != nil {
		return err
	}
	for _, s := range r.sinks {
		r.stats.Written = append(r.stats.Written, Written{Path: s.path, Rows: s.op.Rows()})
	}
	return nil
}

// commit makes the effects of all tasks visible, now that none can fail any more.
func commit(tasks []*task) error {
	for _, t := range tasks {
		for _, n := range t.nodes {
			if c, ok := n.op.(op.Committer); ok {
				if err := c.Commit(); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

// prepare makes links and opens sources.
func (r *run) prepare(ctx context.Context) error {
	for _, st := range r.graph.Stages {
		for _, e := range st.Outputs {
			r.edges[e.ID] = exchange.New(e, st.Tasks, r.graph.Stages[e.To].Tasks, exchange.Apart{}, r.env.Alloc, r.env.Memory)
		}
		queues := map[int]*splitQueue{}
		r.queues = append(r.queues, queues)
		for i, o := range st.Ops {
			if s, ok := o.Spec.(*dag.Scan); ok {
				q, err := newSplitQueue(ctx, s, r.rt.Opener, r.rt.SplitBytes, r.env.Alloc)
				if err != nil {
					return err
				}
				queues[i] = q
				r.stats.expect(q.splits)
			}
		}
	}
	return nil
}

func (r *run) buildAll(ctx context.Context) ([]*task, error) {
	var tasks []*task
	for _, st := range r.graph.Stages {
		for i := range st.Tasks {
			t, err := r.build(ctx, st, i, nil)
			tasks = append(tasks, t)
			if err != nil {
				return tasks, err
			}
		}
	}
	return tasks, nil
}

func (r *run) closeQueues() error {
	var errs []error
	for _, queues := range r.queues {
		for _, q := range queues {
			errs = append(errs, q.close())
		}
	}
	return errors.Join(errs...)
}

func (r *run) sink(s *dag.Sink) op.Operator {
	o := operators.NewSink(s.Columns, func() (connect.Sink, error) {
		return r.rt.Opener.NewSink(s.Path, s.Schema, s.Options)
	})
	r.sinks = append(r.sinks, sink{path: s.Path, op: o})
	return o
}
