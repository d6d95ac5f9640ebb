package task

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/rainsql/rainsql/exec/exchange"
	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/exec/operators"
	"github.com/rainsql/rainsql/expr"
	"github.com/rainsql/rainsql/planner/dag"
)

// node is an operator in its place: what it yields goes to the next one.
type node struct {
	op     op.Operator // nil for a leaf
	leaf   leaf
	queue  *splitQueue // of a leaf that scans
	to     *node       // nil for the root
	input  int         // of to, that this node feeds
	open   int         // inputs that have not ended
	closed bool        // it has said Enough, or has finished
	send   *fan        // the root's outputs
	meter  *Meter      // nil: nothing is measured
	clock  *clock      // of the task
	last   bool        // of all: its rows go to a file or the caller
}

// Push implements op.Output: it hands a batch to whatever comes next.
func (n *node) Push(ctx context.Context, b *op.Batch) (flow op.Flow, err error) {
	n.meter.yield(b)
	if n.to != nil {
		return n.to.take(ctx, n.input, b)
	}
	return n.send.push(ctx, b)
}

// take gives the node's operator a batch.
func (n *node) take(ctx context.Context, input int, b *op.Batch) (flow op.Flow, err error) {
	if n.closed {
		return op.Enough, nil
	}
	if n.last {
		n.send.count.out.Add(int64(b.Len()))
	}
	if n.meter != nil {
		n.meter.Read.Add(int64(b.Len()))
		if n.last {
			n.meter.yield(b)
		}
	}
	err = n.clock.timed(n.meter, func() error {
		flow, err = n.op.Push(ctx, input, b, n)
		return err
	})
	return flow, err
}

// end tells the node that an input has ended; after the last, what follows it ends too.
func (n *node) end(ctx context.Context, input int) error {
	if n.op != nil {
		if err := n.clock.timed(n.meter, func() error { return n.op.Finish(ctx, input, n) }); err != nil {
			return err
		}
	}
	n.open--
	if n.open > 0 {
		return nil
	}
	n.closed = true
	if n.to != nil {
		return n.to.end(ctx, n.input)
	}
	n.send.close()
	return nil
}

// fan is the outputs of a task: every edge gets every batch.
type fan struct {
	to     []exchange.Sender
	meters []*Meter // as to; nil: nothing is measured
	clock  *clock   // of the task
	count  *count   // likewise
}

func (f *fan) push(ctx context.Context, b *op.Batch) (op.Flow, error) {
	f.count.out.Add(int64(b.Len()))
	flow := op.Enough
	if len(f.to) == 0 { // run again, to find a fault
		return op.More, nil
	}
	for i := range f.to {
		got, err := f.send(ctx, i, b)
		if err != nil {
			return op.Enough, err
		}
		if got == op.More {
			flow = op.More
		}
	}
	return flow, nil
}

func (f *fan) send(ctx context.Context, at int, b *op.Batch) (flow op.Flow, err error) {
	if f.meters == nil {
		return f.to[at].Send(ctx, b)
	}
	f.meters[at].yield(b)
	err = f.clock.timed(f.meters[at], func() error {
		flow, err = f.to[at].Send(ctx, b)
		return err
	})
	return flow, err
}

func (f *fan) endSplit(ctx context.Context, split int) error {
	for _, s := range f.to {
		if err := s.EndSplit(ctx, split); err != nil {
			return err
		}
	}
	return nil
}

func (f *fan) close() {
	for _, s := range f.to {
		s.Close()
	}
}

// task runs the operators of a stage over one share of its input.
type task struct {
	stage  *dag.Stage
	index  int
	nodes  []*node
	leaves []*node
	out    *fan
	clock  *clock
	count  *count
}

// build makes the operators of a stage: the one place where specs become
// operators. With again the task reads that in place of its scan, and its rows go nowhere.
func (r *run) build(ctx context.Context, st *dag.Stage, index int, again leaf) (*task, error) {
	t := &task{stage: st, index: index, clock: &clock{}, count: &count{}}
	t.out = &fan{meters: r.meters.edges(st.ID), clock: t.clock, count: t.count}
	for _, e := range st.Outputs {
		if again == nil {
			t.out.to = append(t.out.to, r.edges[e.ID].Sender(index))
		}
	}
	for i, spec := range st.Ops {
		n := &node{open: max(1, len(spec.Inputs)), send: t.out, meter: r.meters.op(st.ID, i), clock: t.clock}
		t.nodes = append(t.nodes, n)
		for k, in := range spec.Inputs {
			t.nodes[in].to, t.nodes[in].input = n, k
		}
		err := r.fill(ctx, n, st, i, index, again)
		if n.leaf != nil {
			t.leaves = append(t.leaves, n)
		}
		if err != nil {
			return t, err
		}
	}
	return t, nil
}

func (r *run) fill(ctx context.Context, n *node, st *dag.Stage, at, index int, again leaf) error {
	switch s := st.Ops[at].Spec.(type) {
	case *dag.Scan:
		n.queue, n.leaf = r.queues[st.ID][at], again
		if again == nil {
			n.leaf = pump(ctx, measured(&scanLeaf{queue: n.queue, stats: r.stats, count: n.send.count}, n.meter))
		}
		if s.Filter != nil {
			n.op = operators.NewFilter(s.Filter.Expr)
		}
	case *dag.Range:
		n.leaf = measured(&rangeLeaf{at: s.From, to: s.To, step: s.Step, columns: s.Columns, mem: r.env.Alloc, stats: r.stats}, n.meter)
	case *dag.Values:
		n.leaf = &valuesLeaf{rows: s.Rows, types: s.Types, mem: r.env.Alloc}
	case *dag.Receive:
		if again != nil { // what came over the edge is gone
			n.leaf = &valuesLeaf{}
			break
		}
		n.leaf = measured(&receiveLeaf{from: r.edges[s.Edge].Receiver(index)}, n.meter)
	case *dag.Filter:
		n.op = operators.NewFilter(s.Cond.Expr)
	case *dag.Project:
		n.op = operators.NewProject(bare(s.Exprs))
	case *dag.Aggregate:
		n.op = operators.NewAggregate(s)
	case *dag.Distinct:
		n.op = operators.NewDistinct(s.Keys)
	case *dag.Position:
		n.op = operators.NewPosition()
	case *dag.Sort:
		n.op = operators.NewSort(s.Keys)
	case *dag.TopK:
		n.op = operators.NewTopK(s.Keys, s.Count)
	case *dag.Window:
		n.op = operators.NewWindow(s)
	case *dag.Limit:
		n.op = operators.NewLimit(s.Count, s.Offset)
	case *dag.Union:
		n.op = operators.NewUnion()
	case *dag.SetOp:
		n.op = operators.NewSetOp(s.Except, s.All)
	case *dag.Join:
		n.op = operators.NewJoin(s)
	case *dag.Exec:
		n.op = operators.NewExec(s, r.rt.Opener.StartProgram)
	case *dag.Unnest:
		n.op = operators.NewUnnest(s.List.Expr)
	case *dag.Sink:
		if n.last = true; again != nil {
			n.op = trial(s)
			break
		}
		n.op = r.sink(ctx, st, s, index)
	case *dag.Result:
		n.op, n.last = operators.NewResult(s.Columns, r.rt.Result), true
	default:
		return fmt.Errorf("internal: no operator for %T", s)
	}
	return nil
}

func bare(list []dag.Expr) []expr.Expr {
	out := make([]expr.Expr, len(list))
	for i, e := range list {
		out[i] = e.Expr
	}
	return out
}

// run drives the task to its end.
func (t *task) run(ctx context.Context, env *op.Env) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = PanicError(r)
		}
		t.count.end(err)
	}()
	ctx = t.count.begin(ctx)
	if t.out.meters != nil {
		ctx = t.clock.With(ctx)
	}
	for _, n := range t.nodes {
		if n.op != nil {
			if err := n.op.Open(ctx, env); err != nil {
				return err
			}
		}
	}
	for _, group := range t.groups() {
		if err := t.drive(ctx, group); err != nil {
			return err
		}
	}
	return nil
}

// groups are the leaves in the order in which they must be read; those of one
// group are read together.
func (t *task) groups() [][]*node { return t.groupsUnder(len(t.nodes) - 1) }

func (t *task) groupsUnder(at int) [][]*node {
	inputs := t.stage.Ops[at].Inputs
	if len(inputs) == 0 {
		return [][]*node{{t.nodes[at]}}
	}
	var groups [][]*node
	if order := t.stage.Ops[at].Order(); order != nil {
		for _, in := range order {
			groups = append(groups, t.groupsUnder(inputs[in])...)
		}
		return groups
	}
	// What an input waits for comes before the leaves that all inputs read together.
	var together []*node
	for _, in := range inputs {
		under := t.groupsUnder(in)
		groups = append(groups, under[:len(under)-1]...)
		together = append(together, under[len(under)-1]...)
	}
	return append(groups, together)
}

// drive reads a group of leaves to their ends.
func (t *task) drive(ctx context.Context, group []*node) error {
	if len(group) == 1 {
		return t.driveOne(ctx, group[0])
	}
	return t.driveMany(ctx, group)
}

func (t *task) driveOne(ctx context.Context, n *node) error {
	for {
		m, err := n.leaf.next(ctx)
		if errors.Is(err, io.EOF) {
			return n.end(ctx, 0)
		}
		if err != nil {
			return t.faulty(ctx, n, m.Split, err)
		}
		enough, err := t.deliver(ctx, n, m)
		if err != nil {
			return t.faulty(ctx, n, m.Split, err)
		}
		if enough {
			if err := n.leaf.close(); err != nil {
				return err
			}
			return n.end(ctx, 0)
		}
	}
}

// deliver pushes one message into the operators above a leaf.
func (t *task) deliver(ctx context.Context, n *node, m exchange.Message) (enough bool, err error) {
	if m.Batch == nil {
		if n.queue != nil {
			n.queue.hand.End(m.Split)
		}
		root := t.nodes[len(t.nodes)-1]
		if s, ok := root.op.(*operators.Share); ok {
			return false, root.clock.timed(root.meter, func() error { return s.EndSplit(m.Split) })
		}
		return false, t.out.endSplit(ctx, m.Split)
	}
	defer m.Batch.Release()
	t.count.in.Add(int64(m.Batch.Len()))
	var flow op.Flow
	if n.op != nil { // a scan with its filter
		flow, err = n.take(ctx, 0, m.Batch)
	} else {
		flow, err = n.Push(ctx, m.Batch)
	}
	return flow == op.Enough, err
}

// driveMany reads leaves as their rows come, each pumped into one channel.
func (t *task) driveMany(ctx context.Context, group []*node) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	type from struct {
		n *node
		m exchange.Message
		e error
	}
	ch := make(chan from)
	done := make(chan struct{})
	pumps := 0
	uncounted := exchange.CountWaits(ctx, nil) // they wait side by side; what counts is when the task does
	counted := ctx
	for _, n := range group {
		if n.queue != nil {
			counted = uncounted // it may be a scan that works, or a disk
		}
		pumps++
		go func() {
			defer func() { done <- struct{}{} }()
			for {
				m, err := guarded(uncounted, n.leaf.next)
				select {
				case ch <- from{n, m, err}:
				case <-ctx.Done():
					if m.Batch != nil {
						m.Batch.Release()
					}
					return
				}
				if err != nil {
					return
				}
			}
		}()
	}
	err := func() error {
		for left := len(group); left > 0; {
			waited := exchange.Waits(counted)
			select {
			case f := <-ch:
				waited()
				switch {
				case errors.Is(f.e, io.EOF):
					left--
					if err := f.n.end(ctx, 0); err != nil {
						return err
					}
				case f.e != nil:
					return f.e
				default:
					enough, err := t.deliver(ctx, f.n, f.m)
					if err != nil {
						return err
					}
					if enough { // all inputs lead to the same operator, which wants no more
						return t.endAll(ctx, group)
					}
				}
			case <-ctx.Done():
				return context.Cause(ctx)
			}
		}
		return nil
	}()
	cancel(errors.New("the task has ended"))
	for range pumps {
		<-done
	}
	return err
}

func (t *task) endAll(ctx context.Context, group []*node) error {
	for _, n := range group {
		if !n.closed {
			if err := n.end(ctx, 0); err != nil {
				return err
			}
		}
	}
	return nil
}

// release lets go of the neighbours: those upstream learn that no more is
// wanted, those downstream that no more comes. It is idempotent.
func (t *task) release() error {
	t.out.close()
	var errs []error
	for _, n := range t.leaves {
		errs = append(errs, n.leaf.close())
	}
	return errors.Join(errs...)
}

// close frees everything the task holds, whatever happened.
func (t *task) close() error {
	errs := []error{t.release()}
	for _, n := range t.nodes {
		if n.op != nil {
			errs = append(errs, n.op.Close())
		}
	}
	return errors.Join(errs...)
}
