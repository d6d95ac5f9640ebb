package jobs

import (
	"context"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/rainsql/rainsql/cluster/schedule"
	"github.com/rainsql/rainsql/cluster/state"
)

// Leader is the coordinator, where this server leads.
type Leader interface {
	Log
	Leads() bool
	Propose(ctx context.Context, e state.Entry) (state.Result, uint64, error)
}

// Scheduler gives slots to jobs while this server leads.
type Scheduler struct {
	leader Leader
	alive  func(id state.ID, incarnation uint64) bool
	logger *zap.Logger
	lost   map[uint64]time.Time // jobs whose gateway is gone

	cancel context.CancelFunc
	work   sync.WaitGroup
}

// NewScheduler starts a scheduler. Close must follow.
func NewScheduler(l Leader, alive func(state.ID, uint64) bool, logger *zap.Logger) *Scheduler {
	s := &Scheduler{leader: l, alive: alive, logger: logger, lost: map[uint64]time.Time{}}
	ctx, cancel := context.WithCancel(context.Background())
	s.cancel = cancel
	s.work.Go(func() { s.run(ctx) })
	return s
}

// Close stops it. What it has proposed counts.
func (s *Scheduler) Close() {
	s.cancel()
	s.work.Wait()
}

// lookEvery is how often it looks though the log has nothing new: gossip may have.
const lookEvery = 500 * time.Millisecond

func (s *Scheduler) run(ctx context.Context) {
	for ctx.Err() == nil {
		st, changed := s.leader.Watch()
		if s.leader.Leads() {
			if s.step(ctx, st) {
				continue
			}
		} else {
			clear(s.lost)
		}
		select {
		case <-ctx.Done():
		case <-changed:
		case <-time.After(lookEvery):
		}
	}
}

// step does the next thing that is to be done, and tells whether it did.
func (s *Scheduler) step(ctx context.Context, st *state.State) bool {
	step, ok := schedule.Next(s.view(st))
	if !ok {
		return false
	}
	e := state.Entry{Kind: state.JobAttempt, Job: step.Job, Servers: step.Slots}
	if len(step.Slots) == 0 {
		e = state.Entry{Kind: state.JobEnd, Job: step.Job, Outcome: state.Cancelled, Value: step.Reason}
	}
	res, _, err := s.leader.Propose(ctx, e)
	if err == nil {
		err = res.Err
	}
	if err != nil {
		s.logger.Info("a step of a job came to nothing", zap.Uint64("job", step.Job), zap.Error(err))
		return false
	}
	s.logger.Debug("a step of a job", zap.Uint64("job", step.Job), zap.Int("slots", len(step.Slots)), zap.String("end", step.Reason))
	return true
}

func (s *Scheduler) view(st *state.State) schedule.View {
	v := schedule.View{Now: time.Now(), Dead: map[state.ID]bool{}, Lost: s.lost}
	for n := range st.Nodes() {
		v.Nodes = append(v.Nodes, n)
		v.Dead[n.ID] = !s.alive(n.ID, n.Incarnation)
	}
	for j := range st.Jobs() {
		switch _, known := s.lost[j.ID]; {
		case j.Status.Over():
			delete(s.lost, j.ID)
			continue
		case !schedule.Gone(st, j):
			delete(s.lost, j.ID)
		case !known:
			s.lost[j.ID] = v.Now
		}
		v.Jobs = append(v.Jobs, j)
	}
	return v
}
