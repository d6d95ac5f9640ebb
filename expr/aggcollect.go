package expr

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/expr/vec"
)

// collected is all rows of all groups: those of group g are rows
// order[bounds[g]:bounds[g+1]] of cols, sorted if the call says so, else in
// their order in the input.
type collected struct {
	mem    memory.Allocator
	cols   []arrow.Array
	order  []int32
	bounds []int32
}

func (c *collected) groups() int        { return len(c.bounds) - 1 }
func (c *collected) rows(g int) []int32 { return c.order[c.bounds[g]:c.bounds[g+1]] }

// finisher computes the result of a group from its rows.
type finisher func(c *collected) (arrow.Array, error)

// collector keeps the rows of all groups for aggregates that need them together.
type collector struct {
	call   *AggCall
	finish finisher
	mem    memory.Allocator
	n      int
	of     []uint32 // of each row: its group
	chunks [][]arrow.Array
	held   int64 // bytes of the chunks, of which there may be very many
}

func newCollector(c *AggCall, finish finisher, mem memory.Allocator) *collector {
	return &collector{call: c, finish: finish, mem: mem}
}

func (c *collector) Resize(n int) { c.n = max(c.n, n) }

func (c *collector) Update(groups []uint32, args []arrow.Array) error {
	if err := checkInputs(c.call, args); err != nil {
		return err
	}
	if len(groups) == 0 {
		return nil
	}
	chunk := make([]arrow.Array, 0, len(args))
	for _, a := range args {
		own, err := vec.Compact(c.mem, a)
		if err != nil {
			vec.ReleaseAll(chunk)
			return err
		}
		chunk = append(chunk, own)
	}
	for _, a := range chunk {
		c.held += vec.Bytes(a)
	}
	c.chunks, c.of = append(c.chunks, chunk), append(c.of, groups...)
	return nil
}

// gather puts the chunks together and the rows in order; release frees cols.
func (c *collector) gather(sorted bool) (*collected, error) {
	out := &collected{mem: c.mem, bounds: make([]int32, c.n+1), order: make([]int32, len(c.of))}
	in := c.call.Inputs()
	for k := range in {
		var col arrow.Array
		var err error
		if len(c.chunks) == 0 {
			col, err = vec.FromLiteral(c.mem, nil, in[k].Type(), 0)
		} else {
			parts := make([]arrow.Array, len(c.chunks))
			for i, chunk := range c.chunks {
				parts[i] = chunk[k]
			}
			col, err = vec.Concat(c.mem, parts)
		}
		if err != nil {
			out.release()
			return nil, err
		}
		out.cols = append(out.cols, col)
	}
	for _, g := range c.of {
		out.bounds[g+1]++
	}
	for g := range c.n {
		out.bounds[g+1] += out.bounds[g]
	}
	next := slices.Clone(out.bounds)
	for row, g := range c.of {
		out.order[next[g]] = int32(row)
		next[g]++
	}
	if sorted && len(c.call.OrderBy) > 0 {
		out.sort(len(c.call.Args), c.call.OrderBy)
	}
	return out, nil
}

func (c *collected) release() { vec.ReleaseAll(c.cols) }

// sort orders the rows of each group by the keys, which are columns from on.
func (c *collected) sort(from int, keys []SortKey) {
	orders := make([]vec.Order, len(keys))
	for i, k := range keys {
		orders[i] = vec.Order{Desc: k.Desc, NullsFirst: k.NullsFirst}
	}
	compare := vec.NewComparator(c.cols[from:], c.cols[from:], orders)
	for g := range c.groups() {
		slices.SortStableFunc(c.rows(g), func(a, b int32) int { return compare(int(a), int(b)) })
	}
}

func (c *collector) Result() (arrow.Array, error) {
	all, err := c.gather(true)
	if err != nil {
		return nil, err
	}
	defer all.release()
	return c.finish(all)
}

func (c *collector) State() ([]arrow.Array, error) {
	all, err := c.gather(false)
	if err != nil {
		return nil, err
	}
	defer all.release()
	list, err := rowLists(c.call, all)
	if err != nil {
		return nil, err
	}
	return []arrow.Array{list}, nil
}

// rowLists is a LIST of STRUCTs a group: its rows.
func rowLists(call *AggCall, all *collected) (arrow.Array, error) {
	fields := make([]arrow.Array, 0, len(all.cols))
	defer func() { vec.ReleaseAll(fields) }()
	var shape []arrow.Field
	for i, f := range call.rowType().Fields {
		a, err := vec.Take(all.mem, all.cols[i], all.order)
		if err != nil {
			return nil, err
		}
		fields = append(fields, a)
		shape = append(shape, arrow.Field{Name: f.Name, Type: a.DataType(), Nullable: true})
	}
	rows := vec.NewStruct(arrow.StructOf(shape...), len(all.order), fields, nil)
	defer rows.Release()
	return vec.NewList(all.mem, rows, all.bounds, nil), nil
}

// unpackRows undoes rowLists: the columns, and the group of each row.
func unpackRows(groups []uint32, state []arrow.Array, width int) ([]arrow.Array, []uint32, error) {
	if err := checkStates(state, arrow.LIST); err != nil {
		return nil, nil, err
	}
	l := state[0].(*array.List)
	s, ok := l.ListValues().(*array.Struct)
	if !ok || s.NumField() != width {
		return nil, nil, errStates
	}
	var of []uint32
	var first, last int64
	for i, g := range groups {
		from, to := l.ValueOffsets(i)
		if i == 0 {
			first = from
		}
		last = to
		for range to - from {
			of = append(of, g)
		}
	}
	cols := make([]arrow.Array, width)
	for i := range cols {
		cols[i] = array.NewSlice(s.Field(i), first, last)
	}
	return cols, of, nil
}

func (c *collector) Merge(groups []uint32, state []arrow.Array) error {
	cols, of, err := unpackRows(groups, state, len(c.call.Inputs()))
	if err != nil {
		return err
	}
	defer vec.ReleaseAll(cols)
	return c.Update(of, cols)
}

func (c *collector) Bytes() int64 {
	return int64(cap(c.of))*4 + c.held
}

func (c *collector) Release() {
	for _, chunk := range c.chunks {
		vec.ReleaseAll(chunk)
	}
	c.chunks, c.of, c.held = nil, nil, 0
}
