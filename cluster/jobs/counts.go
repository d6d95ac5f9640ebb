package jobs

import (
	"context"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/connect"
)

// What the splits of a scan hold is added up by the server that hands them out; docs/jobs.md has the rules.

// countTime is how long a server waits for counts before it has the asker ask again: so that it is seen to be there.
const countTime = 10 * time.Second

// counted answers who asks for the sum before a split.
func (s *splitter) counted(ctx context.Context, split int64) (*api.CountResponse, error) {
	if split < 0 || split >= int64(s.count) {
		return nil, status.Errorf(codes.InvalidArgument, "split %d of %d", split, s.count)
	}
	wait, cancel := context.WithTimeout(ctx, countTime)
	defer cancel()
	defer context.AfterFunc(s.part.ctx, cancel)()
	t, upto, err := s.Before(wait, int(split))
	switch {
	case s.part.ctx.Err() != nil:
		return nil, s.part.over()
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		return &api.CountResponse{}, nil
	}
	return &api.CountResponse{Known: true, Quotes: t.Quotes, Lines: t.Lines, Upto: int64(upto)}, nil
}

// remoteCounts is what is known here of what the splits of a scan hold that another server hands out.
type remoteCounts struct {
	remote
	splits []connect.Split

	mu      sync.Mutex
	own     map[int]connect.Tally // counted here
	before  map[int]connect.Tally // sums that the other server has given
	untold  []*api.Tally
	telling bool
}

// mostKnown bounds what is remembered: only what was counted lately is asked for.
const mostKnown = 4096

// Publish implements connect.Counts.
func (r *remoteCounts) Publish(split int, t connect.Tally) {
	r.mu.Lock()
	if r.own == nil || len(r.own) > mostKnown {
		r.own = map[int]connect.Tally{}
	}
	r.own[split] = t
	r.mu.Unlock()
	r.tell(&api.Tally{Split: int64(split), Quotes: t.Quotes, Lines: t.Lines})
}

// Withdraw implements connect.Counts.
func (r *remoteCounts) Withdraw(split int) { r.tell(&api.Tally{Split: int64(split), Withdrawn: true}) }

// tell tells the other server, with whatever else there is to tell by then.
func (r *remoteCounts) tell(t *api.Tally) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.untold = append(r.untold, t)
	if !r.telling {
		r.telling = r.part.aside(r.tellAll)
	}
}

func (r *remoteCounts) tellAll() {
	for {
		r.mu.Lock()
		list := r.untold
		r.untold = nil
		r.telling = len(list) > 0
		r.mu.Unlock()
		if len(list) == 0 {
			return
		}
		if _, err := r.count(r.part.ctx, &api.CountRequest{Scan: r.name, Tallies: list}); err != nil {
			r.part.fail(err) // others wait for what was not told
			return
		}
	}
}

func (r *remoteCounts) count(ctx context.Context, req *api.CountRequest) (*api.CountResponse, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	resp, err := api.NewWorkersClient(r.conn).Count(ctx, req)
	if err != nil {
		return nil, r.failed(ctx, err)
	}
	return resp, nil
}

// Before implements connect.Counts.
func (r *remoteCounts) Before(ctx context.Context, split int) (connect.Tally, int, error) {
	for {
		at, sum, known := r.sum(split)
		if known {
			return sum, split, nil
		}
		before := int64(at)
		resp, err := r.count(ctx, &api.CountRequest{Scan: r.name, Before: &before})
		if err != nil {
			return connect.Tally{}, 0, err
		}
		if !resp.GetKnown() {
			continue
		}
		t := connect.Tally{Quotes: resp.GetQuotes(), Lines: resp.GetLines()}
		if upto := int(resp.GetUpto()); upto != at {
			if upto < r.splits[at].First || upto > at {
				return t, 0, r.failed(ctx, status.Errorf(codes.Internal, "it adds up the splits before %d in place of those before %d", upto, at))
			}
			return t, upto, nil
		}
		r.learn(at, t)
	}
}

// sum adds up the splits of a file before one from what is known here; else it tells whose sum is to be asked for.
func (r *remoteCounts) sum(split int) (at int, sum connect.Tally, known bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for at = split; at > r.splits[split].First; at-- {
		if t, ok := r.before[at]; ok {
			return at, sum.Add(t), true
		}
		t, ok := r.own[at-1]
		if !ok {
			return at, sum, false
		}
		sum = sum.Add(t)
	}
	return at, sum, true
}

func (r *remoteCounts) learn(at int, t connect.Tally) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.before == nil || len(r.before) > mostKnown {
		r.before = map[int]connect.Tally{}
	}
	r.before[at] = t
}
