package operators

import (
	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/expr/vec"
)

// directRows is how many rows an aggregate gets at once.
const directRows = 1 << 16

// feeder gives an aggregate the rows of frames, many at a time.
type feeder struct {
	a      *windowAggregate
	acc    expr.Accumulator
	rows   []int32
	groups []uint32
}

// add gives the rows from one up to but without another to a group.
func (f *feeder) add(group uint32, from, to int32) error {
	for at := from; at < to; at++ {
		if !f.a.included(int(at)) {
			continue
		}
		f.rows, f.groups = append(f.rows, at), append(f.groups, group)
		if len(f.rows) == directRows {
			if err := f.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *feeder) flush() error {
	if len(f.rows) == 0 {
		return nil
	}
	if err := f.a.stopped(0); err != nil {
		return err
	}
	args := make([]arrow.Array, 0, len(f.a.args))
	defer func() { vec.ReleaseAll(args) }()
	for _, c := range f.a.args {
		t, err := vec.Take(f.a.w.env.Alloc, c, f.rows)
		if err != nil {
			return err
		}
		args = append(args, t)
	}
	err := f.acc.Update(f.groups, args)
	f.rows, f.groups = f.rows[:0], f.groups[:0]
	return err
}

// direct gives each frame's rows to the aggregate, for functions that need to
// see all of them: what is a row of several frames is read several times.
func (a *windowAggregate) direct() (arrow.Array, error) {
	var parts []arrow.Array
	defer func() { vec.ReleaseAll(parts) }()
	for from := 0; from < len(a.from); {
		to, rows := from, int64(0)
		for to < len(a.from) && (to == from || rows+int64(a.to[to]-a.from[to]) <= directRows) {
			rows += int64(a.to[to] - a.from[to])
			to++
		}
		part, err := a.directPart(from, to)
		if err != nil {
			return nil, err
		}
		parts = append(parts, part)
		if err := a.w.account.Add(vec.Bytes(part)); err != nil {
			return nil, err
		}
		defer func() { _ = a.w.account.Add(-vec.Bytes(part)) }()
		from = to
	}
	return vec.Concat(a.w.env.Alloc, parts)
}

func (a *windowAggregate) directPart(from, to int) (arrow.Array, error) {
	acc, err := expr.NewAccumulator(a.call, a.w.env.Alloc)
	if err != nil {
		return nil, err
	}
	defer acc.Release()
	acc.Resize(to - from)
	f := &feeder{a: a, acc: acc}
	for i := from; i < to; i++ {
		if err := f.add(uint32(i-from), a.from[i], a.to[i]); err != nil {
			return nil, err
		}
	}
	if err := f.flush(); err != nil {
		return nil, err
	}
	return acc.Result()
}
