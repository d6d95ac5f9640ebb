// Package schedule is what the leader of a cluster decides about jobs: which of them get slots, on which servers, and
// which have lost the server that ran them. It is a pure function of what the leader sees, one step at a time, so that its
// tests need neither clock nor network. A new leader goes on where the one before was: all that counts is in the log.
package schedule

import (
	"cmp"
	"slices"
	"time"

	"github.com/rainsql/rainsql/cluster/state"
)

// GatewayTime is for how long a job waits for its client to come by way of another server, when the one that it asked is gone.
const GatewayTime = 10 * time.Second

// View is what the leader sees.
type View struct {
	Now   time.Time
	Nodes []*state.Node
	Jobs  []*state.Job // in the order in which they were submitted
	// Dead are servers that gossip holds dead, whatever the log says of them.
	Dead map[state.ID]bool
	// Lost is since when the leader has seen that a job's gateway is gone.
	Lost map[uint64]time.Time
}

// Step is one thing to do about a job: begin an attempt in some slots, or, where there are none, end it.
type Step struct {
	Job    uint64
	Slots  []state.Holder
	Reason string // of the end
}

// Next gives the next step, and false if there is nothing to do.
func Next(v View) (Step, bool) {
	for _, j := range v.Jobs {
		since, lost := v.Lost[j.ID]
		if !j.Status.Over() && lost && v.Now.Sub(since) >= GatewayTime {
			return Step{Job: j.ID, Reason: "the server that ran it is gone, and its client has not come back by way of another"}, true
		}
	}
	return nextAttempt(v)
}

// Gone tells whether a job's gateway is no more what it was when the job was submitted.
func Gone(s *state.State, j *state.Job) bool {
	n, ok := s.Node(j.Gateway.Node)
	return !ok || n.Incarnation != j.Gateway.Incarnation || n.Status == state.Down || n.Status == state.Evicted
}

// nextAttempt gives the first job that waits its slots, if there are enough. None overtakes it: so each has its turn.
func nextAttempt(v View) (Step, bool) {
	var first *state.Job
	under := 0
	for _, j := range v.Jobs {
		if j.Status.Over() {
			continue
		}
		under++
		if _, lost := v.Lost[j.ID]; first == nil && j.Status == state.Queued && !lost {
			first = j
		}
	}
	if first == nil {
		return Step{}, false
	}
	free, all := v.free(first)
	// All that it can use, or its share where others are there too: waiting for more would help nobody.
	need := min(first.Width, max(1, all/under))
	have := 0
	for _, w := range free {
		have += w.free
	}
	if have < need {
		return Step{}, false
	}
	return Step{Job: first.ID, Slots: choose(free, min(first.Width, have))}, true
}

// worker is a server with room.
type worker struct {
	holder state.Holder
	free   int
	joined uint64
}

// free are the servers that can take a job, with the slots that each has left, and how many slots there are in all.
func (v View) free(j *state.Job) (list []worker, all int) {
	used := map[state.Holder]int{}
	for _, other := range v.Jobs {
		for _, h := range other.Slots {
			used[h]++
		}
	}
	var avoided []worker
	others := false // servers that are not to be avoided, with room or without
	for _, n := range v.Nodes {
		if n.Status != state.Active || v.Dead[n.ID] {
			continue
		}
		w := worker{holder: state.Holder{Node: n.ID, Incarnation: n.Incarnation}, joined: n.Joined}
		all += n.Slots
		avoid := slices.Contains(j.Avoid, w.holder)
		others = others || !avoid && n.Slots > 0
		switch w.free = n.Slots - used[w.holder]; {
		case w.free <= 0:
		case avoid:
			avoided = append(avoided, w)
		default:
			list = append(list, w)
		}
	}
	if !others {
		list = avoided // there is nobody else: it may have been chance
	}
	slices.SortFunc(list, func(a, b worker) int {
		return cmp.Or(cmp.Compare(a.joined, b.joined), slices.Compare(a.holder.Node[:], b.holder.Node[:]))
	})
	return list, all
}

// choose takes n slots, each of the server that has most left; so neighbours in the list are on different servers.
func choose(list []worker, n int) []state.Holder {
	var slots []state.Holder
	for range n {
		best := 0
		for i := range list {
			if list[i].free > list[best].free {
				best = i
			}
		}
		list[best].free--
		slots = append(slots, list[best].holder)
	}
	return slots
}
