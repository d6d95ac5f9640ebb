package operators

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/vec"
)

// Receiver takes the rows of a query. It borrows the columns, and may stop the
// query by returning Enough. It may block: the query then waits.
type Receiver func(ctx context.Context, cols []arrow.Array, rows int) (op.Flow, error)

// Result hands chosen columns to the caller of the query.
type Result struct {
	op.Base
	columns []int
	to      Receiver
	env     *op.Env
}

// NewResult returns an operator that gives columns to to.
func NewResult(columns []int, to Receiver) *Result { return &Result{columns: columns, to: to} }

// Open implements op.Operator.
func (r *Result) Open(_ context.Context, env *op.Env) error {
	r.env = env
	return nil
}

// Push implements op.Operator.
func (r *Result) Push(ctx context.Context, _ int, b *op.Batch, _ op.Output) (op.Flow, error) {
	cols, err := chosen(r.env, b, r.columns)
	if err != nil {
		return op.Enough, err
	}
	defer vec.ReleaseAll(cols)
	return r.to(ctx, cols, b.Len())
}

// Finish implements op.Operator.
func (r *Result) Finish(context.Context, int, op.Output) error { return nil }

// Close implements op.Operator.
func (r *Result) Close() error { return nil }
