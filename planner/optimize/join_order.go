package optimize

import (
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/planner/logical"
)

// joinOrder reorders inner joins of three tables and more: from the smallest
// table on, each time the one that leaves the fewest rows, by estimate, of those
// that a key connects with what is there. Joins with a condition that can fail
// stay where they are, as in another place it would meet other rows.
func joinOrder(plan *logical.Sink) *logical.Sink {
	sizes := logical.NewSizes(plan)
	var order func(n logical.Node) logical.Node
	order = func(n logical.Node) logical.Node {
		if j, ok := n.(*logical.Join); ok && movable(j) {
			g := &joinGraph{sizes: sizes}
			g.add(j, order)
			if 2 < len(g.tables) && len(g.tables) <= mostTables {
				return g.build()
			}
		}
		in := n.Inputs()
		if len(in) == 0 {
			return n
		}
		next := make([]logical.Node, len(in))
		changed := false
		for i := range in {
			next[i] = order(in[i])
			changed = changed || next[i] != in[i]
		}
		if !changed {
			return n
		}
		return n.With(next)
	}
	out := *plan
	out.Input = order(plan.Input)
	out.Shared = make([]*logical.Shared, len(plan.Shared))
	for i, sh := range plan.Shared {
		out.Shared[i] = &logical.Shared{ID: sh.ID, Name: sh.Name, Input: order(sh.Input)}
	}
	return &out
}

func movable(j *logical.Join) bool {
	if j.Kind != logical.InnerJoin || j.Out != nil {
		return false
	}
	for _, e := range logical.Exprs(j) {
		if expr.CanFail(e) || expr.Volatile(e) {
			return false
		}
	}
	return true
}

// joinGraph is tables that are joined, and the conditions between them.
type joinGraph struct {
	sizes  *logical.Sizes
	tables []logical.Node
	keys   []logical.JoinKey
	rest   []expr.Expr
}

// add takes a tree of joins apart.
func (g *joinGraph) add(n logical.Node, below func(logical.Node) logical.Node) {
	j, ok := n.(*logical.Join)
	if !ok || !movable(j) {
		g.tables = append(g.tables, below(n))
		return
	}
	g.add(j.Left, below)
	g.add(j.Right, below)
	g.keys = append(g.keys, j.Keys...)
	if j.Residual != nil {
		g.rest = append(g.rest, logical.Conjuncts(j.Residual)...)
	}
}

// mostTables bounds what is reordered: each of so many is tried each time.
const mostTables = 40

// build puts the tables together again.
func (g *joinGraph) build() logical.Node {
	at := g.smallest()
	have := g.tables[at]
	g.tables = append(g.tables[:at:at], g.tables[at+1:]...)
	for len(g.tables) > 0 {
		at, have = g.next(have)
		g.tables = append(g.tables[:at:at], g.tables[at+1:]...)
		g.taken(have.(*logical.Join))
	}
	return have
}

func (g *joinGraph) smallest() int {
	best := 0
	for i, t := range g.tables {
		if g.sizes.Rows(t) < g.sizes.Rows(g.tables[best]) {
			best = i
		}
	}
	return best
}

// next joins the best of the tables left to what is there.
func (g *joinGraph) next(have logical.Node) (best int, joined *logical.Join) {
	for i, t := range g.tables {
		j := g.join(have, t)
		switch connected := len(j.Keys) > 0; {
		case joined == nil, connected && len(joined.Keys) == 0,
			connected == (len(joined.Keys) > 0) && g.sizes.Rows(j) < g.sizes.Rows(joined):
			best, joined = i, j
		}
	}
	return best, joined
}

// join makes the join of two tables with all conditions that hold between them.
func (g *joinGraph) join(left, right logical.Node) *logical.Join {
	j := &logical.Join{Kind: logical.InnerJoin, Left: left, Right: right}
	l, r := columnsOf(left), columnsOf(right)
	both := columnsOf(j)
	var rest []expr.Expr
	for _, k := range g.keys {
		switch {
		case reads(k.Left, l) && reads(k.Right, r):
			j.Keys = append(j.Keys, k)
		case reads(k.Left, r) && reads(k.Right, l):
			j.Keys = append(j.Keys, logical.JoinKey{Left: k.Right, Right: k.Left, NullSafe: k.NullSafe})
		case onlyIn(k.Left, both) && onlyIn(k.Right, both): // one of its sides is now spread over two tables
			rest = append(rest, equation(k))
		}
	}
	for _, e := range g.rest {
		if onlyIn(e, both) {
			rest = append(rest, e)
		}
	}
	if len(rest) > 0 {
		j.Residual = and(rest)
	}
	return j
}

func equation(k logical.JoinKey) expr.Expr {
	fn := "="
	if k.NullSafe {
		fn = "is_not_distinct"
	}
	return &expr.Call{Fn: fn, Args: []expr.Expr{k.Left, k.Right}, T: types.BOOL}
}

// taken forgets the conditions that a join has seen to.
func (g *joinGraph) taken(j *logical.Join) {
	both := columnsOf(j)
	var keys []logical.JoinKey
	for _, k := range g.keys {
		if !reads(k.Left, both) || !reads(k.Right, both) {
			keys = append(keys, k)
		}
	}
	var rest []expr.Expr
	for _, e := range g.rest {
		if !onlyIn(e, both) {
			rest = append(rest, e)
		}
	}
	g.keys, g.rest = keys, rest
}

// onlyIn reports that e reads no columns but those, if any.
func onlyIn(e expr.Expr, ids map[int]bool) bool {
	for _, id := range expr.Columns(e) {
		if !ids[id] {
			return false
		}
	}
	return true
}
