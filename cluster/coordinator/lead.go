package coordinator

import (
	"context"
	"errors"
	"time"

	"github.com/hashicorp/raft"
	"go.uber.org/zap"

	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/cluster/supervise"
)

// Poke has the leader look at the members at once.
func (c *Coordinator) Poke() {
	select {
	case c.poked <- struct{}{}:
	default:
	}
}

// lead does what falls to the leader, whenever this node is it.
func (c *Coordinator) lead() {
	for {
		select {
		case <-c.ctx.Done():
			return
		case leads := <-c.raft.LeaderCh():
			if leads {
				c.reign()
			}
		}
	}
}

// reign lasts as long as this node leads.
func (c *Coordinator) reign() {
	defer c.readyTerm.Store(0)
	term := c.raft.CurrentTerm()
	c.cfg.Logger.Info("leads now", zap.Uint64("term", term))
	defer c.cfg.Logger.Info("does not lead any more", zap.Uint64("term", term))
	for c.await(c.raft.Barrier(0)) != nil { // until all of earlier terms is applied here
		if c.raft.State() != raft.Leader || !c.pause(c.cfg.Timing.Tick/5) {
			return
		}
	}
	if c.raft.CurrentTerm() != term {
		return // the channel has more news
	}
	c.setClock()
	c.readyTerm.Store(term)
	m := memory{dead: map[state.ID]mourning{}, failed: map[state.ID]time.Time{}}
	set := time.Now()
	for c.raft.State() == raft.Leader && c.raft.CurrentTerm() == term {
		if c.ctx.Err() != nil {
			return
		}
		if time.Since(set) > clockEvery {
			c.setClock()
			set = time.Now()
		}
		c.tick()
		if !c.step(m) && !c.pause(c.cfg.Timing.Tick) {
			return
		}
	}
}

// tick moves log time on where nobody else does, so that leases end.
func (c *Coordinator) tick() {
	if now := time.Now().UnixMicro() + c.skew.Load(); c.machine.now().Files().LeaseEnd() > now {
		return
	}
	if _, _, err := c.Propose(c.ctx, state.Entry{Kind: state.Tick}); err != nil {
		c.cfg.Logger.Debug("log time was not moved on", zap.Error(err))
	}
}

// pause waits, or is woken; it gives false when the coordinator ends.
func (c *Coordinator) pause(d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-c.poked:
	case <-c.ctx.Done():
		return false
	}
	return true
}

// mourning is since when an incarnation of a node has been held dead.
type mourning struct {
	incarnation uint64
	since       time.Time
}

// memory is what a leader remembers while it reigns.
type memory struct {
	dead   map[state.ID]mourning
	failed map[state.ID]time.Time // steps about a node, when last
}

// failedFor is for how long a node about which a step failed is left alone, so that others have their turn.
const failedFor = 5 * time.Second

// step does the next thing that is to be done with the members, and tells whether it did.
func (c *Coordinator) step(m memory) bool {
	v := c.view(m)
	step, ok := supervise.Next(v)
	for ok && step.What == supervise.Promote && !v.Behind[step.Node] && c.behind(step) {
		v.Behind[step.Node] = true
		step, ok = supervise.Next(v)
	}
	if !ok {
		return false
	}
	err := c.do(step, v)
	log := c.cfg.Logger.Info
	if err != nil {
		log = c.cfg.Logger.Warn
		m.failed[step.Node] = time.Now()
	}
	log("supervision", zap.Stringer("step", step.What), zap.String("node", step.Node.Short()), zap.Error(err))
	return err == nil
}

// view is what the leader sees.
func (c *Coordinator) view(m memory) supervise.View {
	dead := m.dead
	v := supervise.View{
		Now: time.Now(), Self: c.cfg.ID, Dead: map[state.ID]time.Time{}, Refused: map[state.ID]time.Time{}, Behind: map[state.ID]bool{}, Skip: map[state.ID]bool{},
		Voters: c.cfg.Voters, DownAfter: c.cfg.DownAfter, EvictAfter: c.cfg.EvictAfter,
	}
	for n := range c.machine.now().Nodes() {
		v.Nodes = append(v.Nodes, n)
		if since, refuses := c.refused.of(n.ID, n.Incarnation); refuses && n.ID != c.cfg.ID {
			v.Refused[n.ID] = since
		}
		if n.Status == state.Evicted || n.ID == c.cfg.ID || c.cfg.Alive(n.ID, n.Incarnation) {
			delete(dead, n.ID)
			continue
		}
		m, known := dead[n.ID]
		if !known || m.incarnation != n.Incarnation {
			m = mourning{incarnation: n.Incarnation, since: v.Now}
			dead[n.ID] = m
		}
		v.Dead[n.ID] = m.since
	}
	for _, s := range c.servers() {
		if id, err := state.ParseID(string(s.ID)); err == nil {
			v.Servers = append(v.Servers, supervise.Server{ID: id, Addr: plainAddress(s.Address), Voter: s.Suffrage == raft.Voter})
		}
	}
	for id, at := range m.failed {
		v.Skip[id] = v.Now.Sub(at) < failedFor
	}
	return v
}

// mostBehind is how many entries a node may be behind when it gets a vote: until it has them it
// helps no majority.
const mostBehind = 1000

func (c *Coordinator) behind(step supervise.Step) bool {
	ctx, cancel := context.WithTimeout(c.ctx, c.cfg.Timing.Heartbeat)
	defer cancel()
	s, err := c.cfg.Reach(ctx, step.Addr)
	return err != nil || s.Last+mostBehind < c.raft.LastIndex()
}

// do does a step. Nobody else changes raft's configuration while this node leads, and raft refuses a change by one that
// does not; it does not tell the index of the configuration, by which a change could be tied to the one that was seen.
func (c *Coordinator) do(step supervise.Step, v supervise.View) error {
	id, addr, patience := serverID(step.Node), raftAddress(step.Node, step.Addr), c.cfg.Timing.RPC
	switch step.What {
	case supervise.Admit:
		return c.await(c.raft.AddNonvoter(id, addr, 0, patience))
	case supervise.Promote:
		return c.await(c.raft.AddVoter(id, addr, 0, patience))
	case supervise.Demote:
		return c.await(c.raft.DemoteVoter(id, 0, patience))
	case supervise.Remove:
		return c.await(c.raft.RemoveServer(id, 0, patience))
	case supervise.Handover:
		return c.await(c.raft.LeadershipTransferToServer(id, addr))
	}
	kind := map[supervise.What]state.Kind{supervise.MarkDown: state.MarkDown, supervise.MarkUp: state.MarkUp, supervise.Evict: state.Evict}[step.What]
	e := state.Entry{Kind: kind, Node: step.Node}
	for _, n := range v.Nodes {
		if n.ID == step.Node {
			e.Incarnation = n.Incarnation
		}
	}
	res, _, err := c.Propose(c.ctx, e)
	return errors.Join(err, res.Err)
}
