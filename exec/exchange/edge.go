package exchange

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow/memory"

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
	separate  [][]*pipe // [consumer][producer], where streams must be told apart
}

// New makes the links of an edge from producers tasks to consumers tasks.
func New(spec dag.Edge, producers, consumers int, mem memory.Allocator) *Edge {
	e := &Edge{spec: spec, mem: mem, producers: producers, consumers: consumers}
	switch spec.Kind {
	case dag.Forward:
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
	return &unordered{from: e.shared[task]}
}

// Drain releases batches that no one took, after all tasks have ended.
func (e *Edge) Drain() {
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
