package optimize

import (
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/planner/logical"
)

// pruneColumns drops every column that nothing reads, down to the scans, which
// then do not decode it.
func pruneColumns(plan *logical.Sink) *logical.Sink {
	need := ids{}
	need.columns(plan.Cols)
	p := &pruner{shared: map[int]ids{}}
	out := *plan
	out.Input = p.prune(plan.Input, need)
	out.Shared = make([]*logical.Shared, len(plan.Shared))
	for i := len(plan.Shared) - 1; i >= 0; i-- { // those that read it come after it
		sh := *plan.Shared[i]
		sh.Input = p.prune(sh.Input, p.shared[sh.ID])
		out.Shared[i] = &sh
	}
	return &out
}

// pruner collects what all places that read a shared table need of it.
type pruner struct{ shared map[int]ids }

// ids is a set of columns.
type ids map[int]bool

func (s ids) columns(cols []logical.Column) {
	for _, c := range cols {
		s[c.ID] = true
	}
}

func (s ids) expr(e expr.Expr) {
	if e == nil {
		return
	}
	for _, id := range expr.Columns(e) {
		s[id] = true
	}
}

func (s ids) keys(keys []logical.SortKey) {
	for _, k := range keys {
		s[k.Column.ID] = true
	}
}

func (s ids) and(more func(ids)) ids {
	out := make(ids, len(s))
	for id := range s {
		out[id] = true
	}
	more(out)
	return out
}

func keep(cols []logical.Column, need ids) []logical.Column {
	out := []logical.Column{}
	for _, c := range cols {
		if need[c.ID] {
			out = append(out, c)
		}
	}
	return out
}

// prune returns n yielding at least the needed columns and few others.
func (p *pruner) prune(n logical.Node, need ids) logical.Node {
	switch n := n.(type) {
	case *logical.Scan:
		return pruneScan(n, need)
	case *logical.Range:
		out := *n
		out.Out = keep(n.Out, need)
		return &out
	case *logical.Empty:
		return &logical.Empty{Out: keep(n.Out, need)}
	case *logical.Filter:
		return under(n, p.prune(n.Input, need.and(func(s ids) { s.expr(n.Cond) })))
	case *logical.Project:
		return p.pruneProject(n, need)
	case *logical.Aggregate:
		return p.pruneAggregate(n, need)
	case *logical.Distinct:
		below := ids{}
		if n.Ordered {
			below = need.and(func(ids) {})
		}
		below.columns(n.On)
		return under(n, p.prune(n.Input, below))
	case *logical.Sort:
		return under(n, p.prune(n.Input, need.and(func(s ids) { s.keys(n.Keys) })))
	case *logical.TopK:
		return under(n, p.prune(n.Input, need.and(func(s ids) { s.keys(n.Keys) })))
	case *logical.Limit:
		return under(n, p.prune(n.Input, need))
	case *logical.Tee:
		return under(n, p.prune(n.Input, need.and(func(s ids) { s.columns(n.Cols) })))
	case *logical.SetOp:
		return p.pruneSetOp(n, need)
	case *logical.Join:
		return p.pruneJoin(n, need)
	case *logical.Window:
		return p.pruneWindow(n, need)
	case *logical.Unnest:
		below := need.and(func(s ids) { s.expr(n.List) })
		return under(n, p.prune(n.Input, below))
	case *logical.Exec:
		below := ids{}
		below.columns(n.Cols)
		return under(n, p.prune(n.Input, below))
	case *logical.SharedScan:
		return p.pruneShared(n, need)
	}
	return n
}

func under(n, input logical.Node) logical.Node { return n.With([]logical.Node{input}) }

func pruneScan(n *logical.Scan, need ids) logical.Node {
	all := need.and(func(s ids) { s.expr(n.Filter) })
	out := *n
	out.Out = []logical.ScanColumn{}
	for _, c := range n.Out {
		if all[c.ID] {
			out.Out = append(out.Out, c)
		}
	}
	return &out
}

func (p *pruner) pruneProject(n *logical.Project, need ids) logical.Node {
	items := []logical.Item{}
	below := ids{}
	for _, it := range n.Items {
		if need[it.ID] {
			items = append(items, it)
			below.expr(it.Expr)
		}
	}
	return &logical.Project{Input: p.prune(n.Input, below), Items: items}
}

func (p *pruner) pruneAggregate(n *logical.Aggregate, need ids) logical.Node {
	out := *n
	out.Aggs = nil
	below := ids{}
	for _, k := range n.Keys {
		below.expr(k.Expr)
	}
	for _, a := range n.Aggs {
		if !need[a.ID] {
			continue
		}
		out.Aggs = append(out.Aggs, a)
		for _, arg := range a.Call.Args {
			below.expr(arg)
		}
		below.expr(a.Call.Filter)
		for _, k := range a.Call.OrderBy {
			below.expr(k.Expr)
		}
	}
	out.Input = p.prune(n.Input, below)
	return &out
}

// pruneSetOp narrows a UNION ALL; the other operations compare whole rows.
func (p *pruner) pruneSetOp(n *logical.SetOp, need ids) logical.Node {
	out := *n
	if n.Kind == logical.UnionAll {
		out.Out, out.Cols = nil, make([][]logical.Column, len(n.Cols))
		for i, c := range n.Out {
			if !need[c.ID] {
				continue
			}
			out.Out = append(out.Out, c)
			for j := range n.Cols {
				out.Cols[j] = append(out.Cols[j], n.Cols[j][i])
			}
		}
	}
	out.Parts = make([]logical.Node, len(n.Parts))
	for i, part := range n.Parts {
		below := ids{}
		below.columns(out.Cols[i])
		out.Parts[i] = p.prune(part, below)
	}
	return &out
}

func (p *pruner) pruneJoin(n *logical.Join, need ids) logical.Node {
	below := need.and(func(s ids) {
		s.expr(n.Residual)
		for _, k := range n.Keys {
			s.expr(k.Left)
			s.expr(k.Right)
		}
	})
	out := *n
	out.Out = keep(n.Columns(), need)
	return out.With([]logical.Node{p.prune(n.Left, below), p.prune(n.Right, below)})
}

func (p *pruner) pruneShared(n *logical.SharedScan, need ids) logical.Node {
	out := *n
	out.Out = []logical.SharedColumn{}
	if p.shared[n.ID] == nil {
		p.shared[n.ID] = ids{}
	}
	for _, c := range n.Out {
		if need[c.ID] {
			out.Out = append(out.Out, c)
			p.shared[n.ID][c.From] = true
		}
	}
	return &out
}
