// Package jobs is how a cluster runs queries: what a server does as a worker, for parts of attempts that others run, and as a
// gateway, for clients whose jobs it runs. Which jobs get slots is decided in package schedule; docs/jobs.md has the whole.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"go.uber.org/zap"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/files"
	"github.com/rainsql/rainsql/cluster/link"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/exec/exchange/frame"
	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/exec/operators"
	"github.com/rainsql/rainsql/exec/task"
	"github.com/rainsql/rainsql/planner/dag"
	"github.com/rainsql/rainsql/sdfs"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Log is the replicated state as this server has it.
type Log interface {
	State() *state.State
	// Watch gives the state, and what is closed as soon as there is a newer one.
	Watch() (*state.State, <-chan struct{})
	WaitApplied(ctx context.Context, index uint64) (*state.State, error)
}

// Opener opens what a graph names, on a worker. What its sinks wrote waits until someone names it.
type Opener interface {
	task.Opener
	// Writers gives the files that sinks have finished. They are the caller's.
	Writers() []*sdfs.Writer
	// Abort gives up what nobody has taken.
	Abort() error
}

// Config is what the jobs of a server need of it.
type Config struct {
	Self  state.Holder
	Log   Log
	Alive func(id state.ID, incarnation uint64) bool // as gossip has it

	// Dial gives the way to another server for calls, DialLinks that for batches.
	Dial, DialLinks func(addr string) (grpc.ClientConnInterface, error)

	Store   *sdfs.Store // of the cluster, as this server sees it
	Backend *files.Backend
	Opener  func(*sdfs.Store, *dag.Graph) Opener
	Owners  func(namespace.Block) []state.ID // the servers on which a block belongs; nil: nobody knows

	Memory int64            // bytes that the tasks of one query may hold here; 0: without limit
	Alloc  memory.Allocator // of batches
	Logger *zap.Logger
}

// Worker runs the parts of attempts that are this server's. All methods may be called concurrently.
type Worker struct {
	cfg  Config
	pool *frame.Pool

	mu      sync.Mutex
	parts   map[uint64]*part // by attempt
	changed chan struct{}    // closed when there is one more
	closed  bool
	running sync.WaitGroup
}

// pooledBytes is how much memory for frames is kept for the next ones.
const pooledBytes = 64 << 20

// NewWorker is a worker. Close must follow.
func NewWorker(cfg Config) *Worker {
	return &Worker{cfg: cfg, pool: frame.NewPool(cfg.Alloc, pooledBytes), parts: map[uint64]*part{}, changed: make(chan struct{})}
}

// errStopping is why parts end when the server does.
var errStopping = errors.New("the server is stopping")

// Close ends all parts, and waits until they have.
func (w *Worker) Close() {
	w.mu.Lock()
	w.closed = true
	for _, p := range w.parts {
		p.cancel(errStopping)
	}
	w.mu.Unlock()
	w.running.Wait()
	w.pool.Close()
}

// Parts is how many parts run here, for metrics and tests.
func (w *Worker) Parts() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.parts)
}

// session is the way between a part and the server that runs its attempt. It ends with the attempt.
type session interface {
	Context() context.Context
	Recv() (*api.PartRequest, error)
	Send(*api.PartResponse) error
}

// freshTime bounds how long a server that is behind in the log is waited for.
const freshTime = 10 * time.Second

// Run runs a part until its session ends. result takes the rows for the caller, where the part has that task.
func (w *Worker) Run(s session, result operators.Receiver) error {
	first, err := s.Recv()
	if err != nil {
		return err
	}
	spec := first.GetPart()
	g, _, err := receiveGraph(spec.GetRun().GetGraphBytes(), func() ([]byte, error) {
		m, err := s.Recv()
		return m.GetGraph(), err
	})
	if err != nil {
		return err
	}
	p, err := w.newPart(s.Context(), spec, g)
	if err != nil {
		return err
	}
	go func() { // ends with the session
		for {
			if _, err := s.Recv(); err != nil {
				p.cancel(errors.New("the attempt has ended"))
				return
			}
		}
	}()
	return p.serve(s, result)
}

// newPart makes a part, if it is of the attempt that the log has for its job.
func (w *Worker) newPart(ctx context.Context, spec *api.Part, g *dag.Graph) (*part, error) {
	fresh, cancel := context.WithTimeout(ctx, freshTime)
	defer cancel()
	st, err := w.cfg.Log.WaitApplied(fresh, spec.GetAttempt())
	if err != nil {
		return nil, status.Error(codes.Aborted, "this server is behind in the log")
	}
	j, err := current(st, spec.GetJob(), spec.GetAttempt())
	if err != nil {
		return nil, err
	}
	gateway, err := idOf(spec.GetGateway())
	if err != nil {
		return nil, err
	}
	p := &part{
		w: w, job: spec.GetJob(), attempt: spec.GetAttempt(), spec: spec.GetRun(), graph: g, place: place(g, j.Slots, gateway),
		ready: make(chan struct{}), splitters: map[scanKey]*splitter{}, ways: map[way]*link.Out{},
	}
	limit := w.cfg.Memory
	if own := p.spec.GetMemoryLimit(); own > 0 {
		limit = own
	}
	p.memory = op.NewMemory(limit)
	p.ctx, p.cancel = context.WithCancelCause(ctx)
	p.tasks, p.fail = context.WithCancelCause(p.ctx)
	w.mu.Lock()
	defer w.mu.Unlock()
	switch {
	case w.closed:
		err = status.Error(codes.Unavailable, errStopping.Error())
	case w.parts[p.attempt] != nil:
		err = status.Errorf(codes.AlreadyExists, "attempt %d runs here already", p.attempt)
	}
	if err != nil {
		p.cancel(nil)
		return nil, err
	}
	w.running.Add(1)
	w.parts[p.attempt] = p
	close(w.changed)
	w.changed = make(chan struct{})
	return p, nil
}

// forget is the end of a part.
func (w *Worker) forget(p *part) {
	w.mu.Lock()
	delete(w.parts, p.attempt)
	w.mu.Unlock()
	w.running.Done()
}

// note logs an error of the end of a part: nobody is left to be told.
func (w *Worker) note(err error) {
	if err != nil {
		w.cfg.Logger.Debug("the end of a part", zap.Error(err))
	}
}

// current gives a job if an attempt is the one under way.
func current(s *state.State, job, attempt uint64) (*state.Job, error) {
	j, ok := s.Job(job)
	switch {
	case !ok:
		return nil, status.Errorf(codes.FailedPrecondition, "there is no job %d", job)
	case j.Status != state.Running || j.Attempt != attempt:
		return nil, status.Errorf(codes.FailedPrecondition, "attempt %d of job %d is not under way any more: %s", attempt, job, describe(j))
	}
	return j, nil
}

func describe(j *state.Job) string {
	if j.Status == state.Running {
		return fmt.Sprintf("attempt %d is", j.Attempt)
	}
	return "it is " + j.Status.String()
}

func idOf(b []byte) (state.ID, error) {
	if len(b) != len(state.ID{}) {
		return state.ID{}, status.Errorf(codes.InvalidArgument, "a server's id of %d bytes", len(b))
	}
	return state.ID(b), nil
}

// find waits for the part of an attempt: others may be sooner than the one who begins it here. It gives an error once the attempt can not
// come any more.
func (w *Worker) find(ctx context.Context, job, attempt uint64) (*part, error) {
	ctx, cancel := context.WithTimeout(ctx, freshTime)
	defer cancel()
	for {
		w.mu.Lock()
		p, changed := w.parts[attempt], w.changed
		w.mu.Unlock()
		if p != nil {
			return p, p.enter(ctx)
		}
		s, moved := w.cfg.Log.Watch()
		if s.Index() >= attempt {
			if _, err := current(s, job, attempt); err != nil {
				return nil, err
			}
		}
		select {
		case <-changed:
		case <-moved:
		case <-ctx.Done():
			return nil, status.Errorf(codes.Aborted, "attempt %d of job %d has not begun here", attempt, job)
		}
	}
}
