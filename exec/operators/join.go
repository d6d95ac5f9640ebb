package operators

import (
	"context"
	"errors"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
	"github.com/rainsql/rainsql/planner/dag"
)

// Join joins its first input, the probe side, with its second, the build side,
// which it reads first: into a hash table by the key columns, or a list where
// there are none (a nested loop). Probe rows keep their order, and their
// partners the order in which they came.
type Join struct {
	op.Base
	spec     *dag.Join
	env      *op.Env
	residual *expr.Evaluator
	reads    []int // the columns that the residual reads
	account  *op.Account

	build   built
	in      inKeys
	groups  []int32 // of the probe rows at hand
	pairs   pairs
	matched []bool // probe rows at hand that have a partner
}

// NewJoin returns the operator that spec describes.
func NewJoin(spec *dag.Join) *Join { return &Join{spec: spec} }

// Open implements op.Operator.
func (j *Join) Open(_ context.Context, env *op.Env) (err error) {
	j.env, j.account = env, env.Memory.Account("join")
	j.build.open(env)
	j.in.open(env)
	if j.spec.Residual == nil {
		return nil
	}
	j.reads = expr.Columns(j.spec.Residual.Expr)
	j.residual, err = expr.NewEvaluator(j.spec.Residual.Expr, env.Alloc, env.Eval)
	return err
}

// Push implements op.Operator.
func (j *Join) Push(ctx context.Context, input int, b *op.Batch, out op.Output) (op.Flow, error) {
	if b.Len() == 0 {
		return op.More, nil
	}
	if input == 1 {
		return op.More, j.addBuild(b)
	}
	return j.probe(ctx, b, out)
}

// keeps reports that build rows are held, not only their keys.
func (j *Join) keeps() bool { return j.spec.Kind.Pairs() || j.residual != nil }

func (j *Join) addBuild(b *op.Batch) error {
	keys, err := chosen(j.env, b, j.spec.Build)
	if err != nil {
		return err
	}
	defer func() { vec.ReleaseAll(keys) }()
	if j.spec.In {
		if err := j.in.add(keys, b.Len()); err != nil {
			return err
		}
	}
	if err := j.build.add(b, keys, j.spec.NullSafe, j.keeps(), j.spec.Kind.KeepsBuild()); err != nil {
		return err
	}
	return j.account.Set(j.build.bytes() + j.in.table.bytes())
}

// Finish implements op.Operator.
func (j *Join) Finish(ctx context.Context, input int, out op.Output) error {
	if input == 1 {
		if err := j.account.Set(2*j.build.bytes() + j.in.table.bytes()); err != nil {
			return err
		}
		if err := j.build.finish(); err != nil {
			return err
		}
		if j.spec.Kind.KeepsBuild() {
			j.build.mark()
		}
		return j.account.Set(j.build.bytes() + j.in.table.bytes())
	}
	if j.spec.Kind.KeepsBuild() {
		return j.restOfBuild(ctx, out)
	}
	return nil
}

// probe joins a batch of probe rows.
func (j *Join) probe(ctx context.Context, b *op.Batch, out op.Output) (op.Flow, error) {
	if j.build.rows() == 0 && (j.spec.Kind == dag.InnerJoin || j.spec.Kind == dag.SemiJoin || j.spec.Kind == dag.RightJoin) {
		return op.Enough, nil // there is nothing to find
	}
	keys, err := chosen(j.env, b, j.spec.Probe)
	if err != nil {
		return op.Enough, err
	}
	defer func() { vec.ReleaseAll(keys) }()
	j.groups = grow(j.groups, b.Len())
	j.build.find(keys, b.Len(), j.spec.NullSafe, j.groups)
	if j.residual == nil && !j.spec.Kind.Pairs() {
		j.matched = grow(j.matched, b.Len())
		for i, g := range j.groups {
			j.matched[i] = g != noGroup
		}
		return j.choose(ctx, b, keys, out)
	}
	return j.pair(ctx, b, keys, out)
}

// pair goes through all pairs of a batch, some at a time.
func (j *Join) pair(ctx context.Context, b *op.Batch, keys []arrow.Array, out op.Output) (op.Flow, error) {
	n := b.Len()
	j.matched = grow(j.matched, n)
	clear(j.matched)
	j.pairs.reset()
	alone := j.residual == nil && j.spec.Kind.KeepsProbe()
	for i := range n {
		partners := j.build.partners(j.groups[i])
		if len(partners) == 0 && alone {
			j.pairs.add(int32(i), -1)
		}
		for _, r := range partners {
			j.pairs.add(int32(i), r)
			if j.pairs.len() == batchRows {
				if flow, err := j.flush(ctx, b, out); err != nil || flow == op.Enough {
					return flow, err
				}
			}
		}
	}
	if flow, err := j.flush(ctx, b, out); err != nil || flow == op.Enough {
		return flow, err
	}
	if !j.spec.Kind.Pairs() {
		return j.choose(ctx, b, keys, out)
	}
	if j.residual != nil && j.spec.Kind.KeepsProbe() {
		for i := range n {
			if !j.matched[i] {
				j.pairs.add(int32(i), -1)
			}
		}
		return j.emit(ctx, b, out)
	}
	return op.More, nil
}

// flush checks the pairs at hand and yields those that hold.
func (j *Join) flush(ctx context.Context, b *op.Batch, out op.Output) (op.Flow, error) {
	if j.pairs.len() == 0 {
		return op.More, nil
	}
	if err := ctx.Err(); err != nil {
		return op.Enough, context.Cause(ctx)
	}
	if j.residual != nil {
		if err := j.check(b); err != nil {
			return op.Enough, err
		}
	}
	for k, p := range j.pairs.probe {
		if j.pairs.build[k] < 0 {
			continue
		}
		if j.spec.Kind == dag.Single && j.matched[p] {
			return op.Enough, errMoreThanOne
		}
		j.matched[p] = true
		if j.build.matched != nil {
			j.build.matched[j.pairs.build[k]] = true
		}
	}
	if !j.spec.Kind.Pairs() {
		j.pairs.reset()
		return op.More, nil
	}
	return j.emit(ctx, b, out)
}

var errMoreThanOne = errors.New("a subquery that is a value gave more than one row; AGGREGATE it, or add LIMIT 1")

// check keeps the pairs for which the residual condition is true.
func (j *Join) check(b *op.Batch) error {
	cols := make([]arrow.Array, len(j.spec.ProbeTypes)+len(j.spec.BuildTypes))
	defer func() {
		for _, c := range cols {
			if c != nil {
				c.Release()
			}
		}
	}()
	for _, c := range j.reads {
		col, err := j.column(b, c)
		if err != nil {
			return err
		}
		cols[c] = col
	}
	sel, err := j.residual.Filter(expr.Input{Cols: cols, Rows: j.pairs.len()}, nil, make([]int32, 0, j.pairs.len()))
	if err != nil {
		return bare(err)
	}
	j.pairs.keep(sel)
	return nil
}

// bare takes the row out of an error: it is one of no file.
func bare(err error) error {
	var re *expr.RowError
	if errors.As(err, &re) {
		return re.Err
	}
	return err
}

// column gathers a column of the pairs: of the probe's columns, then the build's.
func (j *Join) column(b *op.Batch, at int) (arrow.Array, error) {
	if at < len(j.spec.ProbeTypes) {
		return vec.Take(j.env.Alloc, b.Cols[at], j.pairs.probeRows(b.Sel))
	}
	return j.build.take(j.spec.BuildTypes, at-len(j.spec.ProbeTypes), j.pairs.build)
}

// emit yields the pairs at hand and forgets them.
func (j *Join) emit(ctx context.Context, b *op.Batch, out op.Output) (op.Flow, error) {
	n := j.pairs.len()
	if n == 0 {
		return op.More, nil
	}
	next := &op.Batch{Rows: n, Split: b.Split}
	defer next.Release()
	for _, at := range j.spec.Out {
		col, err := j.column(b, at)
		if err != nil {
			return op.Enough, err
		}
		next.Cols = append(next.Cols, col)
	}
	j.pairs.reset()
	return out.Push(ctx, next)
}

// choose yields probe rows as they are: those with a partner, those without, or all with a mark.
func (j *Join) choose(ctx context.Context, b *op.Batch, keys []arrow.Array, out op.Output) (op.Flow, error) {
	next := &op.Batch{Rows: b.Rows, Sel: b.Sel, Split: b.Split}
	cols := b.Cols
	if j.spec.Kind == dag.MarkJoin {
		mark, err := j.mark(b, keys)
		if err != nil {
			return op.Enough, err
		}
		defer mark.Release()
		cols = append(append([]arrow.Array(nil), b.Cols...), mark)
	} else {
		want := j.spec.Kind == dag.SemiJoin
		sel := make([]int32, 0, b.Len())
		for i, m := range j.matched[:b.Len()] {
			if m == want {
				sel = append(sel, rowAt(b.Sel, i))
			}
		}
		if len(sel) == 0 {
			return op.More, nil
		}
		next.Sel = sel
	}
	for _, at := range j.spec.Out {
		next.Cols = append(next.Cols, cols[at])
	}
	return out.Push(ctx, next)
}

func rowAt(sel []int32, i int) int32 {
	if sel == nil {
		return int32(i)
	}
	return sel[i]
}

// mark makes the column that says which of the batch's rows have a partner.
func (j *Join) mark(b *op.Batch, keys []arrow.Array) (arrow.Array, error) {
	values := vec.NewBools(j.env.Alloc, b.Rows)
	var unknown []bool
	if j.spec.In {
		unknown = j.in.unknown(keys, b.Len())
	}
	for i := range b.Len() {
		row := int(rowAt(b.Sel, i))
		switch {
		case j.matched[i]:
			values.SetTrue(row)
		case unknown != nil && unknown[i]:
			values.Set(row)
		}
	}
	return values.Finish(), nil
}

// restOfBuild yields the build rows that no probe row was a partner of.
func (j *Join) restOfBuild(ctx context.Context, out op.Output) error {
	var rows []int32
	for r, m := range j.build.matched {
		if !m {
			rows = append(rows, int32(r))
		}
	}
	for from := 0; from < len(rows); from += batchRows {
		part := rows[from:min(from+batchRows, len(rows))]
		next := &op.Batch{Rows: len(part), Split: -1}
		for _, at := range j.spec.Out {
			var col arrow.Array
			var err error
			if at < len(j.spec.ProbeTypes) {
				col = nullsOf(j.env, j.spec.ProbeTypes[at], len(part))
			} else {
				col, err = j.build.take(j.spec.BuildTypes, at-len(j.spec.ProbeTypes), part)
			}
			if err != nil {
				next.Release()
				return err
			}
			next.Cols = append(next.Cols, col)
		}
		flow, err := out.Push(ctx, next)
		next.Release()
		if err != nil || flow == op.Enough {
			return err
		}
	}
	return nil
}

func nullsOf(env *op.Env, t types.Type, n int) arrow.Array {
	return array.MakeArrayOfNull(env.Alloc, t.Arrow(), n)
}

// Close implements op.Operator.
func (j *Join) Close() error {
	if j.residual != nil {
		j.residual.Close()
		j.residual = nil
	}
	j.build.close()
	j.in.close()
	j.account.Close()
	return nil
}
