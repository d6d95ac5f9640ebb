package optimize

import "github.com/rainsql/rainsql/planner/logical"

// partialAggregation marks aggregates that can be computed where the rows are
// and then merged, so that only groups cross the exchange. Aggregates that
// depend on the order of rows, or must see all values of a group at once
// (DISTINCT, ORDER BY), are left whole.
func partialAggregation(plan *logical.Sink) *logical.Sink {
	return transform(plan, func(n logical.Node) logical.Node {
		agg, ok := n.(*logical.Aggregate)
		if !ok {
			return n
		}
		for _, a := range agg.Aggs {
			if !a.Call.Splittable() || a.Call.Ordered() {
				return n
			}
		}
		out := *agg
		out.Partial = true
		return &out
	})
}
