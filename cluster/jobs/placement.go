package jobs

import (
	"slices"

	"github.com/rainsql/rainsql/cluster/link"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/planner/dag"
)

// placement says which server runs which task of a graph. Every server finds the same one, from the graph and from the slots that
// the log has for the attempt.
type placement struct {
	graph   *dag.Graph
	slots   []state.ID
	gateway state.ID
	first   []int // by stage: the slot of its first task; the others follow in turn; -1: it runs at the gateway
}

// place places a graph. Task i of a stage is in the same slot as task i of any other, and stages joined by a forward edge are together task by
// task. Stages of one task are spread over the slots, and what ends in rows for the caller runs where these are wanted.
func place(g *dag.Graph, slots []state.Holder, gateway state.ID) *placement {
	p := &placement{graph: g, gateway: gateway, first: make([]int, len(g.Stages))}
	for _, h := range slots {
		p.slots = append(p.slots, h.Node)
	}
	group := groups(g)
	pinned := map[int]bool{}
	for _, st := range g.Stages {
		if st.EndsInResult() {
			pinned[group[st.ID]] = true
		}
	}
	singles := 0
	slot := map[int]int{}
	for _, st := range g.Stages {
		at, known := slot[group[st.ID]]
		switch {
		case pinned[group[st.ID]]:
			at = -1
		case !known && st.Tasks == 1:
			at = singles % len(p.slots)
			singles++
		}
		slot[group[st.ID]], p.first[st.ID] = at, at
	}
	return p
}

// groups gives stages joined by forward edges the same number, that of the first of them.
func groups(g *dag.Graph) []int {
	group := make([]int, len(g.Stages))
	for i := range group {
		group[i] = i
	}
	for again := true; again; {
		again = false
		for _, st := range g.Stages {
			for _, e := range st.Outputs {
				if a, b := group[st.ID], group[e.To]; e.Kind == dag.Forward && a != b {
					group[st.ID], group[e.To], again = min(a, b), min(a, b), true
				}
			}
		}
	}
	return group
}

// at is the server that runs a task.
func (p *placement) at(stage, task int) state.ID {
	if p.first[stage] < 0 {
		return p.gateway
	}
	return p.slots[(p.first[stage]+task)%len(p.slots)]
}

// servers are those with a task at least, each once.
func (p *placement) servers() []state.ID {
	var list []state.ID
	for _, st := range p.graph.Stages {
		for i := range st.Tasks {
			if id := p.at(st.ID, i); !slices.Contains(list, id) {
				list = append(list, id)
			}
		}
	}
	return list
}

// pairs are those of an edge whose producer is on one server and whose consumer is on another.
func (p *placement) pairs(from *dag.Stage, e dag.Edge, producers, consumers state.ID) []link.Pair {
	var list []link.Pair
	for i := range from.Tasks {
		if p.at(from.ID, i) != producers {
			continue
		}
		for k := range p.graph.Stages[e.To].Tasks {
			if p.at(e.To, k) == consumers {
				list = append(list, link.Pair{Producer: i, Consumer: k})
			}
		}
	}
	return list
}

// edge finds an edge and the stage that it comes from.
func (p *placement) edge(id int) (from *dag.Stage, e dag.Edge, ok bool) {
	for _, st := range p.graph.Stages {
		for _, e := range st.Outputs {
			if e.ID == id {
				return st, e, true
			}
		}
	}
	return nil, dag.Edge{}, false
}

// width is how many slots a graph can use: the most tasks of a stage.
func width(g *dag.Graph) int {
	n := 1
	for _, st := range g.Stages {
		n = max(n, st.Tasks)
	}
	return min(n, state.MaxSlots)
}
