package node

import (
	"context"
	"maps"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/identity"
	"github.com/rainsql/rainsql/cluster/state"
)

// meeting is where a node was in one of its starts, as it said itself.
type meeting struct {
	incarnation uint64
	addr        string
}

// mostMet bounds whom a node remembers: a cluster is smaller.
const mostMet = 10_000

// meetings are the nodes that one has met since it was started. Where all were started at other addresses at once, the log, which
// has the old ones, cannot be read by anyone before some have met. They are not written down.
type meetings struct {
	mu sync.Mutex
	of map[state.ID]meeting
}

// note remembers where a node was in its latest start.
func (m *meetings) note(id state.ID, at meeting) {
	m.mu.Lock()
	defer m.mu.Unlock()
	old, known := m.of[id]
	if known && old.incarnation >= at.incarnation || !known && len(m.of) >= mostMet {
		return
	}
	if m.of == nil {
		m.of = map[state.ID]meeting{}
	}
	m.of[id] = at
}

func (m *meetings) all() map[state.ID]meeting {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.of)
}

// metAt is where a node was met, if that was in a later start than the log tells of; "" otherwise.
func (n *Node) metAt(id state.ID) string {
	n.met.mu.Lock()
	m, met := n.met.of[id]
	n.met.mu.Unlock()
	if !met {
		return ""
	}
	if node, known := n.coord.State().Node(id); known && node.Incarnation >= m.incarnation {
		return ""
	}
	return m.addr
}

// meetTime bounds how long a node waits for one that it wants to meet.
const meetTime = 2 * time.Second

// meet tells all that may be there where this node is, and learns where they are, and whom they have met.
func (n *Node) meet() {
	ctx, cancel := context.WithTimeout(n.ctx, meetTime)
	defer cancel()
	cluster := n.cluster()
	req := &api.MeetRequest{Cluster: cluster[:], Self: n.meeting()}
	var all sync.WaitGroup
	for _, addr := range n.contacts() {
		if addr == n.addr {
			continue
		}
		all.Go(func() {
			conn, err := n.pool.Get(addr)
			if err != nil {
				return
			}
			if resp, err := api.NewNodeClient(conn).Meet(ctx, req); err == nil { // else it is not there
				n.noteMet(resp.GetNodes())
			}
		})
	}
	all.Wait()
}

// cluster is the one that this node is in, as far as it knows.
func (n *Node) cluster() state.ID {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.self.cluster
}

// meeting is where this node is.
func (n *Node) meeting() *api.Meeting {
	return &api.Meeting{Id: n.self.id[:], Incarnation: n.self.incarnation, Addr: n.addr}
}

func (n *Node) noteMet(list []*api.Meeting) {
	for _, m := range list {
		if id := idOf(m.GetId()); !id.IsZero() && id != n.self.id && m.GetAddr() != "" && n.expects(id, m.GetIncarnation()) {
			n.met.note(id, meeting{m.GetIncarnation(), m.GetAddr()})
		}
	}
}

// expects tells whether a start of a node can be one: the node is a member, or was the last time that this one had all of the log, and it was not
// started a million times since. So what somebody makes up neither fills the memory nor lasts.
func (n *Node) expects(id state.ID, incarnation uint64) bool {
	if node, known := n.coord.State().Node(id); known {
		return node.Status != state.Evicted && incarnation <= node.Incarnation+1_000_000
	}
	return n.coord.Configured(id)
}

// Meet is described in the .proto file.
func (s *nodeService) Meet(ctx context.Context, req *api.MeetRequest) (*api.MeetResponse, error) {
	if err := allow(ctx, identity.Node); err != nil {
		return nil, err
	}
	n := s.n
	if cluster := n.cluster(); cluster.IsZero() || idOf(req.GetCluster()) != cluster {
		return nil, status.Error(codes.FailedPrecondition, "this is a server of another cluster")
	}
	n.noteMet([]*api.Meeting{req.GetSelf()})
	resp := &api.MeetResponse{Nodes: []*api.Meeting{n.meeting()}}
	for id, at := range n.met.all() {
		resp.Nodes = append(resp.Nodes, &api.Meeting{Id: id[:], Incarnation: at.incarnation, Addr: at.addr})
	}
	return resp, nil
}
