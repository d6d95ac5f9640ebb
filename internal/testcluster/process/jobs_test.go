package process

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/files"
	"github.com/rainsql/rainsql/cluster/query"
	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/internal/enginetest"
	"github.com/rainsql/rainsql/internal/gen"
	"github.com/rainsql/rainsql/internal/testcluster"
	"github.com/rainsql/rainsql/sdfs"
)

// querying is who runs queries on a cluster, with the answers that an embedded engine gave.
type querying struct {
	t     testing.TB
	cl    *client.Client
	store *sdfs.Store
	cfg   engine.Config
	want  map[string]string
}

// asked are queries whose answers take no rows before their end: an aggregate, a sort, a join, and one that writes a file.
var asked = []string{
	"FROM 'signs.csv' AGGREGATE count(*) AS n, min(OBJECTID) AS a, max(OBJECTID) AS b BY Category SORT Category",
	"FROM 'signs.csv' AGGREGATE count(*) AS n BY Sign_Post, Category SORT n DESC, Sign_Post, Category LIMIT 20",
	"FROM 'signs.csv' SORT OBJECTID DESC LIMIT 50 TRANSFORM OBJECTID, Category",
	"FROM 'signs.csv' AS a JOIN 'signs.csv' AS b ON a.OBJECTID = b.OBJECTID AGGREGATE count(*) AS n BY a.Category AS c SORT c",
	"FROM 'signs.csv' FILTER Category = 'Warning' TRANSFORM OBJECTID INTO 'warnings.csv'; FROM 'warnings.csv' AGGREGATE count(*) AS n, sum(OBJECTID) AS s",
}

// newQuerying puts so many rows into the cluster.
func newQuerying(t testing.TB, c *Cluster, rows int) *querying {
	t.Helper()
	q := &querying{t: t, cl: c.Client(), want: map[string]string{}}
	q.store = files.Open(q.cl)
	t.Cleanup(func() {
		if err := q.store.Close(); err != nil {
			t.Error(err)
		}
	})
	q.cfg = engine.Config{Parallelism: 6, Files: q.store, Remote: true, Run: query.Runner(q.cl)}
	var text bytes.Buffer
	if err := gen.Signs(&text, int64(rows), 1); err != nil {
		t.Fatal(err)
	}
	own := sdfs.Config{Dir: t.TempDir()}
	embedded, err := sdfs.Open(t.Context(), own)
	if err != nil {
		t.Fatal(err)
	}
	testcluster.Put(t, embedded.Store, "signs.csv", text.Bytes())
	if err := embedded.Close(); err != nil {
		t.Fatal(err)
	}
	testcluster.Put(t, q.store, "signs.csv", text.Bytes())
	for _, src := range asked {
		if q.want[src], err = enginetest.Run(t, engine.Config{Store: own}, nil, "test.rql", src); err != nil {
			t.Fatal(err)
		}
	}
	return q
}

// check runs a query and gives how long it took.
func (q *querying) check(src string) time.Duration {
	q.t.Helper()
	began := time.Now()
	got, err := enginetest.Run(q.t, q.cfg, nil, "test.rql", src)
	if err != nil || got != q.want[src] {
		resp, _ := q.cl.Read(context.Background(), &api.ReadRequest{What: &api.ReadRequest_Jobs{Jobs: &api.JobQuery{}}})
		list := resp.GetJobs()
		q.t.Logf("asked at %v; the jobs are %v", began.UnixMicro(), list[max(0, len(list)-20):])
		q.t.Errorf("%s\n%v\n--- got\n%s--- want\n%s", src, err, got, q.want[src])
	}
	return time.Since(began)
}

// adds is a query that appends so many rows to a file each time: neither fewer nor more, whatever is killed.
const adds = "FROM 'signs.csv' FILTER Category = 'Warning' TRANSFORM OBJECTID INTO 'appended.csv' (mode = 'append')"

// appended checks that the file has the rows of so many runs.
func (q *querying) appended(times int) {
	q.t.Helper()
	const count = "AGGREGATE count(*) AS n, sum(OBJECTID) AS s"
	one, err := enginetest.Run(q.t, q.cfg, nil, "test.rql", "FROM 'signs.csv' FILTER Category = 'Warning' "+count)
	if err != nil {
		q.t.Fatal(err)
	}
	var n, s int
	if _, err := fmt.Sscanf(one, "n,s\n%d,%d", &n, &s); err != nil {
		q.t.Fatal(err)
	}
	got, err := enginetest.Run(q.t, q.cfg, nil, "test.rql", "FROM 'appended.csv' "+count)
	if want := fmt.Sprintf("n,s\n%d,%d\n", n*times, s*times); err != nil || got != want {
		q.t.Errorf("%d runs appended %q, not %q (%v)", times, got, want, err)
	}
}

// jobsCluster is three servers, and queries on them.
func jobsCluster(t *testing.T, rows int) (*Cluster, *querying) {
	t.Helper()
	if raceEnabled {
		t.Skip("servers are processes of their own, which the race detector does not see")
	}
	if *chaos > 0 {
		rows = 1_000_000
	} else {
		t.Parallel()
	}
	c := New(t, program(t), Options{Servers: 3})
	return c, newQuerying(t, c, rows)
}

// TestJobsKilled kills servers of three in the midst of queries: every answer is right, and soon there.
func TestJobsKilled(t *testing.T) {
	c, q := jobsCluster(t, 100_000)
	kills := 6
	if *chaos > 0 {
		kills = 50
	}
	if _, err := enginetest.Run(t, q.cfg, nil, "test.rql", adds); err != nil {
		t.Fatal(err)
	}
	q.want[adds] = ""
	times := 1
	var took []time.Duration
	for i, list := 0, append(slices.Clone(asked), adds); i < kills; i++ {
		src := list[i%len(list)]
		usual := q.check(src)
		if src == adds {
			times += 2
		}
		victim, what := c.Servers[rand.IntN(len(c.Servers))], "a server"
		if victim == c.Leader() {
			what = "the leader"
		}
		after := rand.N(usual + 1)
		killed := make(chan struct{})
		time.AfterFunc(after, func() {
			defer close(killed)
			victim.Kill()
		})
		took = append(took, max(0, q.check(src)-usual))
		<-killed
		t.Logf("%s killed after %v of about %v: %v later than usual: %.50s", what, after.Round(time.Millisecond), usual.Round(time.Millisecond), took[i].Round(time.Millisecond), src)
		q.appended(times)
		if t.Failed() {
			return
		}
		victim.Start()
		c.Settle()
	}
	slices.Sort(took)
	within(t, fmt.Sprintf("recovery of a query, 95%% of %d", kills), took[len(took)*95/100], 5*time.Second)
}

// TestJobsSoak has clients run queries while servers are killed, frozen, join and leave: no wrong answer, no job that is stuck, and
// nothing is left in the end.
func TestJobsSoak(t *testing.T) {
	c, q := jobsCluster(t, 50_000)
	clients, span := 3, 15*time.Second
	if *chaos > 0 {
		clients, span = 10, max(*chaos, 10*time.Minute)
	}
	q.warm(c)
	before := c.goroutines(t)
	ctx, cancel := context.WithTimeout(t.Context(), span)
	defer cancel()
	var work sync.WaitGroup
	var done, slowest atomic.Int64
	for range clients {
		work.Go(func() {
			for ctx.Err() == nil && !t.Failed() {
				d := q.check(asked[rand.IntN(len(asked)-1)]) // the last writes a file that others would read meanwhile
				done.Add(1)
				slowest.Store(max(slowest.Load(), int64(d)))
			}
		})
	}
	for n := 0; ctx.Err() == nil && !t.Failed(); n++ {
		time.Sleep(rand.N(2 * time.Second))
		victim := c.Servers[rand.IntN(len(c.Servers))]
		if n%4 == 3 {
			victim.Freeze()
			time.Sleep(rand.N(4 * time.Second))
			victim.Thaw()
		} else {
			victim.Kill()
			time.Sleep(rand.N(time.Second))
			victim.Start()
		}
		c.Settle()
	}
	work.Wait()
	t.Logf("%d queries, the slowest took %v", done.Load(), time.Duration(slowest.Load()).Round(time.Millisecond))
	c.Until("all that queries needed is gone", time.Minute, func() string {
		if now := c.goroutines(t); now > before+30 {
			return fmt.Sprintf("%d goroutines, before there were %d", now, before)
		}
		return ""
	})
}

// warm has each server run a query: connections that are made then stay.
func (q *querying) warm(c *Cluster) {
	q.t.Helper()
	for i := range c.Servers {
		by := *q
		by.cfg.Run = query.Runner(c.Client(i))
		by.check(asked[1])
	}
}

// goroutines is how many all servers have.
func (c *Cluster) goroutines(t *testing.T) int {
	total := 0
	for _, s := range c.Servers {
		n, err := s.Metric("go_goroutines")
		if err != nil {
			t.Fatal(s.Name, err)
		}
		total += int(n)
	}
	return total
}
