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
	"github.com/rainsql/rainsql/exec/task"
)

// Splits of a scan are handed out by one server: that of the first task of its stage. The others ask it for some at a time.

// mostAtOnce bounds how many splits a server takes at once; it takes fewer as fewer are left, so that none ends long after the others.
const mostAtOnce = 16

// scanKey names a scan within an attempt.
type scanKey struct{ stage, op int }

// splitter hands out the splits of a scan to all servers.
type splitter struct {
	task.Splits
	count, tasks int

	mu    sync.Mutex
	taken int
}

func newSplitter(count, tasks int) *splitter {
	return &splitter{Splits: task.NewSplits(count), count: count, tasks: tasks}
}

// Take implements task.Splits.
func (s *splitter) Take(ctx context.Context) (int, error) {
	at, err := s.Splits.Take(ctx)
	if at >= 0 {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.taken++
	}
	return at, err
}

// run takes some for a server that asks.
func (s *splitter) run(ctx context.Context) ([]int64, error) {
	s.mu.Lock()
	n := min(mostAtOnce, max(1, (s.count-s.taken)/(4*s.tasks)))
	s.mu.Unlock()
	var list []int64
	for range n {
		at, err := s.Take(ctx)
		if err != nil {
			return nil, err
		}
		if at < 0 {
			break
		}
		list = append(list, int64(at))
	}
	return list, nil
}

// remoteSplits are the splits of a scan that another server hands out.
type remoteSplits struct {
	conn  grpc.ClientConnInterface
	name  *api.ScanName
	wrong func(error) error // says that it is the other server that does not answer

	taking chan struct{} // holds one while the other server is asked
	mu     sync.Mutex
	have   []int
	ended  []int64 // not told yet
	over   bool
}

// askTime bounds how long the server that hands out splits may take to answer; its part may only be starting.
const askTime = 20 * time.Second

// Take implements task.Splits.
func (r *remoteSplits) Take(ctx context.Context) (int, error) {
	select {
	case r.taking <- struct{}{}:
		defer func() { <-r.taking }()
	case <-ctx.Done():
		return 0, context.Cause(ctx)
	}
	r.mu.Lock()
	if len(r.have) > 0 || r.over {
		defer r.mu.Unlock()
		return r.next(), nil
	}
	ended := r.ended
	r.ended = nil
	r.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	resp, err := api.NewWorkersClient(r.conn).Take(ctx, &api.TakeRequest{Scan: r.name, Ended: ended})
	if err != nil {
		return 0, r.failed(ctx, err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, at := range resp.GetSplits() {
		if at < 0 || at >= r.name.GetCount() {
			return 0, r.wrong(fmt.Errorf("it hands out split %d of %d", at, r.name.GetCount()))
		}
		r.have = append(r.have, int(at))
	}
	r.over = len(resp.GetSplits()) == 0
	return r.next(), nil
}

func (r *remoteSplits) failed(ctx context.Context, err error) error {
	if cause := context.Cause(ctx); cause != nil && ctx.Err() != context.DeadlineExceeded { //nolint:errorlint // of this context itself
		return cause
	}
	if status.Code(err) == codes.FailedPrecondition { // the sources differ: it is nobody's fault
		return fmt.Errorf("%s", status.Convert(err).Message())
	}
	return r.wrong(err)
}

// next is called with the lock held.
func (r *remoteSplits) next() int {
	if len(r.have) == 0 {
		return -1
	}
	at := r.have[0]
	r.have = r.have[1:]
	return at
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
