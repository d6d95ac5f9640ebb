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

	mu    sync.Mutex
	order *order
}

func newSplitter(p *part, st *dag.Stage, at int, splits []connect.Split, counted bool) *splitter {
	s := &splitter{Shared: task.NewShared(splits), part: p, count: len(splits), tasks: st.Tasks}
	s.order, s.readers = p.orderOf(st, at, splits, counted)
	return s
}

// Take implements task.Splits.
func (s *splitter) Take(context.Context, int) ([]int, error) { return s.run(s.part.w.cfg.Self.Node, 1) }

// run takes some for a server that asks.
func (s *splitter) run(server state.ID, most int) ([]int, error) {
	reader := slices.Index(s.readers, server)
	if reader < 0 {
		return nil, status.Errorf(codes.InvalidArgument, "node %s has no task of the stage whose splits it asks for", server.Short())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	var list []int
	for range max(1, min(most, mostAtOnce, s.order.left/(4*s.tasks))) {
		at := s.order.take(reader)
		if at < 0 {
			break
		}
		list = append(list, at)
	}
	s.Taken(list...)
	return list, nil
}

// remote is a scan whose splits another server hands out.
type remote struct {
	conn  grpc.ClientConnInterface
	name  *api.ScanName
	part  *part
	wrong func(error) error // says that it is the other server that does not answer
}

func (r *remote) failed(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && ctx.Err() != context.DeadlineExceeded { //nolint:errorlint // of this context itself
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

	taking sync.Mutex // held while the other server is asked
	mu     sync.Mutex
	have   []int   // taken for somebody who was not there any more
	ended  []int64 // not told yet
	over   bool
}

// askTime bounds how long the server that hands out splits may take to answer; its part may only be starting.
const askTime = 20 * time.Second

// Take implements task.Splits. The other server takes it for certain that what it hands out is counted here: so the end of a task does not
// end the request, and what comes of it then is for the next task.
func (r *remoteSplits) Take(ctx context.Context, most int) ([]int, error) {
	r.taking.Lock()
	defer r.taking.Unlock()
	r.mu.Lock()
	have, over := r.have, r.over
	r.have = nil
	r.mu.Unlock()
	if len(have) > 0 || over {
		return have, nil
	}
	type answer struct {
		list []int
		err  error
	}
	asked := make(chan answer)
	if !r.part.aside(func() {
		list, err := r.ask(most)
		select {
		case asked <- answer{list, err}:
		case <-ctx.Done():
			r.keep(list)
		}
	}) {
		return nil, r.part.over()
	}
	select {
	case a := <-asked:
		return a.list, a.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// keep is for splits that nobody is there to have: perhaps nobody ever is.
func (r *remoteSplits) keep(list []int) {
	r.mu.Lock()
	r.have = append(r.have, list...)
	r.mu.Unlock()
	for _, at := range list {
		r.Withdraw(at)
	}
}

func (r *remoteSplits) ask(most int) ([]int, error) {
	r.mu.Lock()
	ended := r.ended
	r.ended = nil
	r.mu.Unlock()
	ctx, cancel := context.WithTimeout(r.part.ctx, askTime)
	defer cancel()
	resp, err := api.NewWorkersClient(r.conn).Take(ctx, &api.TakeRequest{Scan: r.name, Ended: ended, Most: int64(most), Node: r.part.w.cfg.Self.Node[:]})
	if err != nil {
		return nil, r.failed(ctx, err)
	}
	var list []int
	for _, at := range resp.GetSplits() {
		if at < 0 || at >= r.name.GetCount() {
			return nil, r.wrong(fmt.Errorf("it hands out split %d of %d", at, r.name.GetCount()))
		}
		list = append(list, int(at))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.over = len(list) == 0
	return list, nil
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
