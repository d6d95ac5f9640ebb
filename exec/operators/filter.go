// Package operators holds the operators that tasks run, one a file.
package operators

import (
	"context"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr"
)

// Filter keeps the rows for which a condition is true, by selecting them.
type Filter struct {
	op.Base
	cond expr.Expr
	eval *expr.Evaluator
}

// NewFilter returns an operator that keeps the rows for which cond, BOOL, is true.
func NewFilter(cond expr.Expr) *Filter { return &Filter{cond: cond} }

// Open implements op.Operator.
func (f *Filter) Open(_ context.Context, env *op.Env) (err error) {
	f.eval, err = expr.NewEvaluator(f.cond, env.Alloc, env.Eval)
	return err
}

// Push implements op.Operator.
func (f *Filter) Push(ctx context.Context, _ int, b *op.Batch, out op.Output) (op.Flow, error) {
	sel, err := f.eval.Filter(b.Input(), b.Sel, make([]int32, 0, b.Len()))
	if err != nil {
		return op.Enough, b.Locate(err)
	}
	if len(sel) == 0 {
		return op.More, nil
	}
	next := *b
	if len(sel) < b.Rows {
		next.Sel = sel
	}
	return out.Push(ctx, &next)
}

// Finish implements op.Operator.
func (f *Filter) Finish(context.Context, int, op.Output) error { return nil }

// Close implements op.Operator.
func (f *Filter) Close() error {
	if f.eval != nil {
		f.eval.Close()
		f.eval = nil
	}
	return nil
}
