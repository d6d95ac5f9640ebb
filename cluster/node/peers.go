package node

import (
	"hash/fnv"

	"go.uber.org/zap"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/state"
)

// peersIn are the other members in a state, and a number that changes with them.
func peersIn(s *state.State, self state.ID) ([]peer, uint64) {
	h := fnv.New64a()
	var list []peer
	for m := range s.Nodes() {
		if m.ID == self || m.Status == state.Evicted {
			continue
		}
		p := peer{ID: m.ID.String(), Name: m.Name, Addr: m.Addr, Gossip: m.Gossip}
		list = append(list, p)
		for _, part := range []string{p.ID, p.Addr, p.Gossip, "\n"} {
			_, _ = h.Write([]byte(part)) // never fails
		}
	}
	return list, h.Sum64()
}

func peersOf(infos []*api.NodeInfo, self state.ID) []peer {
	var list []peer
	for _, m := range infos {
		if id := idOf(m.GetId()); id != self && m.GetStatus() != state.Evicted.String() {
			list = append(list, peer{ID: id.String(), Name: m.GetName(), Addr: m.GetAddr(), Gossip: m.GetGossip()})
		}
	}
	return list
}

func gossipOf(infos []*api.NodeInfo) []string {
	var list []string
	for _, m := range infos {
		if m.GetAlive() {
			list = append(list, m.GetGossip())
		}
	}
	return list
}

func (n *Node) savePeers(list []peer) error {
	n.filesMu.Lock()
	defer n.filesMu.Unlock()
	return writeJSON(n.cfg.FS, peersName, list)
}

func (n *Node) loadPeers() []peer {
	var list []peer
	if _, err := readJSON(n.cfg.FS, peersName, &list); err != nil {
		n.log.Warn("the other nodes' addresses cannot be read; those given with --join are used", zap.Error(err))
	}
	return list
}
