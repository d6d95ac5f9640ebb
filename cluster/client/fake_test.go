package client

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/grpc/test/bufconn"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/coordinator"
	"github.com/rainsql/rainsql/cluster/state"
)

// patience is the time of a caller, which is scripted and costs nothing.
const patience = 20 * time.Second

// answer is what a node makes of a proposal, the n-th that it gets, from 0.
type answer func(ctx context.Context, n int, e state.Entry) (*api.ProposeResponse, error)

// node is one server that a client may be told of. The zero value listens to nobody.
type node struct {
	api.UnimplementedCoordinatorServer
	api.UnimplementedNodeServer

	propose answer
	read    *api.ReadResponse            // default: an error
	silent  bool                         // connecting to it hangs
	clock   func() time.Time             // default: ours
	wrap    func(conn net.Conn) net.Conn // what it accepts

	listener *bufconn.Listener

	mu       sync.Mutex
	proposed int // how often it was asked for what
	timed    int
}

// cluster runs a test with a client of some nodes, n0 and so on, in scripted time.
func cluster(t *testing.T, test func(*testing.T, *Client), nodes ...*node) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		cfg := Config{Try: time.Second} // shorter than gRPC tries to connect
		cfg.Dialer.Net = func(ctx context.Context, _, addr string) (net.Conn, error) { return dial(ctx, nodes, addr) }
		for i, n := range nodes {
			cfg.Addrs = append(cfg.Addrs, fmt.Sprint("n", i))
			n.start(t)
		}
		c := New(cfg)
		defer c.Close()
		test(t, c)
	})
}

func dial(ctx context.Context, nodes []*node, addr string) (net.Conn, error) {
	var i int
	if _, err := fmt.Sscanf(addr, "n%d", &i); err != nil {
		return nil, err
	}
	n := nodes[i]
	if n.silent {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if n.listener == nil {
		return nil, fmt.Errorf("%s: connection refused", addr)
	}
	return n.listener.DialContext(ctx)
}

func (n *node) start(t *testing.T) {
	if n.propose == nil {
		return
	}
	n.listener = bufconn.Listen(1 << 16)
	s := grpc.NewServer()
	api.RegisterCoordinatorServer(s, n)
	api.RegisterNodeServer(s, n)
	go s.Serve(wrapped{n.listener, n.wrap})
	t.Cleanup(s.Stop)
}

// wrapped is a listener whose connections are looked at on the way.
type wrapped struct {
	net.Listener
	wrap func(net.Conn) net.Conn
}

func (w wrapped) Accept() (net.Conn, error) {
	conn, err := w.Listener.Accept()
	if err == nil && w.wrap != nil {
		conn = w.wrap(conn)
	}
	return conn, err
}

func (n *node) now() time.Time {
	if n.clock == nil {
		return time.Now()
	}
	return n.clock()
}

func (n *node) Propose(ctx context.Context, req *api.ProposeRequest) (*api.ProposeResponse, error) {
	e, err := state.Decode(req.GetEntry())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	n.mu.Lock()
	nth := n.proposed
	n.proposed++
	n.mu.Unlock()
	return n.propose(ctx, nth, e)
}

func (n *node) Status(context.Context, *api.StatusRequest) (*api.StatusResponse, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.timed++
	return &api.StatusResponse{NowMicros: n.now().UnixMicro()}, nil
}

func (n *node) Read(context.Context, *api.ReadRequest) (*api.ReadResponse, error) {
	if n.read != nil {
		return n.read, nil
	}
	return nil, status.Error(codes.Unavailable, "it may be anything")
}

// calls is how often a node was asked to change something, and for the time.
func (n *node) calls() [2]int {
	n.mu.Lock()
	defer n.mu.Unlock()
	return [2]int{n.proposed, n.timed}
}

// does answers everything alike, with success where there is no message.
func does(code codes.Code, message string) answer {
	return func(context.Context, int, state.Entry) (*api.ProposeResponse, error) {
		return &api.ProposeResponse{}, status.Error(code, message)
	}
}

// first answers the first proposal otherwise than the others.
func first(one, others answer) answer {
	return func(ctx context.Context, n int, e state.Entry) (*api.ProposeResponse, error) {
		if n == 0 {
			return one(ctx, n, e)
		}
		return others(ctx, n, e)
	}
}

// What nodes say.
var (
	done     = does(codes.OK, "")
	lost     = does(codes.Unavailable, coordinator.ErrUnknown.Error()) // it is in a log, perhaps
	leaves   = does(codes.Aborted, "there is no leader")
	full     = does(codes.ResourceExhausted, coordinator.ErrNoSpace.Error())
	stranger = does(codes.Unauthenticated, "no such token")
	early    = does(codes.InvalidArgument, coordinator.ErrClock.Error()+" (5m0s)")
	cut      = does(codes.Unavailable, `connection error: desc = "transport: Error while dialing: connection refused"`) // to the leader
	stale    = refuses(state.ErrStale)
)

func refuses(reason error) answer {
	return func(context.Context, int, state.Entry) (*api.ProposeResponse, error) {
		return &api.ProposeResponse{Refusal: &api.Refusal{Reason: reason.Error()}}, nil
	}
}

func set(name string) state.Entry { return state.Entry{Kind: state.Set, Name: name, Value: "on"} }

// machine is a leader without a log: the state machine, and the clock that it judges by.
type machine struct {
	mu    sync.Mutex
	state *state.State
	ahead time.Duration // of ours
}

func (m *machine) now() time.Time {
	m.mu.Lock()
	defer m.mu.Unlock()
	return time.Now().Add(m.ahead)
}

// apply does what cluster/coordinator does.
func (m *machine) apply(_ context.Context, _ int, e state.Entry) (*api.ProposeResponse, error) {
	if now := m.now(); e.Time > now.Add(time.Minute).UnixMicro() {
		return nil, status.Error(codes.InvalidArgument, coordinator.ErrClock.Error())
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	next, res := state.Apply(m.state, m.state.Index()+1, e)
	m.state = next
	resp := &api.ProposeResponse{Index: next.Index(), Repeated: res.Repeated}
	var refusal *state.Refusal
	if errors.As(res.Err, &refusal) {
		resp.Refusal = &api.Refusal{Reason: refusal.Reason.Error()}
	}
	return resp, nil
}

// set moves the cluster's clock, that of its log too.
func (m *machine) set(ahead time.Duration) {
	m.mu.Lock()
	m.ahead = ahead
	m.mu.Unlock()
	e := set("clock")
	e.Time = m.now().UnixMicro()
	if _, err := m.apply(context.Background(), 0, e); err != nil {
		panic(err)
	}
}
