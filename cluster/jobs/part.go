package jobs

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/link"
	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/exec/operators"
	"github.com/rainsql/rainsql/exec/task"
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/planner/dag"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// part is those tasks of an attempt that run on this server. It lives as long as its session: those it hands splits to, and those whose
// batches it takes, may go on when its own tasks have ended.
type part struct {
	w            *Worker
	job, attempt uint64
	spec         *api.Run
	graph        *dag.Graph
	place        *placement

	ctx    context.Context //nolint:containedctx // of the part
	cancel context.CancelCauseFunc
	tasks  context.Context         //nolint:containedctx // within ctx, of the tasks
	fail   context.CancelCauseFunc // ends the tasks

	ready   chan struct{} // closed once running is there
	running *task.Running
	stats   task.Stats
	memory  *op.Memory

	mu        sync.Mutex
	splitters map[scanKey]*splitter
	ways      map[way]*link.Out
	closing   bool
	users     sync.WaitGroup // calls of other servers
}

// enter is the begin of a call of another server's; leave must follow if there is no error.
func (p *part) enter(ctx context.Context) error {
	p.mu.Lock()
	closing := p.closing
	if !closing {
		p.users.Add(1)
	}
	p.mu.Unlock()
	if closing {
		return p.over()
	}
	select {
	case <-p.ready:
		return nil
	case <-p.ctx.Done():
	case <-ctx.Done():
	}
	p.leave()
	return p.over()
}

func (p *part) over() error {
	return status.Errorf(codes.Aborted, "attempt %d of job %d has ended here", p.attempt, p.job)
}

func (p *part) leave() { p.users.Done() }

// aside runs something beside the tasks, which ends with the part; false: the part has ended.
func (p *part) aside(f func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closing {
		return false
	}
	p.users.Go(f)
	return true
}

// progressEvery is how often a part tells how far it has come.
const progressEvery = 250 * time.Millisecond

// serve runs the part and tells of it until the session ends.
func (p *part) serve(s session, result operators.Receiver) error {
	opener := p.w.cfg.Opener(p.w.cfg.Store, p.graph)
	var over *api.PartOver
	var written []namespace.Block // given up in the end: those that an entry names by then stay
	defer func() {
		p.close(opener)
		p.giveUp(written)
		p.w.forget(p)
	}()
	done := make(chan error, 1)
	go func() { done <- p.run(opener, result) }()
	go p.watch()
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	for over == nil {
		select {
		case err := <-done:
			var detached *api.PartOver
			if err == nil {
				written, detached, err = p.detach(opener)
			}
			if fault := (*task.InternalError)(nil); errors.As(err, &fault) {
				p.w.cfg.Logger.Error("internal error", zap.Uint64("job", p.job), zap.String("reason", fault.Reason), zap.String("stack", fault.Stack))
			}
			if over = verdict(err); err == nil {
				over = detached
			}
		case <-tick.C:
			if err := s.Send(&api.PartResponse{What: &api.PartResponse_Progress{Progress: p.progress()}}); err != nil {
				p.cancel(err)
			}
		}
	}
	over.Progress, over.Meters = p.progress(), p.meters()
	if err := s.Send(&api.PartResponse{What: &api.PartResponse_Over{Over: over}}); err != nil {
		return err
	}
	<-p.ctx.Done()
	return nil
}

// run runs the tasks to their ends.
func (p *part) run(opener Opener, result operators.Receiver) (err error) {
	defer func() { // tasks do so themselves; this is for what comes before them and after
		if v := recover(); v != nil {
			err = task.PanicError(v)
		}
	}()
	rt := &task.Runtime{
		Opener: opener, SplitBytes: p.spec.GetSplitBytes(), Measure: p.spec.GetMeasure(), Result: result,
		Env: &op.Env{
			Alloc: p.w.cfg.Alloc, Memory: p.memory,
			Eval: &expr.Env{Now: time.UnixMicro(p.spec.GetNowMicros()).UTC(), Stop: p.ctx.Done()},
		},
	}
	self := p.w.cfg.Self.Node
	r, err := task.Start(p.tasks, p.graph, task.Part{
		Here:   func(stage, index int) bool { return p.place.at(stage, index) == self },
		Away:   p.away,
		Splits: p.splits,
		Failed: p.silence,
	}, rt, &p.stats)
	if err != nil {
		if r != nil {
			err = errors.Join(err, r.Close())
		}
		return err
	}
	p.running = r
	close(p.ready)
	if err := r.Run(p.tasks); err != nil {
		return err
	}
	return r.Commit(p.tasks)
}

// watch ends the part when its attempt is no more the one under way.
func (p *part) watch() {
	for {
		s, changed := p.w.cfg.Log.Watch()
		if _, err := current(s, p.job, p.attempt); err != nil {
			p.cancel(err)
			return
		}
		select {
		case <-changed:
		case <-p.ctx.Done():
			return
		}
	}
}

// close ends what the part has to do with others, and frees everything.
func (p *part) close(opener Opener) {
	p.cancel(nil)
	p.mu.Lock()
	p.closing = true
	ways := p.ways
	p.mu.Unlock()
	p.users.Wait()
	for _, o := range ways {
		p.w.note(o.Close())
	}
	if p.running != nil {
		p.w.note(p.running.Close())
	}
	p.w.note(opener.Abort())
}

// splits tells who hands out the splits of a scan: the server of the first task of its stage.
func (p *part) splits(stage, at int, splits []connect.Split, counted bool) task.Splits {
	host := p.place.at(stage, 0)
	if host != p.w.cfg.Self.Node {
		return p.remote(host, stage, at, splits)
	}
	s := newSplitter(p, p.graph.Stages[stage], at, splits, counted)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.splitters[scanKey{stage, at}] = s
	return s
}

// splitter finds the splits of a scan that this server hands out.
func (p *part) splitter(ctx context.Context, name *api.ScanName) (*splitter, error) {
	p.mu.Lock()
	s := p.splitters[scanKey{int(name.GetStage()), int(name.GetOp())}]
	p.mu.Unlock()
	switch {
	case s == nil:
		return nil, status.Errorf(codes.InvalidArgument, "operator %d of stage %d is no scan whose splits this server hands out", name.GetOp(), name.GetStage())
	case int64(s.count) != name.GetCount():
		return nil, status.Errorf(codes.FailedPrecondition, "a source has %d splits on one server and %d on another: it changed while it was read; run the query again", s.count, name.GetCount())
	}
	return s, ctx.Err()
}

// progress is what the part has done so far.
func (p *part) progress() *api.Progress {
	m := ProgressOf(p.stats.Snapshot())
	m.Memory, m.Peak, m.Spilled = p.memory.Used(), p.memory.Peak(), p.memory.Spilled()
	m.Tasks = p.counts()
	return m
}

// meters are what the part has measured, if it was to.
func (p *part) meters() []*api.Meter {
	if p.running == nil || p.running.Report() == nil {
		return nil
	}
	self := p.w.cfg.Self.Node
	var list []*api.Meter
	add := func(of [][]*task.Meter, edge bool) {
		for stage, meters := range of {
			for at, m := range meters {
				list = append(list, &api.Meter{
					Node: self[:], Stage: int64(stage), At: int64(at), Edge: edge,
					Read: m.Read.Load(), Rows: m.Rows.Load(), Bytes: m.Bytes.Load(), Nanos: m.Nanos.Load(),
				})
			}
		}
	}
	add(p.running.Report().Ops, false)
	add(p.running.Report().Edges, true)
	return list
}
