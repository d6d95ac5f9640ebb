package jobs

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/state"
)

// errAgain is that another attempt is to be made.
var errAgain = errors.New("another attempt")

// settleTime bounds how long the log is waited for when nobody waits for the job any more.
const settleTime = 30 * time.Second

// lasting is a context that does not end with the client, but with the server.
func (r *run) lasting() (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.ctx), settleTime)
	stop := context.AfterFunc(r.g.ctx, cancel)
	return ctx, func() {
		stop()
		cancel()
	}
}

// handedOut is why a job has no further attempt.
const handedOut = "%s; rows had been handed out already, so the query cannot begin anew by itself: run it again"

// settle has the cluster know what came of an attempt, and the client if that is the end.
func (r *run) settle(a *attempt, end *api.PartOver) error {
	ctx, cancel := r.lasting()
	defer cancel()
	e := state.Entry{Kind: state.JobEnd, Job: r.id, Attempt: a.job.Attempt}
	if end.GetEnd() == api.PartEnd_SURROUNDINGS && a.complete() {
		end = &api.PartOver{} // what else was lost is of no account
	}
	if end.GetEnd() != api.PartEnd_DONE {
		a.close() // before it is looked whether rows were handed out: what is left of the attempt might do so yet
	}
	switch end.GetEnd() {
	case api.PartEnd_DONE:
		return r.succeed(ctx, a)
	case api.PartEnd_QUERY, api.PartEnd_INTERNAL:
		e.Outcome, e.Value = state.Failed, end.GetReason()
	case api.PartEnd_SURROUNDINGS:
		switch cause := context.Cause(r.ctx); {
		case cause != nil:
			return cause
		case a.moved() && r.rows.Load() == 0:
			r.g.cfg.Logger.Info("an attempt of a job was overtaken", zap.Uint64("job", r.id), zap.Uint64("attempt", a.job.Attempt), zap.String("reason", end.GetReason()))
			return errAgain // slots tells
		case r.rows.Load() > 0:
			e.Outcome, e.Value, e.Attempt = state.Failed, fmt.Sprintf(handedOut, end.GetReason()), 0
		default:
			e.Kind, e.Value, e.Servers = state.JobFail, end.GetReason(), a.suspects()
		}
	}
	r.g.cfg.Logger.Info("an attempt of a job failed", zap.Uint64("job", r.id), zap.Uint64("attempt", a.job.Attempt), zap.String("reason", e.Value), zap.Bool("again", e.Kind == state.JobFail))
	o, err := r.g.own.Client.Propose(ctx, e)
	switch {
	case err != nil:
		return status.Error(codes.Aborted, err.Error())
	case e.Kind == state.JobFail || o.Err != nil && r.rows.Load() == 0: // refused: the job is not what it was
		if _, err := r.g.cfg.Log.WaitApplied(ctx, o.Index); err != nil {
			return err
		}
		return errAgain
	}
	return r.over(&state.Job{Status: e.Outcome, Reason: e.Value}, a)
}

// succeed is the end of a job whose parts have all done theirs.
func (r *run) succeed(ctx context.Context, a *attempt) error {
	done := &state.Job{Status: state.Done}
	e := state.Entry{Job: r.id, Attempt: a.job.Attempt, Rows: r.rows.Load()}
	if list := a.files(); len(list) > 0 {
		for _, w := range a.progress().GetWritten() {
			e.Rows += w.GetRows()
		}
		e.Kind = state.JobCommit
		err := r.commit(ctx, e, list)
		switch s := r.g.cfg.Log.State(); {
		case errors.Is(err, state.ErrJobOver) || errors.Is(err, state.ErrAttempt):
			if j, ok := s.Job(r.id); !ok || j.Status != state.Done || j.Attempt != e.Attempt { // else it was this entry, sent before
				return errAgain
			}
		case err != nil && unsettled(err):
			return status.Error(codes.Aborted, err.Error())
		case err != nil:
			done.Status, done.Reason = state.Failed, err.Error()
			e.Kind, e.Outcome, e.Value = state.JobEnd, state.Failed, err.Error()
			if _, err := r.g.own.Client.Propose(ctx, e); err != nil {
				return status.Error(codes.Aborted, err.Error())
			}
		}
		return r.over(done, a)
	}
	told := r.over(done, a) // the client need not wait for the log
	e.Kind, e.Outcome = state.JobEnd, state.Done
	if _, err := r.g.own.Client.Propose(ctx, e); err != nil {
		r.g.cfg.Logger.Warn("the end of a job is not in the log", zap.Uint64("job", r.id), zap.Error(err))
	}
	return told
}

// unsettled tells whether it is not known what came of a commit, or it came to nothing for a while: who asks again by the job's key is told.
func unsettled(err error) bool {
	return errors.Is(err, client.ErrUnknown) || errors.Is(err, client.ErrUnavailable) || errors.Is(err, client.ErrUnreachable) || errors.Is(err, context.DeadlineExceeded)
}

// commit makes what all parts wrote visible, in one step, and the job done.
func (r *run) commit(ctx context.Context, e state.Entry, list []*api.WrittenFile) error {
	written, free, err := adopt(r.g.cfg.Backend, list)
	defer free()
	if err != nil {
		return err
	}
	whole, err := r.g.cfg.Store.Together(ctx, written)
	if err != nil {
		return err
	}
	return r.g.cfg.Backend.ProposeIn(ctx, e, whole)
}

// over tells the client that the job has ended; a is the attempt by which it did, if that was this gateway's.
func (r *run) over(j *state.Job, a *attempt) error {
	m := &api.JobOver{Status: j.Status.String(), Reason: j.Reason}
	if a != nil {
		m.Progress, m.Meters = a.progress(), a.meters()
		if r.spec.GetMeasure() {
			for _, st := range a.outline().stages {
				m.Tasks = append(m.Tasks, st.Tasks...)
			}
		}
	} else if j.Status == state.Done && r.graph.HandsOut() {
		m.Status, m.Reason = Lost, "the query was done, and the server that had its rows is gone"
	} else if list := r.graph.Targets(); len(list) > 0 && j.Status == state.Done {
		m.Progress = &api.Progress{Written: []*api.Written{{Path: strings.Join(list, ", "), Rows: j.Rows}}}
	}
	return r.tell(&api.RunResponse{What: &api.RunResponse_Over{Over: m}})
}

// Lost is the status of a job that another gateway has done, so that its rows are not to be had any more.
const Lost = "lost"

// stopped is the end of what this gateway does for a job that has not come to its own.
func (r *run) stopped(why error) error {
	var by *cancelled
	switch {
	case r.g.stopping() && !errors.As(why, &by):
		return status.Error(codes.Aborted, errStopping.Error()) // streams end when the server does, and that is not the client's doing
	case errors.As(why, &by), errors.Is(why, errClientGone), errors.Is(why, context.Canceled):
	case errors.Is(why, errStopping), errors.Is(why, errMoved):
		return status.Error(codes.Aborted, why.Error()) // by way of another server the job goes on
	default:
		return why
	}
	ctx, cancel := r.lasting()
	defer cancel()
	e := state.Entry{Kind: state.JobEnd, Job: r.id, Outcome: state.Cancelled, Value: why.Error(), Servers: []state.Holder{r.g.cfg.Self}}
	o, err := r.g.own.Client.Propose(ctx, e)
	if err != nil {
		return status.Error(codes.Aborted, err.Error())
	}
	if errors.Is(o.Err, state.ErrAttempt) {
		return status.Error(codes.Aborted, errMoved.Error())
	}
	if errors.Is(o.Err, state.ErrJobOver) { // it was sooner
		if s, err := r.g.cfg.Log.WaitApplied(ctx, o.Index); err == nil {
			if j, ok := s.Job(r.id); ok {
				return r.over(j, nil)
			}
		}
	}
	return r.over(&state.Job{Status: state.Cancelled, Reason: why.Error()}, nil)
}
