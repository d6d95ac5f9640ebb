package optimize

import (
	"github.com/rainsql/rainsql/planner/logical"
)

// maxTopK is how many rows a top-k may hold; beyond, a sort is as good.
const maxTopK = 100_000

// topK turns a LIMIT over a SORT into one node that holds only the rows it
// gives, looking through projections, which do not change the number of rows.
func topK(plan *logical.Sink) *logical.Sink {
	return transform(plan, func(n logical.Node) logical.Node {
		l, ok := n.(*logical.Limit)
		if !ok || l.Count < 0 || l.Count > maxTopK || l.Offset > maxTopK {
			return n
		}
		switch in := l.Input.(type) {
		case *logical.Sort:
			return &logical.TopK{Input: in.Input, Keys: in.Keys, Count: l.Count, Offset: l.Offset}
		case *logical.Project:
			if s, ok := in.Input.(*logical.Sort); ok {
				top := &logical.TopK{Input: s.Input, Keys: s.Keys, Count: l.Count, Offset: l.Offset}
				return in.With([]logical.Node{top})
			}
		}
		return n
	})
}
