package coordinator

import (
	"context"
	"sync"
	"time"

	"github.com/hashicorp/raft"

	"github.com/rainsql/rainsql/cluster/state"
)

// refusals are the nodes whose machine answers that nobody listens where they should: their process is gone, whatever gossip still
// holds of them. They are found by asking where the leader's heartbeats fail.
type refusals struct {
	mu    sync.Mutex
	since map[state.ID]refusal
}

// refusal is since when a node has refused.
type refusal struct {
	incarnation  uint64
	first, again time.Time
}

// refusedFor is for how long what was found counts: while heartbeats fail it is found again sooner than that.
const refusedFor = 1500 * time.Millisecond

// note notes whether a node refused.
func (r *refusals) note(id state.ID, incarnation uint64, refused bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	was, known := r.since[id]
	switch {
	case !refused:
		delete(r.since, id)
	case known && was.incarnation == incarnation && now.Sub(was.again) < refusedFor:
		was.again = now
		r.since[id] = was
	default:
		if r.since == nil {
			r.since = map[state.ID]refusal{}
		}
		r.since[id] = refusal{incarnation: incarnation, first: now, again: now}
	}
}

// of tells since when a start of a node has refused, if it does.
func (r *refusals) of(id state.ID, incarnation uint64) (time.Time, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	one, ok := r.since[id]
	return one.first, ok && one.incarnation == incarnation && time.Since(one.again) < refusedFor
}

// askTime bounds how long a machine is waited for: one that is there answers at once.
const askTime = 300 * time.Millisecond

// watchHeartbeats asks those whom raft's heartbeats do not reach, until the coordinator ends.
func (c *Coordinator) watchHeartbeats() {
	failed := make(chan raft.Observation, 64)
	o := raft.NewObserver(failed, false, func(o *raft.Observation) bool {
		switch o.Data.(type) {
		case raft.FailedHeartbeatObservation, raft.ResumedHeartbeatObservation:
			return true
		}
		return false
	})
	c.raft.RegisterObserver(o)
	defer c.raft.DeregisterObserver(o)
	asking := make(chan struct{}, 16)
	for {
		select {
		case <-c.ctx.Done():
			return
		case o := <-failed:
			switch data := o.Data.(type) {
			case raft.ResumedHeartbeatObservation:
				if id, err := state.ParseID(string(data.PeerID)); err == nil {
					c.refused.note(id, 0, false)
				}
			case raft.FailedHeartbeatObservation:
				id, err := state.ParseID(string(data.PeerID))
				n, ok := c.State().Node(id)
				if err != nil || !ok {
					continue
				}
				select {
				case asking <- struct{}{}:
					c.work.Go(func() {
						defer func() { <-asking }()
						c.ask(n)
					})
				default: // the next heartbeat fails too
				}
			}
		}
	}
}

func (c *Coordinator) ask(n *state.Node) {
	ctx, cancel := context.WithTimeout(c.ctx, askTime)
	defer cancel()
	refused := c.cfg.Refuses(ctx, n.Addr)
	c.refused.note(n.ID, n.Incarnation, refused)
	if refused {
		c.Poke()
	}
}
