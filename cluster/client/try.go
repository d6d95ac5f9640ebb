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
func (c *Client) try(ctx context.Context, changes, long bool, call func(context.Context, *grpc.ClientConn) error) (maybe bool, err error) {
	end := func(kind, why error) (bool, error) {
		if changes && maybe {
			kind = ErrUnknown // whatever was answered last: it says nothing of what was sent before
		}
		return maybe, fmt.Errorf("%w: %w", kind, why)
	}
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
			sent, err := c.once(ctx, conn, long, call)
			if err == nil {
				c.prefer(addr)
				return maybe, nil
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
				maybe = maybe || sent && !notConnected(err)
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
		select {
		case <-ctx.Done():
		case <-time.After(min(time.Second, 50*time.Millisecond<<min(round, 5))):
			continue
		}
		if reached {
			return end(ErrUnavailable, last)
		}
		return end(ErrUnreachable, last)
	}
}

// once calls one node, and tells whether anything was sent to it.
func (c *Client) once(ctx context.Context, conn *grpc.ClientConn, long bool, call func(context.Context, *grpc.ClientConn) error) (bool, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	if !long {
		ctx, cancel = context.WithTimeout(ctx, c.cfg.Try)
		defer cancel()
	}
	var sent atomic.Bool
	err := call(context.WithValue(ctx, sentKey{}, &sent), conn)
	return sent.Load(), err
}

// sentKey is where the context of a call has an *atomic.Bool, set when the call leaves.
type sentKey struct{}

// watch sees calls leave. The texts of gRPC's errors do not tell: that of a connection which broke holds
// "connection error", as that of one which was never made does.
type watch struct{}

func (watch) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (watch) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (watch) HandleConn(context.Context, stats.ConnStats)                       {}

func (watch) HandleRPC(ctx context.Context, event stats.RPCStats) {
	if _, ok := event.(*stats.OutHeader); !ok {
		return
	}
	if sent, ok := ctx.Value(sentKey{}).(*atomic.Bool); ok {
		sent.Store(true)
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
