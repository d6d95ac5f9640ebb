package supervise

import (
	"slices"

	"github.com/rainsql/rainsql/cluster/state"
)

// wanted is how many should vote among so many servers: an odd number, since an even one stands
// the loss of no more, and of two servers one, since two would stand the loss of neither.
func wanted(servers, most int) int {
	n := 1
	for _, k := range []int{3, 5} {
		if servers >= k && most >= k {
			n = k
		}
	}
	return n
}

// nextVoter gives or takes a vote. A vote is never taken away if those that are left and alive would be
// no majority of them.
func nextVoter(v View) (Step, bool) {
	var fit, spare []*state.Node // active and alive: with a vote, without
	var unfit []*state.Node      // with a vote: down, leaving or evicted
	var unsure int               // with a vote: held dead or pending, but not down yet
	var strangers []state.ID     // with a vote, and not in the log
	servers := 0
	for _, n := range v.Nodes {
		s, known := v.server(n.ID)
		_, dead := v.Dead[n.ID]
		// One that is down, and has no vote, can take none: counting it could make the votes an even number.
		if n.Status == state.Evicted || n.Status == state.Leaving || (n.Status == state.Down || dead) && !(known && s.Voter) {
			continue
		}
		servers++
	}
	for _, s := range v.Servers {
		if _, ok := v.node(s.ID); !ok && s.Voter && s.ID != v.Self {
			strangers = append(strangers, s.ID)
		}
	}
	for _, n := range v.Nodes {
		s, known := v.server(n.ID)
		_, dead := v.Dead[n.ID]
		voter := known && s.Voter
		switch {
		case voter && n.Status == state.Down && v.briefly(n):
			unsure++
		case voter && (n.Status == state.Down || n.Status == state.Leaving || n.Status == state.Evicted):
			unfit = append(unfit, n)
		case voter && (dead || n.Status != state.Active):
			unsure++
		case voter:
			fit = append(fit, n)
		case known && n.Status == state.Active && !dead && !v.Behind[n.ID] && !v.Skip[n.ID]:
			spare = append(spare, n)
		}
	}
	slices.SortFunc(fit, byAge)
	slices.SortFunc(spare, byAge)
	slices.SortFunc(unfit, byAge)
	want := wanted(servers, v.Voters)
	voters := len(fit) + unsure + len(unfit) + len(strangers)
	mayLose := func(alive int) bool { return 2*alive > voters-1 }

	switch {
	case len(fit)+unsure < want && len(spare) > 0:
		return Step{What: Promote, Node: spare[0].ID, Addr: spare[0].Addr}, true
	case len(strangers) > 0 && mayLose(len(fit)) && !v.Skip[strangers[0]]:
		return Step{What: Demote, Node: strangers[0]}, true
	}
	// A node that is down keeps its vote until another has taken its place: it may come back.
	for _, n := range unfit {
		switch {
		case v.Skip[n.ID]:
		case n.Status == state.Down && len(fit)+unsure < want:
		case n.ID == v.Self && len(fit) > 0:
			return Step{What: Handover, Node: fit[0].ID, Addr: fit[0].Addr}, true
		case n.ID != v.Self && mayLose(len(fit)):
			return Step{What: Demote, Node: n.ID}, true
		}
	}
	if len(fit)+unsure > want && len(fit) > 1 {
		n := fit[len(fit)-1]
		if n.ID == v.Self {
			n = fit[len(fit)-2]
		}
		if mayLose(len(fit)-1) && !v.Skip[n.ID] {
			return Step{What: Demote, Node: n.ID}, true
		}
	}
	return Step{}, false
}

// briefly tells whether a node is down only since it refuses, and not for long: it may just be starting anew, and keeps its vote.
func (v View) briefly(n *state.Node) bool {
	gone, refused := v.Refused[n.ID]
	return refused && v.Now.Sub(gone) < v.DownAfter
}
