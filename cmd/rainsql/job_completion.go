package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/state"
)

// tabTime is how long a cluster is waited for when a shell asks, for Tab: it shows no errors and waits for no one.
const tabTime = time.Second

// completeOne completes the one argument of a command by what find gives.
func (f *clusterFlags) completeOne(find func(context.Context, *client.Client) ([]cobra.Completion, error)) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
		const directive = cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveKeepOrder
		if len(args) > 0 {
			return nil, directive
		}
		f.wait = tabTime
		var list []cobra.Completion
		err := f.with(cmd.Context(), func(ctx context.Context, c *client.Client) (err error) {
			list, err = find(ctx, c)
			return err
		})
		if err != nil {
			return nil, directive
		}
		return slices.DeleteFunc(list, func(s cobra.Completion) bool { return !strings.HasPrefix(s, word) }), directive
	}
}

// completeJobs completes the ids of jobs, the newest first; under tells that only those count that have not ended.
func (f *clusterFlags) completeJobs(under bool) cobra.CompletionFunc {
	return f.completeOne(func(ctx context.Context, c *client.Client) ([]cobra.Completion, error) {
		resp, err := c.Read(ctx, &api.ReadRequest{Local: true, What: &api.ReadRequest_Jobs{Jobs: &api.JobQuery{}}})
		var list []cobra.Completion
		for _, j := range slices.Backward(resp.GetJobs()) {
			if !under || j.GetStatus() == state.Queued.String() || j.GetStatus() == state.Running.String() {
				list = append(list, cobra.CompletionWithDesc(fmt.Sprint(j.GetId()), j.GetStatus()+", "+j.GetText()))
			}
		}
		return list, err
	})
}

// completeTasks completes the ids of tasks that run.
func (f *clusterFlags) completeTasks(ctx context.Context, c *client.Client) ([]cobra.Completion, error) {
	resp, err := runningTasks(ctx, c, 0)
	var list []cobra.Completion
	for _, t := range resp.GetTasks() {
		list = append(list, cobra.CompletionWithDesc(taskID(t.GetJob(), t.GetDone()), t.GetNodeName()+", "+t.GetOperators()))
	}
	return list, err
}
