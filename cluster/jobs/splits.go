package jobs

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/exec/task"
	"github.com/rainsql/rainsql/planner/dag"
)

// Splits of a scan are handed out by one server: that of the first task of its stage. The others ask it for some at a time.

// mostAtOnce bounds how many splits a server takes at once; it takes fewer as fewer are left, so that none ends long after the others.
const mostAtOnce = 16

// scanKey names a scan within an attempt.
type scanKey struct{ stage, op int }

// splitter hands out the splits of a scan to all servers, and adds up what they hold.
type splitter struct {
	*task.Shared
	part    *part
	count   int
	tasks   int
	readers []state.ID

	mu       sync.Mutex
	order    *order
	counters *counters // nil: nobody counts what others read
}

func newSplitter(p *part, st *dag.Stage, at int, splits []connect.Split, counted bool) *splitter {
	s := &splitter{Shared: task.NewShared(splits), part: p, count: len(splits), tasks: st.Tasks}
	s.order, s.readers = p.orderOf(st, at, splits)
	if counted && s.order.window > 0 {
		s.counters = newCounters(s.order)
	}
	return s
}

// Take implements task.Splits.
func (s *splitter) Take(context.Context, int) (task.Taken, error) {
	return s.run(s.part.w.cfg.Self.Node, 1)
}

// run takes some for a server that asks.
func (s *splitter) run(server state.ID, most int) (got task.Taken, err error) {
	reader := slices.Index(s.readers, server)
	if reader < 0 {
		return got, status.Errorf(codes.InvalidArgument, "node %s has no task of the stage whose splits it asks for", server.Short())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for range max(1, min(most, mostAtOnce, s.order.left/(4*s.tasks))) {
		at := s.order.take(reader)
		if at < 0 {
			break
		}
		got.Splits = append(got.Splits, at)
	}
	if s.counters != nil {
		got.Count = s.counters.take(reader)
	}
	s.Taken(got.Splits...)
	s.Taken(got.Count...)
	return got, nil
}

// remote is a scan whose splits another server hands out.
type remote struct {
	conn  grpc.ClientConnInterface
	name  *api.ScanName
	part  *part
	wrong func(error) error // says that it is the other server that does not answer
}

func (r *remote) failed(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && ctx.Err() != context.DeadlineExceeded {
		return cause
	}
	if status.Code(err) == codes.FailedPrecondition { // the sources differ: it is nobody's fault
		return fmt.Errorf("%s", status.Convert(err).Message())
	}
	return r.wrong(err)
}

// remoteSplits are the splits of a scan that another server hands out.
type remoteSplits struct {
	remoteCounts

	taking chan struct{} // holds one while the other server is asked
	mu     sync.Mutex
	have   task.Taken // taken for somebody who was not there any more
	ended  []int64    // not told yet
	over   bool
}

// askTime bounds how long the server that hands out splits may take to answer; its part may only be starting.
const askTime = 20 * time.Second

// Take implements task.Splits. The other server takes it for certain that what it hands out is counted here: so the end of a task does not
// end the request, and what comes of it then is for the next task.
func (r *remoteSplits) Take(ctx context.Context, most int) (task.Taken, error) {
	select {
	case r.taking <- struct{}{}:
		defer func() { <-r.taking }()
	case <-ctx.Done():
		return task.Taken{}, context.Cause(ctx)
	}
	r.mu.Lock()
	have, over := r.have, r.over
	r.have = task.Taken{}
	r.mu.Unlock()
	if len(have.Splits) > 0 || over {
		return have, nil
	}
	type answer struct {
		got task.Taken
		err error
	}
	asked := make(chan answer)
	if !r.part.aside(func() {
		got, err := r.ask(most)
		select {
		case asked <- answer{got, err}:
		case <-ctx.Done():
			r.keep(got)
		}
	}) {
		return task.Taken{}, r.part.over()
	}
	select {
	case a := <-asked:
		return a.got, a.err
	case <-ctx.Done():
		return task.Taken{}, context.Cause(ctx)
	}
}

// keep is for splits that nobody is there to have: perhaps nobody ever is.
func (r *remoteSplits) keep(got task.Taken) {
	r.mu.Lock()
	r.have.Splits = append(r.have.Splits, got.Splits...)
	r.mu.Unlock()
	for _, at := range append(got.Count, got.Splits...) {
		r.Withdraw(at)
	}
}

func (r *remoteSplits) ask(most int) (got task.Taken, err error) {
	r.mu.Lock()
	ended := r.ended
	r.ended = nil
	r.mu.Unlock()
	ctx, cancel := context.WithTimeout(r.part.ctx, askTime)
	defer cancel()
	resp, err := api.NewWorkersClient(r.conn).Take(ctx, &api.TakeRequest{Scan: r.name, Ended: ended, Most: int64(most), Node: r.part.w.cfg.Self.Node[:]})
	if err != nil {
		return got, r.failed(ctx, err)
	}
	for _, at := range append(resp.GetSplits(), resp.GetCount()...) {
		if at < 0 || at >= r.name.GetCount() {
			return got, r.wrong(fmt.Errorf("it hands out split %d of %d", at, r.name.GetCount()))
		}
	}
	got = task.Taken{Splits: ints[int](resp.GetSplits()), Count: ints[int](resp.GetCount())}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = len(got.Splits) == 0
	return got, nil
}

// ints makes numbers of another type.
func ints[To, From int | int64](list []From) []To {
	out := make([]To, len(list))
	for i, n := range list {
		out[i] = To(n)
	}
	return out
}

// End implements task.Splits. The other server learns of it with the next request.
func (r *remoteSplits) End(split int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = append(r.ended, int64(split))
}

// Left implements task.Splits.
func (r *remoteSplits) Left(ctx context.Context, before int) ([]int, error) {
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	resp, err := api.NewWorkersClient(r.conn).Left(ctx, &api.LeftRequest{Scan: r.name, Before: int64(before)})
	if err != nil {
		return nil, r.failed(ctx, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var list []int
	for _, at := range resp.GetSplits() {
		if !slices.Contains(r.ended, at) {
			list = append(list, int(at))
		}
	}
	return list, nil
}
