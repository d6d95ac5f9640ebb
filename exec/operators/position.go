package operators

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// Position appends an INT column that numbers rows in the order of their
// source: the split in the upper 24 bits, the row within it below. It makes a
// sort in many tasks stable. A task reads the rows of a split one after another.
type Position struct {
	op.Base
	env   *op.Env
	split int
	row   int64
}

// NewPosition returns the operator.
func NewPosition() *Position { return &Position{split: -1} }

const rowBits = 40

// Open implements op.Operator.
func (p *Position) Open(_ context.Context, env *op.Env) error {
	p.env = env
	return nil
}

// Push implements op.Operator.
func (p *Position) Push(ctx context.Context, _ int, b *op.Batch, out op.Output) (op.Flow, error) {
	if b.Split != p.split {
		p.split, p.row = b.Split, 0
	}
	f := vec.NewFixed[int64](p.env.Alloc, types.INT.Arrow(), b.Rows)
	for i := range f.Values {
		f.Values[i] = int64(b.Split)<<rowBits | (p.row + int64(i))
	}
	p.row += int64(b.Rows)
	col := f.Finish()
	defer col.Release()
	next := *b
	next.Cols = append(append([]arrow.Array(nil), b.Cols...), col)
	return out.Push(ctx, &next)
}

// Finish implements op.Operator.
func (p *Position) Finish(context.Context, int, op.Output) error { return nil }

// Close implements op.Operator.
func (p *Position) Close() error { return nil }
