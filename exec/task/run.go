// Package task runs a stage graph: it makes the operators of each task, joins
// tasks by links, and sees to it that a query ends whole or not at all.
package task

import (
	"context"
	"errors"

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
	// OpenSource opens what a scan reads. ctx is that of Start: it lasts until the source's Close.
	OpenSource(ctx context.Context, path string, o connect.Options) (connect.Source, error)
	// NewSink begins to write a file. ctx is that of Start: it lasts until the sink's Commit or Abort.
	NewSink(ctx context.Context, path string, schema types.Schema, o connect.Options) (connect.Sink, error)
	// NewShared begins to write what the tasks of a stage do together, of which tasks are here. ctx is that of Start: it
	// lasts until Commit or Abort of what is returned.
	NewShared(ctx context.Context, path string, schema types.Schema, o connect.Options, how connect.Sharing, tasks []int) (connect.Shared, error)
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

	// Who runs the graph elsewhere passes these on.
	Text        string // of the query, or the beginning of it: what others are shown
	MemoryLimit int64  // bytes that the tasks may hold on each server; 0: it was not said
}

// Written is a file that a query wrote.
type Written struct {
	Path string
	Rows int64
}

type run struct {
	rt     *Runtime
	part   Part
	graph  *dag.Graph
	env    *op.Env
	edges  map[int]*exchange.Edge
	queues []map[int]*splitQueue // by stage, then operator
	tasks  []*task
	meters *Report // nil: nothing is measured
	stats  *Stats
	sinks  []sink
	shared map[int]*together // by stage
}

// Graph runs a graph to its end. On an error, or when ctx ends, every task is
// stopped and nothing that a sink wrote becomes visible. stats is filled in as
// it goes, but for Written, which is there at the end. The report is nil unless
// the runtime asks for one. All resources are freed on return.
func Graph(ctx context.Context, g *dag.Graph, rt *Runtime, stats *Stats) (report *Report, err error) {
	r, err := Start(ctx, g, Part{}, rt, stats)
	if r == nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if err == nil {
		err = r.Run(ctx)
	}
	if err == nil {
		err = r.Commit(ctx)
	}
	return r.Report(), err
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
