package task

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/rainsql/rainsql/exec/exchange"
	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/planner/dag"
)

// Meter counts what passes one operator of a stage, over all of its tasks.
type Meter struct {
	Read  atomic.Int64 // rows that it took
	Rows  atomic.Int64 // rows that it yielded, or took if it is the last of all
	Bytes atomic.Int64 // of those rows, about: what their values hold, wherever it lies
	Nanos atomic.Int64 // time in the operator, not in those that it feeds, nor waiting for other tasks
}

// Report is the meters of a run, by stage.
type Report struct {
	Ops   [][]*Meter // as the stage's operators
	Edges [][]*Meter // as its outputs: what was sent, and the time it took to divide and to copy it
	Tasks []Placed   // where the graph ran on several servers: each task, by stage
}

// Placed is a task and the server that ran it.
type Placed struct {
	Node string
	TaskCount
}

// NewReport returns meters for all that there is to measure in a graph.
func NewReport(g *dag.Graph) *Report {
	meters := func(n int) []*Meter {
		list := make([]*Meter, n)
		for i := range list {
			list[i] = &Meter{}
		}
		return list
	}
	r := &Report{}
	for _, st := range g.Stages {
		r.Ops = append(r.Ops, meters(len(st.Ops)))
		r.Edges = append(r.Edges, meters(len(st.Outputs)))
	}
	return r
}

// op is the meter of an operator, nil if nothing is measured.
func (r *Report) op(stage, at int) *Meter {
	if r == nil {
		return nil
	}
	return r.Ops[stage][at]
}

// edges are the meters of a stage's outputs, nil if nothing is measured.
func (r *Report) edges(stage int) []*Meter {
	if r == nil {
		return nil
	}
	return r.Edges[stage]
}

// yield counts a batch that goes on. A nil Meter counts nothing.
func (m *Meter) yield(b *op.Batch) {
	if m != nil {
		m.Rows.Add(int64(b.Len()))
		m.Bytes.Add(size(b))
	}
}

// clock is the time that a task has spent, while a step of it is measured, in
// the steps that that one called, and waiting for other tasks: it is no time of
// the step's own.
type clock struct{ exchange.Waiting }

// timed measures f as own time of a step; m nil measures nothing.
func (c *clock) timed(m *Meter, f func() error) error {
	if m == nil {
		return f()
	}
	outer := c.Spent
	c.Spent = 0
	begin := time.Now()
	err := f()
	spent := time.Since(begin)
	m.Nanos.Add(int64(spent - c.Spent))
	c.Spent = outer + spent
	return err
}

// timedLeaf is a leaf whose work is measured, wherever it runs.
type timedLeaf struct {
	leaf
	meter *Meter
}

// measured wraps a leaf that works for its rows.
func measured(l leaf, m *Meter) leaf {
	if m == nil {
		return l
	}
	return &timedLeaf{leaf: l, meter: m}
}

func (l *timedLeaf) next(ctx context.Context) (m exchange.Message, err error) {
	var c clock
	err = c.timed(l.meter, func() error {
		m, err = l.leaf.next(c.With(ctx))
		return err
	})
	return m, err
}

// size is about how many bytes the values of a batch hold: those of its rows
// that count, with text at its length even where rows share it.
func size(b *op.Batch) int64 {
	if b.Rows == 0 {
		return 0
	}
	var n float64
	for _, c := range b.Cols {
		n += sizeOf(c)
	}
	return int64(n * float64(b.Len()) / float64(b.Rows))
}

func sizeOf(a arrow.Array) float64 {
	if a.Len() == 0 {
		return 0
	}
	n := float64(a.Len())
	switch a := a.(type) {
	case array.ViewLike:
		var sum int
		for i := range a.Len() {
			if a.IsValid(i) {
				sum += a.ValueHeader(i).Len()
			}
		}
		return float64(sum)
	case *array.String:
		return float64(len(a.ValueBytes()))
	case *array.Binary:
		return float64(len(a.ValueBytes()))
	case *array.Dictionary:
		words := a.Dictionary()
		return n * sizeOf(words) / max(1, float64(words.Len()))
	case array.ListLike:
		from, _ := a.ValueOffsets(0)
		_, to := a.ValueOffsets(a.Len() - 1)
		all := a.ListValues()
		return sizeOf(all) * float64(to-from) / max(1, float64(all.Len()))
	case *array.Struct:
		var sum float64
		for i := range a.NumField() {
			sum += sizeOf(a.Field(i))
		}
		return sum
	}
	if t, ok := a.DataType().(arrow.FixedWidthDataType); ok {
		return n * float64(t.BitWidth()) / 8
	}
	return 0
}
