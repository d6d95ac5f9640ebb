package optimize

import "github.com/rainsql/rainsql/planner/logical"

// inlineShared puts a table that is read in one place only where it is read,
// and drops those that nothing reads. What is left is computed once.
func inlineShared(plan *logical.Sink) *logical.Sink {
	uses := map[int]int{}
	count := func(n logical.Node) {
		logical.Walk(n, func(n logical.Node) {
			if s, ok := n.(*logical.SharedScan); ok {
				uses[s.ID]++
			}
		})
	}
	count(plan.Input)
	for _, sh := range plan.Shared {
		count(sh.Input)
	}
	// From the last to the first: a table that goes no longer reads those before it.
	once := map[int]logical.Node{}
	var kept []*logical.Shared
	for i := len(plan.Shared) - 1; i >= 0; i-- {
		sh := plan.Shared[i]
		switch uses[sh.ID] {
		case 0:
			logical.Walk(sh.Input, func(n logical.Node) {
				if s, ok := n.(*logical.SharedScan); ok {
					uses[s.ID]--
				}
			})
		case 1:
			once[sh.ID] = sh.Input
		default:
			kept = append([]*logical.Shared{sh}, kept...)
		}
	}
	if len(kept) == len(plan.Shared) {
		return plan
	}
	var inline func(n logical.Node) logical.Node
	inline = func(n logical.Node) logical.Node {
		s, ok := n.(*logical.SharedScan)
		if !ok || once[s.ID] == nil {
			return n
		}
		return renamed(s, logical.Transform(once[s.ID], inline))
	}
	out := *plan
	out.Shared = kept
	return transform(&out, inline)
}

// renamed gives a table the column identities under which s reads it.
func renamed(s *logical.SharedScan, input logical.Node) logical.Node {
	by := map[int]logical.Column{}
	for _, c := range input.Columns() {
		by[c.ID] = c
	}
	p := &logical.Project{Input: input}
	for _, c := range s.Out {
		p.Items = append(p.Items, logical.Item{Column: c.Column, Expr: by[c.From].Ref()})
	}
	return p
}
