package dag

import (
	"slices"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/planner/logical"
)

// ordered is node for what can make use of the order of the rows: where a
// window has spread the rows of a file by its partitions, the stream's last
// column is their position, by which single brings them back in order.
func (b *builder) ordered(n logical.Node) *stream {
	switch n := n.(type) {
	case *logical.Window:
		return b.window(n)
	case *logical.SharedScan:
		return b.sharedScan(n)
	case *logical.Join:
		return b.join(n)
	case *logical.Filter:
		s := b.ordered(n.Input)
		return s.add(&Filter{Cond: b.bind(s, n.Cond)})
	case *logical.Project:
		s := b.ordered(n.Input)
		p := &Project{Exprs: []Expr{}, Names: []string{}}
		for _, it := range n.Items {
			p.Exprs = append(p.Exprs, b.bind(s, it.Expr))
			p.Names = append(p.Names, it.Name)
		}
		cols := n.Columns()
		if s.placed {
			last := len(s.cols) - 1
			p.Exprs = append(p.Exprs, Expr{&expr.Column{ID: last, Name: s.cols[last].Name, T: types.INT}})
			p.Names = append(p.Names, s.cols[last].Name)
			cols = append(slices.Clone(cols), s.cols[last])
		}
		s.add(p)
		s.cols = cols
		return s
	}
	return b.node(n)
}

// window computes functions where the partitions are: in the stage at hand if it
// has one task, or has the rows by these partitions already; else behind an
// exchange.
func (b *builder) window(n *logical.Window) *stream {
	s := b.ordered(n.Input)
	at, err := s.positions(n.Partition)
	if err != nil {
		b.err = err
		return s
	}
	switch {
	case s.stage.Tasks == 1:
	case len(at) == 0:
		s = b.single(s)
	case !s.together(n.Partition):
		if s.inFile && !s.placed {
			s.add(&Position{})
			s.cols = append(slices.Clone(s.cols), positionColumn)
			s.placed = true
		}
		placed := s.placed
		s = b.exchange(s, b.cfg.Parallelism, Edge{Kind: Hash, Keys: at})
		s.placed = placed
		for _, c := range n.Partition {
			s.spread = append(s.spread, c.ID)
		}
	}
	s.inFile = s.inFile && s.stage.Tasks == 1
	spec := &Window{Partition: at, Order: b.keys(s, n.Order), Items: []WindowItem{}}
	for _, it := range n.Items {
		spec.Items = append(spec.Items, b.windowItem(s, it))
	}
	width := len(s.cols)
	if s.placed {
		last := width - 1
		spec.Position = &last
	}
	s.add(spec)
	for _, it := range n.Items {
		s.cols = append(slices.Clone(s.cols), it.Column)
	}
	if s.placed { // the position comes last again
		at := upTo(len(s.cols))
		s.choose(append(slices.Delete(at, width-1, width), width-1))
	}
	return s
}

// positionColumn is the column that a Position appends.
var positionColumn = logical.Column{ID: -1, Name: "position", Type: types.INT}

func (b *builder) windowItem(s *stream, it logical.WindowItem) WindowItem {
	out := WindowItem{Name: it.Name, Fn: it.Fn, Type: it.Type, Frame: Frame{Unit: it.Frame.Unit}}
	if it.Agg != nil {
		out.Agg = &Agg{it.Agg.Rewrite(func(e expr.Expr) expr.Expr { return b.bind(s, e).Expr })}
	}
	for _, a := range it.Args {
		out.Args = append(out.Args, b.bind(s, a))
	}
	if it.Frame.Unit != "" {
		out.Frame.Start, out.Frame.End = b.bound(s, it.Frame.Start), b.bound(s, it.Frame.End)
	}
	return out
}

func (b *builder) bound(s *stream, l logical.Bound) Bound {
	out := Bound{Kind: BoundKind(l.Kind), Offset: l.Offset}
	if l.Limit != nil {
		at, err := s.positions([]logical.Column{*l.Limit})
		if err != nil {
			b.err = err
			return out
		}
		out.Limit = &at[0]
	}
	return out
}

// together reports that rows that agree in these columns are in one task.
func (s *stream) together(cols []logical.Column) bool {
	return len(s.spread) > 0 && !slices.ContainsFunc(s.spread, func(id int) bool {
		return !slices.ContainsFunc(cols, func(c logical.Column) bool { return c.ID == id })
	})
}

// choose leaves exactly the columns of the stream at these positions.
func (s *stream) choose(at []int) {
	p := &Project{Exprs: []Expr{}, Names: []string{}}
	cols := make([]logical.Column, len(at))
	for i, from := range at {
		c := s.cols[from]
		p.Exprs, p.Names = append(p.Exprs, Expr{&expr.Column{ID: from, Name: c.Name, T: c.Type}}), append(p.Names, c.Name)
		cols[i] = c
	}
	s.add(p)
	s.cols = cols
}

// merged brings rows that carry their position to one task, and drops it.
func (b *builder) merged(s *stream) *stream {
	last := len(s.cols) - 1
	s = b.exchange(s, 1, Edge{Kind: Merge, Sort: []SortKey{{Column: last}}})
	s.placed = true
	return b.unplaced(s)
}

// unplaced drops the position, if there is one.
func (b *builder) unplaced(s *stream) *stream {
	if !s.placed {
		return s
	}
	s.choose(upTo(len(s.cols) - 1))
	s.placed = false
	return s
}

// toAggregate is the input of an aggregate, in order if that matters to it.
func (b *builder) toAggregate(n *logical.Aggregate) *stream {
	if !slices.ContainsFunc(n.Aggs, func(a logical.AggItem) bool { return a.Call.Ordered() }) {
		return b.node(n.Input)
	}
	s := b.ordered(n.Input)
	if s.placed {
		s = b.single(s)
	}
	return s
}
