package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"google.golang.org/grpc"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/internal/listing"
)

const tasksText = `Lists the tasks of queries that run now, of one job or of all, as their nodes
tell: how many rows each has read or received (rows_in) and passed on
(rows_out), the bytes of files that it has read, and for how much of the time
since it began it has waited for other tasks. 'rainsql job show' tells of tasks
that have ended.`

const killText = `Has a task fail as if its node were lost, to see what comes of it: the attempt
that it is of ends on all nodes, and the job begins another, on other nodes if
there are any with slots. A job that has handed out rows already fails: they
cannot be taken back. ID is a task's as 'rainsql tasks' lists it.`

// tasksTable has the columns of `rainsql tasks`.
func tasksTable() listing.Table {
	t := listing.Texts("id")
	for _, name := range []string{"job", "attempt", "stage", "task"} {
		t.Column(name, types.INT)
	}
	t.Column("node", types.STRING)
	t.Column("since", types.TIMESTAMP)
	taskColumns(&t)
	t.Column("waited_seconds", types.FLOAT)
	t.Column("operators", types.STRING)
	return t
}

// taskList is `rainsql tasks`.
func (f *clusterFlags) taskList(ctx context.Context, c *client.Client, args []string) error {
	var id uint64
	if len(args) > 0 {
		var err error
		if id, err = jobID(args[0]); err != nil {
			return err
		}
		resp, err := c.Read(ctx, &api.ReadRequest{Local: true, What: &api.ReadRequest_Jobs{Jobs: &api.JobQuery{Id: id}}})
		if err != nil {
			return err
		}
		if len(resp.GetJobs()) == 0 {
			return noJob(id)
		}
	}
	resp, err := runningTasks(ctx, c, id)
	if err != nil {
		return err
	}
	t := tasksTable()
	for _, task := range resp.GetTasks() {
		d := task.GetDone()
		t.Add(
			taskID(task.GetJob(), d), task.GetJob(), task.GetAttempt(), d.GetStage(), d.GetTask(), task.GetNodeName(), time.UnixMicro(d.GetBeganMicros()),
			d.GetRowsIn(), d.GetRowsOut(), d.GetBytes(), seconds(time.Duration(d.GetWaitedNanos())), task.GetOperators(),
		)
	}
	return errors.Join(showListing(f.std, &f.format, t), errSilent(resp.GetSilent()))
}

// runningTasks are the tasks that run now, of a job or, for 0, of all.
func runningTasks(ctx context.Context, c *client.Client, job uint64) (resp *api.TasksResponse, err error) {
	err = c.Call(ctx, false, func(ctx context.Context, conn grpc.ClientConnInterface) (err error) {
		resp, err = api.NewJobsClient(conn).Tasks(ctx, &api.TasksRequest{Job: job})
		return err
	})
	return resp, err
}

// parseTask reads the id of a task.
func parseTask(word string) (*api.KillRequest, error) {
	parts := strings.Split(word, ".")
	var n [3]uint64
	for i := range n {
		var err error
		if len(parts) == len(n) {
			n[i], err = strconv.ParseUint(parts[i], 10, 63)
		}
		if err != nil || len(parts) != len(n) {
			return nil, usagef("%q: a task is named JOB.STAGE.TASK, such as 17.2.0; 'rainsql tasks' lists them", word)
		}
	}
	return &api.KillRequest{Job: n[0], Stage: int64(n[1]), Task: int64(n[2])}, nil
}

// taskKill is `rainsql task kill`.
func (f *clusterFlags) taskKill(ctx context.Context, c *client.Client, args []string) error {
	req, err := parseTask(args[0])
	if err != nil {
		return err
	}
	var resp *api.KillResponse
	err = c.Call(ctx, false, func(ctx context.Context, conn grpc.ClientConnInterface) (err error) {
		resp, err = api.NewJobsClient(conn).Kill(ctx, req)
		return err
	})
	switch {
	case err != nil:
		return err
	case resp.GetRefusal() != "":
		return fmt.Errorf("nothing was killed: %s", resp.GetRefusal())
	}
	fmt.Fprintf(f.std.err, "task %s was killed on %s, and with it attempt %d of job %d\n", args[0], resp.GetNode(), resp.GetAttempt(), req.GetJob())
	return f.aftermath(ctx, c, req.GetJob(), resp.GetAttempt())
}

// aftermathTime is how long the next attempt of a job is waited for. It may have to wait for slots.
const aftermathTime = 5 * time.Second

// aftermath tells what a job does when an attempt of it was killed.
func (f *clusterFlags) aftermath(ctx context.Context, c *client.Client, job, attempt uint64) error {
	for until := time.Now().Add(aftermathTime); ; {
		resp, err := c.Read(ctx, &api.ReadRequest{What: &api.ReadRequest_Jobs{Jobs: &api.JobQuery{Id: job}}})
		if err != nil {
			return err
		}
		if len(resp.GetJobs()) == 0 {
			return noJob(job)
		}
		j := resp.GetJobs()[0]
		late := time.Now().After(until)
		switch {
		case j.GetStatus() == state.Failed.String():
			fmt.Fprintf(f.std.err, "job %d has failed by that: %s\n", job, f.std.shown(j.GetReason()))
			return nil
		case j.GetStatus() == state.Queued.String() && late:
			fmt.Fprintf(f.std.err, "job %d waits for slots for another\n", job)
			return nil
		case j.GetEndedMicros() != 0 && j.GetAttempt() == attempt:
			fmt.Fprintf(f.std.err, "job %d is %s all the same: it was about to end\n", job, j.GetStatus())
			return nil
		case j.GetAttempt() != attempt:
			fmt.Fprintf(f.std.err, "job %d goes on in attempt %d\n", job, j.GetAttempt())
			return nil
		case late:
			fmt.Fprintf(f.std.err, "the log does not tell yet what becomes of job %d: rainsql job show %d\n", job, job)
			return nil
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
	}
}
