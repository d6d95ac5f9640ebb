package testcluster

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"google.golang.org/grpc"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/files"
	"github.com/rainsql/rainsql/cluster/query"
	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/exec/task"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/planner/dag"
)

// asking asks a query by way of a client, which may know several servers.
func asking(c *Cluster, cl *client.Client, ctx context.Context, src string, h engine.Handler) <-chan error { //nolint:revive // the cluster is whose method it would be
	ch := make(chan error, 1)
	go func() {
		s := files.Open(cl)
		defer s.Close()
		e := engine.New(engine.Config{Parallelism: 6, SplitBytes: 10000, Files: s, Remote: true, Run: query.Runner(cl)})
		err := e.NewSession(nil).Run(ctx, "test.rql", src, h)
		ch <- errors.Join(err, e.Close())
	}()
	return ch
}

// rows is a handler that counts rows, and waits before it takes any.
type rows struct {
	gate chan struct{} // closed: it goes on
	seen chan struct{} // closed once there are some
	n    int64
}

func newRows() *rows { return &rows{gate: make(chan struct{}), seen: make(chan struct{})} }

func (r *rows) Rows(types.Schema) (connect.Sink, error) { return r, nil }
func (*rows) Text(string) error                         { return nil }
func (*rows) Notice(string)                             {}
func (*rows) Done(engine.Summary)                       {}
func (r *rows) Write(_ []arrow.Array, n int) error {
	if r.n == 0 {
		close(r.seen)
	}
	r.n += int64(n)
	<-r.gate
	return nil
}
func (*rows) Commit() error { return nil }
func (*rows) Abort() error  { return nil }
func (*rows) Bytes() int64  { return 0 }

// last is the latest job.
func last(t *testing.T, cl *client.Client) *api.JobInfo {
	t.Helper()
	list := listJobs(t, cl)
	return list[len(list)-1]
}

// TestJobLosesServer: a query whose worker, gateway or leader is killed, frozen or cut off gives the right answer, in another attempt, and
// nothing of the one before is left.
func TestJobLosesServer(t *testing.T) {
	for name, tc := range map[string]struct {
		victim func(c *Cluster) int // the gateway is server 0
		hurt   func(c *Cluster, s *Server)
		heal   func(c *Cluster, s *Server)
		most   time.Duration
	}{
		"a worker is killed":    {notLeader(1, 2), killed, started, 2 * time.Second},
		"the gateway is killed": {func(*Cluster) int { return 0 }, killed, started, 8 * time.Second},
		"a worker is frozen":    {notLeader(1, 2), frozen, thawed, 20 * time.Second},
		"a worker is cut off":   {notLeader(1, 2), cutOff, healed, 20 * time.Second},
		"the leader is killed":  {func(c *Cluster) int { return c.place(c.Leader()) }, killed, started, 8 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			three(t, func(t *testing.T, c *Cluster) {
				numbers(t, c)
				cl := c.Client()
				c.slowScans(60 * time.Millisecond)
				h := newRows()
				close(h.gate)
				ordered := c.Client(0, 1, 2)
				began := time.Now()
				done := asking(c, ordered, t.Context(), sumQuery+" INTO 'out.csv' (mode = 'append')", h)
				c.until(cl, "running")
				time.Sleep(200 * time.Millisecond) // of some 500 that it takes, more or less
				at := tc.victim(c)
				s := c.Servers[at]
				tc.hurt(c, s)
				if err := <-done; err != nil {
					t.Fatal(err)
				}
				if took := time.Since(began); took > tc.most {
					t.Errorf("it took %v", took)
				}
				tc.heal(c, s)
				c.Settle()
				if j := last(t, cl); j.GetStatus() != "done" || j.GetAttempts() != 2 {
					t.Errorf("%v", j)
				}
				c.idle()
				store := files.Open(cl)
				defer store.Close()
				if got := string(get(t, store, "out.csv")); got != sumAnswer {
					t.Errorf("it wrote %q", got)
				}
				c.slowScans(0)
				(<-ask(t, c, 1, 6, sumQuery)).want(t, sumAnswer, "")
				if t.Failed() {
					t.Log(last(t, cl))
					for _, st := range showJob(t, cl, last(t, cl).GetId()).GetStages() {
						for _, k := range st.GetTasks() {
							t.Log(st.GetOperators(), k.GetNodeName(), k.GetDone())
						}
					}
				}
			})
		})
	}
}

func notLeader(which ...int) func(*Cluster) int {
	return func(c *Cluster) int {
		for _, i := range which {
			if c.Servers[i] != c.Leader() {
				return i
			}
		}
		return which[0]
	}
}

// place is the index of a server.
func (c *Cluster) place(s *Server) int {
	for i, other := range c.Servers {
		if other == s {
			return i
		}
	}
	return -1
}

func killed(_ *Cluster, s *Server)  { s.Kill() }
func started(_ *Cluster, s *Server) { s.Start() }
func frozen(_ *Cluster, s *Server)  { s.Host.Freeze() }
func thawed(_ *Cluster, s *Server)  { s.Host.Thaw() }
func healed(c *Cluster, _ *Server)  { c.Net.Heal() }
func cutOff(c *Cluster, s *Server) {
	var rest []int
	for i, other := range c.Servers {
		if other != s {
			rest = append(rest, i)
		}
	}
	c.Net.Partition(append(c.Hosts(rest...), c.outside), c.Hosts(c.place(s)))
}

// TestJobLosesClient: a client that is killed, or only stops, frees its slots within a second; its files never appear.
func TestJobLosesClient(t *testing.T) {
	three(t, func(t *testing.T, c *Cluster) {
		numbers(t, c)
		cl := c.Client()
		c.slowScans(200 * time.Millisecond)
		ctx, cancel := context.WithCancelCause(t.Context())
		done := asking(c, c.Client(1), ctx, sumQuery+" INTO 'never.csv'", newRows())
		c.until(cl, "running")
		cancel(errors.New("interrupted"))
		began := time.Now()
		c.idle()
		if took := time.Since(began); took > time.Second {
			t.Errorf("slots were free after %v", took)
		}
		if err := <-done; err == nil || !strings.Contains(err.Error(), "interrupted") {
			t.Error(err)
		}
		c.until(cl, "cancelled")
		if j := last(t, cl); j.GetReason() != "interrupted" {
			t.Errorf("%v", j)
		}

		lost := c.lostClient(1)
		gone := asking(c, lost.client, t.Context(), sumQuery+" INTO 'never.csv'", newRows())
		c.until(cl, "cancelled", "running")
		lost.host.Kill()
		began = time.Now()
		c.idle()
		if took := time.Since(began); took > time.Second {
			t.Errorf("slots of a client that was killed were free after %v", took)
		}
		c.until(cl, "cancelled", "cancelled")
		lost.client.Close()
		<-gone
		store := files.Open(cl)
		defer store.Close()
		if _, err := store.Stat(t.Context(), "never.csv"); err == nil {
			t.Error("what was cancelled has written a file")
		}
	})
}

// TestJobLosesBoth: a job whose gateway and client are gone is ended by the leader, and its slots are others'.
func TestJobLosesBoth(t *testing.T) {
	three(t, func(t *testing.T, c *Cluster) {
		numbers(t, c)
		c.slowScans(200 * time.Millisecond)
		at := notLeader(1, 2)(c)
		cl := c.Client(0)
		lost := c.lostClient(at)
		gone := asking(c, lost.client, t.Context(), sumQuery, newRows())
		c.until(cl, "running")
		lost.host.Kill()
		c.Servers[at].Kill()
		began := time.Now()
		c.until(cl, "cancelled")
		if took := time.Since(began); took < 10*time.Second || took > 15*time.Second {
			t.Errorf("it was ended after %v", took)
		}
		lost.client.Close()
		<-gone
		c.Servers[at].Start()
		c.Settle()
		c.idle()
	})
}

// TestSlowReader: a client that does not read holds up its own query only, and that goes on when it reads.
func TestSlowReader(t *testing.T) {
	three(t, func(t *testing.T, c *Cluster) {
		numbers(t, c)
		h := newRows()
		slow := asking(c, c.Client(1), t.Context(), "FROM 'numbers.csv' AS a JOIN 'numbers.csv' AS b ON a.word = b.word AND a.n < 200", h)
		<-h.seen
		for range 5 {
			time.Sleep(10 * time.Second)
			began := time.Now()
			(<-ask(t, c, 1, 6, sumQuery)).want(t, sumAnswer, "")
			if took := time.Since(began); took > 2*time.Second {
				t.Errorf("another query took %v", took)
			}
		}
		var held int
		for _, s := range c.Servers {
			held += s.alloc.CurrentAlloc()
		}
		if held > 100<<20 {
			t.Errorf("while nobody reads the servers hold %d bytes", held)
		}
		close(h.gate)
		if err := <-slow; err != nil {
			t.Fatal(err)
		}
		want := int64(0)
		for a := range 200 {
			want += int64((numbersRows-1-a%7)/7 + 1)
		}
		if h.n != want {
			t.Errorf("%d rows, not %d", h.n, want)
		}
	})
}

// TestJobAskedAgain: who asks for a job once more, by way of another server, is told what became of it: a file that it wrote is there, once; rows
// that it gave are gone.
func TestJobAskedAgain(t *testing.T) {
	three(t, func(t *testing.T, c *Cluster) {
		numbers(t, c)
		for src, want := range map[string]string{sumQuery: "lost", sumQuery + " INTO 'out.csv' (mode = 'append')": "done"} {
			var data []byte
			plan := func(_ context.Context, g *dag.Graph, _ *task.Runtime, _ *task.Stats) (_ *task.Report, err error) {
				data, err = dag.Encode(g)
				return nil, err
			}
			s := files.Open(c.Client())
			e := engine.New(engine.Config{Parallelism: 4, SplitBytes: 10000, Files: s, Remote: true, Run: plan})
			if err := e.NewSession(nil).Run(t.Context(), "test.rql", src, newRows()); err != nil {
				t.Fatal(err)
			}
			key := random(1, 16)
			key[0] = byte(len(src))
			if first := runRaw(t, c.Client(0), key, data); first.GetStatus() != "done" {
				t.Fatal(first)
			}
			c.Until("the log knows of its end", time.Second, func() bool { return last(t, c.Client(2)).GetStatus() == "done" })
			again := runRaw(t, c.Client(1), key, data)
			if again.GetStatus() != want || want == "done" && again.GetProgress().GetWritten()[0].GetRows() != 1 {
				t.Errorf("%s: %v", src, again)
			}
			if want == "done" {
				if got := string(get(t, s, "out.csv")); got != sumAnswer {
					t.Errorf("it wrote %q", got)
				}
			}
			_ = s.Close()
		}
	})
}

// runRaw runs a graph under a key, and gives what the server says at its end.
func runRaw(t *testing.T, cl *client.Client, key, graph []byte) (over *api.JobOver) {
	t.Helper()
	err := cl.Call(t.Context(), true, func(ctx context.Context, conn grpc.ClientConnInterface) error {
		stream, err := api.NewJobsClient(conn).Run(ctx)
		if err != nil {
			return err
		}
		submit := &api.Submit{Key: key, Run: &api.Run{GraphBytes: int64(len(graph)), SplitBytes: 10000}}
		for _, m := range []*api.RunRequest{{What: &api.RunRequest_Submit{Submit: submit}}, {What: &api.RunRequest_Graph{Graph: graph}}} {
			if err := stream.Send(m); err != nil {
				return err
			}
		}
		for {
			m, err := stream.Recv()
			if err != nil {
				return err
			}
			if over = m.GetOver(); over != nil {
				return nil
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return over
}

// TestJobWithoutMajority: a client that goes while nothing can be put into the log leaves a job there, which its gateway ends later.
func TestJobWithoutMajority(t *testing.T) {
	three(t, func(t *testing.T, c *Cluster) {
		numbers(t, c)
		c.slowScans(200 * time.Millisecond)
		cl := c.Client()
		at := notLeader(1, 2)(c)
		ctx, cancel := context.WithCancelCause(t.Context())
		done := asking(c, c.Client(at), ctx, sumQuery, newRows())
		c.until(cl, "running")
		cutOff(c, c.Servers[at])
		c.Net.Unblock(c.outside, c.Servers[at].Host)
		c.Net.Unblock(c.Servers[at].Host, c.outside)
		cancel(errors.New("interrupted"))
		<-done
		time.Sleep(40 * time.Second) // longer than the gateway tries
		c.Net.Heal()
		c.Settle()
		c.until(cl, "cancelled")
		c.idle()
		c.slowScans(0)
		(<-ask(t, c, 0, 12, sumQuery)).want(t, sumAnswer, "")
	})
}
