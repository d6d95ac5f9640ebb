// Package supervise is what the leader of a cluster decides about its members: who is let
// into raft, who votes, who is held dead, who goes for good. It is a pure function of what
// the leader sees, one step at a time, so that its tests need neither clock nor network.
package supervise

import (
	"cmp"
	"slices"
	"time"

	"github.com/rainsql/rainsql/cluster/state"
)

// View is what the leader sees.
type View struct {
	Now     time.Time
	Self    state.ID
	Nodes   []*state.Node
	Servers []Server               // raft's configuration
	Dead    map[state.ID]time.Time // since when SWIM has held a node's incarnation dead
	// Refused is since when a node's machine has answered that nobody listens there: its process is gone.
	Refused map[state.ID]time.Time
	// Behind tells which nodes are too far behind in the log, or do not say, to be given a vote.
	Behind map[state.ID]bool
	// Skip are nodes about which a step failed a moment ago: others have their turn.
	Skip map[state.ID]bool

	Voters     int           // the most that vote
	DownAfter  time.Duration // of being held dead, until a node is down
	EvictAfter time.Duration // on top of that, until a node that is down is evicted
}

// RefusedAfter is for how long a node must have refused until it is down: it is certain, but it may just be starting anew.
const RefusedAfter = 500 * time.Millisecond

// Server is a member of raft's configuration.
type Server struct {
	ID    state.ID
	Addr  string
	Voter bool
}

// What is to be done with a node.
type What int

// The steps.
const (
	MarkDown What = iota + 1 // propose that it is down
	MarkUp                   // propose that it is not
	Evict                    // propose that it goes for good
	Admit                    // have raft send it the log, or learn its new address
	Promote                  // give it a vote
	Demote                   // take its vote away
	Remove                   // have raft forget it
	Handover                 // give leadership to it
)

// Step is one thing to do.
type Step struct {
	What What
	Node state.ID
	Addr string // of the node
}

// Next gives the next step, and false if all is as it should be. Steps are done one at a time,
// each after the one before has committed.
func Next(v View) (Step, bool) {
	for _, rule := range []func(View) (Step, bool){nextLiveness, nextAdmission, nextVoter, nextFarewell} {
		if step, ok := rule(v); ok {
			return step, true
		}
	}
	return Step{}, false
}

// nextLiveness turns what SWIM suspects into what the log says.
func nextLiveness(v View) (Step, bool) {
	for _, n := range v.Nodes {
		since, dead := v.Dead[n.ID]
		gone, refused := v.Refused[n.ID]
		silent := v.Now.Sub(since) // by the leader's own clock, while it led: not while all were without power
		switch {
		case n.Status == state.Evicted || n.ID == v.Self || v.Skip[n.ID]:
		case n.Status != state.Down && dead && silent >= v.DownAfter:
			return Step{What: MarkDown, Node: n.ID}, true
		case n.Status != state.Down && refused && v.Now.Sub(gone) >= RefusedAfter:
			return Step{What: MarkDown, Node: n.ID}, true
		case n.Status == state.Down && !dead && !refused:
			return Step{What: MarkUp, Node: n.ID}, true
		case n.Status == state.Down && dead && v.EvictAfter > 0 && silent >= v.DownAfter+v.EvictAfter && !lastHolder(v, n):
			return Step{What: Evict, Node: n.ID}, true
		}
	}
	return Step{}, false
}

// lastHolder tells whether without the node no other of the ring would be active: then nothing could take over its data.
func lastHolder(v View, n *state.Node) bool {
	return !slices.ContainsFunc(v.Nodes, func(o *state.Node) bool { return o.ID != n.ID && o.Status == state.Active })
}

// nextAdmission has raft know every node that is in, by its present address.
func nextAdmission(v View) (Step, bool) {
	for _, n := range v.Nodes {
		if n.Status == state.Evicted || v.Skip[n.ID] {
			continue
		}
		s, known := v.server(n.ID)
		if !known || s.Addr != n.Addr {
			step := Step{What: Admit, Node: n.ID, Addr: n.Addr}
			if known && s.Voter {
				step.What = Promote // raft would take the vote away otherwise
			}
			return step, true
		}
	}
	return Step{}, false
}

// nextFarewell lets those go that leave and whose data is elsewhere: first from raft's voters, which nextVoter has seen to, then
// from the cluster, then from raft.
func nextFarewell(v View) (Step, bool) {
	for _, n := range v.Nodes {
		s, known := v.server(n.ID)
		switch {
		case v.Skip[n.ID]:
		case n.Status == state.Leaving && n.Drained && n.ID != v.Self && !(known && s.Voter):
			return Step{What: Evict, Node: n.ID}, true
		case n.Status == state.Evicted && known && !s.Voter && n.ID != v.Self:
			return Step{What: Remove, Node: n.ID}, true
		}
	}
	for _, s := range v.Servers { // whom the log does not know
		if _, ok := v.node(s.ID); !ok && !s.Voter && s.ID != v.Self && !v.Skip[s.ID] {
			return Step{What: Remove, Node: s.ID}, true
		}
	}
	return Step{}, false
}

func (v View) server(id state.ID) (Server, bool) {
	i := slices.IndexFunc(v.Servers, func(s Server) bool { return s.ID == id })
	if i < 0 {
		return Server{}, false
	}
	return v.Servers[i], true
}

func (v View) node(id state.ID) (*state.Node, bool) {
	i := slices.IndexFunc(v.Nodes, func(n *state.Node) bool { return n.ID == id })
	if i < 0 {
		return nil, false
	}
	return v.Nodes[i], true
}

// byAge orders nodes by when they joined.
func byAge(a, b *state.Node) int {
	return cmp.Or(cmp.Compare(a.Joined, b.Joined), slices.Compare(a.ID[:], b.ID[:]))
}

func (w What) String() string {
	return [...]string{"", "mark down", "mark up", "evict", "admit", "promote", "demote", "remove", "hand over"}[w]
}
