package expr

// Ordered reports whether the result depends on the order in which rows arrive,
// as that of first and of string_agg without ORDER BY does.
func (c *AggCall) Ordered() bool {
	f, ok := aggregates()[c.Fn]
	return ok && !f.split && len(c.OrderBy) == 0
}

// Exprs are all expressions of the call: inputs, then the filter if there is one.
func (c *AggCall) Exprs() []Expr {
	in := c.Inputs()
	if c.Filter != nil {
		in = append(in, c.Filter)
	}
	return in
}

// Rewrite returns the call with f applied to each of its expressions.
func (c *AggCall) Rewrite(f func(Expr) Expr) *AggCall {
	out := *c
	out.Args = make([]Expr, len(c.Args))
	for i, a := range c.Args {
		out.Args[i] = f(a)
	}
	out.OrderBy = make([]SortKey, len(c.OrderBy))
	for i, k := range c.OrderBy {
		out.OrderBy[i] = SortKey{Expr: f(k.Expr), Desc: k.Desc, NullsFirst: k.NullsFirst}
	}
	if c.Filter != nil {
		out.Filter = f(c.Filter)
	}
	return &out
}

// AggEqual reports whether two calls compute the same.
func AggEqual(a, b *AggCall) bool {
	x, y := a.Exprs(), b.Exprs()
	if a.Fn != b.Fn || a.Distinct != b.Distinct || len(a.Args) != len(b.Args) || len(a.OrderBy) != len(b.OrderBy) || len(x) != len(y) {
		return false
	}
	for i := range x {
		if !Equal(x[i], y[i]) {
			return false
		}
	}
	for i, k := range a.OrderBy {
		if k.Desc != b.OrderBy[i].Desc || k.NullsFirst != b.OrderBy[i].NullsFirst {
			return false
		}
	}
	return true
}
