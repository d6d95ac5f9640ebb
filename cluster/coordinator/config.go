// Package coordinator runs the cluster's state machine under hashicorp/raft: entries are proposed to
// the leader, committed by a majority of voters and applied by every server in the same order. The
// leader also supervises the members (package supervise). docs/cluster.md has the protocol.
package coordinator

import (
	"context"
	"time"

	"github.com/hashicorp/raft"
	"go.uber.org/zap"

	"github.com/rainsql/rainsql/cluster/state"
)

// Config says what a coordinator runs on.
type Config struct {
	ID     state.ID
	Addr   string // of this node, where others reach it
	Layer  raft.StreamLayer
	Stores Stores
	Timing Timing

	Voters     int           // the most that vote: 1, 3 or 5
	DownAfter  time.Duration // of SWIM holding a node dead, until the log says so
	EvictAfter time.Duration // of being down, until a node's place is given away; 0: never

	// Met gives the address at which a node was met in a later start than the log tells of, "" if it was not. It is called from any
	// goroutine.
	Met func(state.ID) string
	// Resolve gives the present address of a node, as far as it is known otherwise than by raft's
	// configuration; "" where it is not.
	Resolve func(state.ID) string
	// Alive tells whether SWIM has met this incarnation of a node and does not hold it dead.
	Alive func(id state.ID, incarnation uint64) bool
	// Refuses tells whether a machine answers that nobody listens at an address; nil: nobody can tell.
	Refuses func(ctx context.Context, addr string) bool
	// Reach asks a node how it stands.
	Reach func(ctx context.Context, addr string) (Standing, error)
	// OnFatal is told, once, of what makes it impossible to go on: the process must end. Nothing that
	// the coordinator does after that counts.
	OnFatal func(error)

	Logger *zap.Logger
}

// Standing is what a leader wants to know of another node.
type Standing struct {
	Last  uint64    // index of the last entry in its log
	Clock time.Time // by its own
}

// Timing are the times of the protocol; zero values mean the defaults.
type Timing struct {
	// Heartbeat is for how long a follower waits for the leader before it asks for votes, and half of
	// it how long a leader goes on without a majority. Default 1 s: a killed leader is
	// replaced within 1.3 to 2.6 s.
	Heartbeat time.Duration
	// Write is the longest that a write of the log may take before the process ends: raft would go on
	// to lead with a dead disk. Default 4 s: a new leader stands within ten seconds of the disk's hanging.
	Write time.Duration
	// Tick is how often the leader looks at the members. Default 500 ms.
	Tick time.Duration
	// RPC bounds a message of raft. Default 5 s.
	RPC time.Duration
}

func (t Timing) withDefaults() Timing {
	for _, d := range []struct {
		to  *time.Duration
		def time.Duration
	}{{&t.Heartbeat, time.Second}, {&t.Write, 4 * time.Second}, {&t.Tick, 500 * time.Millisecond}, {&t.RPC, 5 * time.Second}} {
		if *d.to <= 0 {
			*d.to = d.def
		}
	}
	return t
}

func (c Config) raft() *raft.Config {
	rc := raft.DefaultConfig()
	rc.LocalID = serverID(c.ID)
	rc.HeartbeatTimeout, rc.ElectionTimeout = c.Timing.Heartbeat, c.Timing.Heartbeat
	rc.LeaderLeaseTimeout = c.Timing.Heartbeat / 2
	rc.CommitTimeout = min(rc.CommitTimeout, c.Timing.Heartbeat/20)
	rc.ShutdownOnRemove = false // an evicted node finds out by itself, and says so
	// Without a buffer nothing is left in it, unanswered, when raft ends. Those who wait to put something in are taken together all the
	// same, and share an fsync.
	rc.BatchApplyCh = false
	rc.NoLegacyTelemetry = true
	return rc
}

func serverID(id state.ID) raft.ServerID { return raft.ServerID(id.String()) }
