package node

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"

	"github.com/rainsql/rainsql/cluster/coordinator"
	"github.com/rainsql/rainsql/cluster/state"
)

// metrics are what /metrics tells.
type metrics struct {
	registry  *prometheus.Registry
	proposals *prometheus.CounterVec
}

func newMetrics(n *Node) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		proposals: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "rainsql_proposals_total", Help: "Entries proposed to the coordinator here, by what came of them.",
		}, []string{"outcome"}),
	}
	m.registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), m.proposals, view{n})
	return m
}

// proposed counts what came of a proposal.
func (m *metrics) proposed(err error) {
	what := "failed"
	switch {
	case err == nil:
		what = "applied"
	case errors.Is(err, coordinator.ErrUnknown):
		what = "unknown"
	case errors.Is(err, coordinator.ErrUnavailable):
		what = "unavailable"
	}
	m.proposals.WithLabelValues(what).Inc()
}

// view reads the node's state whenever it is asked.
type view struct{ n *Node }

func gauge(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("rainsql_"+name, help, labels, nil)
}

var (
	descLeader  = gauge("leader", "1 where this node leads and is ready to.")
	descReady   = gauge("ready", "1 where the node would do a request now.")
	descTerm    = gauge("raft_term", "Term of the coordinator.")
	descLast    = gauge("raft_last_index", "Index of the last entry in this node's log.")
	descCommit  = gauge("raft_commit_index", "Index of the last entry that this node knows to be committed.")
	descApplied = gauge("raft_applied_index", "Index of the last entry that this node has applied.")
	descContact = gauge("raft_leader_silence_seconds", "Time since the leader was last heard.")
	descVoters  = gauge("raft_voters", "Nodes that vote.")
	descAlive   = gauge("members_alive", "Members that gossip holds alive, this node among them.")
	descNodes   = gauge("nodes", "Nodes in the log by what it says of them.", "status")
	descFiles   = gauge("files", "Files in the store.")
	descBytes   = gauge("files_bytes", "Bytes in the files of the store, once each.")
)

func (view) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{descLeader, descReady, descTerm, descLast, descCommit, descApplied, descContact, descVoters, descAlive, descNodes, descFiles, descBytes} {
		ch <- d
	}
}

func (v view) Collect(ch chan<- prometheus.Metric) {
	put := func(d *prometheus.Desc, value float64, labels ...string) {
		ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
	}
	info, s := v.n.coord.Info(), v.n.coord.State()
	ready, _ := v.n.Ready()
	put(descLeader, number(v.n.coord.Leads()))
	put(descReady, number(ready))
	put(descTerm, float64(info.Term))
	put(descLast, float64(info.LastIndex))
	put(descCommit, float64(info.Commit))
	put(descApplied, float64(info.Applied))
	put(descContact, info.LastContact.Seconds())
	put(descVoters, float64(len(info.Voters)))
	if m := v.n.gossiping(); m != nil {
		put(descAlive, float64(m.Count()))
	}
	count := map[state.Status]int{}
	for m := range s.Nodes() {
		count[m.Status]++
	}
	for status := state.Pending; status <= state.Evicted; status++ {
		put(descNodes, float64(count[status]), status.String())
	}
	_, bytes := s.Files().Size()
	put(descFiles, float64(s.Files().Len()))
	put(descBytes, float64(bytes))
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
