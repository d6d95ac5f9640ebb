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

func showJob(t *testing.T, cl *client.Client, id uint64) *api.ShowResponse {
	t.Helper()
	return call(t, cl, func(ctx context.Context, s api.JobsClient) (*api.ShowResponse, error) {
		return s.Show(ctx, &api.ShowRequest{Job: id})
	})
}

func runningTasks(t *testing.T, cl *client.Client, id uint64) *api.TasksResponse {
	t.Helper()
	return call(t, cl, func(ctx context.Context, s api.JobsClient) (*api.TasksResponse, error) {
		return s.Tasks(ctx, &api.TasksRequest{Job: id})
	})
}

// TestJobShown: of a job that runs any server tells the stages and the tasks with what they have done so far; of one that is done, that they
// read the rows of the file, each once, and all of its bytes. A server that knows nothing of the tasks says why.
func TestJobShown(t *testing.T) {
	three(t, func(t *testing.T, c *Cluster) {
		size := numbers(t, c)
		c.slowScans(700 * time.Millisecond)
		cl := c.Client(2)
		ch := ask(t, c, 0, 6, sumQuery)
		id := c.until(cl, "running")[0].GetId()
		time.Sleep(2 * time.Second)
		resp := showJob(t, cl, id)
		if resp.GetNote() != "" || resp.GetJob().GetText() != sumQuery || len(resp.GetJob().GetPlaces()) != 3 || resp.GetAttempt() != resp.GetJob().GetAttempt() || len(resp.GetStages()) != 2 {
			t.Fatalf("while it runs: %v", resp)
		}
		rows, bytes := check(t, resp, 6)
		if rows == 0 || rows >= numbersRows || bytes == 0 || bytes >= size {
			t.Errorf("after two seconds %d rows and %d bytes were read", rows, bytes)
		}
		if last := resp.GetStages()[1].GetTasks()[0]; last.GetNodeName() != "n1" || last.GetDone().GetWaitedNanos() < int64(time.Second) || last.GetDone().GetOver() {
			t.Errorf("the result waits at the gateway: %v", last)
		}
		list := runningTasks(t, c.Client(1), 0)
		if len(list.GetSilent()) != 0 || len(list.GetTasks()) != 7 {
			t.Errorf("what runs: %v", list)
		}
		for i, task := range list.GetTasks() {
			of := resp.GetStages()[i/6].GetTasks()[i%6]
			if task.GetJob() != id || task.GetNodeName() != of.GetNodeName() || task.GetDone().GetTask() != int64(i%6) || task.GetOperators() != resp.GetStages()[i/6].GetOperators() || task.GetDone().GetBeganMicros() == 0 {
				t.Errorf("task %d: %v, not %v", i, task, of)
			}
		}
		if other := runningTasks(t, cl, id+1); len(other.GetTasks()) != 0 {
			t.Errorf("of another job: %v", other)
		}
		(<-ch).want(t, sumAnswer, "")
		c.idle()
		c.until(cl, "done")
		resp = showJob(t, cl, id)
		rows, bytes = check(t, resp, 6)
		if last := resp.GetStages()[1].GetTasks()[0].GetDone(); rows != numbersRows || bytes != size || last.GetRowsIn() != 6 || last.GetRowsOut() != 1 || resp.GetJob().GetRows() != 1 {
			t.Errorf("in the end %d rows and %d bytes of %d were read; the result: %v", rows, bytes, size, last)
		}
		if left := runningTasks(t, cl, 0).GetTasks(); len(left) != 0 {
			t.Errorf("when all is done: %v", left)
		}
		if none := showJob(t, cl, 12345); none.GetJob() != nil {
			t.Errorf("a job that there is not: %v", none)
		}
		c.Servers[0].Kill()
		c.Until("the gateway is missed", time.Minute, func() bool {
			resp = showJob(t, cl, id)
			return strings.Contains(resp.GetNote(), "node n1 only, which is not there any more")
		})
		if resp.GetJob().GetStatus() != "done" || len(resp.GetStages()) != 0 {
			t.Errorf("without its gateway: %v", resp)
		}
		c.Servers[0].Start()
		c.Settle()
		c.Until("a gateway that was started anew tells that it knows nothing", 5*time.Second, func() bool { // the others dial again once a second
			resp = showJob(t, cl, id)
			return strings.Contains(resp.GetNote(), "not known any more")
		})
		c.Servers[0].Kill()
		c.Servers[1].Kill()
		c.Until("it is told that nobody leads", time.Minute, func() bool {
			resp = showJob(t, cl, id)
			return resp.GetOld()
		})
		if !strings.HasPrefix(resp.GetNote(), "this is the copy of node n3, at entry ") || resp.GetJob().GetStatus() != "done" {
			t.Errorf("without a leader: %v", resp)
		}
	})
}

// check holds the stages of sumQuery to what they must be, and gives what its scans have read.
func check(t *testing.T, resp *api.ShowResponse, tasks int) (rows, bytes int64) {
	t.Helper()
	scan, result := resp.GetStages()[0], resp.GetStages()[1]
	if !strings.HasPrefix(scan.GetOperators(), "scan 'numbers.csv'") || !strings.Contains(scan.GetOperators(), " · aggregate") || !strings.HasPrefix(result.GetOperators(), "receive from stage 0") ||
		len(scan.GetTasks()) != tasks || len(result.GetTasks()) != 1 {
		t.Errorf("stages: %v", resp.GetStages())
	}
	nodes := map[string]int{}
	for i, task := range scan.GetTasks() {
		d := task.GetDone()
		nodes[task.GetNodeName()]++
		rows, bytes = rows+d.GetRowsIn(), bytes+d.GetBytes()
		if d.GetStage() != 0 || d.GetTask() != int64(i) || d.GetWaitedNanos() > d.GetNanos() || (d.GetRowsOut() == 1) != d.GetOver() || d.GetFailed() {
			t.Errorf("a scan: %v", task)
		}
	}
	if len(nodes) != 3 {
		t.Errorf("it runs on %v", nodes)
	}
	return rows, bytes
}

// TestTaskKilled: a task that is killed by way of another server ends its attempt; another gives the right answer, without that server. What is
// no task that runs is not killed.
func TestTaskKilled(t *testing.T) {
	three(t, func(t *testing.T, c *Cluster) {
		numbers(t, c)
		c.slowScans(700 * time.Millisecond)
		cl := c.Client(2)
		kill := func(job uint64, stage, task int64) *api.KillResponse {
			return call(t, cl, func(ctx context.Context, s api.JobsClient) (*api.KillResponse, error) {
				return s.Kill(ctx, &api.KillRequest{Job: job, Stage: stage, Task: task})
			})
		}
		ch := ask(t, c, 0, 6, sumQuery)
		first := c.until(cl, "running")[0]
		time.Sleep(time.Second)
		task := runningTasks(t, cl, first.GetId()).GetTasks()[1]
		for want, resp := range map[string]*api.KillResponse{
			"there is no job 12345":         kill(12345, 0, 0),
			"has no stage 7: the last is 1": kill(first.GetId(), 7, 0),
			"has no task 6: the last is 5":  kill(first.GetId(), 0, 6),
		} {
			if !strings.Contains(resp.GetRefusal(), want) {
				t.Errorf("%v, not %s", resp, want)
			}
		}
		resp := kill(first.GetId(), 0, 1)
		if resp.GetRefusal() != "" || resp.GetNode() != task.GetNodeName() || resp.GetAttempt() != first.GetAttempt() {
			t.Errorf("%v; the task is %v", resp, task)
		}
		var second *api.JobInfo
		c.Until("there is another attempt", 10*time.Second, func() bool {
			second = listJobs(t, cl)[0]
			return second.GetStatus() == "running" && second.GetAttempts() == 2
		})
		if want := fmt.Sprintf("%s: anyone killed its task %d.0.1 with 'rainsql task kill'", resp.GetNode(), first.GetId()); second.GetReason() != want {
			t.Errorf("the reason is %q, not %q", second.GetReason(), want)
		}
		for _, p := range showJob(t, cl, first.GetId()).GetJob().GetPlaces() {
			if p.GetNode() == resp.GetNode() {
				t.Errorf("the next attempt has %d slots on %s, too", p.GetSlots(), p.GetNode())
			}
		}
		(<-ch).want(t, sumAnswer, "")
		c.idle()
		c.until(cl, "done")
		if resp := kill(first.GetId(), 0, 1); !strings.Contains(resp.GetRefusal(), "does not run: it is done") {
			t.Errorf("%v", resp)
		}
		var failed uint64
		for _, s := range c.Servers {
			failed += s.Node().Gateway().Failed()
		}
		if failed != 1 {
			t.Errorf("%d attempts have failed", failed)
		}
	})
}
