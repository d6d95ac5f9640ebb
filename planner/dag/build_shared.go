package dag

import (
	"fmt"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/planner/logical"
)

// sharedScan reads a table that others read too. Each of them has a spool: an
// operator that reads one input before another would otherwise hold up the
// table for all, itself included.
func (b *builder) sharedScan(n *logical.SharedScan) *stream {
	from := b.shared[n.ID]
	if from == nil {
		from = b.sharedTable(n)
		b.shared[n.ID] = from
	}
	s := b.exchange(from, from.stage.Tasks, Edge{Kind: Forward, Spool: true})
	p := &Project{Exprs: []Expr{}, Names: []string{}}
	for _, c := range n.Out {
		at := s.find(c.From)
		if at < 0 {
			b.err = fmt.Errorf("internal: column %q (%d) is not in shared table %d", c.Name, c.From, n.ID)
			return s
		}
		p.Exprs = append(p.Exprs, Expr{&expr.Column{ID: at, Name: c.Name, T: c.Type}})
		p.Names = append(p.Names, c.Name)
	}
	cols := n.Columns()
	if s.placed = from.placed; s.placed {
		cols = append(cols, positionColumn)
		p.Exprs, p.Names = append(p.Exprs, b.bind(s, positionColumn.Ref())), append(p.Names, positionColumn.Name)
	}
	s.add(p)
	s.cols = cols
	return s
}

func (b *builder) sharedTable(n *logical.SharedScan) *stream {
	for _, sh := range b.plan.Shared {
		if sh.ID == n.ID {
			return b.ordered(sh.Input)
		}
	}
	b.err = fmt.Errorf("internal: no shared table %d", n.ID)
	return b.leaf(&Values{}, nil)
}
