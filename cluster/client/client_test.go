package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"google.golang.org/grpc/codes"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/coordinator"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/retry"
)

// propose gives up after the patience of a caller.
func propose(c *Client, name string) (Outcome, error) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	return c.Propose(ctx, set(name))
}

// TestAnswers: what a caller is told of what nodes answered. Nothing was changed but where the error is
// ErrUnknown or nil.
func TestAnswers(t *testing.T) {
	type nodes = []*node
	once := func(n int) [2]int { return [2]int{n, 0} }
	for name, test := range map[string]struct {
		nodes nodes
		want  error
		calls []int // of Propose, where it is known
	}{
		"done":                                 {nodes{{propose: done}}, nil, []int{1}},
		"nobody":                               {nodes{{}, {}}, ErrUnreachable, nil},
		"connecting hangs":                     {nodes{{silent: true}}, ErrUnreachable, nil},
		"another is there":                     {nodes{{}, {silent: true}, {propose: done}}, nil, []int{0, 0, 1}},
		"no leader":                            {nodes{{propose: leaves}, {}}, ErrUnavailable, nil},
		"a leader later":                       {nodes{{propose: first(leaves, done)}}, nil, []int{2}},
		"lost":                                 {nodes{{propose: lost}}, ErrUnknown, nil},
		"lost, then done":                      {nodes{{propose: first(lost, done)}}, nil, []int{2}},
		"lost, then no leader":                 {nodes{{propose: first(lost, leaves)}}, ErrUnknown, nil},
		"full":                                 {nodes{{propose: full}}, ErrUnavailable, []int{1}},
		"lost, then full":                      {nodes{{propose: first(lost, full)}}, ErrUnknown, []int{2}},
		"lost by one, invalid for the other":   {nodes{{propose: lost}, {propose: does(codes.InvalidArgument, "not a valid entry")}}, ErrUnknown, []int{1, 1}},
		"the leader cannot be reached":         {nodes{{propose: first(cut, full)}}, ErrUnavailable, []int{2}},
		"a stranger to one":                    {nodes{{propose: stranger}, {propose: done}}, nil, []int{1, 1}},
		"a stranger to all":                    {nodes{{propose: stranger}, {propose: stranger}}, ErrDenied, []int{1, 1}},
		"a stranger to the only one there":     {nodes{{propose: stranger}, {}}, ErrDenied, []int{1, 0}},
		"lost by one, a stranger to the other": {nodes{{propose: lost}, {propose: does(codes.PermissionDenied, "a reader")}}, ErrUnknown, []int{1, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			cluster(t, func(t *testing.T, c *Client) {
				c.timed = true // the time is not what this is about
				if _, err := propose(c, "a"); !errors.Is(err, test.want) {
					t.Errorf("%v, want %v", err, test.want)
				}
				for i, want := range test.calls {
					if got := test.nodes[i].calls(); got != once(want) {
						t.Errorf("node %d: %v calls, want %v", i, got, once(want))
					}
				}
			}, test.nodes...)
		})
	}
}

// TestReadsAreNeverUnknown: what was lost of a read changed nothing.
func TestReadsAreNeverUnknown(t *testing.T) {
	cluster(t, func(t *testing.T, c *Client) {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		if _, err := c.Read(ctx, &api.ReadRequest{}); err == nil || errors.Is(err, ErrUnknown) {
			t.Error(err)
		}
	}, &node{propose: done})
}

// parting is a connection that breaks once its server has said goodbye.
type parting struct{ net.Conn }

func (p parting) Write(b []byte) (int, error) {
	n, err := p.Conn.Write(b)
	if bytes.Contains(b, []byte("goodbye")) {
		p.Close()
	}
	return n, err
}

// goAway is HTTP/2's frame that says so.
var goAway = append([]byte{0, 0, 15, 7, 0, 0, 0, 0, 0, 0x7f, 0xff, 0xff, 0xff, 0, 0, 0, 0}, "goodbye"...)

// TestGoAway: a request is with a node that says goodbye and goes. gRPC's error names a "connection error",
// and yet it was sent.
func TestGoAway(t *testing.T) {
	var conn net.Conn
	n := &node{wrap: func(c net.Conn) net.Conn { conn = parting{c}; return conn }}
	n.propose = func(ctx context.Context, _ int, _ state.Entry) (*api.ProposeResponse, error) {
		n.listener.Close()
		conn.Write(goAway)
		<-ctx.Done()
		return nil, ctx.Err()
	}
	cluster(t, func(t *testing.T, c *Client) {
		c.timed = true
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond) // for one attempt
		defer cancel()
		_, err := c.Propose(ctx, set("a"))
		if !errors.Is(err, ErrUnknown) || !strings.Contains(err.Error(), "connection error: desc") || !strings.Contains(err.Error(), "received prior goaway") {
			t.Error(err)
		}
	}, n)
}

// TestClosed: a client that is closed while a change is under way does not know what comes of it.
func TestClosed(t *testing.T) {
	asked := make(chan *Client, 1)
	n := &node{propose: func(ctx context.Context, _ int, _ state.Entry) (*api.ProposeResponse, error) {
		(<-asked).Close()
		<-ctx.Done()
		return nil, ctx.Err()
	}}
	cluster(t, func(t *testing.T, c *Client) {
		c.timed = true
		asked <- c
		if _, err := propose(c, "a"); !errors.Is(err, ErrUnknown) {
			t.Error(err)
		}
	}, n)
}

// TestWindow: a change that is slow is applied however many others there are meanwhile; those wait once
// the cluster would forget what it has to know of the slow one.
func TestWindow(t *testing.T) {
	m := &machine{state: state.New()}
	var slow chan struct{}
	n := &node{propose: func(ctx context.Context, n int, e state.Entry) (*api.ProposeResponse, error) {
		if e.Name == "slow" {
			<-slow
		}
		return m.apply(ctx, n, e)
	}}
	cluster(t, func(t *testing.T, c *Client) {
		change := func(name string) {
			if o, err := propose(c, name); err != nil || o.Err != nil || o.Repeated {
				t.Error(name, o, err)
			}
		}
		slow = make(chan struct{}) // in scripted time
		var work sync.WaitGroup
		work.Go(func() { change("slow") })
		synctest.Wait()
		const others = 3 * retry.Window
		fast := make(chan int)
		for range 4 {
			work.Go(func() {
				for i := range fast {
					change(fmt.Sprint("fast", i))
				}
			})
		}
		work.Go(func() {
			defer close(fast)
			for i := range others {
				fast <- i
			}
		})
		synctest.Wait()
		if got := n.calls()[0]; got != retry.Window {
			t.Errorf("%d changes were sent, want %d", got, retry.Window)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := c.Propose(ctx, set("b")); !errors.Is(err, ErrUnavailable) || !errors.Is(err, context.DeadlineExceeded) {
			t.Error("one more:", err)
		}
		close(slow)
		work.Wait()
		if got := n.calls()[0]; got != others+1 {
			t.Errorf("%d changes were sent in the end, want %d", got, others+1)
		}
	}, n)
}

// TestClock: a change that comes to nothing because a clock was set is tried again at the right time, once;
// but never if an earlier attempt may have been applied.
func TestClock(t *testing.T) {
	type calls = [2]int // of Propose and of Status, the first proposal of all among them
	for name, test := range map[string]struct {
		then  answer // nil: what the machine says
		ahead time.Duration
		want  error
		calls calls
		after calls // one more proposal
	}{
		"set back":                     {ahead: -5 * time.Minute, calls: calls{3, 2}, after: calls{4, 2}},
		"set forward":                  {ahead: 11 * time.Minute, calls: calls{3, 2}, after: calls{4, 2}},
		"set by less than matters":     {ahead: 9 * time.Minute, calls: calls{2, 1}, after: calls{3, 1}},
		"ahead for ever":               {then: early, want: ErrUnavailable, calls: calls{3, 2}, after: calls{5, 4}},
		"stale for ever":               {then: stale, want: ErrUnknown, calls: calls{3, 2}, after: calls{5, 4}},
		"refused for something else":   {then: does(codes.InvalidArgument, "not a valid entry"), want: ErrUnavailable, calls: calls{2, 1}, after: calls{3, 1}},
		"lost, then refused for clock": {then: twice(lost, early), want: ErrUnknown, calls: calls{3, 1}, after: calls{5, 3}},
		"lost, then stale":             {then: twice(lost, stale), want: ErrUnknown, calls: calls{3, 1}, after: calls{5, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			m := &machine{}
			n := &node{clock: m.now, propose: m.apply}
			if test.then != nil {
				n.propose = first(m.apply, test.then)
			}
			cluster(t, func(t *testing.T, c *Client) {
				m.state = state.New()
				if o, err := propose(c, "a"); err != nil || o.Err != nil {
					t.Fatal(err, o.Err)
				}
				m.set(test.ahead)
				o, err := propose(c, "b")
				if !errors.Is(err, test.want) || o.Err != nil {
					t.Errorf("%v, %v, want %v", err, o.Err, test.want)
				}
				if got := n.calls(); got != test.calls {
					t.Errorf("%v calls, want %v", got, test.calls)
				}
				propose(c, "c")
				if got := n.calls(); got != test.after {
					t.Errorf("%v calls after one more, want %v", got, test.after)
				}
			}, n)
		})
	}
}

// twice gives one answer to the second proposal of all, and then the other.
func twice(one, others answer) answer {
	return func(ctx context.Context, n int, e state.Entry) (*api.ProposeResponse, error) {
		if n == 1 {
			return one(ctx, n, e)
		}
		return others(ctx, n, e)
	}
}

// TestWrongClockOfOne: where the node that told the time has a wrong clock, another one is asked.
func TestWrongClockOfOne(t *testing.T) {
	m := &machine{}
	wrong := &node{propose: m.apply, clock: func() time.Time { return m.now().Add(time.Hour) }}
	right := &node{propose: m.apply, clock: m.now}
	cluster(t, func(t *testing.T, c *Client) {
		m.state = state.New()
		if o, err := propose(c, "a"); err != nil || o.Err != nil {
			t.Error(err, o.Err)
		}
		if wrong.calls() != [2]int{1, 1} || right.calls() != [2]int{1, 1} {
			t.Error(wrong.calls(), right.calls())
		}
	}, wrong, right)
}

// TestClockText: the client knows the coordinator's reason by its text, and does not know the coordinator.
func TestClockText(t *testing.T) {
	if coordinator.ErrClock.Error() != clockAhead {
		t.Error(clockAhead)
	}
}
