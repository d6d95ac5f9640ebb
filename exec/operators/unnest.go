package operators

import (
	"context"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/vec"
)

// Unnest yields a row for each element of a list, with the element as a last
// column. NULL and empty lists have none.
type Unnest struct {
	op.Base
	list expr.Expr
	env  *op.Env
	eval *expr.Evaluator
}

// NewUnnest returns an operator over the elements of list.
func NewUnnest(list expr.Expr) *Unnest { return &Unnest{list: list} }

// Open implements op.Operator.
func (u *Unnest) Open(_ context.Context, env *op.Env) (err error) {
	u.env = env
	u.eval, err = expr.NewEvaluator(u.list, env.Alloc, env.Eval)
	return err
}

// Push implements op.Operator.
func (u *Unnest) Push(ctx context.Context, _ int, b *op.Batch, out op.Output) (op.Flow, error) {
	col, err := u.eval.Eval(b.Input(), b.Sel)
	if err != nil {
		return op.Enough, b.Locate(err)
	}
	defer col.Release()
	list, ok := col.(*array.List)
	if !ok {
		return op.Enough, fmt.Errorf("internal: UNNEST of %s", col.DataType())
	}
	var rows, elems []int32
	for i := range list.Len() {
		if list.IsNull(i) {
			continue
		}
		from, to := list.ValueOffsets(i)
		for e := from; e < to; e++ {
			rows, elems = append(rows, rowAt(b.Sel, i)), append(elems, int32(e))
			if len(rows) < batchRows {
				continue
			}
			if flow, err := u.emit(ctx, b, list.ListValues(), rows, elems, out); err != nil || flow == op.Enough {
				return flow, err
			}
			rows, elems = rows[:0], elems[:0]
		}
	}
	return u.emit(ctx, b, list.ListValues(), rows, elems, out)
}

func (u *Unnest) emit(ctx context.Context, b *op.Batch, values arrow.Array, rows, elems []int32, out op.Output) (op.Flow, error) {
	if len(rows) == 0 {
		return op.More, nil
	}
	if ctx.Err() != nil {
		return op.Enough, context.Cause(ctx)
	}
	next, err := b.Take(u.env.Alloc, rows)
	if err != nil {
		return op.Enough, err
	}
	defer next.Release()
	col, err := vec.Take(u.env.Alloc, values, elems)
	if err != nil {
		return op.Enough, err
	}
	next.Cols = append(next.Cols, col)
	if next.OriginRows != nil { // it may alias rows, which are written anew
		next.OriginRows = append([]int32(nil), next.OriginRows...)
	}
	return out.Push(ctx, next)
}

// Finish implements op.Operator.
func (*Unnest) Finish(context.Context, int, op.Output) error { return nil }

// Close implements op.Operator.
func (u *Unnest) Close() error {
	if u.eval != nil {
		u.eval.Close()
		u.eval = nil
	}
	return nil
}
