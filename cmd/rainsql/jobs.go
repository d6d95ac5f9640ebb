package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"google.golang.org/grpc"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/internal/listing"
)

const jobsText = `Lists the queries of a cluster: those that wait for slots (queued), those that
run, and the last thousand that have ended (done, failed, cancelled), in the
order in which they were submitted, the newest last.

seconds is the time from then until the end, or until now; attempts, how often
it was begun; slots, how many tasks of each stage it may run at once; gateway,
the node that runs it for its client; rows, how many it gave or wrote; reason,
why it failed or was cancelled or, if it runs, why its last attempt failed.`

const cancelText = `Ends a job wherever it runs, or while it waits. What it would have written does
not appear. Its client is told who ended it.`

// newJobCommands are the commands that look at the queries of a cluster and end them.
func newJobCommands(std streams) []*cobra.Command {
	group := func(use, short string) *cobra.Command {
		return &cobra.Command{Use: use, Short: short, Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	}
	list, _ := newClusterCommand(std, "jobs", "List the queries of a cluster: that wait, run or have ended", noArgs, true, (*clusterFlags).jobs)
	list.Long = jobsText
	job := group("job", "Look at one query of a cluster, and end it")
	show, sf := newClusterCommand(std, "show ID", "Tell all of a job, and what its stages have done", between(1, 1), true, (*clusterFlags).jobShow)
	show.Long, show.ValidArgsFunction = showText, sf.completeJobs(false)
	show.Flags().BoolVar(&sf.tasks, "tasks", false, "each task in place of each stage")
	cancel, cf := newClusterCommand(std, "cancel ID", "End a job, wherever it runs", between(1, 1), false, (*clusterFlags).jobCancel)
	cancel.Long, cancel.ValidArgsFunction = cancelText, cf.completeJobs(true)
	job.AddCommand(show, cancel)
	tasks, tf := newClusterCommand(std, "tasks [JOB]", "List the tasks of queries that run now", between(0, 1), true, (*clusterFlags).taskList)
	tasks.Long, tasks.ValidArgsFunction = tasksText, tf.completeJobs(true)
	task := group("task", "Have a task of a query fail")
	kill, kf := newClusterCommand(std, "kill ID", "Have a task fail as if its node were lost", between(1, 1), false, (*clusterFlags).taskKill)
	kill.Long, kill.ValidArgsFunction = killText, kf.completeOne(kf.completeTasks)
	task.AddCommand(kill)
	return []*cobra.Command{list, job, tasks, task}
}

// jobsTable has the columns of `rainsql jobs`.
func jobsTable() listing.Table {
	var t listing.Table
	t.Column("id", types.INT)
	t.Column("status", types.STRING)
	t.Column("user", types.STRING)
	t.Column("submitted", types.TIMESTAMP)
	t.Column("seconds", types.FLOAT)
	t.Column("attempts", types.INT)
	t.Column("slots", types.INT)
	t.Column("gateway", types.STRING)
	t.Column("rows", types.INT)
	t.Column("reason", types.STRING)
	t.Column("query", types.STRING)
	return t
}

func (f *clusterFlags) jobs(ctx context.Context, c *client.Client, _ []string) error {
	resp, err := f.read(ctx, c, &api.ReadRequest{What: &api.ReadRequest_Jobs{Jobs: &api.JobQuery{}}})
	if err != nil {
		return err
	}
	t := jobsTable()
	for _, j := range resp.GetJobs() {
		var rows any
		if j.GetStatus() == state.Done.String() {
			rows = j.GetRows()
		}
		t.Add(
			j.GetId(), j.GetStatus(), j.GetUser(), time.UnixMicro(j.GetSubmittedMicros()), seconds(jobTime(j, resp.GetNowMicros())),
			j.GetAttempts(), j.GetSlots(), j.GetGatewayName(), rows, text(j.GetReason()), text(j.GetText()),
		)
	}
	return errors.Join(showListing(f.std, &f.format, t), f.stale)
}

// jobTime is how long a job has taken, with the time that it waited.
func jobTime(j *api.JobInfo, now int64) time.Duration {
	if end := j.GetEndedMicros(); end != 0 {
		now = end
	}
	return time.Duration(max(0, now-j.GetSubmittedMicros())) * time.Microsecond
}

// seconds is a time in a listing.
func seconds(d time.Duration) string { return strconv.FormatFloat(d.Seconds(), 'f', 3, 64) }

// text is a text in a listing, or NULL if there is none.
func text(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// jobID reads the id of a job.
func jobID(word string) (uint64, error) {
	id, err := strconv.ParseUint(word, 10, 64)
	if err != nil || id == 0 {
		return 0, usagef("%q: a job is named by its number; 'rainsql jobs' lists them", word)
	}
	return id, nil
}

// noJob is that the cluster does not know a job.
func noJob(id uint64) error {
	return fmt.Errorf("no job %d in the cluster; 'rainsql jobs' lists those that it knows", id)
}

func (f *clusterFlags) jobCancel(ctx context.Context, c *client.Client, args []string) error {
	id, err := jobID(args[0])
	if err != nil {
		return err
	}
	var resp *api.CancelResponse
	err = c.Call(ctx, false, func(ctx context.Context, conn grpc.ClientConnInterface) (err error) {
		resp, err = api.NewJobsClient(conn).Cancel(ctx, &api.CancelRequest{Job: id})
		return err
	})
	j := resp.GetJob()
	switch {
	case err != nil:
		return err
	case resp.GetEnded():
		fmt.Fprintf(f.std.err, "job %d was cancelled\n", id)
	case j == nil:
		return noJob(id)
	case j.GetStatus() == state.Cancelled.String():
		fmt.Fprintf(f.std.err, "job %d was cancelled already: %s\n", id, f.std.shown(j.GetReason()))
	case j.GetStatus() == state.Failed.String():
		return fmt.Errorf("job %d has ended already, it failed: %s", id, j.GetReason())
	default:
		return fmt.Errorf("job %d has ended already: it is %s", id, j.GetStatus())
	}
	return nil
}
