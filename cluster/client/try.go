package client

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/stats"
	"google.golang.org/grpc/status"
)

// try calls one node after the other until one answers. maybe is whether a call without an answer may have
// taken effect all the same; long is that a node may take as long as it likes.
func (c *Client) try(ctx context.Context, changes, long bool, call func(context.Context, grpc.ClientConnInterface) error) (maybe bool, err error) {
	end := func(kind, why error) (bool, error) {
		if changes && maybe {
			kind = ErrUnknown // whatever was answered last: it says nothing of what was sent before
		}
		return maybe, fmt.Errorf("%w: %w", kind, why)
	}
	if c.cfg.Wait > 0 && !long {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, c.cfg.Wait)
		defer cancel()
	}
	var failing time.Time // since when a long call has come to nothing
	reached := false
	var last error
	for round := 0; ; round++ {
		var denied error
		accepted := false
		for _, addr := range c.order() {
			conn, err := c.pool.Get(addr)
			if err != nil {
				return end(ErrUnreachable, err)
			}
			began := time.Now()
			seen, err := c.once(ctx, conn, long, call)
			if err == nil {
				c.prefer(addr)
				return maybe, nil
			}
			if failing.IsZero() || seen.got.Load() || seen.sent.Load() && !seen.answered.Load() && time.Since(began) > c.cfg.Try {
				failing = time.Now() // until now it went well: what was sent for long, until the connection broke, was taken by somebody
			}
			why := errors.New(status.Convert(err).Message())
			if !reached { // what a node says who could not do it tells more than that another does not answer
				last = fmt.Errorf("%s: %w", addr, why)
			}
			switch status.Code(err) {
			case codes.Aborted:
				reached, accepted = true, true
				last = fmt.Errorf("%s: %w", addr, why)
			case codes.Unavailable, codes.DeadlineExceeded, codes.Canceled, codes.Unknown, codes.Internal:
				maybe = maybe || seen.sent.Load() && !notConnected(err)
			case codes.PermissionDenied, codes.Unauthenticated:
				denied = why // here: a node that lags does not know a new token yet
			default:
				return end(ErrUnavailable, why)
			}
			if ctx.Err() != nil {
				break
			}
		}
		if denied != nil && !accepted {
			return end(ErrDenied, denied)
		}
		if !long || c.cfg.Wait <= 0 || time.Since(failing) < c.cfg.Wait {
			select {
			case <-ctx.Done():
			case <-time.After(min(time.Second, 50*time.Millisecond<<min(round, 5))):
				continue
			}
		}
		if reached {
			return end(ErrUnavailable, last)
		}
		return end(ErrUnreachable, last)
	}
}

// once calls one node, and tells what went to and fro.
func (c *Client) once(ctx context.Context, conn grpc.ClientConnInterface, long bool, call func(context.Context, grpc.ClientConnInterface) error) (*trace, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if !long {
		ctx, cancel = context.WithTimeout(ctx, c.cfg.Try)
		defer cancel()
	}
	t := new(trace)
	err := call(context.WithValue(ctx, traceKey{}, t), conn)
	return t, err
}

// trace is what is seen of a call.
type trace struct {
	sent     atomic.Bool // it has left
	got      atomic.Bool // something of an answer has come
	answered atomic.Bool // the node has ended it, or begun to answer
}

// traceKey is where the context of a call has its *trace.
type traceKey struct{}

// watch sees calls leave and answers come. The texts of gRPC's errors do not tell: that of a connection which broke holds
// "connection error", as that of one which was never made does.
type watch struct{}

func (watch) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (watch) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (watch) HandleConn(context.Context, stats.ConnStats)                       {}

func (watch) HandleRPC(ctx context.Context, event stats.RPCStats) {
	t, ok := ctx.Value(traceKey{}).(*trace)
	if !ok {
		return
	}
	switch event.(type) {
	case *stats.OutHeader:
		t.sent.Store(true)
	case *stats.InPayload:
		t.got.Store(true)
	case *stats.InHeader, *stats.InTrailer:
		t.answered.Store(true)
	}
}

// noConnection is how the messages of gRPC begin that tell of failures to connect.
var noConnection = []string{
	`connection error: desc = "transport: Error while dialing`,
	`connection error: desc = "transport: authentication handshake failed`,
}

// notConnected tells whether the node that was asked could not connect to the leader: it gives gRPC's error to us.
func notConnected(err error) bool {
	return status.Code(err) == codes.Unavailable && slices.ContainsFunc(noConnection, func(begins string) bool {
		return strings.HasPrefix(status.Convert(err).Message(), begins)
	})
}
