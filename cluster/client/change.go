package client

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/state"
)

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
	change, err := c.Begin(ctx)
	if err != nil {
		return Outcome{}, err
	}
	defer change.End()
	return change.Propose(ctx, e)
}

// Change is one change that takes effect once, however often it is sent. It is used by one goroutine. End must follow.
type Change struct {
	c   *Client
	seq uint64
	at  int64 // 0: it was not sent yet
}

// Stamp is by which the cluster recognises a change.
type Stamp struct {
	Client, Seq uint64
	Time        int64 // the cluster's, µs
}

// Begin begins a change. It waits if too many others are under way.
func (c *Client) Begin(ctx context.Context) (*Change, error) {
	seq, err := c.window.take(ctx)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return &Change{c: c, seq: seq}, nil
}

// End ends the change: it must not be sent again.
func (h *Change) End() { h.c.window.release(h.seq) }

// Propose sends an entry, as Client.Propose does. It may be sent again with other blocks or another lease as long as
// it was refused for those: such refusals are not remembered.
func (h *Change) Propose(ctx context.Context, e state.Entry) (Outcome, error) {
	return h.Send(ctx, func(ctx context.Context, conn grpc.ClientConnInterface, s Stamp) (*api.ProposeResponse, error) {
		if e.Kind == state.Files {
			e.Files.Client, e.Files.Seq, e.Files.Time = s.Client, s.Seq, s.Time
		} else {
			e.Client, e.Seq, e.Time = s.Client, s.Seq, s.Time
		}
		data, err := state.Encode(e)
		if err != nil {
			return nil, status.Error(codes.InvalidArgument, err.Error())
		}
		return api.NewCoordinatorClient(conn).Propose(ctx, &api.ProposeRequest{Entry: data})
	})
}

// Send sends the change by a call of the caller's to one node after the other.
func (h *Change) Send(ctx context.Context, call func(context.Context, grpc.ClientConnInterface, Stamp) (*api.ProposeResponse, error)) (Outcome, error) {
	o, again, err := h.once(ctx, call)
	if again {
		h.at = 0
		o, _, err = h.once(ctx, call)
	}
	return o, err
}

// clockAhead is in the answer to a request whose time is too far ahead, coordinator.ErrClock.
const clockAhead = "the clock of who sent the request is too far ahead of the cluster's"

// once does it at the cluster's time as far as that is known. again is whether the change came to nothing
// for its time alone: one of the two clocks was set since, and the cluster's is asked for anew.
func (h *Change) once(ctx context.Context, call func(context.Context, grpc.ClientConnInterface, Stamp) (*api.ProposeResponse, error)) (o Outcome, again bool, err error) {
	c, fresh := h.c, h.at == 0
	if fresh {
		if h.at, err = c.now(ctx); err != nil {
			return Outcome{}, false, err
		}
	}
	var resp *api.ProposeResponse
	ahead := false
	maybe, err := c.try(ctx, true, false, func(ctx context.Context, conn grpc.ClientConnInterface) (err error) {
		resp, err = call(ctx, conn, Stamp{c.id, h.seq, h.at})
		ahead = status.Code(err) == codes.InvalidArgument && strings.Contains(status.Convert(err).Message(), clockAhead)
		return err
	})
	maybe = maybe || !fresh
	if err != nil {
		if ahead {
			c.forgetTime()
		}
		return Outcome{}, ahead && !maybe, err
	}
	refusal := RefusalOf(resp.GetRefusal())
	if errors.Is(refusal, state.ErrStale) { // too old to tell whether it was applied before, unless none can have been
		c.forgetTime()
		return Outcome{}, !maybe, fmt.Errorf("%w: %w", ErrUnknown, refusal)
	}
	return Outcome{Index: resp.GetIndex(), Repeated: resp.GetRepeated(), Err: refusal, File: resp.GetFile()}, false, nil
}
