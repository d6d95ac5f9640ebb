package operators

import (
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
	"github.com/rainsql/rainsql/planner/dag"
)

// compute returns the results of a function, in the order of the windows. The
// caller releases them.
func (r *windowRows) compute(it *dag.WindowItem) (arrow.Array, error) {
	if it.Agg != nil {
		return r.aggregate(it)
	}
	switch it.Fn {
	case "row_number":
		return r.ranks(func(at, from, _ int) int64 { return int64(at - from + 1) })
	case "rank":
		return r.ranks(func(at, from, _ int) int64 { return r.rank(at, from) })
	case "dense_rank":
		return r.ranks(func(at, from, _ int) int64 { return int64(r.peer[at]-r.peer[from]) + 1 })
	case "percent_rank":
		return r.parts64(func(at, from, to int) float64 {
			if to-from == 1 {
				return 0
			}
			return float64(r.rank(at, from)-1) / float64(to-from-1)
		})
	case "cume_dist":
		return r.parts64(func(at, from, to int) float64 { return float64(int(r.peers[r.peer[at]+1])-from) / float64(to-from) })
	case "ntile":
		return r.ntile(it)
	case "lag", "lead":
		return r.shifted(it)
	case "first_value", "last_value", "nth_value":
		return r.nthValue(it)
	}
	return nil, fmt.Errorf("internal: no window function %q", it.Fn)
}

func (r *windowRows) rank(at, from int) int64 { return int64(r.peers[r.peer[at]]) - int64(from) + 1 }

func (r *windowRows) ranks(f func(at, from, to int) int64) (arrow.Array, error) {
	b := vec.NewFixed[int64](r.w.env.Alloc, types.INT.Arrow(), r.n)
	for at := range b.Values {
		from, to := r.bounds(at)
		b.Values[at] = f(at, from, to)
	}
	return b.Finish(), nil
}

func (r *windowRows) parts64(f func(at, from, to int) float64) (arrow.Array, error) {
	b := vec.NewFixed[float64](r.w.env.Alloc, types.FLOAT.Arrow(), r.n)
	for at := range b.Values {
		from, to := r.bounds(at)
		b.Values[at] = f(at, from, to)
	}
	return b.Finish(), nil
}

// ntile deals a partition into n parts; the first ones get what is left over.
func (r *windowRows) ntile(it *dag.WindowItem) (arrow.Array, error) {
	n, err := r.eval(it.Args[0].Expr)
	if err != nil {
		return nil, err
	}
	defer n.Release()
	parts, null := vec.Values[int64](n), vec.ValidityOf(n)
	b := vec.NewFixed[int64](r.w.env.Alloc, types.INT.Arrow(), r.n)
	for at := range b.Values {
		if null.Null(at) {
			b.Values[at] = 0
			b.Set(at)
			continue
		}
		if parts[at] < 1 {
			b.Release()
			return nil, errors.New("ntile divides into a number of parts of at least 1")
		}
		from, to := r.bounds(at)
		size, more := int64(to-from)/parts[at], int64(to-from)%parts[at]
		i := int64(at - from)
		if large := more * (size + 1); i < large {
			b.Values[at] = i/(size+1) + 1
		} else {
			b.Values[at] = more + (i-large)/size + 1
		}
	}
	return b.Finish(), nil
}

// shifted computes lag and lead: the value so many rows before or behind, or the
// default where the partition ends before.
func (r *windowRows) shifted(it *dag.WindowItem) (arrow.Array, error) {
	args := make([]arrow.Array, 0, 4)
	defer func() { vec.ReleaseAll(args) }()
	for _, a := range it.Args {
		col, err := r.eval(a.Expr)
		if err != nil {
			return nil, err
		}
		args = append(args, col)
	}
	by := func(int) (int64, bool) { return 1, true }
	if len(args) > 1 {
		v, null := vec.Values[int64](args[1]), vec.ValidityOf(args[1])
		by = func(at int) (int64, bool) { return v[at], null.Valid(at) }
	}
	values := args[0]
	if len(args) > 2 {
		both, err := vec.Concat(r.w.env.Alloc, []arrow.Array{args[0], args[2]})
		if err != nil {
			return nil, err
		}
		args = append(args, both)
		values = both
	}
	idx := make([]int32, r.n)
	for at := range idx {
		idx[at] = -1
		k, ok := by(at)
		if !ok {
			continue
		}
		from, to := r.bounds(at)
		room := int64(at - from) // rows before, and behind
		ahead := int64(to - 1 - at)
		if it.Fn == "lead" {
			room, ahead = ahead, room
		}
		switch {
		case k <= room && k >= -ahead:
			if it.Fn == "lead" {
				k = -k
			}
			idx[at] = int32(int64(at) - k)
		case len(args) > 2:
			idx[at] = int32(r.n + at)
		}
	}
	return vec.Take(r.w.env.Alloc, values, idx)
}

// nthValue computes the first, last or n-th value of a frame.
func (r *windowRows) nthValue(it *dag.WindowItem) (arrow.Array, error) {
	f, err := r.framesOf(it.Frame)
	if err != nil {
		return nil, err
	}
	values, err := r.eval(it.Args[0].Expr)
	if err != nil {
		return nil, err
	}
	defer values.Release()
	idx := make([]int32, r.n)
	if it.Fn == "nth_value" {
		n, err := r.eval(it.Args[1].Expr)
		if err != nil {
			return nil, err
		}
		defer n.Release()
		nth, null := vec.Values[int64](n), vec.ValidityOf(n)
		for at := range idx {
			if idx[at] = -1; null.Valid(at) && nth[at] >= 1 && nth[at] <= int64(f.hi[at]-f.lo[at]) {
				idx[at] = f.lo[at] + int32(nth[at]) - 1
			}
		}
		return vec.Take(r.w.env.Alloc, values, idx)
	}
	for at := range idx {
		switch {
		case f.lo[at] == f.hi[at]:
			idx[at] = -1
		case it.Fn == "first_value":
			idx[at] = f.lo[at]
		default:
			idx[at] = f.hi[at] - 1
		}
	}
	return vec.Take(r.w.env.Alloc, values, idx)
}
