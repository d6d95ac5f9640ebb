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

// Edge is an exchange between two stages within a process.
type Edge struct {
	spec      dag.Edge
	mem       memory.Allocator
	producers int
	consumers int
	shared    []*pipe   // one a consumer, for all producers
	spools    []*spool  // one a consumer, in place of shared
	separate  [][]*pipe // [consumer][producer], where streams must be told apart
}

// New makes the links of an edge from producers tasks to consumers tasks. What
// waits in spools is held on account of budget.
func New(spec dag.Edge, producers, consumers int, mem memory.Allocator, budget *op.Memory) *Edge {
	e := &Edge{spec: spec, mem: mem, producers: producers, consumers: consumers}
	switch spec.Kind {
	case dag.Forward:
		if spec.Spool {
			for range consumers {
				e.spools = append(e.spools, newSpool(mem, budget.Account("shared table")))
			}
			break
		}
		for range consumers {
			e.shared = append(e.shared, newPipe(1, sharedBatches))
		}
	case dag.BySplit, dag.Merge:
		for range consumers {
			var from []*pipe
			for range producers {
				from = append(from, newPipe(1, aheadBatches))
			}
			e.separate = append(e.separate, from)
		}
	default:
		for range consumers {
			e.shared = append(e.shared, newPipe(producers, sharedBatches+producers))
		}
	}
	return e
}

// Sender returns the end of a producing task.
func (e *Edge) Sender(task int) Sender {
	switch e.spec.Kind {
	case dag.Forward:
		if e.spec.Spool {
			return &single{to: e.spools[task], mem: e.mem, splits: true}
		}
		return &single{to: e.shared[task], mem: e.mem, splits: true}
	case dag.Gather:
		return &single{to: e.shared[0], mem: e.mem}
	case dag.BySplit:
		return &single{to: e.separate[0][task], mem: e.mem, splits: true}
	case dag.Merge:
		return &single{to: e.separate[0][task], mem: e.mem}
	case dag.Hash:
		if e.consumers == 1 {
			return &single{to: e.shared[0], mem: e.mem}
		}
		return &hashed{many: many{to: e.shared}, mem: e.mem, keys: e.spec.Keys}
	case dag.Broadcast:
		return &broadcast{many: many{to: e.shared}, mem: e.mem}
	case dag.Rebalance:
		return &rebalance{many: many{to: e.shared}, mem: e.mem, next: task}
	}
	panic(fmt.Sprintf("exchange %q passed the check of its graph", e.spec.Kind))
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
	for _, p := range e.shared {
		p.stop()
		p.drain()
	}
	for _, from := range e.separate {
		for _, p := range from {
			p.stop()
			p.drain()
		}
	}
}
