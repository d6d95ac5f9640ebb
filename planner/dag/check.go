package dag

import (
	"fmt"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
)

// Bounds on what a graph may ask for, far above what a planner makes.
const (
	maxTasks  = 4096
	maxStages = 100_000
)

// Check reports whether the graph is well formed: every reference exists, every
// column has the type that its reader expects, every edge has two ends, and
// stages come in order. A graph that passes can be run.
func (g *Graph) Check() error {
	if len(g.Stages) == 0 || len(g.Stages) > maxStages {
		return fmt.Errorf("%d stages", len(g.Stages))
	}
	c := &checker{g: g, arriving: map[int][]types.Type{}, edges: map[int]end{}}
	for i, st := range g.Stages {
		if st == nil {
			return fmt.Errorf("stage %d is missing", i)
		}
		if err := c.stage(i, st); err != nil {
			return fmt.Errorf("stage %d: %w", i, err)
		}
	}
	for id, e := range c.edges {
		if !e.received {
			return fmt.Errorf("edge %d is not received", id)
		}
	}
	if err := g.checkSpools(); err != nil {
		return err
	}
	if err := g.checkInputs(); err != nil {
		return err
	}
	if c.results > 1 || (c.results == 0) != (g.Schema == nil) {
		return fmt.Errorf("%d results for a schema of %d columns", c.results, len(g.Schema))
	}
	return nil
}

type end struct {
	to       int
	kind     Kind
	tasks    int // of the producer
	received bool
}

type checker struct {
	g        *Graph
	edges    map[int]end
	arriving map[int][]types.Type
	results  int
}

func (c *checker) stage(i int, st *Stage) error {
	if st.ID != i {
		return fmt.Errorf("it is numbered %d", st.ID)
	}
	if st.Tasks < 1 || st.Tasks > maxTasks {
		return fmt.Errorf("%d tasks", st.Tasks)
	}
	if len(st.Ops) == 0 {
		return fmt.Errorf("no operators")
	}
	read := make([]bool, len(st.Ops))
	out := make([][]types.Type, len(st.Ops))
	for j, op := range st.Ops {
		var inputs [][]types.Type
		for _, in := range op.Inputs {
			if in < 0 || in >= j || read[in] {
				return fmt.Errorf("operator %d reads operator %d", j, in)
			}
			read[in] = true
			inputs = append(inputs, out[in])
		}
		ts, err := c.op(st, op.Spec, inputs)
		if err != nil {
			return fmt.Errorf("operator %d: %w", j, err)
		}
		out[j] = ts
	}
	for j := range st.Ops[:len(st.Ops)-1] {
		if !read[j] {
			return fmt.Errorf("nothing reads operator %d", j)
		}
	}
	last := len(st.Ops) - 1
	ends := false
	switch st.Ops[last].Spec.(type) {
	case *Sink, *Result:
		ends = true
	}
	if ends != (len(st.Outputs) == 0) {
		return fmt.Errorf("%d outputs after %s", len(st.Outputs), Name(st.Ops[last].Spec))
	}
	for _, e := range st.Outputs {
		if err := c.edge(i, st, e, out[last]); err != nil {
			return fmt.Errorf("edge %d: %w", e.ID, err)
		}
	}
	return nil
}

func (c *checker) edge(i int, st *Stage, e Edge, have []types.Type) error {
	if _, dup := c.edges[e.ID]; dup {
		return fmt.Errorf("it exists twice")
	}
	if e.To <= i || e.To >= len(c.g.Stages) || c.g.Stages[e.To] == nil {
		return fmt.Errorf("it leads to stage %d", e.To)
	}
	tasks := c.g.Stages[e.To].Tasks
	if e.Spool && e.Kind != Forward {
		return fmt.Errorf("a spool on %s", e.Kind)
	}
	switch e.Kind {
	case Forward:
		if tasks != st.Tasks {
			return fmt.Errorf("forward from %d tasks to %d", st.Tasks, tasks)
		}
	case Gather, BySplit, Merge:
		if tasks != 1 {
			return fmt.Errorf("%s to %d tasks", e.Kind, tasks)
		}
	case Hash, Broadcast, Rebalance:
	default:
		return fmt.Errorf("unknown exchange %q", e.Kind)
	}
	if err := inRange(e.Keys, len(have)); err != nil {
		return err
	}
	if err := sortKeys(e.Sort, have); err != nil {
		return err
	}
	if e.Kind == Merge && len(e.Sort) == 0 || e.Kind == Hash && len(e.Keys) == 0 && len(have) > 0 {
		return fmt.Errorf("%s without keys", e.Kind)
	}
	c.edges[e.ID] = end{to: e.To, kind: e.Kind, tasks: st.Tasks}
	c.arriving[e.ID] = have
	return nil
}

func inRange(cols []int, width int) error {
	for _, c := range cols {
		if c < 0 || c >= width {
			return fmt.Errorf("column %d of %d", c, width)
		}
	}
	return nil
}

func sortKeys(keys []SortKey, have []types.Type) error {
	for _, k := range keys {
		if err := inRange([]int{k.Column}, len(have)); err != nil {
			return err
		}
	}
	return nil
}

// arity is how many inputs an operator takes; -1 is one or more.
func arity(s Spec) int {
	switch s.(type) {
	case *Scan, *Range, *Values, *Receive:
		return 0
	case *Union:
		return -1
	case *SetOp, *Join:
		return 2
	}
	return 1
}

// mixed is an operator whose inputs need not have the same columns.
func mixed(s Spec) bool { _, ok := s.(*Join); return ok }

func (c *checker) op(st *Stage, s Spec, in [][]types.Type) ([]types.Type, error) {
	if s == nil {
		return nil, fmt.Errorf("it is missing")
	}
	if n := arity(s); n >= 0 && len(in) != n || n < 0 && len(in) == 0 {
		return nil, fmt.Errorf("%s with %d inputs", Name(s), len(in))
	}
	for i := 1; i < len(in) && !mixed(s); i++ {
		if err := sameTypes(in[0], in[i]); err != nil {
			return nil, fmt.Errorf("input %d: %w", i, err)
		}
	}
	switch s := s.(type) {
	case *Scan:
		return c.scan(s)
	case *Range:
		if s.Step == 0 || s.Columns < 0 || s.Columns > 1 || st.Tasks != 1 {
			return nil, fmt.Errorf("range by %d with %d columns in %d tasks", s.Step, s.Columns, st.Tasks)
		}
		return []types.Type{types.INT}[:s.Columns], nil
	case *Values:
		if s.Rows < 0 || st.Tasks != 1 || s.Rows > 0 && len(s.Types) > 0 {
			return nil, fmt.Errorf("values of %d rows", s.Rows)
		}
		return s.Types, nil
	case *Receive:
		return c.receive(st, s)
	case *Filter:
		return in[0], c.condition(&s.Cond, in[0])
	case *Project:
		if len(s.Names) != len(s.Exprs) {
			return nil, fmt.Errorf("%d names for %d columns", len(s.Names), len(s.Exprs))
		}
		return c.exprs(s.Exprs, in[0])
	case *Aggregate:
		return c.aggregate(s, in[0])
	case *Distinct:
		return in[0], inRange(s.Keys, len(in[0]))
	case *Position:
		return append(append([]types.Type(nil), in[0]...), types.INT), nil
	case *Sort:
		return in[0], sortKeys(s.Keys, in[0])
	case *TopK:
		if s.Count < 0 {
			return nil, fmt.Errorf("top %d", s.Count)
		}
		return in[0], sortKeys(s.Keys, in[0])
	case *Limit:
		if s.Offset < 0 {
			return nil, fmt.Errorf("offset %d", s.Offset)
		}
		return in[0], nil
	case *Union, *SetOp:
		return in[0], nil
	case *Join:
		return c.join(s, in[0], in[1])
	case *Window:
		return s.check(in[0])
	case *Exec:
		if s.Path == "" || len(s.Out) == 0 || s.Timeout < 0 {
			return nil, fmt.Errorf("exec of %q for %d columns", s.Path, len(s.Out))
		}
		out := make([]types.Type, len(s.Out))
		for i, f := range s.Out {
			out[i] = f.Type
		}
		return out, c.final(s.Columns, s.In, in[0])
	case *Unnest:
		if s.List.Expr == nil || s.List.Type().Kind != types.List {
			return nil, fmt.Errorf("unnest of no list")
		}
		return append(append([]types.Type(nil), in[0]...), *s.List.Type().Elem), expression(s.List.Expr, in[0])
	case *Sink:
		if err := s.checkSharing(st.Tasks); err != nil {
			return nil, err
		}
		return nil, c.final(s.Columns, s.Schema, in[0])
	case *Result:
		c.results++
		if st.Tasks != 1 {
			return nil, fmt.Errorf("a result in %d tasks", st.Tasks)
		}
		return nil, c.final(s.Columns, c.g.Schema, in[0])
	}
	return nil, fmt.Errorf("unknown operator %T", s)
}

func (c *checker) final(cols []int, schema types.Schema, in []types.Type) error {
	if err := inRange(cols, len(in)); err != nil {
		return err
	}
	if len(cols) != len(schema) {
		return fmt.Errorf("%d columns for a schema of %d", len(cols), len(schema))
	}
	for i, col := range cols {
		if !in[col].Equal(schema[i].Type) {
			return fmt.Errorf("column %q is %s, not %s", schema[i].Name, in[col], schema[i].Type)
		}
	}
	return nil
}

func sameTypes(a, b []types.Type) error {
	if len(a) != len(b) {
		return fmt.Errorf("%d columns, not %d", len(b), len(a))
	}
	for i := range a {
		if !a[i].Equal(b[i]) {
			return fmt.Errorf("column %d is %s, not %s", i, b[i], a[i])
		}
	}
	return nil
}

func (c *checker) scan(s *Scan) ([]types.Type, error) {
	out := make([]types.Type, 0, len(s.Columns))
	if len(s.Names) != len(s.Columns) {
		return nil, fmt.Errorf("%d names for %d columns", len(s.Names), len(s.Columns))
	}
	pseudo := connect.Pseudos()
	for _, col := range s.Columns {
		switch i, known, _ := pseudo.Index(string(col.Pseudo)); {
		case col.Index == -1 && known && pseudo[i].Name == string(col.Pseudo):
			out = append(out, pseudo[i].Type)
		case col.Pseudo == "" && col.Index >= 0 && col.Index < len(s.Stored):
			out = append(out, s.Stored[col.Index].Type)
		default:
			return nil, fmt.Errorf("scan of column %d %q", col.Index, col.Pseudo)
		}
	}
	if s.Filter != nil {
		return out, c.condition(s.Filter, out)
	}
	return out, nil
}

func (c *checker) receive(st *Stage, r *Receive) ([]types.Type, error) {
	e, ok := c.edges[r.Edge]
	if !ok || e.to != st.ID || e.received {
		return nil, fmt.Errorf("edge %d does not arrive here", r.Edge)
	}
	e.received = true
	c.edges[r.Edge] = e
	return r.Types, sameTypes(c.arriving[r.Edge], r.Types)
}

func (c *checker) condition(e *Expr, in []types.Type) error {
	if e.Expr == nil {
		return fmt.Errorf("a condition is missing")
	}
	if e.Type().Kind != types.Bool {
		return fmt.Errorf("a condition is %s", e.Type())
	}
	return expression(e.Expr, in)
}

func (c *checker) exprs(list []Expr, in []types.Type) ([]types.Type, error) {
	out := make([]types.Type, len(list))
	for i, e := range list {
		if e.Expr == nil {
			return nil, fmt.Errorf("an expression is missing")
		}
		if err := expression(e.Expr, in); err != nil {
			return nil, err
		}
		out[i] = e.Type()
	}
	return out, nil
}

// expression checks that every column it reads is there, with its type.
func expression(e expr.Expr, in []types.Type) (err error) {
	expr.Walk(e, func(x expr.Expr) bool {
		c, ok := x.(*expr.Column)
		if !ok || err != nil {
			return err == nil
		}
		switch {
		case c.ID < 0 || c.ID >= len(in):
			err = fmt.Errorf("column %d of %d", c.ID, len(in))
		case !in[c.ID].Equal(c.T):
			err = fmt.Errorf("column %d is %s, not %s", c.ID, in[c.ID], c.T)
		}
		return err == nil
	})
	return err
}

func (c *checker) aggregate(s *Aggregate, in []types.Type) ([]types.Type, error) {
	if len(s.Names) != len(s.Keys)+len(s.Aggs) {
		return nil, fmt.Errorf("%d names for %d columns", len(s.Names), len(s.Keys)+len(s.Aggs))
	}
	out, err := c.exprs(s.Keys, in)
	if err != nil {
		return nil, err
	}
	at := len(s.Keys)
	for _, a := range s.Aggs {
		if a.AggCall == nil {
			return nil, fmt.Errorf("an aggregate is missing")
		}
		states := a.StateTypes()
		switch s.Mode {
		case Final:
			if at+len(states) > len(in) {
				return nil, fmt.Errorf("the states of %s are missing", a.Fn)
			}
			if err := sameTypes(states, in[at:at+len(states)]); err != nil {
				return nil, err
			}
			at += len(states)
			out = append(out, a.T)
			continue
		case Partial:
			out = append(out, states...)
		case Whole:
			out = append(out, a.T)
		default:
			return nil, fmt.Errorf("unknown mode %q", s.Mode)
		}
		if s.Mode == Partial && !a.Splittable() {
			return nil, fmt.Errorf("%s cannot be computed in two steps", a.Fn)
		}
		for _, e := range a.Exprs() {
			if err := expression(e, in); err != nil {
				return nil, err
			}
		}
	}
	if s.Mode == Final && at != len(in) {
		return nil, fmt.Errorf("%d columns beside the states", len(in)-at)
	}
	if s.Mode != Whole && s.Mode != Final && s.Mode != Partial {
		return nil, fmt.Errorf("unknown mode %q", s.Mode)
	}
	return out, nil
}
