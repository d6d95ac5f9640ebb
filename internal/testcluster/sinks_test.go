package testcluster

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/files"
	"github.com/rainsql/rainsql/sdfs"
)

// everyThird is what of numbers a query writes that filters.
func everyThird(s *strings.Builder) string {
	s.WriteString("n,word\n")
	for i := 0; i < numbersRows; i += 3 {
		fmt.Fprintf(s, "%d,w%d\n", i, i%7)
	}
	return s.String()
}

const thirdQuery = "FROM 'numbers.csv' FILTER n % 3 = 0 TEE INTO 'parts/' (format = 'csv') INTO 'third.csv'"

// thirds checks what it has written.
func thirds(t *testing.T, s *sdfs.Store) {
	t.Helper()
	var want strings.Builder
	if got := string(get(t, s, "third.csv")); got != everyThird(&want) {
		t.Errorf("third.csv has %d bytes, or others: %.100q", len(got), got)
	}
	lines := strings.Split(want.String(), "\n")
	var have []string
	list, err := s.List(t.Context(), "parts/*")
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	for _, info := range list {
		_, rows, _ := strings.Cut(string(get(t, s, info.Name)), "\n")
		have = append(have, strings.Split(strings.TrimSuffix(rows, "\n"), "\n")...)
	}
	slices.Sort(have)
	want.Reset()
	rows := lines[1 : len(lines)-1]
	slices.Sort(rows)
	if !slices.Equal(have, rows) {
		t.Errorf("the parts have %d rows, or others than the %d", len(have), len(rows))
	}
}

// TestSinks: tasks of three servers write a file, in order, and the parts of a folder, all in one step; what was there before goes with its blocks.
func TestSinks(t *testing.T) {
	three(t, func(t *testing.T, c *Cluster) {
		numbers(t, c)
		s := files.Open(c.Client(1))
		defer s.Close()
		put(t, s, "parts/of/before", random(1, 1<<20))
		for _, gateway := range []int{0, 2} {
			(<-ask(t, c, gateway, 6, thirdQuery)).want(t, "", "")
			thirds(t, s)
		}
		info, err := s.Stat(t.Context(), "third.csv")
		if err != nil || info.Blocks > 26 {
			t.Errorf("%d blocks, %v", info.Blocks, err)
		}
		if list, err := s.List(t.Context(), "parts/**"); err != nil || len(list) > 6 || slices.ContainsFunc(list, func(i sdfs.Info) bool { return i.Name == "parts/of/before" }) {
			t.Error(list, err)
		}
		(<-ask(t, c, 1, 6, "FROM 'third.csv' FILTER n = 0 INTO 'third.csv' (mode = 'append'); FROM 'third.csv' AGGREGATE count(*) AS c, sum(n) AS s")).want(t, "c,s\n6668,66663333\n", "")
		(<-ask(t, c, 1, 6, "FROM 'third.csv' FILTER n < 9 TRANSFORM n INTO 'parts/' (mode = 'error')")).want(t, "", "parts/: has files already")
		(<-ask(t, c, 1, 6, "FROM 'numbers.csv' TEE INTO 'never.csv' TRANSFORM 1 // (n - 15000) AS n INTO 'parts/'")).want(t, "", "division by zero")
		if _, err := s.Stat(t.Context(), "never.csv"); err == nil {
			t.Error("a file of a query that failed")
		}
		c.idle()
		took := c.Until("what was replaced or given up is on no disk", 3*time.Hour, func() bool { return c.strays() == 0 })
		t.Logf("gone after %v", took)
	})
}

// TestSinksOfTwoAttempts: an attempt that has failed leaves nothing in what the next one writes.
func TestSinksOfTwoAttempts(t *testing.T) {
	three(t, func(t *testing.T, c *Cluster) {
		numbers(t, c)
		s := files.Open(c.Client(2))
		defer s.Close()
		c.slowScans(700 * time.Millisecond)
		ch := ask(t, c, 0, 6, thirdQuery)
		cl := c.Client(2)
		id := c.until(cl, "running")[0].GetId()
		time.Sleep(time.Second)
		resp := call(t, cl, func(ctx context.Context, s api.JobsClient) (*api.KillResponse, error) {
			return s.Kill(ctx, &api.KillRequest{Job: id, Stage: 0, Task: 1})
		})
		if resp.GetRefusal() != "" {
			t.Fatal(resp)
		}
		(<-ch).want(t, "", "")
		if j := c.until(cl, "done")[0]; j.GetAttempts() != 2 || j.GetRows() != 2*(numbersRows+2)/3 {
			t.Errorf("%v", j)
		}
		thirds(t, s)
		c.idle()
		c.Until("what the first attempt wrote is on no disk", 3*time.Hour, func() bool { return c.strays() == 0 })
	})
}
