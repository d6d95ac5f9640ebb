package operators

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/vec"
)

// Project computes its columns from each batch.
type Project struct {
	op.Base
	exprs []expr.Expr
	evals evaluators
}

// NewProject returns an operator whose columns are the values of exprs.
func NewProject(exprs []expr.Expr) *Project { return &Project{exprs: exprs} }

// Open implements op.Operator.
func (p *Project) Open(_ context.Context, env *op.Env) (err error) {
	p.evals, err = newEvaluators(p.exprs, env)
	return err
}

// Push implements op.Operator.
func (p *Project) Push(ctx context.Context, _ int, b *op.Batch, out op.Output) (op.Flow, error) {
	if p.passes() { // only columns chosen: the selection stays
		next := *b
		next.Cols = make([]arrow.Array, len(p.exprs))
		for i, e := range p.exprs {
			next.Cols[i] = b.Cols[e.(*expr.Column).ID]
		}
		return out.Push(ctx, &next)
	}
	cols, err := p.evals.eval(b)
	if err != nil {
		return op.Enough, err
	}
	next := b.Derived(cols)
	defer next.Release()
	return out.Push(ctx, next)
}

func (p *Project) passes() bool {
	for _, e := range p.exprs {
		if _, ok := e.(*expr.Column); !ok {
			return false
		}
	}
	return true
}

// Finish implements op.Operator.
func (p *Project) Finish(context.Context, int, op.Output) error { return nil }

// Close implements op.Operator.
func (p *Project) Close() error {
	p.evals.close()
	return nil
}

// evaluators computes a list of expressions.
type evaluators []*expr.Evaluator

func newEvaluators(exprs []expr.Expr, env *op.Env) (evaluators, error) {
	evs := make(evaluators, 0, len(exprs))
	for _, e := range exprs {
		ev, err := expr.NewEvaluator(e, env.Alloc, env.Eval)
		if err != nil {
			evs.close()
			return nil, err
		}
		evs = append(evs, ev)
	}
	return evs, nil
}

// eval returns a dense column for each expression, which the caller releases.
func (evs evaluators) eval(b *op.Batch) ([]arrow.Array, error) {
	cols := make([]arrow.Array, 0, len(evs))
	for _, ev := range evs {
		c, err := ev.Eval(b.Input(), b.Sel)
		if err != nil {
			vec.ReleaseAll(cols)
			return nil, b.Locate(err)
		}
		cols = append(cols, c)
	}
	return cols, nil
}

func (evs evaluators) close() {
	for i, ev := range evs {
		if ev != nil {
			ev.Close()
			evs[i] = nil
		}
	}
}
