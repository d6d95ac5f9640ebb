package coordinator

import (
	"errors"
	"slices"
	"strings"

	"github.com/hashicorp/raft"

	"github.com/rainsql/rainsql/cluster/state"
)

// raftAddress is where raft reaches a node, and which one it must find there: without the id, an empty disk at the address of
// a voter would be taken for that voter. It also keeps two nodes from having one address in raft's
// configuration, which raft refuses.
func raftAddress(id state.ID, addr string) raft.ServerAddress {
	return raft.ServerAddress(id.String() + "@" + addr)
}

// plainAddress is host:port of what raftAddress gave.
func plainAddress(addr raft.ServerAddress) string {
	_, plain, found := strings.Cut(string(addr), "@")
	if !found {
		return string(addr)
	}
	return plain
}

// ServerAddr tells raft where a node is. Best knows the node itself, if it has said so in a later start than the log tells of; then the
// applied state, once it has all that was in this node's log as it started; until then, raft's configuration, which is the log's latest.
func (c *Coordinator) ServerAddr(id raft.ServerID) (raft.ServerAddress, error) {
	node, err := state.ParseID(string(id))
	if err != nil {
		return "", err
	}
	if !c.open.Load() {
		return "", errors.New("the coordinator is being opened") // raft goes by its configuration
	}
	if addr := c.cfg.Met(node); addr != "" {
		return raftAddress(node, addr), nil
	}
	if c.CaughtUp() {
		if addr := c.cfg.Resolve(node); addr != "" {
			return raftAddress(node, addr), nil
		}
	}
	for _, s := range c.servers() {
		if s.ID == id {
			return s.Address, nil
		}
	}
	return "", errors.New("its address is not known")
}

// Configured tells whether a node is in raft's configuration, which is the log's latest.
func (c *Coordinator) Configured(id state.ID) bool {
	return slices.ContainsFunc(c.servers(), func(s raft.Server) bool { return s.ID == raft.ServerID(id.String()) })
}

// CaughtUp tells whether this node has applied all that was in its log as it started: before that, its copy of the state may be a
// snapshot of long ago.
func (c *Coordinator) CaughtUp() bool { return c.machine.now().Index() >= c.began }

// servers are raft's configuration.
func (c *Coordinator) servers() []raft.Server {
	return c.raft.GetConfiguration().Configuration().Servers
}
