package operators

import (
	"context"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/vec"
	"github.com/rainsql/rainsql/planner/dag"
)

// Window holds all rows until its input ends, then appends to each what
// functions make of the rows around it. Rows come out as they came in, or in the
// order of their position.
type Window struct {
	op.Base
	spec    *dag.Window
	env     *op.Env
	buffer  rowBuffer
	account *op.Account
}

// NewWindow returns the operator that spec describes.
func NewWindow(spec *dag.Window) *Window { return &Window{spec: spec} }

// Open implements op.Operator.
func (w *Window) Open(_ context.Context, env *op.Env) error {
	w.env, w.buffer.mem, w.account = env, env.Alloc, env.Memory.Account("window")
	return nil
}

// Push implements op.Operator.
func (w *Window) Push(_ context.Context, _ int, b *op.Batch, _ op.Output) (op.Flow, error) {
	if b.Len() == 0 {
		return op.More, nil
	}
	if err := w.buffer.add(b); err != nil {
		return op.Enough, err
	}
	return op.More, w.account.Set(w.buffer.bytes)
}

// Finish implements op.Operator.
func (w *Window) Finish(ctx context.Context, _ int, out op.Output) error {
	const perRow = 16 + 7*4 // of the sort, of partitions, peers and frames
	if err := w.account.Set(2*w.buffer.bytes + int64(w.buffer.rows)*perRow); err != nil {
		return err
	}
	cols, err := w.buffer.merge()
	if err != nil || cols == nil {
		return err
	}
	if err := w.account.Set(w.buffer.bytes + int64(w.buffer.rows)*perRow); err != nil {
		return err
	}
	rows, err := newWindowRows(ctx, w, cols)
	if err != nil {
		return err
	}
	results := make([]arrow.Array, 0, len(w.spec.Items))
	defer func() { vec.ReleaseAll(results) }()
	for i := range w.spec.Items {
		col, err := rows.compute(&w.spec.Items[i])
		if err != nil {
			return err
		}
		results = append(results, col)
		if err := w.account.Add(vec.Bytes(col)); err != nil {
			return err
		}
	}
	return w.emit(ctx, rows, results, out)
}

// emit pushes the rows with their results, which are in the order of the
// windows.
func (w *Window) emit(ctx context.Context, rows *windowRows, results []arrow.Array, out op.Output) error {
	rank := make([]int32, rows.n) // of each row: where its results are
	for at, row := range rows.order {
		rank[row] = int32(at)
	}
	var order []int32
	if w.spec.Position != nil {
		order = sorted(rows.cols, rows.n, []dag.SortKey{{Column: *w.spec.Position}})
	}
	at := make([]int32, 0, batchRows)
	for from := 0; from < rows.n; from += batchRows {
		to := min(from+batchRows, rows.n)
		b := &op.Batch{Rows: to - from, Split: -1}
		at = at[:0]
		if order == nil {
			for _, c := range rows.cols {
				b.Cols = append(b.Cols, array.NewSlice(c, int64(from), int64(to)))
			}
			at = append(at, rank[from:to]...)
		} else {
			taken, err := (&op.Batch{Cols: rows.cols, Split: -1}).Take(w.env.Alloc, order[from:to])
			if err != nil {
				return err
			}
			b.Cols = taken.Cols
			for _, row := range order[from:to] {
				at = append(at, rank[row])
			}
		}
		flow, err := w.push(ctx, b, results, at, out)
		if err != nil || flow == op.Enough {
			return err
		}
	}
	return nil
}

// push adds results to a batch, which it releases, and hands it on.
func (w *Window) push(ctx context.Context, b *op.Batch, results []arrow.Array, at []int32, out op.Output) (op.Flow, error) {
	defer b.Release()
	for _, r := range results {
		col, err := vec.Take(w.env.Alloc, r, at)
		if err != nil {
			return op.Enough, err
		}
		b.Cols = append(b.Cols, col)
	}
	if ctx.Err() != nil {
		return op.Enough, context.Cause(ctx)
	}
	return out.Push(ctx, b)
}

// Close implements op.Operator.
func (w *Window) Close() error {
	w.buffer.release()
	w.account.Close()
	return nil
}

// windowRows is all rows of a task, ordered by partition and within it. What
// follows counts rows in that order.
type windowRows struct {
	ctx   context.Context
	w     *Window
	cols  []arrow.Array
	n     int
	order []int32 // the rows of cols, in order
	parts []int32 // where partitions begin, and n
	peers []int32 // where peers begin, and n; peers are rows of a partition with equal keys
	part  []int32 // of each row: its partition
	peer  []int32 // of each row: its peers
	known map[string]*frames
}

// newWindowRows finds the partitions by their hash, and sorts within each.
func newWindowRows(ctx context.Context, w *Window, cols []arrow.Array) (*windowRows, error) {
	r := &windowRows{ctx: ctx, w: w, cols: cols, n: w.buffer.rows, known: map[string]*frames{}}
	groups, err := r.partition()
	if err != nil {
		return nil, err
	}
	if keys := append(w.spec.Order[:len(w.spec.Order):len(w.spec.Order)], positionKey(w.spec)...); len(keys) > 0 {
		s := newSorter(cols, keys)
		for p := range len(r.parts) - 1 {
			if ctx.Err() != nil {
				return nil, context.Cause(ctx)
			}
			s.sort(r.order[r.parts[p]:r.parts[p+1]])
		}
	}
	peerCols, peerOrders := keyColumns(cols, w.spec.Order)
	samePeer := vec.NewComparator(peerCols, peerCols, peerOrders)
	r.part, r.peer = make([]int32, r.n), make([]int32, r.n)
	for at, row := range r.order {
		r.part[at] = int32(groups[row])
		if at == int(r.parts[groups[row]]) || samePeer(int(r.order[at-1]), int(row)) != 0 {
			r.peers = append(r.peers, int32(at))
		}
		r.peer[at] = int32(len(r.peers) - 1)
	}
	r.peers = append(r.peers, int32(r.n))
	return r, nil
}

// partition numbers the partitions in the order in which they appear, and puts
// the rows of each together.
func (r *windowRows) partition() ([]uint32, error) {
	keys := make([]arrow.Array, len(r.w.spec.Partition))
	for i, c := range r.w.spec.Partition {
		keys[i] = r.cols[c]
	}
	table := newGroupTable(r.w.env.Alloc, nil)
	groups := make([]uint32, r.n)
	if err := table.group(keys, r.n, groups); err != nil {
		return nil, err
	}
	r.parts = make([]int32, table.len()+1)
	for _, g := range groups {
		r.parts[g+1]++
	}
	for g := range table.len() {
		r.parts[g+1] += r.parts[g]
	}
	next := slices.Clone(r.parts)
	r.order = make([]int32, r.n)
	for row, g := range groups {
		r.order[next[g]] = int32(row)
		next[g]++
	}
	return groups, nil
}

func positionKey(spec *dag.Window) []dag.SortKey {
	if spec.Position == nil {
		return nil
	}
	return []dag.SortKey{{Column: *spec.Position}}
}

// eval computes an expression over all rows, in order. The caller releases it.
func (r *windowRows) eval(e expr.Expr) (arrow.Array, error) {
	ev, err := expr.NewEvaluator(e, r.w.env.Alloc, r.w.env.Eval)
	if err != nil {
		return nil, err
	}
	defer ev.Close()
	in := &op.Batch{Cols: r.cols, Rows: r.n, Split: -1}
	col, err := ev.Eval(in.Input(), nil)
	if err != nil {
		return nil, in.Locate(err)
	}
	defer col.Release()
	return vec.Take(r.w.env.Alloc, col, r.order)
}

// evalAll is eval of several.
func (r *windowRows) evalAll(list []expr.Expr) ([]arrow.Array, error) {
	out := make([]arrow.Array, 0, len(list))
	for _, e := range list {
		col, err := r.eval(e)
		if err != nil {
			vec.ReleaseAll(out)
			return nil, err
		}
		out = append(out, col)
	}
	return out, nil
}

// stopped reports, now and then, that the query is to end.
func (r *windowRows) stopped(at int) error {
	if at&0xffff == 0 && r.ctx.Err() != nil {
		return context.Cause(r.ctx)
	}
	return nil
}

// bounds are where the partition of a row begins and ends.
func (r *windowRows) bounds(at int) (from, to int) {
	p := r.part[at]
	return int(r.parts[p]), int(r.parts[p+1])
}
