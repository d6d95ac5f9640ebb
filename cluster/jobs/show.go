package jobs

import (
	"context"
	"fmt"
	"time"

	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/identity"
	"github.com/rainsql/rainsql/cluster/state"
)

// answerTime is how long another server is waited for that is asked something about jobs: who asks us wants to know of the others, too.
const answerTime = time.Second

// Show implements api.JobsServer.
func (g *Gateway) Show(ctx context.Context, req *api.ShowRequest) (*api.ShowResponse, error) {
	if err := g.own.Allow(ctx, identity.Read); err != nil {
		return nil, err
	}
	if req.GetForwarded() {
		return g.tasksOf(req.GetJob()), nil
	}
	s, old := g.latest(ctx)
	list := Infos(s, &api.JobQuery{Id: max(1, req.GetJob())})
	if len(list) == 0 {
		return &api.ShowResponse{Note: old}, nil
	}
	resp, why := g.askGateway(ctx, s, list[0])
	resp.Job, resp.NowMicros, resp.Note, resp.Old = list[0], nowIn(s), old, old != ""
	if resp.Note == "" {
		resp.Note = why
	}
	return resp, nil
}

// latest is the state with all that was acknowledged before or, if there is no leader to tell, what this server has, and a note that says so.
func (g *Gateway) latest(ctx context.Context) (s *state.State, note string) {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	resp, err := g.own.Client.Read(ctx, &api.ReadRequest{})
	if err == nil {
		s, err = g.cfg.Log.WaitApplied(ctx, resp.GetIndex())
	}
	if err != nil {
		s = g.cfg.Log.State()
		note = fmt.Sprintf("this is the copy of node %s, at entry %d of the log, and may be old: %v", nameOf(s, g.cfg.Self.Node), s.Index(), err)
	}
	return s, note
}

// tasksOf is what this server knows of the tasks of a job.
func (g *Gateway) tasksOf(job uint64) *api.ShowResponse {
	resp := &api.ShowResponse{}
	if o := g.recent.find(job); o != nil {
		resp.Attempt, resp.Stages = o.attempt, o.stages
	}
	return resp
}

// askGateway gives what is known of the tasks of a job by who runs it, or why nothing is.
func (g *Gateway) askGateway(ctx context.Context, s *state.State, j *api.JobInfo) (resp *api.ShowResponse, note string) {
	id, name := state.ID(j.GetGateway()), j.GetGatewayName()
	switch n, known := s.Node(id); {
	case j.GetAttempts() == 0:
		return &api.ShowResponse{}, ""
	case id == g.cfg.Self.Node:
		resp = g.tasksOf(j.GetId())
	case !known || n.Status == state.Down || n.Status == state.Evicted:
		return &api.ShowResponse{}, fmt.Sprintf("what its tasks did is known to node %s only, which is not there any more", name)
	default:
		ctx, cancel := context.WithTimeout(ctx, answerTime)
		defer cancel()
		conn, err := g.cfg.Dial(n.Addr)
		if err == nil {
			resp, err = api.NewJobsClient(conn).Show(ctx, &api.ShowRequest{Job: j.GetId(), Forwarded: true})
		}
		if err != nil {
			return &api.ShowResponse{}, fmt.Sprintf("what its tasks did is known to node %s only, which does not answer: %s", name, status.Convert(err).Message())
		}
	}
	if len(resp.GetStages()) == 0 {
		return &api.ShowResponse{}, fmt.Sprintf("what its tasks did is not known any more: node %s remembers the last %d jobs that it ran, until it is stopped", name, recentJobs)
	}
	return resp, ""
}
