package exchange

import (
	"context"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/vec"
	"github.com/rainsql/rainsql/planner/dag"
)

// mergeRows is how many rows a merged batch has at most.
const mergeRows = 8192

// merge joins sorted streams into one. Of rows that compare as equal, those of
// the lower task come first.
type merge struct {
	from    []*pipe
	keys    []dag.SortKey
	mem     memory.Allocator
	batches []*op.Batch // the current batch of each producer; nil once it has ended
	at      []int       // the next row of each
	begun   bool
	compare [][]func(i, j int) int // [p][q], for the current batches of p and q
}

func newMerge(from []*pipe, keys []dag.SortKey, mem memory.Allocator) *merge {
	m := &merge{from: from, keys: keys, mem: mem, batches: make([]*op.Batch, len(from)), at: make([]int, len(from))}
	m.compare = make([][]func(i, j int) int, len(from))
	for i := range m.compare {
		m.compare[i] = make([]func(i, j int) int, len(from))
	}
	return m
}

func (m *merge) Next(ctx context.Context) (Message, error) {
	if !m.begun {
		m.begun = true
		for p := range m.from {
			if err := m.advance(ctx, p); err != nil {
				return Message{}, err
			}
		}
	}
	starts := append([]int(nil), m.at...)
	order, exhausted := m.pick()
	if len(order) == 0 {
		return Message{}, io.EOF
	}
	b, err := m.build(starts, order)
	if err != nil {
		return Message{}, err
	}
	if exhausted >= 0 {
		if err := m.advance(ctx, exhausted); err != nil {
			b.Release()
			return Message{}, err
		}
	}
	return Message{Batch: b, Split: -1}, nil
}

// pick chooses producers, row by row, until a batch is full or one of the
// current batches is used up.
func (m *merge) pick() (order []int32, exhausted int) {
	for len(order) < mergeRows {
		first := -1
		for p, b := range m.batches {
			if b != nil && (first < 0 || m.comparator(p, first)(m.at[p], m.at[first]) < 0) {
				first = p
			}
		}
		if first < 0 {
			return order, -1
		}
		order = append(order, int32(first))
		m.at[first]++
		if m.at[first] == m.batches[first].Rows {
			return order, first
		}
	}
	return order, -1
}

func (m *merge) comparator(p, q int) func(i, j int) int {
	if m.compare[p][q] == nil {
		a, orders := m.keysOf(p)
		b, _ := m.keysOf(q)
		m.compare[p][q] = vec.NewComparator(a, b, orders)
	}
	return m.compare[p][q]
}

func (m *merge) keysOf(p int) ([]arrow.Array, []vec.Order) {
	cols := make([]arrow.Array, len(m.keys))
	orders := make([]vec.Order, len(m.keys))
	for i, k := range m.keys {
		cols[i] = m.batches[p].Cols[k.Column]
		orders[i] = vec.Order{Desc: k.Desc, NullsFirst: k.NullsFirst}
	}
	return cols, orders
}

// build joins the rows picked: of each producer they are a run, so the runs are
// put one behind another and then taken in order.
func (m *merge) build(starts []int, order []int32) (*op.Batch, error) {
	next := make([]int32, len(m.from)) // where the next row of each run stands
	base := int32(0)
	var runs []int
	for p := range m.from {
		next[p] = base
		if n := m.at[p] - starts[p]; n > 0 {
			base += int32(n)
			runs = append(runs, p)
		}
	}
	rows := make([]int32, len(order))
	for i, p := range order {
		rows[i] = next[p]
		next[p]++
	}
	out := &op.Batch{Rows: len(order), Split: -1}
	for c := range m.batches[runs[0]].Cols {
		col, err := m.column(c, runs, starts, rows)
		if err != nil {
			out.Release()
			return nil, err
		}
		out.Cols = append(out.Cols, col)
	}
	return out, nil
}

func (m *merge) column(c int, runs, starts []int, rows []int32) (arrow.Array, error) {
	parts := make([]arrow.Array, len(runs))
	defer func() { vec.ReleaseAll(parts) }()
	for i, p := range runs {
		parts[i] = array.NewSlice(m.batches[p].Cols[c], int64(starts[p]), int64(m.at[p]))
	}
	if len(parts) == 1 {
		parts[0].Retain()
		return parts[0], nil
	}
	joined, err := vec.Concat(m.mem, parts)
	if err != nil {
		return nil, err
	}
	defer joined.Release()
	return vec.Take(m.mem, joined, rows)
}

// advance fetches the next batch of a producer.
func (m *merge) advance(ctx context.Context, p int) error {
	if m.batches[p] != nil {
		m.batches[p].Release()
		m.batches[p] = nil
	}
	for q := range m.compare {
		m.compare[p][q], m.compare[q][p] = nil, nil
	}
	for {
		msg, ok, err := m.from[p].receive(ctx)
		if err != nil || !ok {
			return err
		}
		if msg.Batch != nil && msg.Batch.Rows > 0 {
			m.batches[p], m.at[p] = msg.Batch, 0
			return nil
		}
		msg.Release()
	}
}

func (m *merge) Stop() {
	for p := range m.from {
		m.from[p].stop()
		if m.batches[p] != nil {
			m.batches[p].Release()
			m.batches[p] = nil
		}
		m.from[p].drain()
	}
}
