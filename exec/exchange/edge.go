package exchange

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/planner/dag"
)

// Capacities of the channels, in batches. Where one producer's rows must wait
// for another's, it may work ahead by aheadBatches.
const (
	sharedBatches = 4
	aheadBatches  = 8
)

// Edge is an exchange between two stages, as far as its tasks run in this process.
type Edge struct {
	spec      dag.Edge
	mem       memory.Allocator
	producers int
	consumers int
	apart     Apart
	shared    []*pipe  // one a consumer that is here, for all producers
	spools    []*spool // one a consumer, in place of shared
	given     given
	separate  [][]*pipe // [consumer][producer], where streams must be told apart
}

// New makes the links of an edge from producers tasks to consumers tasks, all
// in this process unless apart says otherwise. What waits in spools is held on
// account of budget.
func New(spec dag.Edge, producers, consumers int, apart Apart, mem memory.Allocator, budget *op.Memory) *Edge {
	e := &Edge{spec: spec, mem: mem, producers: producers, consumers: consumers, apart: apart}
	if spec.Spool {
		for range consumers {
			e.spools = append(e.spools, newSpool(mem, budget.Account("shared table")))
		}
		return e
	}
	for c := range consumers {
		switch {
		case !apart.consumer(c) && e.isApart():
			e.separate = append(e.separate, make([]*pipe, producers))
		case !apart.consumer(c):
			e.shared = append(e.shared, nil)
		case e.isApart():
			var from []*pipe
			for p := range producers {
				q := newPipe(1, aheadBatches)
				if !apart.producer(p) {
					q.far = make(chan Message, aheadBatches)
				}
				from = append(from, q)
			}
			e.separate = append(e.separate, from)
		default:
			e.shared = append(e.shared, e.newShared())
		}
	}
	return e
}

// isApart reports that a consumer must tell the streams of its producers apart.
func (e *Edge) isApart() bool { return isApart(e.spec.Kind) }

func isApart(kind dag.Kind) bool { return kind == dag.BySplit || kind == dag.Merge }

// newShared makes the queue of a consumer for all its producers.
func (e *Edge) newShared() *pipe {
	if e.spec.Kind == dag.Forward {
		return newPipe(1, sharedBatches)
	}
	elsewhere := 0
	for p := range e.producers {
		if !e.apart.producer(p) {
			elsewhere++
		}
	}
	q := newPipe(e.producers, sharedBatches+e.producers)
	if elsewhere > 0 {
		q.far = make(chan Message, creditShared*elsewhere)
	}
	return q
}

// Sender returns the end of a producing task.
func (e *Edge) Sender(task int) Sender {
	switch e.spec.Kind {
	case dag.Forward:
		return &single{to: e.outlet(task, task), mem: e.mem, splits: true}
	case dag.Gather:
		return &single{to: e.outlet(task, 0), mem: e.mem}
	case dag.BySplit:
		return &single{to: e.outlet(task, 0), mem: e.mem, splits: true}
	case dag.Merge:
		return &single{to: e.outlet(task, 0), mem: e.mem}
	case dag.Hash:
		if e.consumers == 1 {
			return &single{to: e.outlet(task, 0), mem: e.mem}
		}
		return &hashed{many: e.everyone(task), mem: e.mem, keys: e.spec.Keys}
	case dag.Broadcast:
		return &broadcast{many: e.everyone(task), mem: e.mem}
	case dag.Rebalance:
		return &rebalance{many: e.everyone(task), mem: e.mem, next: task}
	}
	panic(fmt.Sprintf("exchange %q passed the check of its graph", e.spec.Kind))
}

// outlet is the way of a producer to a consumer.
func (e *Edge) outlet(producer, consumer int) outlet {
	switch {
	case e.spools != nil:
		return e.spools[consumer]
	case !e.apart.consumer(consumer):
		return away{e.apart.Away(producer, consumer)}
	case e.separate != nil:
		return e.separate[consumer][producer]
	}
	return e.shared[consumer]
}

// everyone is the ways of a producer to all consumers.
func (e *Edge) everyone(producer int) many {
	var to []outlet
	for c := range e.consumers {
		to = append(to, e.outlet(producer, c))
	}
	return many{to: to}
}

// Receiver returns the end of a consuming task.
func (e *Edge) Receiver(task int) Receiver {
	switch e.spec.Kind {
	case dag.BySplit:
		return newBySplit(e.separate[task])
	case dag.Merge:
		return newMerge(e.separate[task], e.spec.Sort, e.mem)
	}
	if e.spec.Spool {
		return &unordered{from: e.spools[task]}
	}
	return &unordered{from: e.shared[task]}
}

// Drain releases batches that no one took, after all tasks have ended.
func (e *Edge) Drain() {
	for _, s := range e.spools {
		s.stop()
		s.drain()
	}
	for _, p := range e.pipes() {
		p.stop()
		p.drain()
	}
}

// pipes are the queues of the consumers that are here.
func (e *Edge) pipes() []*pipe {
	var list []*pipe
	for _, from := range append([][]*pipe{e.shared}, e.separate...) {
		for _, p := range from {
			if p != nil {
				list = append(list, p)
			}
		}
	}
	return list
}
