package testcluster

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rainsql/rainsql/cluster/files"
	"github.com/rainsql/rainsql/cluster/query"
	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/internal/enginetest"
	"github.com/rainsql/rainsql/sdfs"
)

// TestJobLimits: a query past a limit, or with a fault in its rows, ends everywhere, and the reason is in the log.
func TestJobLimits(t *testing.T) {
	three(t, func(t *testing.T, c *Cluster) {
		numbers(t, c)
		cl := c.Client(1)
		s := files.Open(cl)
		defer s.Close()
		cfg := engine.Config{Parallelism: 6, SplitBytes: 5000, Files: s, Remote: true, Run: query.Runner(cl)}
		for _, tc := range []struct{ src, status, reason string }{
			{"SET row_limit = 100; FROM 'numbers.csv'", "cancelled", "more than row_limit = 100 rows"},
			{"SET memory_limit = '20KB'; FROM 'numbers.csv' AGGREGATE count(*) AS k BY n AGGREGATE sum(k)", "failed", "more than memory_limit = 20KB"},
			{"FROM 'numbers.csv' TRANSFORM 10 // (n - 15000) AS x INTO 'x.csv'", "failed", "numbers.csv:15002: division by zero"},
			{"FROM 'numbers.csv' INTO 'numbers.csv' (mode = 'error')", "failed", "exists already"},
		} {
			_, err := enginetest.Run(t, cfg, nil, "test.rql", tc.src)
			if err == nil || !strings.Contains(err.Error(), tc.reason) {
				t.Errorf("%s: %v", tc.src, err)
			}
			c.idle()
			var status, reason string
			c.Until("the job has ended", time.Second, func() bool {
				j := last(t, cl)
				status, reason = j.GetStatus(), j.GetReason()
				return status != "running" && status != "queued"
			})
			if attempts := last(t, cl).GetAttempts(); status != tc.status || !strings.Contains(reason, tc.reason) || attempts != 1 {
				t.Errorf("%s: %s in %d attempts: %s", tc.src, status, attempts, reason)
			}
		}
		if _, err := s.Stat(t.Context(), "x.csv"); !errors.Is(err, sdfs.ErrNotFound) {
			t.Errorf("what failed has written a file: %v", err)
		}
	})
}

// TestJobsLeaveNothing: after queries that were done, failed, cancelled and hit by kills, no block is left that no file names, once leases have ended.
func TestJobsLeaveNothing(t *testing.T) {
	three(t, func(t *testing.T, c *Cluster) {
		numbers(t, c)
		cl := c.Client()
		into := "FROM 'numbers.csv' TRANSFORM n, word, n * 2 AS m INTO "
		c.slowScans(30 * time.Millisecond)
		for i := range 6 {
			done := asking(c, c.Client(0, 1, 2), t.Context(), fmt.Sprintf("%s'out%d.csv'", into, i%2), newRows())
			if i > 0 {
				time.Sleep(time.Duration(i*60) * time.Millisecond)
				victim := c.Servers[1+i%2]
				victim.Kill()
				if err := <-done; err != nil {
					t.Fatal(err)
				}
				victim.Start()
				c.Settle()
			} else if err := <-done; err != nil {
				t.Fatal(err)
			}
		}
		for range 3 {
			done := asking(c, c.Client(1), t.Context(), into+"'never.csv'", newRows())
			c.Until("it runs", time.Minute, func() bool { return last(t, cl).GetStatus() == "running" })
			time.Sleep(150 * time.Millisecond)
			cancelJob(t, cl, last(t, cl).GetId())
			if err := <-done; err == nil {
				t.Error("a job that was cancelled is done")
			}
		}
		c.idle()
		took := c.Until("no disk has a block that no file names", 3*time.Hour, func() bool { return c.Leader() != nil && c.strays() == 0 })
		t.Logf("gone after %v", took)
		want := strings.Count(string(get(t, files.Open(cl), "numbers.csv")), "\n")
		if got := strings.Count(string(get(t, files.Open(cl), "out0.csv")), "\n"); got != want {
			t.Errorf("%d lines, not %d", got, want)
		}
	})
}

// TestJobsWhileMembersChange: queries go on while servers join and leave, and the newcomers run them too.
func TestJobsWhileMembersChange(t *testing.T) {
	three(t, func(t *testing.T, c *Cluster) {
		numbers(t, c)
		c.slowScans(20 * time.Millisecond)
		asks := func(until func()) {
			t.Helper()
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				until()
			}()
			for n := 0; ; n++ {
				select {
				case <-ended:
					return
				default:
					(<-ask(t, c, 0, 12, sumQuery)).want(t, sumAnswer, "")
				}
			}
		}
		asks(func() {
			for _, name := range []string{"n4", "n5"} {
				s := c.Add(name)
				s.SlowScan(20 * time.Millisecond)
				s.Start()
				c.Settle()
			}
		})
		(<-ask(t, c, 0, 20, sumQuery)).want(t, sumAnswer, "")
		ran := map[string]bool{}
		for _, st := range showJob(t, c.Client(), last(t, c.Client()).GetId()).GetStages() {
			for _, k := range st.GetTasks() {
				ran[k.GetNodeName()] = true
			}
		}
		if len(ran) != 5 {
			t.Errorf("it ran on %v", ran)
		}
		gone := c.Servers[notLeader(1, 2)(c)]
		asks(func() {
			if err := c.leave(t.Context(), c.Client(), gone); err != nil {
				t.Error(err)
			}
		})
		c.Until("the last has ended", time.Second, func() bool { return last(t, c.Client()).GetStatus() == "done" })
		for _, j := range listJobs(t, c.Client()) {
			if j.GetStatus() != "done" {
				t.Errorf("%v", j)
			}
		}
	})
}
