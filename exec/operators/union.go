package operators

import (
	"context"

	"github.com/rainsql/rainsql/exec/op"
)

// Union passes on the rows of all its inputs.
type Union struct{ op.Base }

// NewUnion returns the operator.
func NewUnion() *Union { return &Union{} }

// Open implements op.Operator.
func (*Union) Open(context.Context, *op.Env) error { return nil }

// Push implements op.Operator.
func (*Union) Push(ctx context.Context, _ int, b *op.Batch, out op.Output) (op.Flow, error) {
	next := *b
	next.Origin, next.OriginRows = nil, nil
	return out.Push(ctx, &next)
}

// Finish implements op.Operator.
func (*Union) Finish(context.Context, int, op.Output) error { return nil }

// Close implements op.Operator.
func (*Union) Close() error { return nil }
