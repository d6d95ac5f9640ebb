// Package client talks to a cluster from outside: to any of its nodes, again and again until there is an
// answer or the caller's time is over, so that what is asked for takes effect once.
package client

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/cluster/wire"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// What errors.Is finds in the errors of a client.
var (
	// ErrUnreachable means that no node answered.
	ErrUnreachable = errors.New("the cluster cannot be reached")
	// ErrUnavailable means that nodes answered, but none could do it; nothing was changed.
	ErrUnavailable = errors.New("the cluster cannot do it now")
	// ErrUnknown means that a change was sent and nobody could tell what came of it: it may or may not take effect.
	ErrUnknown = errors.New("the change may or may not have taken effect")
	// ErrDenied means that the client may not do it.
	ErrDenied = errors.New("not allowed")
)

// Config says where a cluster is and who calls.
type Config struct {
	Addrs  []string // host:port of some nodes
	Dialer wire.Dialer
	Token  string        // sent along, if there is a certificate to send it by
	Try    time.Duration // how long one node is waited for; default 5 s
	// Wait is for how long a call is tried while no node does it; 0: as long as its context lasts. Of a long call the time counts from
	// where it broke off.
	Wait time.Duration
}

// Client is one client of a cluster; the cluster tells it from others by a random number. All methods may be
// called concurrently. Close must follow.
type Client struct {
	cfg  Config
	id   uint64
	pool *wire.Pool

	window window

	mu    sync.Mutex
	addrs []string      // the one that answered last is first
	ahead time.Duration // of the cluster's clock before ours
	timed bool          // ahead is known
}

// New makes a client. It connects when it is first used.
func New(cfg Config) *Client {
	if cfg.Try <= 0 {
		cfg.Try = 5 * time.Second
	}
	opts := []grpc.DialOption{grpc.WithStatsHandler(watch{})}
	if cfg.Token != "" {
		opts = append(opts, grpc.WithPerRPCCredentials(bearer(cfg.Token)))
	}
	return &Client{
		cfg: cfg, id: rand.Uint64() | 1, addrs: slices.Clone(cfg.Addrs), pool: wire.NewPool(cfg.Dialer, opts...),
	}
}

// bearer sends a token with each call, and only where nobody can read it.
type bearer string

func (b bearer) GetRequestMetadata(context.Context, ...string) (map[string]string, error) {
	return map[string]string{"authorization": "Bearer " + string(b)}, nil
}

func (bearer) RequireTransportSecurity() bool { return true }

var _ credentials.PerRPCCredentials = bearer("")

// Close ends all connections.
func (c *Client) Close() { c.pool.Close() }

// now is the cluster's time, in µs, by which it judges how old a request is. A node is asked for it once.
func (c *Client) now(ctx context.Context) (int64, error) {
	c.mu.Lock()
	ahead, timed := c.ahead, c.timed
	c.mu.Unlock()
	if !timed {
		resp, err := c.Status(ctx)
		if err != nil {
			return 0, err
		}
		ahead = time.Until(time.UnixMicro(resp.GetNowMicros()))
		c.mu.Lock()
		c.ahead, c.timed = ahead, true
		c.mu.Unlock()
	}
	return time.Now().Add(ahead).UnixMicro(), nil
}

// forgetTime has the time asked for anew, and of another node: the clock of the one that told it may be what is wrong.
func (c *Client) forgetTime() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.timed = false
	c.addrs = slices.Concat(c.addrs[1:], c.addrs[:1])
}

// Now is the cluster's time, as far as the client knows it.
func (c *Client) Now(ctx context.Context) (time.Time, error) {
	at, err := c.now(ctx)
	return time.UnixMicro(at), err
}

// Call calls one node after the other until one answers, for what changes nothing that a log has. long is for calls that may take
// longer than a node is waited for otherwise: those see to it themselves.
func (c *Client) Call(ctx context.Context, long bool, call func(context.Context, grpc.ClientConnInterface) error) error {
	_, err := c.try(ctx, false, long, call)
	return err
}

// Read asks for something of the state; see api.ReadRequest.
func (c *Client) Read(ctx context.Context, req *api.ReadRequest) (resp *api.ReadResponse, err error) {
	_, err = c.try(ctx, false, false, func(ctx context.Context, conn grpc.ClientConnInterface) (err error) {
		resp, err = api.NewCoordinatorClient(conn).Read(ctx, req)
		return err
	})
	return resp, err
}

// Status asks one node, the first that answers, how it is.
func (c *Client) Status(ctx context.Context) (resp *api.StatusResponse, err error) {
	_, err = c.try(ctx, false, false, func(ctx context.Context, conn grpc.ClientConnInterface) (err error) {
		resp, err = api.NewNodeClient(conn).Status(ctx, &api.StatusRequest{})
		return err
	})
	return resp, err
}

func (c *Client) order() []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.addrs)
}

// prefer puts the node that answered first.
func (c *Client) prefer(addr string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	i := slices.Index(c.addrs, addr)
	if i <= 0 {
		return
	}
	c.addrs = append([]string{addr}, slices.Delete(slices.Clone(c.addrs), i, i+1)...)
}

// RefusalOf is the refusal that a response tells of, or nil.
func RefusalOf(r *api.Refusal) error {
	if r == nil {
		return nil
	}
	reason := errors.New(r.GetReason())
	for _, known := range slices.Concat(state.Reasons(), namespace.Reasons()) {
		if known.Error() == r.GetReason() {
			reason = known
		}
	}
	return &state.Refusal{Reason: reason, Name: r.GetName(), Detail: r.GetDetail()}
}
