package process

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/files"
	"github.com/rainsql/rainsql/cluster/query"
	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/internal/enginetest"
	"github.com/rainsql/rainsql/internal/gen"
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
	put(t, embedded.Store, "signs.csv", text.Bytes())
	if err := embedded.Close(); err != nil {
		t.Fatal(err)
	}
	put(t, q.store, "signs.csv", text.Bytes())
	for _, src := range asked {
		if q.want[src], err = enginetest.Run(t, engine.Config{Store: own}, nil, "test.rql", src); err != nil {
			t.Fatal(err)
		}
	}
	return q
}

func put(t testing.TB, s *sdfs.Store, name string, data []byte) {
	t.Helper()
	w, err := s.Create(context.Background(), name, sdfs.MustNotExist)
	if err == nil {
		_, err = w.Write(data)
	}
	if err == nil {
		err = w.Commit(context.Background())
	}
	if err != nil {
		t.Fatal(err)
	}
}

// check runs a query and gives how long it took.
func (q *querying) check(src string) time.Duration {
	q.t.Helper()
	began := time.Now()
	got, err := enginetest.Run(q.t, q.cfg, nil, "test.rql", src)
	if err != nil || got != q.want[src] {
		q.t.Errorf("%s\n%v\n--- got\n%s--- want\n%s", src, err, got, q.want[src])
	}
	return time.Since(began)
}

// TestJobs kills servers of three in the midst of queries.
func TestJobs(t *testing.T) {
	if raceEnabled {
		t.Skip("servers are processes of their own, which the race detector does not see")
	}
	kills, rows := 6, 200_000
	if *chaos > 0 {
		kills, rows = 50, 1_000_000
	} else {
		t.Parallel()
	}
	c := New(t, program(t), Options{Servers: 3})
	q := newQuerying(t, c, rows)
	usual := map[string]time.Duration{}
	for _, src := range asked {
		q.check(src)
		usual[src] = q.check(src)
	}
	var took []time.Duration
	for i := range kills {
		src := asked[i%len(asked)]
		victim := c.Servers[rand.IntN(len(c.Servers))]
		what := "a server"
		if victim == c.Leader() {
			what = "the leader"
		}
		after := rand.N(usual[src] + 1)
		killed := make(chan struct{})
		time.AfterFunc(after, func() {
			defer close(killed)
			victim.Kill()
		})
		d := q.check(src)
		<-killed
		took = append(took, max(0, d-usual[src]))
		t.Logf("%s killed after %v of about %v: %v later than usual: %.40s", what, after.Round(time.Millisecond), usual[src].Round(time.Millisecond), took[i].Round(time.Millisecond), src)
		if t.Failed() {
			return
		}
		victim.Start()
		c.Settle()
	}
	slices.Sort(took)
	within(t, fmt.Sprintf("recovery of a query, 95%% of %d", kills), took[len(took)*95/100], 5*time.Second)
}
