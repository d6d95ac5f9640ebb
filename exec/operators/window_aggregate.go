package operators

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
	"github.com/rainsql/rainsql/planner/dag"
)

// windowAggregate is an aggregate over frames. How it is computed depends on the
// function and the frames alone, never on what else is in the task, so that
// rounding does not either.
type windowAggregate struct {
	*windowRows
	call *expr.AggCall
	args []arrow.Array // of all rows, in order: AggCall.Inputs
	mask []bool        // rows that count: FILTER, and DISTINCT where a row is the first of its kind; nil: all
	*frames
}

// aggregate computes an aggregate for the frame of each row.
func (r *windowRows) aggregate(it *dag.WindowItem) (arrow.Array, error) {
	f, err := r.framesOf(it.Frame)
	if err != nil {
		return nil, err
	}
	a := &windowAggregate{windowRows: r, call: it.Agg.AggCall, frames: f}
	if a.args, err = r.evalAll(a.call.Inputs()); err != nil {
		return nil, err
	}
	defer func() { vec.ReleaseAll(a.args) }()
	for _, c := range a.args {
		if err := r.w.account.Add(vec.Bytes(c)); err != nil {
			return nil, err
		}
		defer func() { _ = r.w.account.Add(-vec.Bytes(c)) }()
	}
	if err := a.filter(); err != nil {
		return nil, err
	}
	if a.call.Distinct && a.anchored() {
		if err := a.firstOfKind(); err != nil {
			return nil, err
		}
	}
	values, err := a.values()
	if err != nil {
		return nil, err
	}
	defer values.Release()
	return vec.Take(r.w.env.Alloc, values, f.id)
}

// values are the results of the distinct frames.
func (a *windowAggregate) values() (arrow.Array, error) {
	plain := !a.call.Distinct && len(a.call.OrderBy) == 0
	switch fn := a.call.Fn; {
	case plain && fn == "count":
		return a.counts(), nil
	case plain && picks[fn]:
		return a.picked()
	case plain && a.exact():
		return a.sums()
	case !a.call.Distinct && (fn == "sum" || fn == "avg") && a.anchored():
		return a.runningSums()
	case a.call.Distinct && (fn == "count" || a.exact()):
		return a.distinctSums()
	case !a.call.Distinct && quantiles[fn]:
		return a.quantile()
	case a.call.Splittable():
		return a.tree()
	}
	return a.direct()
}

// exact reports a sum or mean of whole numbers, whose parts can be taken away again.
func (a *windowAggregate) exact() bool {
	return (a.call.Fn == "sum" || a.call.Fn == "avg") && a.call.Args[0].Type().Kind != types.Float64
}

// anchored reports that every frame begins where its partition does.
func (a *windowAggregate) anchored() bool {
	for i, from := range a.from {
		if from != a.parts[a.inPart[i]] {
			return false
		}
	}
	return true
}

// included reports whether a row counts.
func (a *windowAggregate) included(at int) bool { return a.mask == nil || a.mask[at] }

func (a *windowAggregate) filter() error {
	if a.call.Filter == nil {
		return nil
	}
	col, err := a.eval(a.call.Filter)
	if err != nil {
		return err
	}
	defer col.Release()
	bits, null := vec.BoolsOf(col), vec.ValidityOf(col)
	a.mask = make([]bool, a.n)
	for at := range a.mask {
		a.mask[at] = null.Valid(at) && bits.At(at)
	}
	return nil
}

// firstOfKind makes an aggregate of DISTINCT values one of all values, of rows
// that are the first of their kind in the partition. It holds where frames only
// grow: a row is in a frame if the first of its kind is.
func (a *windowAggregate) firstOfKind() error {
	kinds, _, err := a.kinds()
	if err != nil {
		return err
	}
	plain := *a.call
	plain.Distinct = false
	a.call = &plain
	mask := make([]bool, a.n)
	seen := make([]int32, 0, a.n) // of each kind: 1 + the last partition it was met in
	for at, k := range kinds {
		if !a.included(at) {
			continue
		}
		for int(k) >= len(seen) {
			seen = append(seen, 0)
		}
		if part := a.part[at] + 1; seen[k] != part {
			seen[k], mask[at] = part, true
		}
	}
	a.mask = mask
	return nil
}

// kinds numbers the rows by their arguments: equal rows alike.
func (a *windowAggregate) kinds() (of []uint32, n int, err error) {
	t := newGroupTable(a.w.env.Alloc, nil)
	defer t.reset()
	of = make([]uint32, a.n)
	err = t.group(a.args[:len(a.call.Args)], a.n, of)
	return of, t.len(), err
}

// counts is count(*) or count(x): the difference of two running counts.
func (a *windowAggregate) counts() arrow.Array {
	running := a.running()
	b := vec.NewFixed[int64](a.w.env.Alloc, types.INT.Arrow(), len(a.from))
	for i := range b.Values {
		b.Values[i] = int64(running[a.to[i]] - running[a.from[i]])
	}
	return b.Finish()
}

// running is the number of rows with a value before each row, and in all.
func (a *windowAggregate) running() []int32 {
	var null vec.Validity
	if len(a.args) > 0 {
		null = vec.ValidityOf(a.args[0])
	}
	out := make([]int32, a.n+1)
	for at := range a.n {
		out[at+1] = out[at]
		if a.included(at) && null.Valid(at) {
			out[at+1]++
		}
	}
	return out
}
