package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"google.golang.org/grpc"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/internal/listing"
	"github.com/rainsql/rainsql/internal/render"
)

const showText = `Tells all that the cluster knows of a job and, of one that runs or that its
gateway ran lately, what the stages of its last attempt have done:

  tasks     how many run it, and on which nodes; ended: how many of them have
  rows_in   rows that they read, made or received
  bytes     of files that they read
  rows_out  rows that they passed on, wrote or gave to the client
  seconds   how long the longest of them took, or has taken
  waiting   the share of their time for which they waited for other tasks
  skew      the most rows_in of a task, for each one of the mean

With --tasks, what each task has done. With --format, only that list.`

// jobShow is `rainsql job show`.
func (f *clusterFlags) jobShow(ctx context.Context, c *client.Client, args []string) error {
	id, err := jobID(args[0])
	if err != nil {
		return err
	}
	if f.format != "" {
		if err := render.Check(f.format); err != nil {
			return usageError{err}
		}
	}
	var resp *api.ShowResponse
	err = c.Call(ctx, false, func(ctx context.Context, conn grpc.ClientConnInterface) (err error) {
		resp, err = api.NewJobsClient(conn).Show(ctx, &api.ShowRequest{Job: id})
		return err
	})
	switch {
	case err != nil:
		return err
	case resp.GetJob() == nil && resp.GetNote() != "":
		return fmt.Errorf("%w\n%s", noJob(id), resp.GetNote())
	case resp.GetJob() == nil:
		return noJob(id)
	}
	if f.format == "" {
		if err := f.describe(standardOut{f.std.out}, resp); err != nil {
			return err
		}
		f.format = "table"
	}
	if resp.GetOld() {
		f.stale = errors.New(resp.GetNote())
	} else if resp.GetNote() != "" {
		fmt.Fprintln(f.std.err, f.std.shown(resp.GetNote()))
	}
	if len(resp.GetStages()) == 0 {
		return f.stale
	}
	t := stagesTable(resp)
	if f.tasks {
		t = showTasksTable(resp)
	}
	return errors.Join(showListing(f.std, &f.format, t), f.stale)
}

// describe writes what the log has of a job, a line each, and its text.
func (f *clusterFlags) describe(out io.Writer, resp *api.ShowResponse) error {
	j := resp.GetJob()
	var sb strings.Builder
	line := func(name string, format string, args ...any) {
		fmt.Fprintf(&sb, "%-10s %s\n", name, fmt.Sprintf(format, args...))
	}
	at := func(name string, micros int64) {
		if micros != 0 {
			line(name, "%s", time.UnixMicro(micros).UTC().Format("2006-01-02T15:04:05.999999Z"))
		}
	}
	line("job", "%d", j.GetId())
	line("status", "%s", j.GetStatus())
	line("user", "%s", j.GetUser())
	at("submitted", j.GetSubmittedMicros())
	at("began", j.GetBeganMicros())
	at("ended", j.GetEndedMicros())
	line("seconds", "%s", seconds(jobTime(j, resp.GetNowMicros())))
	attempts := fmt.Sprint(j.GetAttempts())
	if j.GetAttempt() != 0 {
		attempts += fmt.Sprintf("; the last is attempt %d", j.GetAttempt())
	}
	line("attempts", "%s", attempts)
	line("width", "%d", j.GetWidth())
	var places []string
	for _, p := range j.GetPlaces() {
		places = append(places, fmt.Sprintf("%d on %s", p.GetSlots(), p.GetNode()))
	}
	if len(places) > 0 {
		line("slots", "%d: %s", j.GetSlots(), strings.Join(places, ", "))
	}
	line("gateway", "%s", j.GetGatewayName())
	if j.GetStatus() == state.Done.String() {
		line("rows", "%d", j.GetRows())
	}
	if j.GetReason() != "" {
		line("reason", "%s", strings.ReplaceAll(strings.TrimSpace(j.GetReason()), "\n", "\n           "))
	}
	if j.GetText() != "" {
		line("query", "%s", strings.ReplaceAll(strings.TrimSpace(j.GetText()), "\n", "\n           "))
	}
	said := sb.String()
	if terminal(f.std.out) {
		said = render.Clean(said)
	}
	_, err := io.WriteString(out, said)
	return err
}

// stagesTable has a row for each stage.
func stagesTable(resp *api.ShowResponse) listing.Table {
	var t listing.Table
	t.Column("stage", types.INT)
	t.Column("tasks", types.INT)
	t.Column("ended", types.INT)
	t.Column("nodes", types.STRING)
	t.Column("rows_in", types.INT)
	t.Column("rows_out", types.INT)
	t.Column("bytes", types.INT)
	t.Column("seconds", types.FLOAT)
	t.Column("waiting", types.FLOAT)
	t.Column("skew", types.FLOAT)
	t.Column("operators", types.STRING)
	for _, st := range resp.GetStages() {
		var ended, in, out, bytes, most int64
		var longest, all, waited time.Duration
		var nodes []string
		for _, task := range st.GetTasks() {
			d := task.GetDone()
			in, out, bytes = in+d.GetRowsIn(), out+d.GetRowsOut(), bytes+d.GetBytes()
			most = max(most, d.GetRowsIn())
			longest = max(longest, time.Duration(d.GetNanos()))
			all, waited = all+time.Duration(d.GetNanos()), waited+time.Duration(d.GetWaitedNanos())
			if d.GetOver() && !d.GetFailed() {
				ended++
			}
			if !slices.Contains(nodes, task.GetNodeName()) {
				nodes = append(nodes, task.GetNodeName())
			}
		}
		slices.Sort(nodes)
		n := len(st.GetTasks())
		t.Add(
			st.GetStage(), n, ended, strings.Join(nodes, " "), in, out, bytes, seconds(longest),
			share(float64(waited), float64(all)), share(float64(most)*float64(n), float64(in)), st.GetOperators(),
		)
	}
	return t
}

// share is a ratio in a listing, or NULL if there is none.
func share(of, all float64) any {
	if all == 0 {
		return nil
	}
	return fmt.Sprintf("%.2f", of/all)
}

// showTasksTable has a row for each task of a job.
func showTasksTable(resp *api.ShowResponse) listing.Table {
	t := listing.Texts("id")
	t.Column("stage", types.INT)
	t.Column("task", types.INT)
	t.Column("node", types.STRING)
	t.Column("state", types.STRING)
	t.Column("since", types.TIMESTAMP)
	taskColumns(&t)
	t.Column("seconds", types.FLOAT)
	t.Column("waited_seconds", types.FLOAT)
	j := resp.GetJob()
	runs := j.GetStatus() == state.Running.String() && j.GetAttempt() == resp.GetAttempt()
	for _, st := range resp.GetStages() {
		for _, task := range st.GetTasks() {
			d := task.GetDone()
			var since any
			if d.GetBeganMicros() != 0 {
				since = time.UnixMicro(d.GetBeganMicros())
			}
			what := "stopped" // with its attempt
			switch {
			case d.GetOver() && !d.GetFailed():
				what = "ended"
			case d.GetOver():
			case runs && since != nil:
				what = "runs"
			case runs:
				what = "begins"
			}
			t.Add(
				taskID(j.GetId(), d), d.GetStage(), d.GetTask(), task.GetNodeName(), what, since, d.GetRowsIn(), d.GetRowsOut(), d.GetBytes(),
				seconds(time.Duration(d.GetNanos())), seconds(time.Duration(d.GetWaitedNanos())),
			)
		}
	}
	return t
}

// taskColumns are those of what a task has done.
func taskColumns(t *listing.Table) {
	for _, name := range []string{"rows_in", "rows_out", "bytes"} {
		t.Column(name, types.INT)
	}
}

// taskID is what a task is called: its job, stage and number.
func taskID(job uint64, d *api.TaskProgress) string {
	return fmt.Sprintf("%d.%d.%d", job, d.GetStage(), d.GetTask())
}

// errSilent is that a listing lacks what some nodes would have told: it is shown all the same, and the command has failed.
func errSilent(nodes []string) error {
	if len(nodes) == 0 {
		return nil
	}
	return errors.New("no answer from " + strings.Join(nodes, ", ") + ": what runs there is not in the list")
}
