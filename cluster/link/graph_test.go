package link_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc"

	. "github.com/rainsql/rainsql/cluster/link"
	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/exec/exchange"
	"github.com/rainsql/rainsql/exec/task"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/internal/enginetest"
	"github.com/rainsql/rainsql/planner/dag"
)

// parts runs graphs in n parts that know each other by links alone, as an attempt would: task i of a stage is in part (first task's + i) % n.
func parts(t testing.TB, n int) func(context.Context, *dag.Graph, *task.Runtime, *task.Stats) (*task.Report, error) {
	return func(ctx context.Context, g *dag.Graph, rt *task.Runtime, stats *task.Stats) (*task.Report, error) {
		return nil, attempt(ctx, t, g, rt, stats, n)
	}
}

// cut is a graph in parts.
type cut struct {
	t       testing.TB
	ctx     context.Context
	n       int
	base    []int // by stage: the part of its first task
	graph   *dag.Graph
	edges   map[int]dag.Edge
	from    map[int]*dag.Stage // the producers of an edge
	types   map[int][]types.Type
	running []*task.Running
	ready   chan struct{}
	splits  map[[2]int]task.Splits

	mu     sync.Mutex
	broken []error // links
	links  int
}

type uncommitted struct{ task.Opener }

func (uncommitted) Commit(context.Context) error { return nil }

func attempt(outer context.Context, t testing.TB, g *dag.Graph, rt *task.Runtime, stats *task.Stats, n int) (err error) {
	c := &cut{
		t: t, n: n, graph: g, base: make([]int, len(g.Stages)), ready: make(chan struct{}), splits: map[[2]int]task.Splits{},
		edges: map[int]dag.Edge{}, from: map[int]*dag.Stage{}, types: map[int][]types.Type{},
	}
	for i, st := range g.Stages {
		c.base[i] = i
		for _, e := range st.Outputs {
			c.edges[e.ID], c.from[e.ID] = e, st
		}
		for _, o := range st.Ops {
			if r, ok := o.Spec.(*dag.Receive); ok {
				c.types[r.Edge] = r.Types
			}
		}
	}
	for again := true; again; { // stages joined by a forward edge are together
		again = false
		for id, e := range c.edges {
			if from := c.from[id].ID; e.Kind == dag.Forward && c.base[from] != c.base[e.To] {
				least := min(c.base[from], c.base[e.To])
				c.base[from], c.base[e.To], again = least, least, true
			}
		}
	}
	ctx, end := context.WithCancelCause(outer)
	c.ctx = ctx
	var servers []*grpc.Server
	var conns []*grpc.ClientConn
	for k := range n {
		s, l := grpc.NewServer(ServerOptions()...), NewListener()
		Register(s, func(h Head, stream grpc.ServerStream) error { return c.serve(k, h, stream, rt) })
		go func() { _ = s.Serve(l) }()
		servers, conns = append(servers, s), append(conns, Connect(t, l))
	}
	outs := make([]map[[2]int]*Out, n)
	closeOuts := func() (err error) {
		for k := range outs {
			for _, o := range outs[k] {
				err = errors.Join(err, o.Close())
			}
		}
		return err
	}
	defer func() {
		end(errors.New("the attempt has ended"))
		_ = closeOuts()
		for _, c := range conns {
			_ = c.Close()
		}
		for _, s := range servers {
			s.Stop()
		}
		for _, p := range c.running {
			err = errors.Join(err, p.Close())
		}
	}()
	own := *rt
	own.Opener = uncommitted{rt.Opener}
	for k := range n {
		outs[k] = map[[2]int]*Out{}
		part := task.Part{
			Here: func(stage, index int) bool { return c.at(stage, index) == k },
			Away: func(edge, producer, consumer int) exchange.Away {
				to := c.at(c.edges[edge].To, consumer)
				key := [2]int{edge, to}
				if outs[k][key] == nil {
					e := Edge{Types: c.types[edge], Credit: exchange.Credit(c.edges[edge].Kind), Mem: rt.Env.Alloc}
					o, err := Open(ctx, conns[to], Node(to), Head{Job: 1, Attempt: 1, Edge: edge, From: Node(k)}, e, c.fail)
					if err != nil {
						t.Error(err)
					}
					outs[k][key] = o
				}
				return outs[k][key].Way(producer, consumer)
			},
			Splits: func(stage, op int, splits []connect.Split, _ bool) task.Splits {
				key := [2]int{stage, op}
				if c.splits[key] == nil {
					c.splits[key] = task.NewSplits(len(splits))
				}
				return c.splits[key]
			},
			Failed: func(error) {
				for _, o := range outs[k] {
					o.Silence()
				}
			},
		}
		p, err := task.Start(ctx, g, part, &own, stats)
		if p != nil {
			c.running = append(c.running, p)
		}
		if err != nil {
			return err
		}
	}
	close(c.ready)
	var work sync.WaitGroup
	for _, p := range c.running {
		work.Go(func() {
			if err := p.Run(ctx); err != nil {
				end(err)
			}
		})
	}
	work.Wait()
	if err := context.Cause(ctx); err != nil {
		return err
	}
	if err := closeOuts(); err != nil {
		t.Errorf("a link of a query that went well: %v", err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.broken) > 0 {
		t.Errorf("links of a query that went well: %v", c.broken)
	}
	for _, p := range c.running {
		if err := p.Commit(outer); err != nil {
			return err
		}
	}
	return rt.Opener.Commit(outer)
}

func (c *cut) at(stage, index int) int { return (c.base[stage] + index) % c.n }

func (c *cut) fail(err error) {
	if c.ctx.Err() == nil {
		c.t.Errorf("a link breaks: %v", err)
	}
}

func (c *cut) serve(k int, h Head, stream grpc.ServerStream, rt *task.Runtime) error {
	select {
	case <-c.ready:
	case <-c.ctx.Done():
		return context.Cause(c.ctx)
	}
	var pairs []Pair
	from, to := c.from[h.Edge], c.graph.Stages[c.edges[h.Edge].To]
	for p := range from.Tasks {
		for q := range to.Tasks {
			if Node(c.at(from.ID, p)) == h.From && c.at(to.ID, q) == k {
				pairs = append(pairs, Pair{p, q})
			}
		}
	}
	err := Serve(c.ctx, stream, h, Edge{Types: c.types[h.Edge], Mem: rt.Env.Alloc}, c.running[k], pairs)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.links++
	if err != nil {
		c.broken = append(c.broken, err)
	}
	return err
}

// TestQueries runs queries in three parts, whose results are those of one.
func TestQueries(t *testing.T) {
	var rows strings.Builder
	rows.WriteString("id,name,town,amount,day\n")
	for i := range 3000 {
		fmt.Fprintf(&rows, "%d,name %d of the people who bought something,town %d,%d.5,2026-01-%02d\n", i, i%700, i%37, i%911, i%28+1)
	}
	path := filepath.Join(t.TempDir(), "sales.csv")
	if err := os.WriteFile(path, []byte(rows.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, src := range queries {
		src = strings.ReplaceAll(src, "sales", "'"+path+"'")
		want, err := enginetest.Run(t, engine.Config{Parallelism: 1}, nil, "one", src)
		if err != nil {
			t.Errorf("%s: %v", src, err)
			continue
		}
		if want == "" {
			t.Errorf("%s gives nothing", src)
		}
		for _, n := range []int{2, 3} {
			got, err := enginetest.Run(t, engine.Config{Parallelism: 4, SplitBytes: 5000, Run: parts(t, n)}, nil, "parts", src)
			if err != nil || got != want {
				t.Errorf("%s in %d parts: %v\n%.500s\nnot\n%.500s", src, n, err, got, want)
			}
		}
	}
}

var queries = []string{
	"FROM sales FILTER amount > 100 TRANSFORM id, name",
	"FROM sales AGGREGATE count(*) AS n, sum(amount) AS total, min(name) AS first BY town SORT town",
	"FROM sales SORT amount DESC, id TRANSFORM id, town LIMIT 100",
	"FROM sales SORT name, id",
	"FROM sales TRANSFORM town DISTINCT SORT town",
	"FROM sales LIMIT 7",
	"FROM sales AS a JOIN sales AS b ON a.id = b.id + 1 FILTER b.amount < 300 TRANSFORM a.id, b.name, a.town SORT id",
	"FROM sales TRANSFORM town UNION (FROM sales FILTER id < 3 TRANSFORM name) SORT town",
	"FROM sales FILTER id < 0 AGGREGATE count(*) AS n, max(name) AS m",
}

// TestFailingQuery: what fails a part is the error of the query, and no link's.
func TestFailingQuery(t *testing.T) {
	var rows strings.Builder
	rows.WriteString("id\n")
	for i := range 20_000 {
		fmt.Fprintln(&rows, i)
	}
	path := filepath.Join(t.TempDir(), "n.csv")
	if err := os.WriteFile(path, []byte(rows.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		src := "FROM '" + path + "' TRANSFORM id, 1 // (id - 9000) AS d AGGREGATE count(*) AS n, sum(d) AS s BY id % 100 AS k SORT k"
		got, err := enginetest.Run(t, engine.Config{Parallelism: 4, SplitBytes: 5000, Run: parts(t, 3)}, nil, "parts", src)
		if err == nil || !strings.Contains(err.Error(), "division by zero") || errors.As(err, new(*Error)) || got != "" {
			t.Errorf("%v, with %q", err, got)
		}
	}
}
