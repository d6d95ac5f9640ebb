package analyze

import (
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/vec"
	"github.com/rainsql/rainsql/planner/logical"
)

// dependent takes the correlation out of a subquery, after Neumann and Kemper,
// "Unnesting Arbitrary Queries" (BTW 2015): instead of running for each row of
// the table around it, the subquery runs once for all distinct values D of the
// columns it uses, which it carries along; a join then finds each row's result.
type dependent struct {
	a     *Analyzer
	outer *logical.Shared
	used  []logical.Column
	ids   map[int]bool // of used
	// carried are the tables shared within the subquery that carry D, and its columns there.
	carried map[int]map[int]logical.Column
	known   map[int]bool // the shared tables that were looked at, and whether they are correlated
}

// dependent makes the table around a subquery one that can be read twice.
func (a *Analyzer) dependent(t *table, used []logical.Column) *dependent {
	d := &dependent{a: a, used: used, ids: map[int]bool{}, carried: map[int]map[int]logical.Column{}, known: map[int]bool{}}
	for _, c := range used {
		d.ids[c.ID] = true
	}
	if s, ok := t.node.(*logical.SharedScan); ok && passesAll(s) {
		for _, sh := range a.shared {
			if sh.ID == s.ID {
				d.outer = sh
				return d
			}
		}
	}
	d.outer = a.share("the table around a subquery", t.node)
	back := &logical.SharedScan{ID: d.outer.ID, Name: d.outer.Name}
	for _, c := range t.node.Columns() {
		back.Out = append(back.Out, logical.SharedColumn{Column: c, From: c.ID})
	}
	t.node = back
	return d
}

func passesAll(s *logical.SharedScan) bool {
	for _, c := range s.Out {
		if c.ID != c.From {
			return false
		}
	}
	return true
}

// domain is D under identities of its own, found by those of the outer columns.
func (d *dependent) domain() (logical.Node, map[int]logical.Column) {
	scan := &logical.SharedScan{ID: d.outer.ID, Name: d.outer.Name}
	by := map[int]logical.Column{}
	for _, c := range d.used {
		col := d.a.newColumn(c.Name, c.Type)
		by[c.ID] = col
		scan.Out = append(scan.Out, logical.SharedColumn{Column: col, From: c.ID})
	}
	return &logical.Distinct{Input: scan, On: scan.Columns()}, by
}

// push rewrites n so that it gives its rows for each value of D, with that
// value's columns, which the map finds. What it cannot rewrite it names.
func (d *dependent) push(n logical.Node) (logical.Node, map[int]logical.Column, string) {
	if !d.correlated(n) {
		domain, by := d.domain()
		return &logical.Join{Kind: logical.InnerJoin, Left: n, Right: domain}, by, ""
	}
	switch n := n.(type) {
	case *logical.SharedScan:
		return d.sharedScan(n)
	case *logical.Aggregate:
		return d.aggregate(n)
	case *logical.SetOp:
		return d.setOp(n)
	case *logical.Join:
		return d.join(n)
	case *logical.Limit:
		return d.limit(n)
	case *logical.Tee:
		return nil, nil, "TEE"
	case *logical.Exec:
		return nil, nil, "USING EXEC"
	}
	in := n.Inputs()
	if len(in) != 1 {
		return nil, nil, "this source"
	}
	below, by, refused := d.push(in[0])
	if refused != "" {
		return nil, nil, refused
	}
	out := logical.MapExprs(n.With([]logical.Node{below}), d.replace(by))
	switch out := out.(type) {
	case *logical.Project:
		p := *out
		p.Items = append([]logical.Item(nil), out.Items...)
		for _, c := range d.used {
			p.Items = append(p.Items, logical.Item{Column: by[c.ID], Expr: by[c.ID].Ref()})
		}
		return &p, by, ""
	case *logical.Window:
		q := *out
		q.Partition = append(append([]logical.Column(nil), out.Partition...), d.columns(by)...)
		return &q, by, ""
	case *logical.Distinct:
		q := *out
		q.On = append([]logical.Column(nil), out.On...)
		for _, c := range d.used {
			q.On = append(q.On, by[c.ID])
		}
		return &q, by, ""
	}
	return out, by, ""
}

// correlated reports whether n or what is below uses a column of the outer
// table, be it in a table that is shared among subqueries of its own.
func (d *dependent) correlated(n logical.Node) bool {
	found := false
	logical.Walk(n, func(n logical.Node) {
		if s, ok := n.(*logical.SharedScan); ok && !found {
			found = d.carried[s.ID] != nil || d.uses(s.ID)
		}
		for _, e := range logical.Exprs(n) {
			for _, id := range expr.Columns(e) {
				found = found || d.ids[id]
			}
		}
	})
	return found
}

// uses is correlated for a shared table, which may be read in many places.
func (d *dependent) uses(id int) bool {
	uses, known := d.known[id]
	if !known && id != d.outer.ID {
		uses = d.correlated(d.a.sharedTable(id).Input)
		d.known[id] = uses
	}
	return uses
}

// sharedScan has the shared table carry D, for all who read it: they are all
// within the subquery, as no other table sees the outer columns.
func (d *dependent) sharedScan(n *logical.SharedScan) (logical.Node, map[int]logical.Column, string) {
	by := d.carried[n.ID]
	if by == nil {
		sh := d.a.sharedTable(n.ID)
		input, found, refused := d.push(sh.Input)
		if refused != "" {
			return nil, nil, refused
		}
		sh.Input, by = input, found
		d.carried[n.ID] = by
	}
	out := *n
	out.Out = append([]logical.SharedColumn(nil), n.Out...)
	here := map[int]logical.Column{}
	for _, c := range d.used {
		col := d.a.newColumn(c.Name, c.Type)
		here[c.ID] = col
		out.Out = append(out.Out, logical.SharedColumn{Column: col, From: by[c.ID].ID})
	}
	return &out, here, ""
}

func (d *dependent) replace(by map[int]logical.Column) func(expr.Expr) expr.Expr {
	return func(e expr.Expr) expr.Expr {
		return expr.Rewrite(e, func(x expr.Expr) expr.Expr {
			if c, ok := x.(*expr.Column); ok && d.ids[c.ID] {
				return by[c.ID].Ref()
			}
			return x
		})
	}
}

// aggregate groups by D too. Without keys there is a group even of no rows: the
// values of D that have none get it by an outer join.
func (d *dependent) aggregate(n *logical.Aggregate) (logical.Node, map[int]logical.Column, string) {
	below, by, refused := d.push(n.Input)
	if refused != "" {
		return nil, nil, refused
	}
	agg := *logical.MapExprs(n.With([]logical.Node{below}), d.replace(by)).(*logical.Aggregate)
	agg.Keys = append([]logical.Item(nil), agg.Keys...)
	out := map[int]logical.Column{}
	for _, c := range d.used {
		key := d.a.newColumn(c.Name, c.Type)
		out[c.ID] = key
		agg.Keys = append(agg.Keys, logical.Item{Column: key, Expr: by[c.ID].Ref()})
	}
	if len(n.Keys) > 0 {
		return &agg, out, ""
	}
	domain, all := d.domain()
	j := &logical.Join{Kind: logical.LeftJoin, Left: domain, Right: &agg}
	p := &logical.Project{Input: j}
	for _, c := range d.used {
		j.Keys = append(j.Keys, logical.JoinKey{Left: all[c.ID].Ref(), Right: out[c.ID].Ref(), NullSafe: true})
		p.Items = append(p.Items, logical.Item{Column: all[c.ID], Expr: all[c.ID].Ref()})
	}
	agg.Aggs = append([]logical.AggItem(nil), agg.Aggs...)
	for i, it := range agg.Aggs {
		agg.Aggs[i].Column = d.a.newColumn(it.Name, it.Type)
		value := expr.Expr(agg.Aggs[i].Ref())
		if empty := ofNoRows(it.Call); empty != nil {
			filled, err := expr.NewCall("coalesce", value, empty)
			if err != nil {
				return nil, nil, it.Call.Fn
			}
			value = filled
		}
		p.Items = append(p.Items, logical.Item{Column: it.Column, Expr: value})
	}
	return p, all, ""
}

// ofNoRows is what an aggregate gives without rows, or nil if that is NULL.
func ofNoRows(call *expr.AggCall) expr.Expr {
	acc, err := expr.NewAccumulator(call, memory.DefaultAllocator)
	if err != nil {
		return nil
	}
	defer acc.Release()
	acc.Resize(1)
	col, err := acc.Result()
	if err != nil {
		return nil
	}
	defer col.Release()
	v := vec.ValueAt(col, 0)
	if v == nil {
		return nil
	}
	return &expr.Literal{Value: v, T: call.T}
}

// setOp carries D through every part, as columns of their own.
func (d *dependent) setOp(n *logical.SetOp) (logical.Node, map[int]logical.Column, string) {
	out := *n
	out.Parts, out.Cols = nil, nil
	for i, p := range n.Parts {
		part, by, refused := d.push(p)
		if refused != "" {
			return nil, nil, refused
		}
		cols := append([]logical.Column(nil), n.Cols[i]...)
		for _, c := range d.used {
			cols = append(cols, by[c.ID])
		}
		out.Parts, out.Cols = append(out.Parts, part), append(out.Cols, cols)
	}
	all := map[int]logical.Column{}
	out.Out = append([]logical.Column(nil), n.Out...)
	for _, c := range d.used {
		all[c.ID] = d.a.newColumn(c.Name, c.Type)
		out.Out = append(out.Out, all[c.ID])
	}
	return &out, all, ""
}

// join carries D through the left side, and through the right where that is correlated too.
func (d *dependent) join(n *logical.Join) (logical.Node, map[int]logical.Column, string) {
	if n.Kind == logical.RightJoin || n.Kind == logical.FullJoin {
		return nil, nil, map[bool]string{true: "RIGHT JOIN", false: "FULL JOIN"}[n.Kind == logical.RightJoin]
	}
	left, by, refused := d.push(n.Left)
	if refused != "" {
		return nil, nil, refused
	}
	out := *n
	out.Left = left
	if d.correlated(n.Right) {
		right, more, refused := d.push(n.Right)
		if refused != "" {
			return nil, nil, refused
		}
		out.Right = right
		out.Keys = append([]logical.JoinKey(nil), n.Keys...)
		for _, c := range d.used {
			out.Keys = append(out.Keys, logical.JoinKey{Left: by[c.ID].Ref(), Right: more[c.ID].Ref(), NullSafe: true})
		}
	}
	return logical.MapExprs(&out, d.replace(by)), by, ""
}
