package client

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/state"
)

// TestDiscover: the addresses of nodes that run come behind those that were given, once each.
func TestDiscover(t *testing.T) {
	n := &node{propose: done, read: &api.ReadResponse{Nodes: []*api.NodeInfo{
		{Addr: "n0", Status: "active"}, {Addr: "n1", Status: "active"}, {Addr: "n2", Status: "evicted"}, {Addr: "n3", Status: "leaving"}, {Addr: "n4", Status: "down"},
	}}}
	cluster(t, func(t *testing.T, c *Client) {
		for range 2 {
			if err := c.Discover(t.Context()); err != nil || !slices.Equal(c.order(), []string{"n0", "n1", "n3"}) {
				t.Errorf("%v, %v", c.order(), err)
			}
		}
	}, n)
}

// TestWait: a call is given up after so long without an answer; that of a long call counts from where it broke off.
func TestWait(t *testing.T) {
	cluster(t, func(t *testing.T, c *Client) {
		c.cfg.Wait = 5 * time.Second
		took := func(err error, want error, most time.Duration, began time.Time) {
			t.Helper()
			if d := time.Since(began); !errors.Is(err, want) || d < c.cfg.Wait || d > most {
				t.Errorf("%v after %v", err, d)
			}
		}
		began := time.Now()
		_, err := c.Status(t.Context())
		took(err, ErrUnreachable, 6*time.Second, began)
		began = time.Now()
		err = c.Call(t.Context(), true, func(context.Context, grpc.ClientConnInterface) error { return status.Error(codes.Aborted, "not now") })
		took(err, ErrUnavailable, 7*time.Second, began)
		began = time.Now()
		calls := 0
		err = c.Call(t.Context(), true, func(context.Context, grpc.ClientConnInterface) error {
			if calls++; calls == 1 {
				time.Sleep(time.Minute)
			}
			return status.Error(codes.Unavailable, "it broke off")
		})
		if d := time.Since(began); !errors.Is(err, ErrUnreachable) || d < time.Minute+c.cfg.Wait || d > time.Minute+7*time.Second {
			t.Errorf("%v after %v", err, d)
		}
	}, &node{})
}

// TestSlowRefusals: a node that takes its time to say that it cannot is not one that takes what it is sent: the caller is told in the end.
func TestSlowRefusals(t *testing.T) {
	refuse := func(context.Context, int, state.Entry) (*api.ProposeResponse, error) {
		time.Sleep(3 * time.Second) // longer than Config.Try
		return nil, status.Error(codes.Aborted, "too few servers could store a block")
	}
	cluster(t, func(t *testing.T, c *Client) {
		c.cfg.Wait = 10 * time.Second
		entry, err := state.Encode(set("a"))
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		err = c.Call(ctx, true, func(ctx context.Context, conn grpc.ClientConnInterface) error {
			_, err := api.NewCoordinatorClient(conn).Propose(ctx, &api.ProposeRequest{Entry: entry})
			return err
		})
		if !errors.Is(err, ErrUnavailable) || ctx.Err() != nil {
			t.Errorf("%v, %v", err, ctx.Err())
		}
	}, &node{propose: refuse})
}
