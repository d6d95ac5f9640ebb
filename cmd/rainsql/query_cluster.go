package main

import (
	"context"
	"errors"

	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/exec/task"
	"github.com/rainsql/rainsql/planner/dag"
)

// clusterEngine is an engine whose queries run on a cluster. done ends it, after
// work that went as its argument says, and puts that into words.
func (q *queryFlags) clusterEngine(ctx context.Context) (e *engine.Engine, done func(error) error, err error) {
	cl, r, err := q.cluster.store(ctx)
	if err != nil {
		return nil, nil, err
	}
	e = engine.New(engine.Config{Files: r.Store, Remote: true, Run: clusterRunner(cl)})
	return e, func(err error) error {
		err = errors.Join(q.cluster.explain(ctx, err), e.Close(), r.Close())
		cl.Close()
		return err
	}, nil
}

// clusterRunner runs graphs on the cluster of a client.
func clusterRunner(*client.Client) engine.Runner {
	return func(context.Context, *dag.Graph, *task.Runtime, *task.Stats) (*task.Report, error) {
		return nil, errors.New("running queries on a cluster is not there yet")
	}
}
