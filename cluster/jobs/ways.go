package jobs

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/link"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/exec/exchange"
	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/exec/task"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/planner/dag"
)

// way is an edge on its way to another server.
type way struct {
	edge int
	to   state.ID
}

// away gives the way of a producer here to a consumer elsewhere. All pairs of an edge that have the same two servers share a link.
func (p *part) away(edge, producer, consumer int) exchange.Away {
	_, e, _ := p.place.edge(edge)
	key := way{edge, p.place.at(e.To, consumer)}
	p.mu.Lock()
	defer p.mu.Unlock()
	o := p.ways[key]
	if o == nil {
		var err error
		if o, err = p.open(key, e); err != nil {
			return noWay{&peerError{key.to, err}}
		}
		p.ways[key] = o
	}
	return o.Way(producer, consumer)
}

func (p *part) open(key way, e dag.Edge) (*link.Out, error) {
	conn, err := p.w.conn(key.to, p.w.cfg.DialLinks)
	if err != nil {
		return nil, err
	}
	h := link.Head{Job: p.job, Attempt: p.attempt, Edge: key.edge, From: p.w.cfg.Self.Node}
	return link.Open(p.ctx, conn, key.to, h, p.linkEdge(e), p.fail)
}

// silence is for when a task has failed: others must not take the end of what it sends for the end of its rows.
func (p *part) silence(error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, o := range p.ways {
		o.Silence()
	}
}

func (p *part) linkEdge(e dag.Edge) link.Edge {
	return link.Edge{Types: typesOver(p.graph.Stages[e.To], e.ID), Credit: exchange.Credit(e.Kind), Mem: p.w.pool}
}

// typesOver are those of the columns that a stage receives over an edge.
func typesOver(st *dag.Stage, edge int) []types.Type {
	for _, o := range st.Ops {
		if r, ok := o.Spec.(*dag.Receive); ok && r.Edge == edge {
			return r.Types
		}
	}
	return nil
}

// conn is the way to a server.
func (w *Worker) conn(id state.ID, dial func(string) (grpc.ClientConnInterface, error)) (grpc.ClientConnInterface, error) {
	n, ok := w.cfg.Log.State().Node(id)
	if !ok {
		return nil, status.Errorf(codes.Unavailable, "node %s is not in the cluster any more", id.Short())
	}
	return dial(n.Addr)
}

// Carry takes what producers elsewhere send to consumers here; see link.Register.
func (w *Worker) Carry(h link.Head, stream grpc.ServerStream) error {
	p, err := w.find(stream.Context(), h.Job, h.Attempt)
	if err != nil {
		return err
	}
	defer p.leave()
	from, e, ok := p.place.edge(h.Edge)
	var pairs []link.Pair
	if ok {
		pairs = p.place.pairs(from, e, h.From, w.cfg.Self.Node)
	}
	if len(pairs) == 0 {
		return status.Errorf(codes.InvalidArgument, "edge %d has no way from node %s to this one", h.Edge, h.From.Short())
	}
	err = link.Serve(p.ctx, stream, h, p.linkEdge(e), p.running, pairs)
	if err != nil {
		p.fail(err)
	}
	return err
}

// remote are the splits of a scan that another server hands out.
func (p *part) remote(host state.ID, stage, at int, splits []connect.Split) task.Splits {
	wrong := func(err error) error { return &peerError{host, err} }
	conn, err := p.w.conn(host, p.w.cfg.Dial)
	if err != nil {
		return noSplits{wrong(err)}
	}
	name := &api.ScanName{Job: p.job, Attempt: p.attempt, Stage: int64(stage), Op: int64(at), Count: int64(len(splits))}
	return &remoteSplits{taking: make(chan struct{}, 1), remoteCounts: remoteCounts{remote: remote{conn: conn, name: name, part: p, wrong: wrong}, splits: splits}}
}

// noWay is a way to a server that cannot be reached.
type noWay struct{ err error }

func (w noWay) Send(_ context.Context, m exchange.Message) (op.Flow, error) {
	m.Release()
	return op.Enough, w.err
}
func (noWay) Stopped() bool { return false }
func (noWay) Done()         {}

// noSplits are those of a server that cannot be reached.
type noSplits struct{ err error }

func (s noSplits) Take(context.Context, int) (task.Taken, error) { return task.Taken{}, s.err }
func (noSplits) End(int)                                         {}
func (s noSplits) Left(context.Context, int) ([]int, error)      { return nil, s.err }
