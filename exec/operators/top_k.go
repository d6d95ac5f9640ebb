package operators

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/vec"
	"github.com/rainsql/rainsql/planner/dag"
)

// TopK yields the first rows of a sort without holding the others: once it has
// enough, a row must come before the worst that it holds.
type TopK struct {
	op.Base
	keys    []dag.SortKey
	count   int
	env     *op.Env
	buffer  rowBuffer
	bound   []arrow.Array // the keys held when last trimmed, the worst at their end; nil before
	account *op.Account
}

// NewTopK returns an operator that yields the first count rows in order of keys.
func NewTopK(keys []dag.SortKey, count int64) *TopK {
	return &TopK{keys: keys, count: int(min(count, 1<<30))}
}

// Open implements op.Operator.
func (t *TopK) Open(_ context.Context, env *op.Env) error {
	t.env, t.buffer.mem, t.account = env, env.Alloc, env.Memory.Account("top-k")
	return nil
}

// Push implements op.Operator.
func (t *TopK) Push(_ context.Context, _ int, b *op.Batch, _ op.Output) (op.Flow, error) {
	if t.count == 0 {
		return op.Enough, nil
	}
	rows := t.candidates(b)
	if len(rows) == 0 {
		return op.More, nil
	}
	if err := t.buffer.addRows(b, rows); err != nil {
		return op.Enough, err
	}
	if t.buffer.rows >= 2*t.count+batchRows {
		if err := t.trim(); err != nil {
			return op.Enough, err
		}
	}
	return op.More, t.account.Set(t.buffer.bytes)
}

// candidates are the rows that come before the bound. Of equals the earlier wins.
func (t *TopK) candidates(b *op.Batch) []int32 {
	rows := b.Sel
	if rows == nil {
		rows = upTo(b.Rows)
	}
	if t.bound == nil {
		return rows
	}
	cols, orders := keyColumns(b.Cols, t.keys)
	compare := vec.NewComparator(cols, t.bound, orders)
	last := t.bound[0].Len() - 1
	kept := make([]int32, 0, 64)
	for _, r := range rows {
		if compare(int(r), last) < 0 {
			kept = append(kept, r)
		}
	}
	return kept
}

// trim keeps the best rows only, in order.
func (t *TopK) trim() error {
	cols, err := t.buffer.merge()
	if err != nil || cols == nil {
		return err
	}
	order := sorted(cols, t.buffer.rows, t.keys)
	full := len(order) >= t.count
	if err := t.buffer.replace(order[:min(t.count, len(order))]); err != nil {
		return err
	}
	if full {
		bound, _ := keyColumns(t.buffer.chunks[0], t.keys)
		for _, a := range bound {
			a.Retain()
		}
		vec.ReleaseAll(t.bound)
		t.bound = bound
	}
	return nil
}

// Finish implements op.Operator.
func (t *TopK) Finish(ctx context.Context, _ int, out op.Output) error {
	if err := t.trim(); err != nil || t.buffer.rows == 0 {
		return err
	}
	return emit(ctx, t.env.Alloc, t.buffer.chunks[0], upTo(t.buffer.rows), out)
}

// Close implements op.Operator.
func (t *TopK) Close() error {
	t.buffer.release()
	vec.ReleaseAll(t.bound)
	t.bound = nil
	t.account.Close()
	return nil
}
