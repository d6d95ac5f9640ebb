package operators

import (
	"context"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/planner/dag"
)

// Sort holds all rows until its input ends, then yields them in order. Rows
// that compare as equal keep their order.
type Sort struct {
	op.Base
	keys    []dag.SortKey
	env     *op.Env
	buffer  rowBuffer
	account *op.Account
}

// NewSort returns an operator that orders by keys.
func NewSort(keys []dag.SortKey) *Sort { return &Sort{keys: keys} }

// Open implements op.Operator.
func (s *Sort) Open(_ context.Context, env *op.Env) error {
	s.env, s.buffer.mem, s.account = env, env.Alloc, env.Memory.Account("sort")
	return nil
}

// Push implements op.Operator.
func (s *Sort) Push(_ context.Context, _ int, b *op.Batch, _ op.Output) (op.Flow, error) {
	if err := s.buffer.add(b); err != nil {
		return op.Enough, err
	}
	return op.More, s.account.Set(s.buffer.bytes)
}

// Finish implements op.Operator.
func (s *Sort) Finish(ctx context.Context, _ int, out op.Output) error {
	const perRow = 16 + 4 // of the order being computed
	if err := s.account.Set(2*s.buffer.bytes + int64(s.buffer.rows)*perRow); err != nil {
		return err
	}
	cols, err := s.buffer.merge()
	if err != nil || cols == nil {
		return err
	}
	if err := s.account.Set(s.buffer.bytes + int64(s.buffer.rows)*perRow); err != nil {
		return err
	}
	return emit(ctx, s.env.Alloc, cols, sorted(cols, s.buffer.rows, s.keys), out)
}

// Close implements op.Operator.
func (s *Sort) Close() error {
	s.buffer.release()
	s.account.Close()
	return nil
}
