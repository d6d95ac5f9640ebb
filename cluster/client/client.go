// Package client talks to a cluster from outside: to any of its nodes, again and again until there is an
// answer or the caller's time is over, so that what is asked for takes effect once.
package client

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/cluster/wire"
	"github.com/rainsql/rainsql/sdfs/namespace"
	"github.com/rainsql/rainsql/sdfs/retry"
)

// What errors.Is finds in the errors of a client.
var (
	// ErrUnreachable means that no node answered.
	ErrUnreachable = errors.New("the cluster cannot be reached")
	// ErrUnavailable means that nodes answered, but none could do it; nothing was changed.
	ErrUnavailable = errors.New("the cluster cannot do it now")
	// ErrUnknown means that time ran out while a change was under way: it may or may not take effect.
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
}

// Client is one client of a cluster; the cluster tells it from others by a random number. All methods may be
// called concurrently. Close must follow.
type Client struct {
	cfg  Config
	id   uint64
	pool *wire.Pool

	slots chan struct{} // bounds the changes under way

	mu    sync.Mutex
	addrs []string // the one that answered last is first
	seq   uint64
	ahead time.Duration // of the cluster's clock before ours
	timed bool          // ahead is known
}

// New makes a client. It connects when it is first used.
func New(cfg Config) *Client {
	if cfg.Try <= 0 {
		cfg.Try = 5 * time.Second
	}
	var opts []grpc.DialOption
	if cfg.Token != "" {
		opts = append(opts, grpc.WithPerRPCCredentials(bearer(cfg.Token)))
	}
	return &Client{
		cfg: cfg, id: rand.Uint64() | 1, addrs: slices.Clone(cfg.Addrs), pool: wire.NewPool(cfg.Dialer, opts...),
		slots: make(chan struct{}, retry.Window/2),
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

// Outcome is what came of a change.
type Outcome struct {
	Index    uint64 // of the log, at which it was applied
	Repeated bool   // an earlier try had been applied
	Err      error  // it was refused: errors.Is finds the reason of package state or namespace
	File     *api.File
}

// Propose has the cluster apply an entry, once however often it has to be sent. The client sets its
// time, client and sequence. The error is about the way there; a refusal is in the outcome.
func (c *Client) Propose(ctx context.Context, e state.Entry) (Outcome, error) {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return Outcome{}, fmt.Errorf("%w: %w", ErrUnavailable, ctx.Err())
	}
	if err := c.synchronise(ctx); err != nil {
		return Outcome{}, err
	}
	c.mu.Lock()
	c.seq++
	at := time.Now().Add(c.ahead).UnixMicro()
	if e.Kind == state.Files {
		e.Files.Client, e.Files.Seq, e.Files.Time = c.id, c.seq, at
	} else {
		e.Client, e.Seq, e.Time = c.id, c.seq, at
	}
	c.mu.Unlock()
	data, err := state.Encode(e)
	if err != nil {
		return Outcome{}, err
	}
	var resp *api.ProposeResponse
	err = c.try(ctx, true, func(ctx context.Context, conn *grpc.ClientConn) (err error) {
		resp, err = api.NewCoordinatorClient(conn).Propose(ctx, &api.ProposeRequest{Entry: data})
		return err
	})
	if err != nil {
		return Outcome{}, err
	}
	return Outcome{Index: resp.GetIndex(), Repeated: resp.GetRepeated(), Err: RefusalOf(resp.GetRefusal()), File: resp.GetFile()}, nil
}

// synchronise asks once for the cluster's time: it judges by its own how old a request is.
func (c *Client) synchronise(ctx context.Context) error {
	c.mu.Lock()
	timed := c.timed
	c.mu.Unlock()
	if timed {
		return nil
	}
	resp, err := c.Status(ctx)
	if err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.ahead, c.timed = time.Until(time.UnixMicro(resp.GetNowMicros())), true
	return nil
}

// Read asks for something of the state; see api.ReadRequest.
func (c *Client) Read(ctx context.Context, req *api.ReadRequest) (resp *api.ReadResponse, err error) {
	err = c.try(ctx, false, func(ctx context.Context, conn *grpc.ClientConn) (err error) {
		resp, err = api.NewCoordinatorClient(conn).Read(ctx, req)
		return err
	})
	return resp, err
}

// Status asks one node, the first that answers, how it is.
func (c *Client) Status(ctx context.Context) (resp *api.StatusResponse, err error) {
	err = c.try(ctx, false, func(ctx context.Context, conn *grpc.ClientConn) (err error) {
		resp, err = api.NewNodeClient(conn).Status(ctx, &api.StatusRequest{})
		return err
	})
	return resp, err
}

// try calls one node after the other until one answers.
func (c *Client) try(ctx context.Context, changes bool, call func(context.Context, *grpc.ClientConn) error) error {
	maybe, reached := false, false
	var last error
	for round := 0; ; round++ {
		for _, addr := range c.order() {
			conn, err := c.pool.Get(addr)
			if err != nil {
				return err
			}
			one, cancel := context.WithTimeout(ctx, c.cfg.Try)
			err = call(one, conn)
			cancel()
			if err == nil {
				c.prefer(addr)
				return nil
			}
			last = fmt.Errorf("%s: %s", addr, status.Convert(err).Message())
			switch status.Code(err) {
			case codes.Aborted:
				reached = true
			case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.Unknown, codes.Internal:
				maybe = maybe || !neverSent(err)
			default:
				return fmt.Errorf("%w: %s", kindOf(status.Code(err)), status.Convert(err).Message())
			}
			if ctx.Err() != nil {
				break
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(min(time.Second, 50*time.Millisecond<<min(round, 5))):
			continue
		}
		switch {
		case changes && maybe:
			return fmt.Errorf("%w: %w", ErrUnknown, last)
		case reached:
			return fmt.Errorf("%w: %w", ErrUnavailable, last)
		}
		return fmt.Errorf("%w: %w", ErrUnreachable, last)
	}
}

// neverSent tells of failures to connect.
func neverSent(err error) bool {
	text := status.Convert(err).Message()
	return status.Code(err) == codes.Unavailable && strings.Contains(text, "connection error:")
}

func kindOf(code codes.Code) error {
	switch code {
	case codes.PermissionDenied, codes.Unauthenticated:
		return ErrDenied
	}
	return ErrUnavailable
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
