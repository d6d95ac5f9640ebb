package jobs

import (
	"context"
	"errors"
	"fmt"

	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/identity"
	"github.com/rainsql/rainsql/cluster/state"
)

// Cancel implements api.JobsServer. The log has the end: the job's gateway and its workers see it there.
func (g *Gateway) Cancel(ctx context.Context, req *api.CancelRequest) (*api.CancelResponse, error) {
	if err := g.own.Allow(ctx, identity.Write); err != nil {
		return nil, err
	}
	reason := fmt.Sprintf("%s ended it with 'rainsql job cancel'", g.own.User(ctx))
	o, err := g.own.Client.Propose(ctx, state.Entry{Kind: state.JobEnd, Job: req.GetJob(), Outcome: state.Cancelled, Value: reason})
	switch {
	case err != nil:
		return nil, status.Error(codes.Aborted, err.Error()) // asked again it does no harm
	case errors.Is(o.Err, state.ErrNoJob):
		return &api.CancelResponse{}, nil
	case o.Err != nil && !errors.Is(o.Err, state.ErrJobOver):
		return nil, status.Error(codes.Internal, o.Err.Error())
	}
	s, err := g.cfg.Log.WaitApplied(ctx, o.Index)
	if err != nil {
		return nil, status.Error(codes.Aborted, err.Error())
	}
	resp := &api.CancelResponse{Ended: o.Err == nil}
	if j, ok := s.Job(req.GetJob()); ok {
		resp.Job = info(s, j)
	}
	if resp.GetEnded() {
		g.cfg.Logger.Info("a job was cancelled", zap.Uint64("job", req.GetJob()), zap.String("reason", reason))
	}
	return resp, nil
}
