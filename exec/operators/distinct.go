package operators

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
)

// Distinct passes the first row of those that agree in its key columns.
type Distinct struct {
	op.Base
	keys    []int
	env     *op.Env
	table   *groupTable
	account *op.Account
}

// NewDistinct returns an operator that is distinct on the key columns.
func NewDistinct(keys []int) *Distinct { return &Distinct{keys: keys} }

// Open implements op.Operator.
func (d *Distinct) Open(_ context.Context, env *op.Env) error {
	d.env, d.account = env, env.Memory.Account("distinct")
	d.table = newGroupTable(env.Alloc, nil)
	return nil
}

// Push implements op.Operator.
func (d *Distinct) Push(ctx context.Context, _ int, b *op.Batch, out op.Output) (op.Flow, error) {
	first, err := newRows(d.env, d.table, b, d.keys)
	if err != nil || len(first) == 0 {
		return op.More, err
	}
	if err := d.account.Set(d.table.bytes()); err != nil {
		return op.Enough, err
	}
	next := *b
	next.Sel = first
	return out.Push(ctx, &next)
}

// newRows returns the rows of b that bring a key the table had not met.
func newRows(env *op.Env, table *groupTable, b *op.Batch, keys []int) ([]int32, error) {
	_, fresh, err := groupsOf(env, table, b, keys)
	if err != nil || b.Sel == nil {
		return append([]int32(nil), fresh...), err
	}
	rows := make([]int32, len(fresh))
	for i, r := range fresh {
		rows[i] = b.Sel[r]
	}
	return rows, nil
}

// groupsOf numbers the keys of the rows that count, and tells which of these
// rows began a group (as positions among those that count).
func groupsOf(env *op.Env, table *groupTable, b *op.Batch, keys []int) (groups []uint32, fresh []int32, err error) {
	cols := make([]arrow.Array, 0, len(keys))
	defer func() { vec.ReleaseAll(cols) }()
	for _, k := range keys {
		c := b.Cols[k]
		if b.Sel != nil {
			if c, err = vec.Take(env.Alloc, c, b.Sel); err != nil {
				return nil, nil, err
			}
		} else {
			c.Retain()
		}
		cols = append(cols, c)
	}
	before := table.len()
	groups = make([]uint32, b.Len())
	if err := table.group(cols, b.Len(), groups); err != nil {
		return nil, nil, err
	}
	next := uint32(before)
	for i, g := range groups {
		if g == next {
			fresh = append(fresh, int32(i))
			next++
		}
	}
	return groups, fresh, nil
}

// Finish implements op.Operator.
func (d *Distinct) Finish(context.Context, int, op.Output) error { return nil }

// Close implements op.Operator.
func (d *Distinct) Close() error {
	if d.table != nil {
		d.table.reset()
		d.table = nil
	}
	d.account.Close()
	return nil
}

func arrowTypes(ts []types.Type) []arrow.DataType {
	out := make([]arrow.DataType, len(ts))
	for i, t := range ts {
		out[i] = t.Arrow()
	}
	return out
}
