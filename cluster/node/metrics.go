package node

import (
	"errors"
	"sync/atomic"
	"time"

	"github.com/rainsql/rainsql/cluster/coordinator"
	"github.com/rainsql/rainsql/cluster/exposition"
	"github.com/rainsql/rainsql/cluster/state"
)

// metrics are what /metrics tells and the node's parts do not know.
type metrics struct {
	proposals [len(outcomes)]atomic.Uint64
}

// outcomes are what can come of a proposal.
var outcomes = [...]string{applied: "applied", unknown: "unknown", unavailable: "unavailable", failed: "failed"}

const (
	applied = iota
	unknown
	unavailable
	failed
)

// proposed counts what came of a proposal.
func (m *metrics) proposed(err error) {
	what := failed
	switch {
	case err == nil:
		what = applied
	case errors.Is(err, coordinator.ErrUnknown):
		what = unknown
	case errors.Is(err, coordinator.ErrUnavailable):
		what = unavailable
	}
	m.proposals[what].Add(1)
}

// tellMetrics reads the node's state whenever it is asked.
func (n *Node) tellMetrics() *exposition.Page {
	p := &exposition.Page{}
	gauge := func(name, help string, value float64) { p.Gauge("rainsql_"+name, help, value) }
	info, s := n.coord.Info(), n.coord.State()
	ready, _ := n.Ready()
	gauge("leader", "1 where this node leads and is ready to.", number(n.coord.Leads()))
	gauge("ready", "1 where the node would do a request now.", number(ready))
	gauge("raft_term", "Term of the coordinator.", float64(info.Term))
	gauge("raft_last_index", "Index of the last entry in this node's log.", float64(info.LastIndex))
	gauge("raft_commit_index", "Index of the last entry that this node knows to be committed.", float64(info.Commit))
	gauge("raft_applied_index", "Index of the last entry that this node has applied.", float64(info.Applied))
	gauge("raft_leader_silence_seconds", "Time since the leader was last heard.", info.LastContact.Seconds())
	gauge("raft_voters", "Nodes that vote.", float64(len(info.Voters)))
	if m := n.gossiping(); m != nil {
		gauge("members_alive", "Members that gossip holds alive, this node among them.", float64(m.Count()))
	}
	if n.cfg.Certs != nil {
		gauge("certificate_seconds", "Time until this node's certificate ends.", time.Until(n.cfg.Certs.Until()).Seconds())
	}
	count := map[state.Status]int{}
	for m := range s.Nodes() {
		count[m.Status]++
	}
	var nodes []exposition.Sample
	for status := state.Pending; status <= state.Evicted; status++ {
		nodes = append(nodes, exposition.Sample{Label: status.String(), Value: float64(count[status])})
	}
	p.Gauges("rainsql_nodes", "Nodes in the log by what it says of them.", "status", nodes)
	_, bytes := s.Files().Size()
	gauge("files", "Files in the store.", float64(s.Files().Len()))
	gauge("files_bytes", "Bytes in the files of the store, once each.", float64(bytes))
	up := n.store.upkeep.Standing()
	gauge("blocks_held", "Copies of blocks on this node's disk that files have, as of its last look.", float64(up.Held))
	gauge("blocks_missing", "Blocks that belong on this node's disk and could not be got, as of its last look.", float64(up.Missing))
	p.Counters("rainsql_blocks_got_bytes_total", "Bytes of blocks that this node got from others because they belong on its disk.", "why", []exposition.Sample{{Label: "missing", Value: float64(up.Got)}})
	n.tellJobs(p, s)
	var proposals [len(outcomes)]exposition.Sample
	for i, what := range outcomes {
		proposals[i] = exposition.Sample{Label: what, Value: float64(n.metrics.proposals[i].Load())}
	}
	p.Counters("rainsql_proposals_total", "Entries proposed to the coordinator here, by what came of them.", "outcome", proposals[:])
	p.Runtime()
	return p
}

// tellJobs writes what there is to know of queries.
func (n *Node) tellJobs(p *exposition.Page, s *state.State) {
	count := map[state.JobStatus]int{}
	total, used := 0, 0
	for j := range s.Jobs() {
		count[j.Status]++
		used += len(j.Slots)
	}
	for m := range s.Nodes() {
		if m.Status == state.Active {
			total += m.Slots
		}
	}
	var jobs []exposition.Sample
	for status := state.Queued; status <= state.Cancelled; status++ {
		jobs = append(jobs, exposition.Sample{Label: status.String(), Value: float64(count[status])})
	}
	p.Gauges("rainsql_jobs", "Jobs in the log by status; of those that have ended the last thousand.", "status", jobs)
	p.Gauge("rainsql_slots", "Slots of all active nodes for tasks of queries.", float64(total))
	p.Gauge("rainsql_slots_used", "Slots that jobs have.", float64(used))
	p.Gauge("rainsql_job_parts", "Parts of jobs that run on this node.", float64(n.queries.worker.Parts()))
	p.Counter("rainsql_job_attempts_failed_total", "Attempts of jobs whose gateway this node was that failed in their surroundings.", float64(n.queries.gateway.Failed()))
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
