package link

import (
	"context"
	"encoding/binary"
	"net"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"

	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/cluster/wire"
	"github.com/rainsql/rainsql/exec/exchange"
	"github.com/rainsql/rainsql/exec/exchange/frame"
	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
	"github.com/rainsql/rainsql/planner/dag"
)

const theEdge = 7

func node(k int) state.ID {
	var id state.ID
	binary.BigEndian.PutUint64(id[:], uint64(k)+1)
	return id
}

// world is some processes with an edge between their tasks: task i is in process i % n.
type world struct {
	t         *testing.T
	mem       *memory.CheckedAllocator
	types     []types.Type
	producers int
	consumers int
	processes []*process
	ready     chan struct{} // closed once all edges are there
}

// process has its own server and connections.
type process struct {
	w        *world
	k        int
	ctx      context.Context
	cancel   context.CancelCauseFunc
	edge     *exchange.Edge
	listener *bufconn.Listener
	server   *grpc.Server
	conns    map[int]*grpc.ClientConn
	wires    wires // of conns
	outs     map[int]*Out
	sent     Stats
	received Stats

	mu     sync.Mutex
	told   []error // by fail
	served []error // by Serve, when it returned
}

// options are those of a node: what it takes of a message is bounded.
func serverOptions() []grpc.ServerOption {
	return append(frame.ServerOptions(), grpc.MaxRecvMsgSize(wire.MaxRequest), grpc.WaitForHandlers(true))
}

func newListener() *bufconn.Listener { return bufconn.Listen(1 << 20) }

// wires are connections to be cut.
type wires struct {
	mu   sync.Mutex
	list []net.Conn
}

func (w *wires) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, c := range w.list {
		_ = c.Close()
	}
}

// connect makes a connection to a server that listens on l.
func connect(t testing.TB, l *bufconn.Listener, w *wires) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///node", append(frame.DialOptions(),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			c, err := l.DialContext(ctx)
			if err == nil {
				w.mu.Lock()
				w.list = append(w.list, c)
				w.mu.Unlock()
			}
			return c, err
		}),
		grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

func newWorld(t *testing.T, spec dag.Edge, producers, consumers, n int, ts ...types.Type) *world {
	t.Helper()
	w := &world{t: t, mem: memory.NewCheckedAllocator(memory.DefaultAllocator), types: ts, producers: producers, consumers: consumers, ready: make(chan struct{})}
	for k := range n {
		p := &process{
			w: w, k: k, listener: newListener(), conns: map[int]*grpc.ClientConn{}, outs: map[int]*Out{},
		}
		p.ctx, p.cancel = context.WithCancelCause(t.Context())
		p.server = grpc.NewServer(serverOptions()...)
		Register(p.server, p.handle)
		go func() { _ = p.server.Serve(p.listener) }()
		w.processes = append(w.processes, p)
	}
	for _, p := range w.processes {
		apart := exchange.Apart{Away: p.away}
		for i := range producers {
			apart.Producers = append(apart.Producers, w.at(i) == p.k)
		}
		for i := range consumers {
			apart.Consumers = append(apart.Consumers, w.at(i) == p.k)
		}
		p.edge = exchange.New(spec, producers, consumers, apart, w.mem, op.NewMemory(0))
	}
	close(w.ready)
	t.Cleanup(w.close)
	return w
}

// senders makes those of all producers.
func (w *world) senders() []exchange.Sender {
	var list []exchange.Sender
	for i := range w.producers {
		list = append(list, w.processes[w.at(i)].edge.Sender(i))
	}
	return list
}

func (w *world) at(task int) int { return task % len(w.processes) }

func (p *process) memory() Edge {
	return Edge{Types: p.w.types, Credit: p.edge.Credit(), Mem: p.w.mem}
}

func (p *process) away(producer, consumer int) exchange.Away {
	to := p.w.at(consumer)
	if p.outs[to] == nil {
		p.conns[to] = connect(p.w.t, p.w.processes[to].listener, &p.wires)
		e := p.memory()
		e.Stats = &p.sent
		o, err := Open(p.ctx, p.conns[to], node(to), Head{Job: 1, Attempt: 2, Edge: theEdge, From: node(p.k)}, e, p.fail)
		if err != nil {
			p.w.t.Error(err)
		}
		p.outs[to] = o
	}
	return p.outs[to].Way(producer, consumer)
}

func (p *process) fail(err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, err)
}

// Inlet implements Part.
func (p *process) Inlet(edge, producer, consumer int, taken func()) *exchange.Inlet {
	if edge != theEdge {
		return nil
	}
	return p.edge.Inlet(producer, consumer, taken)
}

func (p *process) handle(h Head, stream grpc.ServerStream) error {
	<-p.w.ready
	var pairs []Pair
	for i := range p.w.producers {
		for k := range p.w.consumers {
			if node(p.w.at(i)) == h.From && p.w.at(k) == p.k {
				pairs = append(pairs, Pair{i, k})
			}
		}
	}
	e := p.memory()
	e.Stats = &p.received
	err := Serve(p.ctx, stream, h, e, p, pairs)
	p.mu.Lock()
	defer p.mu.Unlock()
	p.served = append(p.served, err)
	return err
}

// errors are those that fail was told and those that Serve gave, once there are so many.
func (p *process) errors(told, served int) ([]error, []error) {
	p.w.t.Helper()
	for range 1000 {
		p.mu.Lock()
		a, b := slices.Clone(p.told), slices.Clone(p.served)
		p.mu.Unlock()
		if len(a) >= told && len(b) >= served {
			return a, b
		}
		time.Sleep(5 * time.Millisecond)
	}
	p.w.t.Fatalf("process %d: not %d told and %d served errors, but %v and %v", p.k, told, served, p.told, p.served)
	return nil, nil
}

// closeOuts gives the first error of the links.
func (p *process) closeOuts() (first error) {
	for _, o := range p.outs {
		if err := o.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

// close ends everything, and finds what is left.
func (w *world) close() {
	for _, p := range w.processes {
		p.cancel(context.Canceled)
	}
	for _, p := range w.processes {
		_ = p.closeOuts()
	}
	for _, p := range w.processes {
		for _, c := range p.conns {
			_ = c.Close()
		}
		p.server.Stop()
	}
	for _, p := range w.processes {
		p.edge.Drain()
	}
	freed(w.t, w.mem)
}

// freed waits for goroutines that hold a frame until they find that its stream has ended.
func freed(t testing.TB, mem *memory.CheckedAllocator) {
	t.Helper()
	for wait := 0; mem.CurrentAlloc() > 0 && wait < 200; wait++ {
		time.Sleep(5 * time.Millisecond)
	}
	mem.AssertSize(t, 0)
}

func numbers(mem memory.Allocator, split int, values ...int64) *op.Batch {
	f := vec.NewFixed[int64](mem, types.INT.Arrow(), len(values))
	copy(f.Values, values)
	return &op.Batch{Cols: []arrow.Array{f.Finish()}, Rows: len(values), Split: split}
}
