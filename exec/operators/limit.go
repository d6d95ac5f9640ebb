package operators

import (
	"context"

	"github.com/rainsql/rainsql/exec/op"
)

// Limit passes a number of rows after an offset, then says Enough.
type Limit struct {
	op.Base
	count  int64 // left to pass; negative: all
	offset int64 // left to skip
}

// NewLimit returns an operator that passes count rows (all if negative) after offset.
func NewLimit(count, offset int64) *Limit { return &Limit{count: count, offset: offset} }

// Open implements op.Operator.
func (l *Limit) Open(context.Context, *op.Env) error { return nil }

// Push implements op.Operator.
func (l *Limit) Push(ctx context.Context, _ int, b *op.Batch, out op.Output) (op.Flow, error) {
	if l.count == 0 {
		return op.Enough, nil
	}
	n := int64(b.Len())
	if n <= l.offset {
		l.offset -= n
		return op.More, nil
	}
	from := l.offset
	l.offset = 0
	to := n
	if l.count > 0 {
		to = min(n, from+l.count)
		l.count -= to - from
	}
	next := *b
	if from > 0 || to < n {
		next.Sel = slice(b, int(from), int(to))
	}
	flow, err := out.Push(ctx, &next)
	if l.count == 0 {
		flow = op.Enough
	}
	return flow, err
}

// slice selects the rows from to to of those that count.
func slice(b *op.Batch, from, to int) []int32 {
	if b.Sel != nil {
		return b.Sel[from:to]
	}
	sel := make([]int32, to-from)
	for i := range sel {
		sel[i] = int32(from + i)
	}
	return sel
}

// Finish implements op.Operator.
func (l *Limit) Finish(context.Context, int, op.Output) error { return nil }

// Close implements op.Operator.
func (l *Limit) Close() error { return nil }
