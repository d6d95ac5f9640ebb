package operators

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr/vec"
)

// picks are the aggregates whose result is the first argument of one of the rows.
var picks = map[string]bool{
	"first": true, "last": true, "any_value": true, "min": true, "max": true, "arg_min": true, "arg_max": true,
}

// picked finds the row of each frame and takes its value.
func (a *windowAggregate) picked() (arrow.Array, error) {
	idx := make([]int32, len(a.from))
	var err error
	switch a.call.Fn {
	case "first":
		a.nearest(idx, func(at int) bool { return a.included(at) }, false)
	case "last":
		a.nearest(idx, func(at int) bool { return a.included(at) }, true)
	case "any_value":
		null := vec.ValidityOf(a.args[0])
		a.nearest(idx, func(at int) bool { return a.included(at) && null.Valid(at) }, false)
	default:
		err = a.extremes(idx)
	}
	if err != nil {
		return nil, err
	}
	return vec.Take(a.w.env.Alloc, a.args[0], idx)
}

// nearest finds the first or last row of each frame that is wanted.
func (a *windowAggregate) nearest(idx []int32, wanted func(at int) bool, last bool) {
	near := make([]int32, a.n) // of each row: itself, or the next one (before or behind) that is wanted
	none := int32(a.n)
	if last {
		none = -1
	}
	have := none
	for i := range a.n {
		at := i
		if !last {
			at = a.n - 1 - i
		}
		if wanted(at) {
			have = int32(at)
		}
		near[at] = have
	}
	for i := range idx {
		idx[i] = -1
		switch {
		case a.from[i] == a.to[i]:
		case last:
			if found := near[a.to[i]-1]; found >= a.from[i] {
				idx[i] = found
			}
		default:
			if found := near[a.from[i]]; found < a.to[i] {
				idx[i] = found
			}
		}
	}
}

// extremes finds the row of the least or greatest key in each frame, of equal
// ones the first. As frames never go back, it keeps a queue of the rows that may
// still become the best: each is better than all behind it.
func (a *windowAggregate) extremes(idx []int32) error {
	key := a.args[0]
	if len(a.args) > 1 {
		key = a.args[1]
	}
	sign := 1
	if a.call.Fn == "min" || a.call.Fn == "arg_min" {
		sign = -1
	}
	compare := vec.Comparer(key, key)
	nullKey, nullValue := vec.ValidityOf(key), vec.ValidityOf(a.args[0])
	var queue []int32
	head, next := 0, int32(0)
	for i := range idx {
		if err := a.stopped(i); err != nil {
			return err
		}
		for ; next < a.to[i]; next++ {
			at := int(next)
			if !a.included(at) || nullKey.Null(at) || nullValue.Null(at) {
				continue
			}
			for len(queue) > head && compare(at, int(queue[len(queue)-1]))*sign > 0 {
				queue = queue[:len(queue)-1]
			}
			queue = append(queue, next)
		}
		for head < len(queue) && queue[head] < a.from[i] {
			head++
		}
		idx[i] = -1
		if head < len(queue) && queue[head] < a.to[i] {
			idx[i] = queue[head]
		}
	}
	return nil
}
