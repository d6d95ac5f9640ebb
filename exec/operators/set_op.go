package operators

import (
	"context"

	"github.com/rainsql/rainsql/exec/op"
)

// SetOp is INTERSECT or EXCEPT, with ALL or without: it reads its second input
// first, then passes or drops the rows of the first. Rows are equal as they
// group: NULL with NULL.
type SetOp struct {
	op.Base
	except, all bool
	env         *op.Env
	table       *groupTable
	counts      []int64 // of each key of the second input; after use, what is left of them
	account     *op.Account
}

// NewSetOp returns the operator.
func NewSetOp(except, all bool) *SetOp { return &SetOp{except: except, all: all} }

// Open implements op.Operator.
func (s *SetOp) Open(_ context.Context, env *op.Env) error {
	s.env, s.account = env, env.Memory.Account("set operation")
	s.table = newGroupTable(env.Alloc, nil)
	return nil
}

// Push implements op.Operator.
func (s *SetOp) Push(ctx context.Context, input int, b *op.Batch, out op.Output) (op.Flow, error) {
	keys := make([]int, len(b.Cols))
	for i := range keys {
		keys[i] = i
	}
	groups, _, err := groupsOf(s.env, s.table, b, keys)
	if err != nil {
		return op.Enough, err
	}
	for len(s.counts) < s.table.len() {
		s.counts = append(s.counts, 0)
	}
	if err := s.account.Set(s.table.bytes() + int64(cap(s.counts))*8); err != nil {
		return op.Enough, err
	}
	if input == 1 {
		for _, g := range groups {
			s.counts[g]++
		}
		return op.More, nil
	}
	var sel []int32
	for i, g := range groups {
		if s.passes(g) {
			row := int32(i)
			if b.Sel != nil {
				row = b.Sel[i]
			}
			sel = append(sel, row)
		}
	}
	if len(sel) == 0 {
		return op.More, nil
	}
	next := *b
	next.Sel = sel
	next.Origin, next.OriginRows = nil, nil
	return out.Push(ctx, &next)
}

// passes decides one row of the first input. A count of -1 marks a key given out.
func (s *SetOp) passes(g uint32) bool {
	n := s.counts[g]
	switch {
	case s.all && n > 0:
		s.counts[g]--
		return !s.except
	case s.all:
		return s.except
	case n < 0, s.except == (n > 0):
		return false
	}
	s.counts[g] = -1
	return true
}

// Finish implements op.Operator.
func (*SetOp) Finish(context.Context, int, op.Output) error { return nil }

// Close implements op.Operator.
func (s *SetOp) Close() error {
	if s.table != nil {
		s.table.reset()
		s.table = nil
	}
	s.account.Close()
	return nil
}
