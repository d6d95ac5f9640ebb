package dag

import (
	"fmt"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/planner/logical"
)

// Config is what the shape of a graph depends on.
type Config struct {
	Parallelism int   // most tasks a stage has; at least 1
	SplitBytes  int64 // of a scan's splits: a source of one split is read by one task
}

// Build turns an optimised plan into stages.
func Build(plan *logical.Sink, cfg Config) (*Graph, error) {
	b := &builder{cfg: cfg, graph: &Graph{}, plan: plan, shared: map[int]*stream{}, sizes: logical.NewSizes(plan)}
	s := b.ordered(plan.Input)
	if plan.Target == nil {
		s = b.single(s)
		cols, err := s.positions(plan.Cols)
		if err != nil {
			return nil, err
		}
		b.graph.Schema = plan.Schema()
		s.add(&Result{Columns: cols})
	} else {
		b.into(s, plan)
	}
	if b.err != nil {
		return nil, b.err
	}
	b.renumber()
	return b.graph, b.graph.Check()
}

type builder struct {
	cfg    Config
	graph  *Graph
	plan   *logical.Sink
	shared map[int]*stream // the tables that several places read
	sizes  *logical.Sizes
	edges  int
	err    error
}

// stream is the output of the last operator of a stage that is being built.
type stream struct {
	stage  *Stage
	op     int
	cols   []logical.Column // what stands at each position
	inFile bool             // rows carry the order of the source's splits
	placed bool             // the last column, none of the plan's, is the row's position in the file
	spread []int            // columns by which rows have come to their tasks, by ID
}

func (b *builder) stage(tasks int) *Stage {
	st := &Stage{ID: len(b.graph.Stages), Tasks: tasks}
	b.graph.Stages = append(b.graph.Stages, st)
	return st
}

// add puts an operator behind the stream's last.
func (s *stream) add(spec Spec) *stream {
	op := Op{Spec: spec}
	if len(s.stage.Ops) > 0 {
		op.Inputs = []int{s.op}
	}
	s.stage.Ops = append(s.stage.Ops, op)
	s.op = len(s.stage.Ops) - 1
	return s
}

func (s *stream) positions(cols []logical.Column) ([]int, error) {
	out := make([]int, len(cols))
	for i, c := range cols {
		at := s.find(c.ID)
		if at < 0 {
			return nil, fmt.Errorf("internal: column %q (%d) is not in the input of its operator", c.Name, c.ID)
		}
		out[i] = at
	}
	return out, nil
}

func (s *stream) find(id int) int {
	for i, c := range s.cols {
		if c.ID == id {
			return i
		}
	}
	return -1
}

// bind turns column identities into positions.
func (b *builder) bind(s *stream, e expr.Expr) Expr {
	return Expr{expr.Rewrite(e, func(x expr.Expr) expr.Expr {
		c, ok := x.(*expr.Column)
		if !ok {
			return x
		}
		at := s.find(c.ID)
		if at < 0 {
			b.err = fmt.Errorf("internal: column %q (%d) is not in the input of its operator", c.Name, c.ID)
			at = 0
		}
		return &expr.Column{ID: at, Name: c.Name, T: c.T}
	})}
}

func (b *builder) keys(s *stream, keys []logical.SortKey) []SortKey {
	out := make([]SortKey, len(keys))
	for i, k := range keys {
		at := s.find(k.Column.ID)
		if at < 0 {
			b.err = fmt.Errorf("internal: sort key %q is not in the input", k.Column.Name)
		}
		out[i] = SortKey{Column: at, Desc: k.Desc, NullsFirst: k.NullsFirst}
	}
	return out
}

func typesOf(cols []logical.Column) []types.Type {
	out := make([]types.Type, len(cols))
	for i, c := range cols {
		out[i] = c.Type
	}
	return out
}

func namesOf(cols []logical.Column) []string {
	out := make([]string, len(cols))
	for i, c := range cols {
		out[i] = c.Name
	}
	return out
}

// exchange ends the stream's stage with an edge and begins another stage of tasks tasks.
func (b *builder) exchange(s *stream, tasks int, e Edge) *stream {
	next := b.stage(tasks)
	return b.connect(s, next, e)
}

// connect adds an edge from the stream to a stage, and the Receive at its end.
func (b *builder) connect(s *stream, next *Stage, e Edge) *stream {
	e.ID, e.To = b.edges, next.ID
	b.edges++
	s.stage.Outputs = append(s.stage.Outputs, e)
	next.Ops = append(next.Ops, Op{Spec: &Receive{Edge: e.ID, Types: typesOf(s.cols)}})
	return &stream{stage: next, op: len(next.Ops) - 1, cols: s.cols, inFile: s.inFile && e.Kind == Forward}
}

// single brings all rows to one task, in the order they have.
func (b *builder) single(s *stream) *stream {
	if s.placed {
		return b.merged(s)
	}
	if s.stage.Tasks == 1 {
		return s
	}
	if s.inFile {
		return b.exchange(s, 1, Edge{Kind: BySplit})
	}
	return b.exchange(s, 1, Edge{Kind: Gather})
}

// renumber puts producers before consumers.
func (b *builder) renumber() {
	var order []*Stage
	seen := map[*Stage]bool{}
	producers := map[int][]*Stage{}
	for _, st := range b.graph.Stages {
		for _, e := range st.Outputs {
			producers[e.To] = append(producers[e.To], st)
		}
	}
	var visit func(*Stage)
	visit = func(st *Stage) {
		if seen[st] {
			return
		}
		seen[st] = true
		for _, p := range producers[st.ID] {
			visit(p)
		}
		order = append(order, st)
	}
	for _, st := range b.graph.Stages {
		visit(st)
	}
	at := map[int]int{}
	for i, st := range order {
		at[st.ID] = i
	}
	for _, st := range order {
		st.ID = at[st.ID]
		for i := range st.Outputs {
			st.Outputs[i].To = at[st.Outputs[i].To]
		}
	}
	b.graph.Stages = order
}
