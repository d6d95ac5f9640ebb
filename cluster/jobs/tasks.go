package jobs

import (
	"cmp"
	"context"
	"slices"
	"sync"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/identity"
	"github.com/rainsql/rainsql/cluster/state"
)

// Tasks implements api.JobsServer. It goes by this server's own copy of the log: what runs now is what the servers say.
func (g *Gateway) Tasks(ctx context.Context, req *api.TasksRequest) (*api.TasksResponse, error) {
	if err := g.own.Allow(ctx, identity.Read); err != nil {
		return nil, err
	}
	resp := &api.TasksResponse{}
	var mu sync.Mutex
	var work sync.WaitGroup
	for n := range g.cfg.Log.State().Nodes() {
		if n.Status == state.Down || n.Status == state.Evicted {
			continue
		}
		work.Go(func() {
			list, err := g.tasksAt(ctx, n, req.GetJob())
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				resp.Silent = append(resp.Silent, n.Name)
			}
			for _, t := range list {
				t.NodeName = n.Name
			}
			resp.Tasks = append(resp.Tasks, list...)
		})
	}
	work.Wait()
	slices.Sort(resp.GetSilent())
	slices.SortFunc(resp.GetTasks(), func(a, b *api.TaskInfo) int {
		return cmp.Or(
			cmp.Compare(a.GetJob(), b.GetJob()), cmp.Compare(a.GetAttempt(), b.GetAttempt()),
			cmp.Compare(a.GetDone().GetStage(), b.GetDone().GetStage()), cmp.Compare(a.GetDone().GetTask(), b.GetDone().GetTask()),
		)
	})
	return resp, ctx.Err()
}

// tasksAt are the tasks that run on a server.
func (g *Gateway) tasksAt(ctx context.Context, n *state.Node, job uint64) ([]*api.TaskInfo, error) {
	if n.ID == g.cfg.Self.Node {
		return g.worker.tasks(job), nil
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	conn, err := g.cfg.Dial(n.Addr)
	if err != nil {
		return nil, err
	}
	resp, err := api.NewWorkersClient(conn).Tasks(ctx, &api.TasksRequest{Job: job})
	return resp.GetTasks(), err
}

// tasks are those that run here, of a job or, for 0, of all.
func (w *Worker) tasks(job uint64) []*api.TaskInfo {
	var parts []*part
	w.mu.Lock()
	for _, p := range w.parts {
		if job == 0 || p.job == job {
			parts = append(parts, p)
		}
	}
	w.mu.Unlock()
	self := w.cfg.Self.Node
	var list []*api.TaskInfo
	for _, p := range parts {
		names := titles(p.graph)
		for _, c := range p.counts() {
			if c.GetBeganMicros() != 0 && !c.GetOver() {
				list = append(list, &api.TaskInfo{Job: p.job, Attempt: p.attempt, Node: self[:], Operators: names[c.GetStage()], Done: c})
			}
		}
	}
	return list
}

// Tasks implements api.WorkersServer.
func (s *WorkersService) Tasks(_ context.Context, req *api.TasksRequest) (*api.TasksResponse, error) {
	return &api.TasksResponse{Tasks: s.Worker.tasks(req.GetJob())}, nil
}
