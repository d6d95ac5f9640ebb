package jobs

import (
	"context"
	"sync"
	"time"

	"github.com/rainsql/rainsql/cluster/schedule"
	"github.com/rainsql/rainsql/cluster/state"
)

// runs are the jobs that a gateway runs, by their clients' keys. A client that has lost its stream, and asks again before the gateway has noticed, ends
// what runs for it there.
type runs struct {
	mu   sync.Mutex
	list map[state.ID]entered
}

type entered struct {
	run  *run
	gone chan struct{} // closed once it has ended
}

// enter notes a run, once the one before under its key has ended. leave must follow if there is no error.
func (s *runs) enter(ctx context.Context, key state.ID, r *run) (leave func(), err error) {
	for {
		s.mu.Lock()
		before, known := s.list[key]
		if !known {
			one := entered{run: r, gone: make(chan struct{})}
			if s.list == nil {
				s.list = map[state.ID]entered{}
			}
			s.list[key] = one
			s.mu.Unlock()
			return func() {
				s.mu.Lock()
				delete(s.list, key)
				s.mu.Unlock()
				close(one.gone)
			}, nil
		}
		s.mu.Unlock()
		before.run.cancel(errMoved)
		select {
		case <-before.gone:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

func (s *runs) has(key state.ID) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.list[key]
	return ok
}

// tidyEvery is how often a gateway looks for jobs that the log has it run, and that it does not.
const tidyEvery = 2 * time.Second

// tidy ends jobs of this gateway that nobody has asked for any more for some time: such as those whose end the log could not take when
// their clients went.
func (g *Gateway) tidy() {
	since := map[uint64]time.Time{}
	for {
		select {
		case <-g.ctx.Done():
			return
		case <-time.After(tidyEvery):
		}
		for j := range g.cfg.Log.State().Jobs() {
			if j.Status.Over() || j.Gateway != g.cfg.Self || g.runs.has(j.Key) {
				delete(since, j.ID)
				continue
			}
			if _, known := since[j.ID]; !known {
				since[j.ID] = time.Now()
			}
			if time.Since(since[j.ID]) < schedule.GatewayTime {
				continue
			}
			ctx, cancel := context.WithTimeout(g.ctx, settleTime)
			// What comes of it the log tells, the next time.
			_, _ = g.own.Client.Propose(ctx, state.Entry{Kind: state.JobEnd, Job: j.ID, Outcome: state.Cancelled, Value: errClientGone.Error(), Servers: []state.Holder{g.cfg.Self}})
			cancel()
		}
	}
}
