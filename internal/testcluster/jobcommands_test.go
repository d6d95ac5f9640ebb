package testcluster

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/files"
	"github.com/rainsql/rainsql/cluster/query"
	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/internal/enginetest"
)

// sumQuery is over what numbers writes; it gives its one row at its end.
const (
	numbersRows = 20000
	sumQuery    = "FROM 'numbers.csv'\nAGGREGATE count(*) AS n, sum(n) AS s"
	sumAnswer   = "n,s\n20000,199990000\n"
)

// numbers writes a file of rows, by way of a server.
func numbers(t *testing.T, c *Cluster) (bytes int64) {
	t.Helper()
	s := files.Open(c.Client(0))
	defer s.Close()
	var text strings.Builder
	text.WriteString("n,word\n")
	for i := range numbersRows {
		fmt.Fprintf(&text, "%d,w%d\n", i, i%7)
	}
	put(t, s, "numbers.csv", []byte(text.String()))
	return int64(text.Len())
}

// slowScans has queries take their time on all servers: every batch of rows so long.
func (c *Cluster) slowScans(d time.Duration) {
	for _, s := range c.Servers {
		s.SlowScan(d)
	}
}

// answer is what came of a query.
type answer struct {
	rows string
	err  error
}

// ask runs a query of some width by way of a server; the answer comes later.
func ask(t *testing.T, c *Cluster, server, width int, src string) <-chan answer {
	cl := c.Client(server)
	ch := make(chan answer, 1)
	go func() {
		s := files.Open(cl)
		defer s.Close()
		var a answer
		a.rows, a.err = enginetest.Run(t, engine.Config{Parallelism: width, SplitBytes: 10000, Files: s, Remote: true, Run: query.Runner(cl)}, nil, "test.rql", src)
		ch <- a
	}()
	return ch
}

// want waits for the answer of a query.
func (a answer) want(t *testing.T, rows, err string) {
	t.Helper()
	if a.rows != rows || (err == "") != (a.err == nil) || a.err != nil && !strings.Contains(a.err.Error(), err) {
		t.Errorf("the query gave %q, %v; want %q, %s", a.rows, a.err, rows, err)
	}
}

// listJobs gives all jobs, as a client is told.
func listJobs(t *testing.T, cl *client.Client) []*api.JobInfo {
	t.Helper()
	resp, err := cl.Read(t.Context(), &api.ReadRequest{What: &api.ReadRequest_Jobs{Jobs: &api.JobQuery{}}})
	if err != nil {
		t.Fatal(err)
	}
	return resp.GetJobs()
}

// until waits until the jobs of the cluster have such statuses, in the order in which they were submitted, and gives them.
func (c *Cluster) until(cl *client.Client, statuses ...string) (list []*api.JobInfo) {
	c.t.Helper()
	c.Until("the jobs are "+strings.Join(statuses, ", "), time.Minute, func() bool {
		resp, err := cl.Read(context.Background(), &api.ReadRequest{What: &api.ReadRequest_Jobs{Jobs: &api.JobQuery{}}})
		if err != nil {
			return false
		}
		list = resp.GetJobs()
		var have []string
		for _, j := range list {
			have = append(have, j.GetStatus())
		}
		return strings.Join(have, " ") == strings.Join(statuses, " ")
	})
	return list
}

// call asks one server after the other for something about jobs.
func call[T any](t *testing.T, cl *client.Client, method func(context.Context, api.JobsClient) (T, error)) (resp T) {
	t.Helper()
	err := cl.Call(t.Context(), false, func(ctx context.Context, conn grpc.ClientConnInterface) (err error) {
		resp, err = method(ctx, api.NewJobsClient(conn))
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return resp
}

func cancelJob(t *testing.T, cl *client.Client, id uint64) *api.CancelResponse {
	t.Helper()
	return call(t, cl, func(ctx context.Context, s api.JobsClient) (*api.CancelResponse, error) {
		return s.Cancel(ctx, &api.CancelRequest{Job: id})
	})
}

// idle waits until no server runs anything of a query.
func (c *Cluster) idle() {
	c.t.Helper()
	c.Until("no part runs", 5*time.Second, func() bool {
		for _, s := range c.Servers {
			if s.Node().Worker().Parts() > 0 {
				return false
			}
		}
		return true
	})
}

// TestJobsListed: a job that has all slots runs, the next one waits for them; both are listed by any server, with what became of them.
func TestJobsListed(t *testing.T) {
	three(t, func(t *testing.T, c *Cluster) {
		numbers(t, c)
		c.slowScans(300 * time.Millisecond)
		cl := c.Client(2)
		if list := listJobs(t, cl); len(list) != 0 {
			t.Fatal(list)
		}
		began := time.Now()
		first := ask(t, c, 0, 12, sumQuery)
		c.until(cl, "running")
		second := ask(t, c, 1, 2, sumQuery)
		list := c.until(cl, "running", "queued")
		if a, b := list[0], list[1]; a.GetSlots() != 12 || a.GetAttempts() != 1 || a.GetGatewayName() != "n1" || a.GetBeganMicros() == 0 || a.GetEndedMicros() != 0 ||
			b.GetSlots() != 0 || b.GetAttempts() != 0 || b.GetGatewayName() != "n2" || b.GetWidth() != 2 || b.GetBeganMicros() != 0 || b.GetSubmittedMicros() <= a.GetSubmittedMicros() {
			t.Errorf("one runs, one waits: %v", list)
		}
		(<-first).want(t, sumAnswer, "")
		(<-second).want(t, sumAnswer, "")
		for i, j := range c.until(cl, "done", "done") {
			if j.GetUser() != "anyone" || j.GetText() != strings.ReplaceAll(sumQuery, "\n", " ") || j.GetRows() != 1 || j.GetSlots() != 0 || j.GetAttempts() != 1 ||
				j.GetSubmittedMicros() < began.UnixMicro() || j.GetEndedMicros() <= j.GetBeganMicros() || j.GetReason() != "" {
				t.Errorf("job %d: %v", i, j)
			}
		}
	})
}

// TestJobCancelled: a job that runs and one that waits are ended by way of another server, and their clients are told by whom.
func TestJobCancelled(t *testing.T) {
	three(t, func(t *testing.T, c *Cluster) {
		numbers(t, c)
		c.slowScans(time.Second)
		cl := c.Client(2)
		first := ask(t, c, 0, 12, sumQuery)
		c.until(cl, "running")
		second := ask(t, c, 1, 12, sumQuery+" INTO 'out.csv'")
		list := c.until(cl, "running", "queued")
		began := time.Now()
		for _, i := range []int{1, 0} { // the second first: it would run when the first has ended
			resp := cancelJob(t, cl, list[i].GetId())
			if !resp.GetEnded() || resp.GetJob().GetStatus() != "cancelled" || resp.GetJob().GetReason() != "anyone ended it with 'rainsql job cancel'" {
				t.Errorf("%v", resp)
			}
			(<-[]<-chan answer{first, second}[i]).want(t, "", "the job was cancelled: anyone ended it with 'rainsql job cancel'")
		}
		c.idle()
		if took := time.Since(began); took > 2*time.Second {
			t.Errorf("it took %v", took)
		}
		c.until(cl, "cancelled", "cancelled")
		if resp := cancelJob(t, cl, list[0].GetId()); resp.GetEnded() || resp.GetJob().GetStatus() != "cancelled" {
			t.Errorf("again: %v", resp)
		}
		if resp := cancelJob(t, cl, 12345); resp.GetEnded() || resp.GetJob() != nil {
			t.Errorf("a job that there is not: %v", resp)
		}
		c.slowScans(0)
		(<-ask(t, c, 0, 4, sumQuery)).want(t, sumAnswer, "")
		c.until(cl, "cancelled", "cancelled", "done")
		if resp := cancelJob(t, cl, listJobs(t, cl)[2].GetId()); resp.GetEnded() || resp.GetJob().GetStatus() != "done" {
			t.Errorf("one that is done: %v", resp)
		}
	})
}
