package operators

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
	"github.com/rainsql/rainsql/planner/dag"
)

// Aggregate groups rows by keys and computes aggregates: whole, or as the first
// (partial) or second (final) of two steps. Groups come out in the order in
// which they first appeared.
type Aggregate struct {
	op.Base
	spec    *dag.Aggregate
	env     *op.Env
	keys    evaluators
	calls   []*aggregateCall
	table   *groupTable
	groups  []uint32
	account *op.Account
}

// aggregateCall is one aggregate and what it needs of a batch.
type aggregateCall struct {
	call   *expr.AggCall
	filter *expr.Evaluator
	inputs evaluators
	acc    expr.Accumulator
}

// NewAggregate returns the operator that spec describes.
func NewAggregate(spec *dag.Aggregate) *Aggregate { return &Aggregate{spec: spec} }

// Open implements op.Operator.
func (a *Aggregate) Open(_ context.Context, env *op.Env) (err error) {
	a.env, a.account = env, env.Memory.Account("aggregate")
	var keys []expr.Expr
	var keyTypes []types.Type
	for _, k := range a.spec.Keys {
		keys = append(keys, k.Expr)
		keyTypes = append(keyTypes, k.Type())
	}
	if a.keys, err = newEvaluators(keys, env); err != nil {
		return err
	}
	a.table = newGroupTable(env.Alloc, arrowTypes(keyTypes))
	for _, agg := range a.spec.Aggs {
		c := &aggregateCall{call: agg.AggCall}
		a.calls = append(a.calls, c)
		if err := c.open(env, a.spec.Mode); err != nil {
			return err
		}
	}
	return nil
}

func (c *aggregateCall) open(env *op.Env, mode dag.Mode) (err error) {
	if c.acc, err = expr.NewAccumulator(c.call, env.Alloc); err != nil {
		return err
	}
	if mode == dag.Final {
		return nil
	}
	if c.inputs, err = newEvaluators(c.call.Inputs(), env); err != nil {
		return err
	}
	if c.call.Filter != nil {
		c.filter, err = expr.NewEvaluator(c.call.Filter, env.Alloc, env.Eval)
	}
	return err
}

// Push implements op.Operator.
func (a *Aggregate) Push(ctx context.Context, _ int, b *op.Batch, out op.Output) (op.Flow, error) {
	if b.Len() == 0 {
		return op.More, nil
	}
	keys, err := a.keys.eval(b)
	if err != nil {
		return op.Enough, err
	}
	a.groups = grow(a.groups, b.Len())
	err = a.table.group(keys, b.Len(), a.groups)
	vec.ReleaseAll(keys)
	if err != nil {
		return op.Enough, err
	}
	if err := a.update(b); err != nil {
		return op.Enough, b.Locate(err)
	}
	if err := a.account.Set(a.bytes()); err != nil {
		return op.Enough, err
	}
	if a.spec.Mode == dag.Partial && a.table.len() >= partialGroups {
		return op.More, a.flush(ctx, out)
	}
	return op.More, nil
}

// partialGroups is how many groups a first step gathers before it passes them
// on: more would not fit a core's cache, and the second step merges them anyway.
const partialGroups = 1 << 17

func (a *Aggregate) bytes() int64 {
	n := a.table.bytes()
	for _, c := range a.calls {
		n += c.acc.Bytes()
	}
	return n
}

func (a *Aggregate) update(b *op.Batch) error {
	at := len(a.spec.Keys)
	for _, c := range a.calls {
		c.acc.Resize(a.table.len())
		if a.spec.Mode != dag.Final {
			if err := c.update(b, a.groups); err != nil {
				return err
			}
			continue
		}
		n := len(c.call.StateTypes())
		if err := a.merge(c, b, at, n); err != nil {
			return err
		}
		at += n
	}
	return nil
}

// merge adds the states that a first step made.
func (a *Aggregate) merge(c *aggregateCall, b *op.Batch, at, n int) error {
	columns := make([]int, n)
	for i := range columns {
		columns[i] = at + i
	}
	states, err := chosen(a.env, b, columns)
	if err != nil {
		return err
	}
	defer vec.ReleaseAll(states)
	return c.acc.Merge(a.groups, states)
}

// update adds rows. With a FILTER only those it lets through are evaluated further.
func (c *aggregateCall) update(b *op.Batch, groups []uint32) error {
	rows := b
	if c.filter != nil {
		sel, err := c.filter.Filter(b.Input(), b.Sel, make([]int32, 0, b.Len()))
		if err != nil {
			return err
		}
		if len(sel) == 0 {
			return nil
		}
		groups = groupsAt(groups, b.Sel, sel)
		filtered := *b
		filtered.Sel = sel
		rows = &filtered
	}
	args := make([]arrow.Array, 0, len(c.inputs))
	defer func() { vec.ReleaseAll(args) }()
	for _, ev := range c.inputs {
		col, err := ev.Eval(rows.Input(), rows.Sel)
		if err != nil {
			return err
		}
		args = append(args, col)
	}
	return c.acc.Update(groups, args)
}

// groupsAt picks the groups of the rows sel, of which groups covers those of all (nil: every row).
func groupsAt(groups []uint32, all, sel []int32) []uint32 {
	out := make([]uint32, len(sel))
	if all == nil {
		for i, r := range sel {
			out[i] = groups[r]
		}
		return out
	}
	at := 0
	for i, r := range sel {
		for all[at] != r {
			at++
		}
		out[i] = groups[at]
	}
	return out
}

// Finish implements op.Operator.
func (a *Aggregate) Finish(ctx context.Context, _ int, out op.Output) error {
	if len(a.spec.Keys) == 0 && a.table.len() == 0 {
		// Without keys there is one group, even of no rows.
		if err := a.table.group(nil, 1, make([]uint32, 1)); err != nil {
			return err
		}
		for _, c := range a.calls {
			c.acc.Resize(1)
		}
	}
	return a.flush(ctx, out)
}

// flush yields all groups and forgets them.
func (a *Aggregate) flush(ctx context.Context, out op.Output) error {
	n := a.table.len()
	if n == 0 {
		return nil
	}
	cols, err := a.results()
	if err != nil {
		return err
	}
	defer vec.ReleaseAll(cols)
	a.table.reset()
	for _, c := range a.calls {
		c.acc.Release()
		if c.acc, err = expr.NewAccumulator(c.call, a.env.Alloc); err != nil {
			return err
		}
	}
	return emitSlices(ctx, cols, n, out)
}

// results are the keys of all groups, then the states or values of the aggregates.
func (a *Aggregate) results() ([]arrow.Array, error) {
	cols, err := a.table.columns()
	if err != nil {
		return nil, err
	}
	for _, c := range a.calls {
		var more []arrow.Array
		if a.spec.Mode == dag.Partial {
			more, err = c.acc.State()
		} else {
			var v arrow.Array
			if v, err = c.acc.Result(); err == nil {
				more = []arrow.Array{v}
			}
		}
		if err != nil {
			vec.ReleaseAll(cols)
			return nil, err
		}
		cols = append(cols, more...)
	}
	return cols, nil
}

// emitSlices pushes n rows of cols in batches.
func emitSlices(ctx context.Context, cols []arrow.Array, n int, out op.Output) error {
	for from := 0; from < n; from += batchRows {
		to := min(from+batchRows, n)
		b := &op.Batch{Rows: to - from, Split: -1}
		for _, c := range cols {
			b.Cols = append(b.Cols, array.NewSlice(c, int64(from), int64(to)))
		}
		flow, err := out.Push(ctx, b)
		b.Release()
		if err != nil || flow == op.Enough {
			return err
		}
	}
	return nil
}

// Close implements op.Operator.
func (a *Aggregate) Close() error {
	a.keys.close()
	for _, c := range a.calls {
		c.inputs.close()
		if c.filter != nil {
			c.filter.Close()
			c.filter = nil
		}
		if c.acc != nil {
			c.acc.Release()
			c.acc = nil
		}
	}
	if a.table != nil {
		a.table.reset()
	}
	a.account.Close()
	return nil
}
