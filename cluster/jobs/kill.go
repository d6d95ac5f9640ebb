package jobs

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/identity"
	"github.com/rainsql/rainsql/cluster/state"
)

// Kill implements api.JobsServer. Which server runs a task is known to those that run the attempt: one after the other is asked.
func (g *Gateway) Kill(ctx context.Context, req *api.KillRequest) (*api.KillResponse, error) {
	if err := g.own.Allow(ctx, identity.Admin); err != nil {
		return nil, err
	}
	refuse := func(format string, args ...any) (*api.KillResponse, error) {
		return &api.KillResponse{Refusal: fmt.Sprintf(format, args...)}, nil
	}
	s, note := g.latest(ctx)
	j, ok := s.Job(req.GetJob())
	switch {
	case !ok && note != "":
		return refuse("no job %d is known; %s", req.GetJob(), note)
	case !ok:
		return refuse("there is no job %d", req.GetJob())
	case j.Status != state.Running:
		return refuse("job %d does not run: it is %s", j.ID, j.Status)
	}
	ask := &api.KillTaskRequest{Task: req, Attempt: j.Attempt, By: fmt.Sprintf("%s killed its task %s with 'rainsql task kill'", g.own.User(ctx), taskName(req))}
	silent := ""
	queue := []state.ID{j.Gateway.Node}
	for _, h := range j.Slots {
		queue = append(queue, h.Node)
	}
	asked := map[state.ID]bool{}
	for len(queue) > 0 {
		id := queue[0]
		queue = queue[1:]
		if asked[id] {
			continue
		}
		asked[id] = true
		resp, err := g.killAt(ctx, s, id, ask)
		switch at, aerr := idOf(resp.GetNode()); {
		case err != nil:
			silent = fmt.Sprintf("; %s does not answer: %s", nameOf(s, id), status.Convert(err).Message())
		case resp.GetRefusal() != "":
			return refuse("%s", resp.GetRefusal())
		case aerr == nil && at == id:
			return &api.KillResponse{Node: nameOf(s, id), Attempt: j.Attempt}, nil
		case aerr == nil && !asked[at]:
			queue = []state.ID{at}
		case aerr == nil:
			return refuse("%s, which runs the task, could not be told%s", nameOf(s, at), silent)
		}
	}
	return refuse("attempt %d of job %d is not under way on any of its servers: it begins or ends just now%s", j.Attempt, j.ID, silent)
}

// taskName is what a task is called in lists and commands.
func taskName(req *api.KillRequest) string {
	return fmt.Sprintf("%d.%d.%d", req.GetJob(), req.GetStage(), req.GetTask())
}

// killAt asks a server to kill a task.
func (g *Gateway) killAt(ctx context.Context, s *state.State, id state.ID, req *api.KillTaskRequest) (*api.KillTaskResponse, error) {
	if id == g.cfg.Self.Node {
		return g.worker.kill(req), nil
	}
	n, ok := s.Node(id)
	if !ok {
		return nil, errors.New("it is not in the cluster any more")
	}
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	conn, err := g.cfg.Dial(n.Addr)
	if err != nil {
		return nil, err
	}
	return api.NewWorkersClient(conn).Kill(ctx, req)
}

// kill ends a task, if it is here, and with it the attempt: as if this server were lost to it.
func (w *Worker) kill(req *api.KillTaskRequest) *api.KillTaskResponse {
	w.mu.Lock()
	p := w.parts[req.GetAttempt()]
	w.mu.Unlock()
	name := req.GetTask()
	stage, index := name.GetStage(), name.GetTask()
	refuse := func(format string, args ...any) *api.KillTaskResponse {
		return &api.KillTaskResponse{Refusal: fmt.Sprintf(format, args...)}
	}
	switch {
	case p == nil || p.job != name.GetJob():
		return &api.KillTaskResponse{}
	case stage < 0 || stage >= int64(len(p.graph.Stages)):
		return refuse("job %d has no stage %d: the last is %d", p.job, stage, len(p.graph.Stages)-1)
	case index < 0 || index >= int64(p.graph.Stages[stage].Tasks):
		return refuse("stage %d of job %d has no task %d: the last is %d", stage, p.job, index, p.graph.Stages[stage].Tasks-1)
	}
	at := p.place.at(int(stage), int(index))
	if at != w.cfg.Self.Node {
		return &api.KillTaskResponse{Node: at[:]}
	}
	for _, c := range p.counts() {
		if c.GetStage() == stage && c.GetTask() == index && c.GetOver() {
			return refuse("task %s has done its work", taskName(name))
		}
	}
	w.cfg.Logger.Warn("a task is killed", zap.String("task", taskName(name)), zap.Uint64("attempt", p.attempt), zap.String("reason", req.GetBy()))
	p.fail(&peerError{at, errors.New(req.GetBy())})
	return &api.KillTaskResponse{Node: at[:]}
}

// Kill implements api.WorkersServer.
func (s *WorkersService) Kill(_ context.Context, req *api.KillTaskRequest) (*api.KillTaskResponse, error) {
	return s.Worker.kill(req), nil
}
