package jobs

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/identity"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/planner/dag"
)

// GatewayConfig is what a gateway needs beside what its worker does.
type GatewayConfig struct {
	Client *client.Client // of the cluster, by way of this server
	// Allow judges whether the caller of a service may do what needs a role, and User tells who it is.
	Allow func(ctx context.Context, need identity.Role) error
	User  func(ctx context.Context) string
}

// Gateway runs the jobs of clients: it has the leader give them slots, begins their attempts on the workers, and passes rows on. It
// implements api.JobsServer. What it knows is of no use to anybody when it is gone: the log has the rest.
type Gateway struct {
	api.UnimplementedJobsServer
	cfg    Config
	own    GatewayConfig
	worker *Worker
	runs   runs
	recent recent

	ctx    context.Context //nolint:containedctx // of all jobs
	cancel context.CancelCauseFunc
	mu     sync.Mutex
	closed bool
	work   sync.WaitGroup
}

// NewGateway is a gateway that runs its own parts on a worker. Close must follow, before the worker's.
func NewGateway(w *Worker, own GatewayConfig) *Gateway {
	g := &Gateway{cfg: w.cfg, own: own, worker: w}
	g.ctx, g.cancel = context.WithCancelCause(context.Background())
	g.work.Go(g.tidy)
	return g
}

// Stop has the gateway take no more jobs. Those that it runs are other servers' once their streams end, and are not cancelled.
func (g *Gateway) Stop() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.closed = true
}

func (g *Gateway) stopping() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.closed
}

// Abandon lets go of all jobs, at once.
func (g *Gateway) Abandon() {
	g.Stop()
	g.cancel(errStopping)
}

// Close lets go of all jobs, and waits until nothing is done for them any more.
func (g *Gateway) Close() {
	g.Abandon()
	g.work.Wait()
}

// begin counts a job that runs here, unless the gateway is closed.
func (g *Gateway) begin() bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false
	}
	g.work.Add(1)
	return true
}

// run is a job that this gateway runs.
type run struct {
	g      *Gateway
	stream grpc.BidiStreamingServer[api.RunRequest, api.RunResponse]
	spec   *api.Run
	graph  *dag.Graph
	data   []byte // its wire form
	id     uint64

	ctx    context.Context //nolint:containedctx // of the job: it ends when the client wants no more of it
	cancel context.CancelCauseFunc

	sending sync.Mutex  // held while something is sent to the client
	enough  atomic.Bool // the client wants no more rows
	rows    atomic.Int64
}

// Why a job ends before its time.
var (
	errClientGone = errors.New("its client is gone")
	errMoved      = errors.New("the job is in other hands")
)

// cancelled is why a client, or someone else, ended a job.
type cancelled struct{ reason string }

func (e *cancelled) Error() string { return e.reason }

// Run implements api.JobsServer.
func (g *Gateway) Run(stream grpc.BidiStreamingServer[api.RunRequest, api.RunResponse]) error {
	if err := g.own.Allow(stream.Context(), identity.Read); err != nil {
		return err
	}
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	submit := first.GetSubmit()
	graph, data, err := receiveGraph(submit.GetRun().GetGraphBytes(), func() ([]byte, error) {
		m, err := stream.Recv()
		return m.GetGraph(), err
	})
	if err != nil {
		return err
	}
	if len(graph.Targets()) > 0 {
		if err := g.own.Allow(stream.Context(), identity.Write); err != nil {
			return err
		}
	}
	key, err := idOf(submit.GetKey())
	if err != nil {
		return status.Error(codes.InvalidArgument, "a job's key has 16 bytes")
	}
	if !g.begin() {
		return status.Error(codes.Aborted, errStopping.Error())
	}
	defer g.work.Done()
	r := &run{g: g, stream: stream, spec: submit.GetRun(), graph: graph, data: data}
	r.ctx, r.cancel = context.WithCancelCause(stream.Context())
	defer r.cancel(nil)
	defer context.AfterFunc(g.ctx, func() { r.cancel(context.Cause(g.ctx)) })()
	leave, err := g.runs.enter(r.ctx, key, r)
	if err != nil {
		return status.FromContextError(err).Err()
	}
	defer leave()
	go r.listen()
	if err := r.submit(key, submit.GetText()); err != nil {
		return err
	}
	return r.drive()
}

// listen takes what the client says until it is gone.
func (r *run) listen() {
	for {
		m, err := r.stream.Recv()
		if err != nil {
			r.cancel(errClientGone)
			return
		}
		switch what := m.GetWhat().(type) {
		case *api.RunRequest_Enough:
			r.enough.Store(true)
		case *api.RunRequest_Cancel:
			r.cancel(&cancelled{what.Cancel})
		}
	}
}

// submit has the cluster know of the job.
func (r *run) submit(key state.ID, text string) error {
	o, err := r.g.own.Client.Propose(r.ctx, state.Entry{
		Kind: state.JobSubmit, Key: key, Name: r.g.own.User(r.stream.Context()), Value: text, Width: width(r.graph), Servers: []state.Holder{r.g.cfg.Self},
	})
	if err != nil {
		return status.Error(codes.Aborted, err.Error())
	}
	if o.Err != nil {
		return status.Error(codes.ResourceExhausted, o.Err.Error())
	}
	s, err := r.g.cfg.Log.WaitApplied(r.ctx, o.Index)
	if err != nil {
		return status.Error(codes.Aborted, err.Error())
	}
	j, ok := s.JobByKey(key)
	if !ok {
		return status.Error(codes.Aborted, "the job was forgotten before it began")
	}
	r.id = j.ID
	return nil
}

// drive runs attempts of the job until it has ended, and tells the client.
func (r *run) drive() error {
	for {
		j, err := r.slots()
		switch {
		case err != nil:
			return r.stopped(err)
		case j.Status.Over():
			return r.over(j, nil)
		}
		if err := r.tell(&api.RunResponse{What: &api.RunResponse_Begun{Begun: begun(j)}}); err != nil {
			return r.stopped(errClientGone)
		}
		a := newAttempt(r, j)
		r.g.recent.begin(a)
		end := a.run()
		err = r.settle(a, end)
		a.close()
		r.g.recent.end(a, end.GetEnd() == api.PartEnd_SURROUNDINGS && !a.moved() && r.ctx.Err() == nil)
		switch {
		case errors.Is(err, errAgain):
		case err != nil:
			return r.stopped(err)
		default:
			return nil
		}
	}
}

func begun(j *state.Job) *api.JobBegun {
	m := &api.JobBegun{Job: j.ID, Attempt: j.Attempt}
	for _, h := range j.Slots {
		m.Slots = append(m.Slots, h.Node[:])
	}
	return m
}

// slots waits until the job has slots, or has ended.
func (r *run) slots() (*state.Job, error) {
	told := false
	for {
		s, changed := r.g.cfg.Log.Watch()
		j, ok := s.Job(r.id)
		switch {
		case !ok || j.Gateway != r.g.cfg.Self && !j.Status.Over():
			return nil, errMoved
		case j.Status != state.Queued:
			return j, nil
		case !told:
			told = true
			if err := r.tell(&api.RunResponse{What: &api.RunResponse_Begun{Begun: &api.JobBegun{Job: j.ID}}}); err != nil {
				return nil, errClientGone
			}
		}
		select {
		case <-changed:
		case <-r.ctx.Done():
			return nil, context.Cause(r.ctx)
		}
	}
}

// tell sends something to the client.
func (r *run) tell(m *api.RunResponse) error {
	r.sending.Lock()
	defer r.sending.Unlock()
	return r.stream.Send(m)
}
