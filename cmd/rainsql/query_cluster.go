package main

import (
	"context"
	"errors"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/query"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/engine"
)

// clusterEngine is an engine whose queries run on a cluster. done ends it, after
// work that went as its argument says, and puts that into words.
func (q *queryFlags) clusterEngine(ctx context.Context) (e *engine.Engine, done func(error) error, err error) {
	cl, r, err := q.cluster.store(ctx)
	if err != nil {
		return nil, nil, err
	}
	tasks, err := clusterTasks(ctx, cl)
	if err != nil {
		err = errors.Join(q.cluster.explain(ctx, err), r.Close())
		cl.Close()
		return nil, nil, err
	}
	e = engine.New(engine.Config{Files: r.Store, Remote: true, Run: query.Runner(cl), Parallelism: tasks})
	return e, func(err error) error {
		err = errors.Join(q.cluster.explain(ctx, err), e.Close(), r.Close())
		cl.Close()
		return err
	}, nil
}

// perCore is how many slots a server has for each of its cores, if nothing else is said: queries are planned for the cores, so that
// several run side by side.
const perCore = 4

// clusterTasks is how many tasks a stage has on a cluster.
func clusterTasks(ctx context.Context, cl *client.Client) (int, error) {
	resp, err := cl.Read(ctx, &api.ReadRequest{Local: true, What: &api.ReadRequest_Nodes{Nodes: &api.Nothing{}}})
	if err != nil {
		return 0, err
	}
	slots := 0
	for _, n := range resp.GetNodes() {
		if n.GetStatus() == state.Active.String() {
			slots += int(n.GetSlots())
		}
	}
	return max(1, min(state.MaxSlots, slots/perCore)), nil
}
