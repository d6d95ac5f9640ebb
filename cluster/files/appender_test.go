package files

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/blocks"
	"github.com/rainsql/rainsql/cluster/identity"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/internal/vfs/simdisk"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// answers is a cluster whose leader gives these answers to batches, one after the other, and then none.
type answers struct {
	*leader
	list  []*api.ProposeResponse
	sizes []int // of the batches
}

func (c *answers) Propose(_ context.Context, e state.Entry) (*api.ProposeResponse, error) {
	c.sizes = append(c.sizes, len(e.Batch))
	if len(c.list) == 0 {
		return nil, status.Error(codes.Unavailable, "no answer")
	}
	resp := c.list[0]
	c.list = c.list[1:]
	return resp, nil
}

func (*answers) Pin(context.Context, *api.PinRequest) (*api.PinResponse, error) { return nil, nil } //nolint:nilnil // never called
func (*answers) Allow(context.Context, identity.Role) error                     { return nil }

// TestAppender: whatever the leader says of a group, each append of it is answered once, whether or not somebody waits, and the end is
// not waited for in vain.
func TestAppender(t *testing.T) {
	refused := func(why error) *api.ProposeResponse {
		return &api.ProposeResponse{Refusal: &api.Refusal{Reason: why.Error()}}
	}
	batch := func(parts ...*api.ProposeResponse) *api.ProposeResponse {
		return &api.ProposeResponse{Index: 9, Batch: parts}
	}
	for _, tc := range []struct {
		name  string
		list  []*api.ProposeResponse
		want  [2]codes.Code
		sizes []int
	}{
		{"all are applied", []*api.ProposeResponse{batch(&api.ProposeResponse{}, &api.ProposeResponse{})}, [2]codes.Code{}, []int{2}},
		{"the leader does not answer", nil, [2]codes.Code{codes.Unavailable, codes.Unavailable}, []int{2}},
		{"the leader answers about one", []*api.ProposeResponse{batch(&api.ProposeResponse{})}, [2]codes.Code{codes.Unavailable, codes.Unavailable}, []int{2}},
		{
			"the second is proposed again", []*api.ProposeResponse{batch(&api.ProposeResponse{}, refused(namespace.ErrHolders)), batch(&api.ProposeResponse{})},
			[2]codes.Code{}, []int{2, 1},
		},
		{
			"the second is proposed again, in vain", []*api.ProposeResponse{batch(&api.ProposeResponse{}, refused(namespace.ErrHolders))},
			[2]codes.Code{codes.OK, codes.Unavailable}, []int{2, 1},
		},
		{
			"the lease has ended for the second", []*api.ProposeResponse{batch(&api.ProposeResponse{}, refused(namespace.ErrLeaseEnded))},
			[2]codes.Code{codes.OK, codes.Aborted}, []int{2},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := newLeader(t, namespace.Block{ID: namespace.BlockID{7}, Length: 1})
				local, err := blocks.OpenLocal(t.Context(), blocks.LocalConfig{FS: simdisk.New(), Self: self, Log: l})
				if err != nil {
					t.Fatal(err)
				}
				defer local.Close()
				placed := blocks.NewPlaced(blocks.PlacedConfig{Local: local, Views: &blocks.Views{}, Logger: zap.NewNop()})
				under := newLeases(nil)
				under.current, under.open[5] = 5, &lease{index: 4, since: time.Now()}
				c := &answers{leader: l, list: tc.list}
				a := newAppender(c, placed, under)
				group := make([]*adding, 2)
				for i := range group {
					req := &api.AppendRequest{Name: "f", Data: []byte("x"), Client: 1, Seq: uint64(i + 1)}
					group[i] = &adding{ctx: t.Context(), req: req, done: make(chan added, 1)}
				}
				a.queue.Put(group...)
				synctest.Wait() // each has its answer, which nobody has taken; a goroutine that hangs is the bubble's deadlock
				a.close()
				for i, add := range group {
					select {
					case d := <-add.done:
						if status.Code(d.err) != tc.want[i] || d.err == nil && d.resp.GetIndex() != 9 {
							t.Errorf("append %d: %v, %v; want %v", i, d.resp, d.err, tc.want[i])
						}
					default:
						t.Errorf("append %d has no answer", i)
					}
					if len(add.done) > 0 {
						t.Errorf("append %d has a second answer", i)
					}
				}
				if len(c.sizes) != len(tc.sizes) || c.sizes[len(c.sizes)-1] != tc.sizes[len(tc.sizes)-1] {
					t.Errorf("proposed were %v, want %v", c.sizes, tc.sizes)
				}
				if one, open := under.open[5]; open == (tc.want[1] == codes.Aborted) || open && one.users != 0 {
					t.Errorf("the lease is %+v", one)
				}
			})
		})
	}
}

// TestAppendAhead: an append whose clock is far ahead is refused before it can have its whole group refused.
func TestAppendAhead(t *testing.T) {
	l := newLeader(t, namespace.Block{ID: namespace.BlockID{7}, Length: 1})
	a := &appender{cluster: &answers{leader: l}}
	req := &api.AppendRequest{Name: "f", Data: []byte("x"), TimeMicros: time.Now().Add(62 * time.Second).UnixMicro()}
	if _, err := a.append(t.Context(), req); status.Code(err) != codes.InvalidArgument {
		t.Error(err)
	}
}
