package state

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

func on(nodes ...byte) (list []Holder) {
	for _, n := range nodes {
		list = append(list, Holder{Node: id(n), Incarnation: 1})
	}
	return list
}

func (c *cluster) submit(key, gateway byte) Result {
	return c.do(Entry{Kind: JobSubmit, Key: id(key), Width: 4, Servers: on(gateway), Name: "ann", Value: "FROM t"})
}

func (c *cluster) job(key byte) *Job {
	c.t.Helper()
	j, ok := c.s.JobByKey(id(key))
	if !ok {
		c.t.Fatalf("no job of key %d", key)
	}
	return j
}

// attempt begins one, and gives its number.
func (c *cluster) attempt(key byte, nodes ...byte) uint64 {
	c.t.Helper()
	if res := c.do(Entry{Kind: JobAttempt, Job: c.job(key).ID, Servers: on(nodes...)}); res.Err != nil {
		c.t.Fatal(res.Err)
	}
	return c.job(key).Attempt
}

func (c *cluster) want(key byte, status JobStatus, slots int, reason string) {
	c.t.Helper()
	if j := c.job(key); j.Status != status || len(j.Slots) != slots || !strings.Contains(j.Reason, reason) {
		c.t.Errorf("%v in %d slots (%q), not %v in %d (%q)", j.Status, len(j.Slots), j.Reason, status, slots, reason)
	}
}

// TestJob follows docs/jobs.md, "A job and its attempts".
func TestJob(t *testing.T) {
	c := newCluster(t)
	c.submit(1, 1)
	c.want(1, Queued, 0, "")
	first := c.attempt(1, 2, 3, 2)
	c.want(1, Running, 3, "")
	if j := c.job(1); first != c.index || j.ID == first || j.User != "ann" || j.Text != "FROM t" || j.Width != 4 {
		t.Errorf("%+v", j)
	}
	id1 := c.job(1).ID
	refused := func(e Entry, want error) {
		t.Helper()
		before := *c.job(1)
		if res := c.do(e); !errors.Is(res.Err, want) {
			t.Errorf("%+v: %v, not %v", e, res.Err, want)
		}
		if after := c.job(1); fmt.Sprint(before) != fmt.Sprint(*after) {
			t.Errorf("a refusal made %+v of %+v", *after, before)
		}
	}
	refused(Entry{Kind: JobAttempt, Job: id1, Servers: on(1)}, ErrAttempt)
	refused(Entry{Kind: JobFail, Job: id1, Attempt: first - 1}, ErrAttempt)
	refused(Entry{Kind: JobEnd, Job: id1, Attempt: first - 1, Outcome: Done}, ErrAttempt)
	refused(Entry{Kind: JobEnd, Job: id1, Outcome: Running}, ErrEntry)
	refused(Entry{Kind: JobEnd, Job: 999, Outcome: Done}, ErrNoJob)
	c.submit(1, 1) // who asks again at the same gateway has it begin anew
	c.want(1, Queued, 0, "")
	if j := c.job(1); len(j.Avoid) != 0 {
		t.Errorf("the next attempt avoids %v", j.Avoid)
	}
	first = c.attempt(1, 2, 3, 2)
	c.submit(1, 2) // at another it takes the job over
	c.want(1, Queued, 0, "")
	if j := c.job(1); len(j.Avoid) != 1 || j.Avoid[0] != on(1)[0] {
		t.Errorf("the next attempt avoids %v", j.Avoid)
	}
	refused(Entry{Kind: JobEnd, Job: id1, Attempt: first, Outcome: Done}, ErrAttempt)
	refused(Entry{Kind: JobEnd, Job: id1, Outcome: Cancelled, Servers: on(1)}, ErrAttempt) // the gateway that was
	refused(Entry{Kind: JobAttempt, Job: id1}, ErrEntry)
	second := c.attempt(1, 3)
	c.do(Entry{Kind: JobFail, Job: id1, Attempt: second, Value: "n3 is down", Servers: on(3)})
	c.want(1, Queued, 0, "n3 is down")
	if j := c.job(1); len(j.Avoid) != 1 || j.Avoid[0] != on(3)[0] || j.Attempts != 3 {
		t.Errorf("%+v", j)
	}
	third := c.attempt(1, 1)
	c.do(Entry{Kind: JobEnd, Job: id1, Attempt: third, Outcome: Done, Rows: 7})
	c.want(1, Done, 0, "")
	if c.job(1).Rows != 7 {
		t.Error("its rows:", c.job(1).Rows)
	}
	refused(Entry{Kind: JobEnd, Job: id1, Outcome: Cancelled}, ErrJobOver)
	c.submit(1, 3)
	c.want(1, Done, 0, "")
	c.submit(2, 1)
	c.do(Entry{Kind: JobEnd, Job: c.job(2).ID, Outcome: Cancelled, Value: "not wanted"})
	c.want(2, Cancelled, 0, "not wanted")
}

// TestJobFails: the fifth attempt that fails within a minute of the first of them is the last; spread over more time they may be more.
func TestJobFails(t *testing.T) {
	for _, tc := range []struct {
		apart int64 // seconds
		fails int
		want  JobStatus
	}{{1, 4, Queued}, {1, 5, Failed}, {14, 5, Failed}, {16, 12, Queued}} {
		c := newCluster(t)
		c.submit(1, 1)
		for i := range tc.fails {
			at := int64(i+1) * tc.apart * 1e6
			c.do(Entry{Kind: JobFail, Job: c.job(1).ID, Attempt: c.attempt(1, 2), Time: at, Value: "broken"})
		}
		c.want(1, tc.want, 0, "broken")
	}
}

// TestJobCommit: what the current attempt wrote appears as the job ends; what another wrote never does.
func TestJobCommit(t *testing.T) {
	c := newCluster(t)
	c.join(1, 1)
	c.do(Entry{Kind: Ready, Node: id(1), Incarnation: 1})
	lease := namespace.Entry{Kind: namespace.LeaseOpen, Lease: 5, Until: 1 << 50}
	if res := c.do(Entry{Kind: Files, Files: lease}); res.Err != nil {
		t.Fatal(res.Err)
	}
	c.submit(1, 1)
	first := c.attempt(1, 1)
	c.submit(1, 2)
	second := c.attempt(1, 1)
	commit := func(attempt uint64, held []Holder) error {
		block := namespace.Block{ID: namespace.BlockID{1, byte(attempt)}, Length: 10}
		return c.do(Entry{
			Kind: JobCommit, Job: c.job(1).ID, Attempt: attempt, Rows: 3, Client: 9, Seq: 1,
			Files: namespace.Entry{Kind: namespace.Append, Name: "out.csv", Lease: 5, Blocks: []namespace.Block{block}},
			Held:  Held{Nodes: held, Blocks: [][]int{{0}}},
		}).Err
	}
	size := func() int64 {
		f, ok := c.s.Files().Get("out.csv")
		if !ok {
			return 0
		}
		return f.Blocks.Size()
	}
	if err := commit(first, on(1)); !errors.Is(err, ErrAttempt) || size() != 0 {
		t.Errorf("of an attempt that was: %v, %d bytes", err, size())
	}
	if err := commit(second, on(7)); !errors.Is(err, namespace.ErrHolders) || size() != 0 {
		t.Errorf("of blocks that nobody has: %v, %d bytes", err, size())
	}
	c.want(1, Running, 1, "")
	if err := commit(second, on(1)); err != nil || size() != 10 {
		t.Errorf("%v, %d bytes", err, size())
	}
	c.want(1, Done, 0, "")
	if err := commit(second, on(1)); !errors.Is(err, ErrJobOver) || size() != 10 {
		t.Errorf("again: %v, %d bytes", err, size())
	}
}

// TestJobsForgotten: a thousand that ended are remembered, and those that have not are never forgotten.
func TestJobsForgotten(t *testing.T) {
	c := newCluster(t)
	submit := func(n int) Result {
		return c.do(Entry{Kind: JobSubmit, Key: ID{0: 1, 14: byte(n >> 8), 15: byte(n)}, Width: 1, Servers: on(1)})
	}
	submit(0)
	for n := 1; n <= maxOver+5; n++ {
		submit(n)
		c.do(Entry{Kind: JobEnd, Job: c.index, Outcome: Cancelled})
	}
	count, first := 0, uint64(0)
	for j := range c.s.Jobs() {
		if count++; count == 2 {
			first = j.ID
		}
	}
	if count != maxOver+1 || first != 2+1+2*5 { // founded, submitted 0, and five pairs of entries
		t.Errorf("%d jobs, the oldest that ended is %d", count, first)
	}
	if _, ok := c.s.JobByKey(ID{0: 1, 15: 1}); ok {
		t.Error("the key of a job that was forgotten is known")
	}
	for n := range maxUnder {
		if res := submit(10000 + n); (res.Err != nil) != (n == maxUnder-1) {
			t.Fatalf("job %d: %v", n, res.Err)
		}
	}
}

// TestJobsSnapshot: jobs and slots come back as they were.
func TestJobsSnapshot(t *testing.T) {
	c := newCluster(t)
	c.do(Entry{Kind: Join, Node: id(1), Incarnation: 1, Name: "n1", Addr: "h:1", Slots: 8})
	for key := range byte(3) {
		c.submit(key+1, 1)
	}
	c.attempt(1, 1, 1)
	c.do(Entry{Kind: JobFail, Job: c.job(2).ID, Attempt: c.attempt(2, 1), Value: "broken", Servers: on(1)})
	c.do(Entry{Kind: JobEnd, Job: c.job(3).ID, Outcome: Done, Rows: 5})
	var first, second bytes.Buffer
	if err := c.s.Snapshot(&first); err != nil {
		t.Fatal(err)
	}
	back, err := Restore(bytes.NewReader(first.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	for j := range c.s.Jobs() {
		if other, ok := back.Job(j.ID); !ok || fmt.Sprint(*other) != fmt.Sprint(*j) {
			t.Errorf("%+v came back as %+v", *j, other)
		}
	}
	if n, _ := back.Node(id(1)); n.Slots != 8 || back.jobsOver != 1 {
		t.Errorf("%d slots, %d jobs that ended", n.Slots, back.jobsOver)
	}
	if err := back.Snapshot(&second); err != nil || !bytes.Equal(first.Bytes(), second.Bytes()) {
		t.Error("another snapshot of it is another", err)
	}
}
