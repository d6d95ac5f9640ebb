package dag

import (
	"fmt"

	"github.com/rainsql/rainsql/connect"
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/planner/logical"
)

// node is the one place where nodes of the logical plan become operators.
func (b *builder) node(n logical.Node) *stream {
	switch n := n.(type) {
	case *logical.Scan:
		return b.scan(n)
	case *logical.Range:
		return b.leaf(&Range{From: n.From, To: n.To, Step: n.Step, Columns: len(n.Out)}, n.Out)
	case *logical.Values:
		return b.leaf(&Values{Rows: n.Rows}, nil)
	case *logical.Empty:
		return b.leaf(&Values{Types: typesOf(n.Out)}, n.Out)
	case *logical.Filter:
		s := b.node(n.Input)
		return s.add(&Filter{Cond: b.bind(s, n.Cond)})
	case *logical.Project:
		return b.project(n)
	case *logical.Aggregate:
		return b.aggregate(n)
	case *logical.Distinct:
		return b.distinct(n)
	case *logical.Sort:
		return b.sort(b.ordered(n.Input), n.Keys, -1, 0)
	case *logical.TopK:
		return b.sort(b.ordered(n.Input), n.Keys, n.Count, n.Offset)
	case *logical.Limit:
		return b.limit(n)
	case *logical.SetOp:
		return b.setOp(n)
	case *logical.Tee:
		return b.tee(n)
	case *logical.Join:
		return b.unplaced(b.join(n))
	case *logical.Window:
		return b.unplaced(b.window(n))
	case *logical.Unnest:
		s := b.node(n.Input)
		s.add(&Unnest{List: b.bind(s, n.List), Name: n.Element.Name})
		s.cols = n.Columns()
		return s
	case *logical.Exec:
		return b.exec(n)
	case *logical.SharedScan:
		return b.unplaced(b.sharedScan(n))
	}
	b.err = fmt.Errorf("internal: no stage for %T", n)
	return b.leaf(&Values{}, n.Columns())
}

func (b *builder) leaf(spec Spec, cols []logical.Column) *stream {
	s := &stream{stage: b.stage(1), cols: cols}
	return s.add(spec)
}

func (b *builder) scan(n *logical.Scan) *stream {
	tasks := b.cfg.Parallelism
	if n.Size >= 0 && b.cfg.SplitBytes > 0 {
		splits := (n.Size + b.cfg.SplitBytes - 1) / b.cfg.SplitBytes
		tasks = int(max(1, min(int64(tasks), splits)))
	}
	if n.Size < 0 {
		tasks = 1
	}
	s := &stream{stage: b.stage(tasks), cols: n.Columns(), inFile: tasks > 1}
	spec := &Scan{Path: n.Path, Options: n.Options, Stored: n.Schema, Columns: []connect.Column{}, Names: namesOf(s.cols)}
	for _, c := range n.Out {
		spec.Columns = append(spec.Columns, c.From)
	}
	if n.Filter != nil {
		cond := b.bind(s, n.Filter)
		spec.Filter = &cond
	}
	return s.add(spec)
}

func (b *builder) project(n *logical.Project) *stream {
	s := b.node(n.Input)
	p := &Project{Exprs: []Expr{}, Names: []string{}}
	for _, it := range n.Items {
		p.Exprs = append(p.Exprs, b.bind(s, it.Expr))
		p.Names = append(p.Names, it.Name)
	}
	s.add(p)
	s.cols = n.Columns()
	return s
}

func (b *builder) aggregate(n *logical.Aggregate) *stream {
	s := b.toAggregate(n)
	spec := &Aggregate{Mode: Whole, Keys: []Expr{}, Aggs: []Agg{}, Names: namesOf(n.Columns())}
	ordered := false
	for _, k := range n.Keys {
		spec.Keys = append(spec.Keys, b.bind(s, k.Expr))
	}
	for _, a := range n.Aggs {
		ordered = ordered || a.Call.Ordered()
		spec.Aggs = append(spec.Aggs, Agg{a.Call.Rewrite(func(e expr.Expr) expr.Expr { return b.bind(s, e).Expr })})
	}
	switch {
	case s.stage.Tasks == 1:
	case ordered:
		s = b.single(s)
	case n.Partial:
		return b.twoSteps(s, n, spec)
	case len(n.Keys) == 0:
		s = b.single(s)
	default:
		s = b.byKeys(s, spec)
	}
	s.inFile = false
	s.add(spec)
	s.cols = n.Columns()
	return s
}

// twoSteps aggregates where the rows are, and merges the groups behind an exchange.
func (b *builder) twoSteps(s *stream, n *logical.Aggregate, spec *Aggregate) *stream {
	first := *spec
	first.Mode = Partial
	s.add(&first)
	s.inFile = false
	s.cols = nil
	for _, k := range n.Keys {
		s.cols = append(s.cols, k.Column)
	}
	for _, a := range n.Aggs {
		for i, t := range a.Call.StateTypes() {
			s.cols = append(s.cols, logical.Column{ID: -1, Name: fmt.Sprintf("%s state %d", a.Name, i+1), Type: t})
		}
	}
	if len(n.Keys) == 0 {
		s = b.exchange(s, 1, Edge{Kind: Gather})
	} else {
		s = b.exchange(s, b.cfg.Parallelism, Edge{Kind: Hash, Keys: upTo(len(n.Keys))})
	}
	last := *spec
	last.Mode = Final
	last.Keys = []Expr{}
	for i, k := range n.Keys {
		last.Keys = append(last.Keys, Expr{&expr.Column{ID: i, Name: k.Name, T: k.Type}})
	}
	s.add(&last)
	s.cols = n.Columns()
	return s
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// byKeys brings rows with equal keys to one task; it computes keys that are no columns yet.
func (b *builder) byKeys(s *stream, spec *Aggregate) *stream {
	p := &Project{Exprs: []Expr{}, Names: []string{}}
	for i, c := range s.cols {
		p.Exprs = append(p.Exprs, Expr{&expr.Column{ID: i, Name: c.Name, T: c.Type}})
		p.Names = append(p.Names, c.Name)
	}
	keys := make([]int, len(spec.Keys))
	computed := false
	for i, k := range spec.Keys {
		if c, ok := k.Expr.(*expr.Column); ok {
			keys[i] = c.ID
			continue
		}
		keys[i], computed = len(p.Exprs), true
		name := spec.Names[i]
		p.Exprs, p.Names = append(p.Exprs, k), append(p.Names, name)
		s.cols = append(append([]logical.Column(nil), s.cols...), logical.Column{ID: -1, Name: name, Type: k.Type()})
		spec.Keys[i] = Expr{&expr.Column{ID: keys[i], Name: name, T: k.Type()}}
	}
	if computed {
		s.add(p)
	}
	return b.exchange(s, b.cfg.Parallelism, Edge{Kind: Hash, Keys: keys})
}

func (b *builder) distinct(n *logical.Distinct) *stream {
	if n.Ordered {
		s := b.single(b.ordered(n.Input))
		at, err := s.positions(n.On)
		if err != nil {
			b.err = err
		}
		return s.add(&Distinct{Keys: at})
	}
	agg := &logical.Aggregate{Input: n.Input, Partial: true}
	for _, c := range n.On {
		agg.Keys = append(agg.Keys, logical.Item{Column: c, Expr: c.Ref()})
	}
	return b.aggregate(agg)
}

// sort sorts in every task and merges; count >= 0 keeps only the first rows.
func (b *builder) sort(s *stream, by []logical.SortKey, count, offset int64) *stream {
	keys := b.keys(s, by)
	parallel := s.stage.Tasks > 1
	width := len(s.cols)
	switch {
	case s.placed:
		width--
		keys = append(keys, SortKey{Column: width})
	case parallel && s.inFile:
		s.add(&Position{})
		s.cols = append(append([]logical.Column(nil), s.cols...), logical.Column{ID: -1, Name: "position", Type: types.INT})
		keys = append(keys, SortKey{Column: width})
	}
	if count >= 0 {
		s.add(&TopK{Keys: keys, Count: count + offset})
	} else {
		s.add(&Sort{Keys: keys})
	}
	s.inFile, s.placed = false, false
	if parallel {
		s = b.exchange(s, 1, Edge{Kind: Merge, Sort: keys})
	}
	if count >= 0 && (parallel || offset > 0) {
		s.add(&Limit{Count: count, Offset: offset})
	}
	if len(s.cols) > width {
		p := &Project{Exprs: []Expr{}, Names: namesOf(s.cols[:width])}
		for i, c := range s.cols[:width] {
			p.Exprs = append(p.Exprs, Expr{&expr.Column{ID: i, Name: c.Name, T: c.Type}})
		}
		s.add(p)
		s.cols = s.cols[:width]
	}
	return s
}

func (b *builder) limit(n *logical.Limit) *stream {
	s := b.ordered(n.Input)
	if s.stage.Tasks > 1 {
		if n.Count >= 0 && n.Count+n.Offset >= 0 {
			s.add(&Limit{Count: n.Count + n.Offset})
		}
		s = b.single(s)
	}
	return s.add(&Limit{Count: n.Count, Offset: n.Offset})
}

func (b *builder) setOp(n *logical.SetOp) *stream {
	parts := make([]*stream, len(n.Parts))
	widest := 1
	for i, p := range n.Parts {
		parts[i] = b.only(b.node(p), n.Cols[i])
		widest = max(widest, parts[i].stage.Tasks)
	}
	if n.Kind == logical.UnionAll {
		return b.union(n, parts, widest)
	}
	tasks := b.cfg.Parallelism
	if widest == 1 {
		tasks = 1
	}
	next := b.stage(tasks)
	op := Op{Spec: &SetOp{Except: n.Kind == logical.Except || n.Kind == logical.ExceptAll, All: n.Kind == logical.IntersectAll || n.Kind == logical.ExceptAll}}
	for _, p := range parts {
		e := Edge{Kind: Hash, Keys: upTo(len(n.Out))}
		if tasks == 1 {
			e = Edge{Kind: Gather}
		}
		op.Inputs = append(op.Inputs, b.connect(p, next, e).op)
	}
	next.Ops = append(next.Ops, op)
	return &stream{stage: next, op: len(next.Ops) - 1, cols: n.Out}
}

func (b *builder) union(n *logical.SetOp, parts []*stream, tasks int) *stream {
	next := b.stage(tasks)
	op := Op{Spec: &Union{InOrder: tasks == 1}}
	for _, p := range parts {
		e := Edge{Kind: Rebalance}
		if p.stage.Tasks == tasks {
			e.Kind = Forward
		}
		op.Inputs = append(op.Inputs, b.connect(p, next, e).op)
	}
	next.Ops = append(next.Ops, op)
	return &stream{stage: next, op: len(next.Ops) - 1, cols: n.Out}
}

// only leaves exactly the given columns, in their order.
func (b *builder) only(s *stream, cols []logical.Column) *stream {
	at, err := s.positions(cols)
	if err != nil {
		b.err = err
		return s
	}
	same := len(at) == len(s.cols)
	p := &Project{Exprs: []Expr{}, Names: namesOf(cols)}
	for i, pos := range at {
		same = same && pos == i
		p.Exprs = append(p.Exprs, Expr{&expr.Column{ID: pos, Name: cols[i].Name, T: cols[i].Type}})
	}
	if !same {
		s.add(p)
	}
	s.cols = cols
	return s
}

// exec lets the rows of each task go through a process of its own. Those that
// come out have no order but that of a single task.
func (b *builder) exec(n *logical.Exec) *stream {
	s := b.node(n.Input)
	cols, err := s.positions(n.Cols)
	if err != nil {
		b.err = err
	}
	s.add(&Exec{Program: n.Program, Columns: cols})
	s.cols, s.inFile = n.Out, false
	return s
}
