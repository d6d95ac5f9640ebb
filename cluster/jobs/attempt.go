package jobs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/state"
)

// attempt is one attempt of a job, with a part on each server that has a task of it. When it is closed all parts end.
type attempt struct {
	r     *run
	job   *state.Job // as it was when the attempt began
	place *placement

	ctx    context.Context //nolint:containedctx // of the parts
	cancel context.CancelCauseFunc
	events chan event
	work   sync.WaitGroup

	seen map[state.Holder]bool // servers that gossip has held alive since the attempt began; of run

	mu       sync.Mutex
	parts    map[state.ID]*reached
	suspect  []state.Holder
	outdated bool // the log has another for the job
}

// reached is how far a part has come.
type reached struct {
	progress *api.Progress
	over     *api.PartOver // nil: it runs
}

// event is news of a part: what it says, or that it says no more.
type event struct {
	server state.ID
	said   *api.PartResponse
	err    error
}

func newAttempt(r *run, j *state.Job) *attempt {
	a := &attempt{r: r, job: j, place: place(r.graph, j.Slots, j.Gateway.Node), events: make(chan event), seen: map[state.Holder]bool{}, parts: map[state.ID]*reached{}}
	a.ctx, a.cancel = context.WithCancelCause(r.ctx)
	return a
}

// close ends all parts. Of those here it waits for the end.
func (a *attempt) close() {
	a.cancel(errors.New("the attempt has ended"))
	a.work.Wait()
}

// run begins the parts and waits until all have done theirs, or one has not.
func (a *attempt) run() *api.PartOver {
	s := a.r.g.cfg.Log.State()
	a.mu.Lock() // others look at it from now on
	for _, id := range a.place.servers() {
		a.parts[id] = &reached{progress: &api.Progress{}}
	}
	a.mu.Unlock()
	for id := range a.parts {
		n, ok := s.Node(id)
		if !ok {
			return a.failed(id, errors.New("it is not in the cluster any more"))
		}
		if id == a.r.g.cfg.Self.Node {
			a.work.Go(func() { a.here() })
		} else {
			a.work.Go(func() { a.there(id, n.Addr) })
		}
	}
	tick := time.NewTicker(progressEvery)
	defer tick.Stop()
	var first *api.PartOver // the failure of a part by another's fault, which may tell more of it
	var by state.ID
	patience := make(<-chan time.Time)
	for {
		s, changed := a.r.g.cfg.Log.Watch()
		if _, err := current(s, a.job.ID, a.job.Attempt); err != nil {
			a.mu.Lock()
			defer a.mu.Unlock()
			a.outdated = true
			return &api.PartOver{End: api.PartEnd_SURROUNDINGS, Reason: status.Convert(err).Message()}
		}
		if id, err := a.lost(s); err != nil {
			return a.failed(id, err)
		}
		select {
		case e := <-a.events:
			end := a.take(e)
			switch {
			case end == nil:
			case end.GetEnd() != api.PartEnd_SURROUNDINGS || e.err != nil || by == e.server:
				return a.blame(e.server, end)
			case first == nil:
				first, by = end, e.server
				if id, err := idOf(end.GetPeer()); err == nil {
					by = id
				}
				if a.reported(by) {
					return a.blame(e.server, end)
				}
				patience = time.After(tellTime)
			}
		case <-patience:
			return a.blame(by, first)
		case <-changed:
		case <-tick.C:
			a.tell()
		case <-a.ctx.Done():
			return &api.PartOver{End: api.PartEnd_SURROUNDINGS, Reason: context.Cause(a.ctx).Error()}
		}
	}
}

// tellTime is how long a server may take to tell what it has failed by, when another has found that it has.
const tellTime = 300 * time.Millisecond

// reported tells whether a part has ended.
func (a *attempt) reported(id state.ID) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.parts[id]
	return p == nil || p.over != nil
}

// take notes news of a part. It gives an end if that may be one of the attempt.
func (a *attempt) take(e event) *api.PartOver {
	a.mu.Lock()
	p := a.parts[e.server]
	was := p.over
	if m := e.said.GetProgress(); m != nil {
		p.progress = m
	}
	if over := e.said.GetOver(); over != nil {
		p.over = over
		p.progress = over.GetProgress()
	}
	done := true // all parts have done theirs
	for _, p := range a.parts {
		done = done && p.over != nil && p.over.GetEnd() == api.PartEnd_DONE
	}
	a.mu.Unlock()
	switch over := e.said.GetOver(); {
	case e.err != nil:
		return &api.PartOver{End: api.PartEnd_SURROUNDINGS, Reason: status.Convert(e.err).Message()} // also of one that had done its part: others may want splits of it, and what it wrote
	case over == nil || was != nil:
		return nil
	case over.GetEnd() != api.PartEnd_DONE:
		return over
	case done:
		return &api.PartOver{}
	}
	return nil
}

// complete tells whether the caller has all rows, and that is all that was wanted: whoever fed the result's task has ended then.
func (a *attempt) complete() bool {
	if len(a.r.graph.Targets()) > 0 {
		return false
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	p := a.parts[a.job.Gateway.Node]
	return p != nil && p.over != nil && p.over.GetEnd() == api.PartEnd_DONE
}

// blame finds by whose fault a part has failed in its surroundings, and says so.
func (a *attempt) blame(server state.ID, over *api.PartOver) *api.PartOver {
	if over.GetEnd() != api.PartEnd_SURROUNDINGS { // the query is to blame, or nobody
		return over
	}
	id, err := idOf(over.GetPeer())
	if err != nil {
		id = server
	}
	why := a.failed(id, errors.New(over.GetReason()))
	if id != server {
		why.Reason += fmt.Sprintf(" (says %s)", a.name(server))
	}
	return why
}

// failed says that the attempt has failed by a server.
func (a *attempt) failed(id state.ID, err error) *api.PartOver {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, h := range a.job.Slots {
		if h.Node == id && !slices.Contains(a.suspect, h) {
			a.suspect = append(a.suspect, h)
		}
	}
	return &api.PartOver{End: api.PartEnd_SURROUNDINGS, Reason: fmt.Sprintf("%s: %s", a.name(id), status.Convert(err).Message())}
}

func (a *attempt) name(id state.ID) string {
	if n, ok := a.r.g.cfg.Log.State().Node(id); ok {
		return n.Name
	}
	return id.Short()
}

// lost finds a server of the attempt that is not what it was when it began.
func (a *attempt) lost(s *state.State) (state.ID, error) {
	for _, h := range a.job.Slots {
		n, ok := s.Node(h.Node)
		switch {
		case !ok || n.Status == state.Down || n.Status == state.Evicted:
			return h.Node, errors.New("it is down")
		case n.Incarnation != h.Incarnation:
			return h.Node, errors.New("it was started anew")
		case a.r.g.cfg.Alive(h.Node, h.Incarnation):
			a.seen[h] = true
		case a.seen[h]: // else this server may not have met it yet
			return h.Node, errors.New("it is held dead")
		}
	}
	return state.ID{}, nil
}

func (a *attempt) suspects() []state.Holder {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.suspect
}

func (a *attempt) moved() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.outdated
}

// progress is what all parts have done.
func (a *attempt) progress() *api.Progress {
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []*api.Progress
	for _, p := range a.parts {
		list = append(list, p.progress)
	}
	return sum(list)
}

// meters are what all parts have measured.
func (a *attempt) meters() []*api.Meter {
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []*api.Meter
	for _, p := range a.parts {
		list = append(list, p.over.GetMeters()...)
	}
	return list
}

// files are what all parts have written.
func (a *attempt) files() []*api.WrittenFile {
	a.mu.Lock()
	defer a.mu.Unlock()
	var list []*api.WrittenFile
	for _, p := range a.parts {
		list = append(list, p.over.GetFiles()...)
	}
	return list
}

// tell tells the client how far the attempt has come, unless rows are on their way to it.
func (a *attempt) tell() {
	if !a.r.sending.TryLock() {
		return
	}
	defer a.r.sending.Unlock()
	_ = a.r.stream.Send(&api.RunResponse{What: &api.RunResponse_Progress{Progress: a.progress()}}) // a client that is gone is noticed by listen
}

func (a *attempt) say(e event) error {
	select {
	case a.events <- e:
		return nil
	case <-a.ctx.Done():
		return context.Cause(a.ctx)
	}
}

func (a *attempt) part() *api.Part {
	return &api.Part{Job: a.job.ID, Attempt: a.job.Attempt, Gateway: a.job.Gateway.Node[:], Run: a.r.spec}
}

// there runs the part of another server.
func (a *attempt) there(id state.ID, addr string) {
	err := func() error {
		conn, err := a.r.g.cfg.Dial(addr)
		if err != nil {
			return err
		}
		stream, err := api.NewWorkersClient(conn).Run(a.ctx, grpc.WaitForReady(false))
		if err != nil {
			return err
		}
		if err := stream.Send(&api.PartRequest{What: &api.PartRequest_Part{Part: a.part()}}); err == nil { // else Recv tells why
			_ = SendGraph(a.r.data, func(piece []byte) error {
				return stream.Send(&api.PartRequest{What: &api.PartRequest_Graph{Graph: piece}})
			})
		}
		for {
			m, err := stream.Recv()
			if err != nil {
				return err
			}
			if err := a.say(event{server: id, said: m}); err != nil {
				return err
			}
		}
	}()
	if errors.Is(err, io.EOF) {
		err = errors.New("it has ended its part too soon")
	}
	_ = a.say(event{server: id, err: err}) // nobody listens once the attempt is closed
}

// here runs the part of this server.
func (a *attempt) here() {
	id := a.r.g.cfg.Self.Node
	s := &localSession{a: a, rest: []*api.PartRequest{{What: &api.PartRequest_Part{Part: a.part()}}}}
	_ = SendGraph(a.r.data, func(piece []byte) error { // gives no error itself
		s.rest = append(s.rest, &api.PartRequest{What: &api.PartRequest_Graph{Graph: piece}})
		return nil
	})
	rows, err := newRows(a.r)
	if err == nil {
		err = a.r.g.worker.Run(s, rows.take)
		rows.close()
	}
	if err == nil {
		err = errors.New("its part has ended too soon")
	}
	_ = a.say(event{server: id, err: err})
}

// localSession is a session within a process.
type localSession struct {
	a    *attempt
	rest []*api.PartRequest
}

// Context implements session.
func (s *localSession) Context() context.Context { return s.a.ctx }

// Recv implements session.
func (s *localSession) Recv() (*api.PartRequest, error) {
	if len(s.rest) == 0 {
		<-s.a.ctx.Done()
		return nil, io.EOF
	}
	m := s.rest[0]
	s.rest = s.rest[1:]
	return m, nil
}

// Send implements session.
func (s *localSession) Send(m *api.PartResponse) error {
	return s.a.say(event{server: s.a.r.g.cfg.Self.Node, said: m})
}
