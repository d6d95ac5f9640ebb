package blocks

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"google.golang.org/grpc"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/internal/vfs/simdisk"
	"github.com/rainsql/rainsql/sdfs/block"
)

// peers is a cluster of which server 1 is real and the others answer to PutSmall as a test has it.
type peers struct {
	*Placed
	answer func(ctx context.Context, n byte, req *api.PutSmallRequest) (state.Holder, error)

	mu    sync.Mutex
	under map[byte]int // messages on their way to each
	most  map[byte]int
	asked map[byte]int
}

// newPeers is a cluster of n servers, of which three must have each block.
func newPeers(t *testing.T, n byte) *peers {
	t.Helper()
	s := state.New()
	entries := []state.Entry{{Kind: state.Found, Cluster: state.ID{9}}}
	for i := byte(1); i <= n; i++ {
		name := fmt.Sprint("n", i)
		entries = append(entries, state.Entry{Kind: state.Join, Node: state.ID{i}, Incarnation: 1, Name: name, Addr: name}, state.Entry{Kind: state.Ready, Node: state.ID{i}})
	}
	for i, e := range entries {
		var r state.Result
		if s, r = state.Apply(s, uint64(i+1), e); r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	c := &peers{under: map[byte]int{}, most: map[byte]int{}, asked: map[byte]int{}}
	c.answer = func(_ context.Context, n byte, _ *api.PutSmallRequest) (state.Holder, error) { return holder(n), nil }
	local, err := OpenLocal(t.Context(), LocalConfig{FS: simdisk.New(), Self: holder(1), Log: still{s}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = local.Close() })
	dial := func(addr string) (grpc.ClientConnInterface, error) { return conn{c, addr[1] - '0'}, nil }
	c.Placed = NewPlaced(PlacedConfig{Local: local, Views: &Views{}, Dial: dial, Logger: zap.NewNop()})
	return c
}

func holder(n byte) state.Holder { return state.Holder{Node: state.ID{n}, Incarnation: 1} }

// conn is the connection to one of them.
type conn struct {
	c *peers
	n byte
}

func (c conn) Invoke(ctx context.Context, _ string, req, reply any, _ ...grpc.CallOption) error {
	return c.c.put(ctx, c.n, req.(*api.PutSmallRequest), reply.(*api.PutResponse))
}

func (conn) NewStream(context.Context, *grpc.StreamDesc, string, ...grpc.CallOption) (grpc.ClientStream, error) {
	return nil, errors.New("it takes small blocks only")
}

func (c *peers) put(ctx context.Context, n byte, req *api.PutSmallRequest, reply *api.PutResponse) error {
	c.mu.Lock()
	c.asked[n]++
	c.under[n]++
	c.most[n] = max(c.most[n], c.under[n])
	c.mu.Unlock()
	h, err := c.answer(ctx, n, req)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.under[n]--
	reply.Node, reply.Incarnation = h.Node[:], h.Incarnation
	return err
}

func (c *peers) count(n byte) (under, most, asked int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.under[n], c.most[n], c.asked[n]
}

// appends stores groups, four at a time, for so long, and gives how many there were and how many had to wait for a server that is slow.
func (c *peers) appends(t *testing.T, long time.Duration) (all, waited int) {
	var mu sync.Mutex
	var lanes sync.WaitGroup
	for range 4 {
		lanes.Go(func() {
			for end := time.Now().Add(long); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
				began := time.Now()
				_, holders, err := c.PutSmall(t.Context(), Head{}, [][]byte{{1}})
				if err != nil || len(holders) != 3 {
					t.Error(holders, err)
				}
				mu.Lock()
				all++
				if time.Since(began) >= c.slow {
					waited++
				}
				mu.Unlock()
			}
		})
	}
	lanes.Wait()
	return all, waited
}

// TestSlowServer: however long a server takes, little is left under way to it, and few wait for it; and once it is fast, it is asked as before.
func TestSlowServer(t *testing.T) {
	for name, tc := range map[string]struct {
		takes time.Duration // 0: for ever
		ends  time.Duration // after which nothing may be under way
		every time.Duration // how often it is tried whether it is still slow, at most
	}{
		"it takes long":     {20 * time.Second, 8 * time.Second, 10 * time.Second},
		"it never answers":  {0, 8 * time.Second, 10 * time.Second},
		"it is a bit late":  {3 * time.Second, 2 * time.Second, 3 * time.Second},
		"it is always late": {2*time.Second + time.Millisecond, 2 * time.Second, 2 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newPeers(t, 5)
				healthy := c.answer
				c.answer = func(ctx context.Context, n byte, req *api.PutSmallRequest) (state.Holder, error) {
					if n == 4 {
						over := make(<-chan time.Time)
						if tc.takes > 0 {
							over = time.After(tc.takes)
						}
						select {
						case <-ctx.Done():
							return state.Holder{}, ctx.Err()
						case <-over:
						}
					}
					return healthy(ctx, n, req)
				}
				const long = time.Minute
				all, waited := c.appends(t, long)
				// It gets four groups before it is late, and then one at a time.
				if _, most, _ := c.count(4); most > 4 || waited > 4+int(long/tc.every) || all < 4_000 {
					t.Errorf("%d groups at once, %d of %d waited", most, waited, all)
				}
				time.Sleep(tc.ends + time.Millisecond)
				synctest.Wait()
				if under, _, _ := c.count(4); under > 0 {
					t.Errorf("%d groups are still on their way", under)
				}
				c.answer = healthy
				_, _, before := c.count(4)
				all, waited = c.appends(t, 10*time.Second)
				if _, _, after := c.count(4); after-before < all/2 || waited > 0 {
					t.Errorf("once it is fast it got %d of %d, %d waited", after-before, all, waited)
				}
			})
		})
	}
}

// TestSlowServerNeeded: a server that is late with other groups is asked all the same where there are not enough others.
func TestSlowServerNeeded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPeers(t, 4)
		healthy := c.answer
		c.answer = func(ctx context.Context, n byte, req *api.PutSmallRequest) (state.Holder, error) {
			switch n {
			case 2:
				return state.Holder{}, errors.New("its disk is full")
			case 3:
				time.Sleep(20 * time.Second)
			}
			return healthy(ctx, n, req)
		}
		var work sync.WaitGroup
		for i := range 8 {
			work.Go(func() {
				time.Sleep(time.Duration(i) * 3 * time.Second) // most of them while it is late with others
				began := time.Now()
				_, holders, err := c.PutSmall(t.Context(), Head{}, [][]byte{{1}})
				if took := time.Since(began); err != nil || len(holders) != 3 || took > 21*time.Second {
					t.Errorf("after %v: %v, %v", took, holders, err)
				}
			})
		}
		work.Wait()
	})
}

// TestLateCopy: a server that answers a bit late has the group, though others were asked in its stead.
func TestLateCopy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newPeers(t, 5)
		healthy := c.answer
		stored := 0
		c.answer = func(ctx context.Context, n byte, req *api.PutSmallRequest) (state.Holder, error) {
			select {
			case <-ctx.Done():
				return state.Holder{}, ctx.Err()
			case <-time.After(5 * time.Second):
				c.mu.Lock()
				stored++
				c.mu.Unlock()
			}
			return healthy(ctx, n, req)
		}
		if _, holders, err := c.PutSmall(t.Context(), Head{}, [][]byte{{1}}); err != nil || len(holders) != 3 {
			t.Fatal(holders, err)
		}
		time.Sleep(time.Minute)
		if c.mu.Lock(); stored < 3 {
			t.Errorf("%d others have stored it", stored)
		}
		c.mu.Unlock()
	})
}

// TestOtherServer: no server is named for blocks that another, or its own earlier start, has taken.
func TestOtherServer(t *testing.T) {
	for name, tc := range map[string]struct {
		first, later state.Holder // who answers to the first message, and to those after it
		why          string
	}{
		"the server":                {holder(2), holder(2), ""},
		"another from the start":    {holder(3), holder(3), "another server has its address"},
		"another from then on":      {holder(2), holder(3), "another server has its address"},
		"another, and then it":      {holder(3), holder(2), "another server has its address"},
		"it was started meanwhile":  {holder(2), state.Holder{Node: state.ID{2}, Incarnation: 2}, "started anew"},
		"it does not say who it is": {state.Holder{}, state.Holder{}, "another server has its address"},
	} {
		t.Run(name, func(t *testing.T) {
			c := newPeers(t, 3)
			said := []state.Holder{tc.first, tc.later, tc.later}
			c.answer = func(context.Context, byte, *api.PutSmallRequest) (state.Holder, error) {
				h := said[0]
				said = said[1:]
				return h, nil
			}
			var group []Small
			for range 9 { // three messages
				b, data := of(block.MaxSmall)
				group = append(group, Small{Block: b, Data: data})
			}
			h, err := c.putMessages(t.Context(), c.View(), state.ID{2}, Head{}, group)
			if tc.why == "" && (err != nil || h != holder(2) || len(said) > 0) || tc.why != "" && (err == nil || !strings.Contains(err.Error(), tc.why)) {
				t.Errorf("%v, %v", h, err)
			}
		})
	}
}
