package operators

import (
	"fmt"
	"slices"

	"github.com/rainsql/rainsql/expr/vec"
	"github.com/rainsql/rainsql/planner/dag"
)

// frames are the rows that each row's functions see: those from lo up to but
// without hi. Neither goes back from one row to the next.
type frames struct {
	lo, hi []int32
	// Rows with the same frame, one behind the other, share an entry here.
	id       []int32 // of each row
	from, to []int32 // of each distinct frame
	inPart   []int32 // of each distinct frame: its partition
}

// framesOf computes a frame for every row, once for all functions that have it.
func (r *windowRows) framesOf(f dag.Frame) (*frames, error) {
	key := frameKey(f)
	if have := r.known[key]; have != nil {
		return have, nil
	}
	out := &frames{lo: make([]int32, r.n), hi: make([]int32, r.n), id: make([]int32, r.n)}
	var err error
	if f.Unit == "range" {
		err = r.rangeEnds(f, out)
	} else {
		r.countedEnds(f, out)
	}
	if err != nil {
		return nil, err
	}
	for at := range r.n {
		out.hi[at] = max(out.hi[at], out.lo[at])
		last := len(out.from) - 1
		if last < 0 || out.from[last] != out.lo[at] || out.to[last] != out.hi[at] || out.inPart[last] != r.part[at] {
			out.from, out.to, out.inPart = append(out.from, out.lo[at]), append(out.to, out.hi[at]), append(out.inPart, r.part[at])
			last++
		}
		out.id[at] = int32(last)
	}
	r.known[key] = out
	return out, r.w.account.Add(int64(cap(out.from)) * 12)
}

// frameKey tells frames apart.
func frameKey(f dag.Frame) string {
	key := f.Unit
	for _, b := range []dag.Bound{f.Start, f.End} {
		key += fmt.Sprintf(" %s %d", b.Kind, b.Offset)
		if b.Limit != nil {
			key += fmt.Sprintf(" #%d", *b.Limit)
		}
	}
	return key
}

// countedEnds are the ends of ROWS and GROUPS.
func (r *windowRows) countedEnds(f dag.Frame, out *frames) {
	rows := f.Unit == "rows"
	for at := range r.n {
		from, to := r.bounds(at)
		first, last := int(r.peer[from]), int(r.peer[to-1]) // peers of the partition
		here := int(r.peer[at])
		// end is where a frame that reaches k rows or peers on begins, or ends if behind is 1.
		end := func(b dag.Bound, behind int) int32 {
			k := int(min(b.Offset, int64(r.n)))
			switch b.Kind {
			case dag.UnboundedPreceding:
				return int32(from)
			case dag.UnboundedFollowing:
				return int32(to)
			case dag.Preceding:
				k = -k
			case dag.CurrentRow:
				k = 0
			}
			if rows {
				return int32(min(max(at+k+behind, from), to))
			}
			return r.peers[min(max(here+k+behind, first), last+1)]
		}
		out.lo[at], out.hi[at] = end(f.Start, 0), end(f.End, 1)
	}
}

// rangeEnds are the ends of RANGE.
func (r *windowRows) rangeEnds(f dag.Frame, out *frames) error {
	for at := range r.n {
		from, to := r.bounds(at)
		out.lo[at], out.hi[at] = int32(from), int32(to)
		if f.Start.Kind != dag.UnboundedPreceding {
			out.lo[at] = r.peers[r.peer[at]] // what has a limit goes on from here
		}
		if f.End.Kind != dag.UnboundedFollowing {
			out.hi[at] = r.peers[r.peer[at]+1]
		}
	}
	if f.Start.Limit != nil {
		if err := r.limit(*f.Start.Limit, false, out.lo); err != nil {
			return err
		}
	}
	if f.End.Limit != nil {
		return r.limit(*f.End.Limit, true, out.hi)
	}
	return nil
}

// limit moves ends to where the key passes the limit of each row: to the first
// key that is not before it, or, with beyond, to the first behind it. Rows whose
// key is NULL keep their end, and are reached by no limit.
func (r *windowRows) limit(column int, beyond bool, ends []int32) error {
	key := r.w.spec.Order[0]
	compare := vec.Comparer(r.cols[key.Column], r.cols[column])
	null := vec.ValidityOf(r.cols[key.Column])
	for p := range len(r.parts) - 1 {
		rows := r.order[r.parts[p]:r.parts[p+1]]
		isNull := func(row int32) bool { return null.Null(int(row)) }
		valid := func(row int32) bool { return !isNull(row) }
		first := max(slices.IndexFunc(rows, valid), 0)
		last := len(rows)
		for last > first && isNull(rows[last-1]) {
			last--
		}
		at := first
		for i := first; i < last; i++ {
			if err := r.stopped(i); err != nil {
				return err
			}
			for at < last {
				c := compare(int(rows[at]), int(rows[i]))
				if key.Desc {
					c = -c
				}
				if c > 0 || c == 0 && !beyond {
					break
				}
				at++
			}
			ends[int(r.parts[p])+i] = r.parts[p] + int32(at)
		}
	}
	return nil
}
