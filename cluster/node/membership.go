package node

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"syscall"
	"time"

	"go.uber.org/zap"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/coordinator"
	"github.com/rainsql/rainsql/cluster/members"
	"github.com/rainsql/rainsql/cluster/state"
)

// startGossip joins the ring of gossip of a cluster, once that is known.
func (n *Node) startGossip(cluster state.ID) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.members != nil {
		return nil
	}
	var key []byte
	if n.cfg.Certs != nil {
		key = n.cfg.Certs.GossipKey()
	}
	m, err := members.Start(members.Config{
		ID: n.self.id, Incarnation: n.self.incarnation, Cluster: cluster, Profile: n.profile,
		Transport: n.transport, Advertise: n.gossip, Key: key, OnChange: func() { n.coord.Poke() }, Logger: n.log,
	})
	if err != nil {
		return err
	}
	n.members = m
	return nil
}

func (n *Node) closeGossip() error {
	if m := n.gossiping(); m != nil {
		return m.Close()
	}
	return n.transport.Shutdown()
}

// gossiping is the node's view of the members, nil before it is in a cluster.
func (n *Node) gossiping() *members.Members {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.members
}

// alive tells the coordinator what gossip holds of a node.
func (n *Node) alive(id state.ID, incarnation uint64) bool {
	m := n.gossiping()
	return id == n.self.id || m != nil && m.Alive(id, incarnation)
}

// resolve tells raft where a node is.
func (n *Node) resolve(id state.ID) string {
	if n.coord == nil {
		return "" // raft asks before Open has returned
	}
	if node, ok := n.coord.State().Node(id); ok {
		return node.Addr
	}
	return ""
}

// reach asks a node how it stands.
func (n *Node) reach(ctx context.Context, addr string) (coordinator.Standing, error) {
	conn, err := n.pool.Get(addr)
	if err != nil {
		return coordinator.Standing{}, err
	}
	resp, err := api.NewNodeClient(conn).Status(ctx, &api.StatusRequest{})
	return coordinator.Standing{Last: resp.GetLastIndex(), Clock: time.UnixMicro(resp.GetClockMicros())}, err
}

// refuses tells whether a machine answers that nobody listens at an address.
func (n *Node) refuses(ctx context.Context, addr string) bool {
	conn, err := n.cfg.Net.Dial(ctx, "tcp", addr)
	if err == nil {
		_ = conn.Close() // only dialled
	}
	return errors.Is(err, syscall.ECONNREFUSED)
}

// retryEvery is how long to wait before an attempt to join is made anew; at random, so that many nodes that are started
// together do not come together.
func retryEvery() time.Duration { return 200*time.Millisecond + rand.N(300*time.Millisecond) }

// introduce tells the cluster of this start, until the cluster knows and counts it; and again, should it cease to, as after
// it was held dead before it was ready.
func (n *Node) introduce() {
	complaint := ""
	for n.ctx.Err() == nil {
		_, changed := n.coord.Watch()
		err := n.introduceOnce()
		if err == nil {
			complaint = ""
			select {
			case <-changed:
			case <-n.ctx.Done():
			}
			continue
		}
		var refusal *state.Refusal
		if errors.As(err, &refusal) && (errors.Is(err, state.ErrEvicted) || errors.Is(err, state.ErrCluster)) {
			n.end(fmt.Errorf("the cluster does not take this node: %w", err))
			return
		}
		if errors.As(err, &refusal) && errors.Is(err, state.ErrOutdated) {
			n.outdated()
			return
		}
		if text := err.Error(); text != complaint && !errors.Is(err, errNotYet) {
			complaint = text
			n.log.Warn("has not joined yet, and goes on trying", zap.Error(err))
		}
		select {
		case <-n.ctx.Done():
		case <-time.After(retryEvery()):
		}
	}
}

// errNotYet is a step on the way that waits for the log.
var errNotYet = errors.New("waiting for the log")

// introduceOnce takes the next step of: found the cluster, join it, be ready.
func (n *Node) introduceOnce() error {
	ctx, cancel := context.WithTimeout(n.ctx, 10*time.Second)
	defer cancel()
	s := n.coord.State()
	if n.self.founder && n.coord.Leads() && s.Cluster().IsZero() {
		cluster := state.ID(randomID())
		if res, _, err := n.coord.Propose(ctx, state.Entry{Kind: state.Found, Cluster: cluster}); err != nil || res.Err != nil {
			return errors.Join(err, res.Err)
		}
		s = n.coord.State()
	}
	if n.self.founder && s.Cluster().IsZero() {
		return errNotYet // nobody else can tell
	}
	if n.self.founder && n.coord.Leads() && s.Replicas() != n.cfg.Replicas {
		if err := n.setReplicas(ctx, s); err != nil {
			return err
		}
	}
	me, known := s.Node(n.self.id)
	switch {
	case !known || me.Incarnation < n.self.incarnation:
		return n.join(ctx)
	case me.Incarnation > n.self.incarnation:
		return &state.Refusal{Reason: state.ErrOutdated, Name: n.cfg.Name}
	case me.Status == state.Pending && !n.filled(me):
		return errNotYet
	case me.Status == state.Pending:
		res, err := n.propose(ctx, state.Entry{Kind: state.Ready, Node: n.self.id, Incarnation: n.self.incarnation}, false)
		if err != nil {
			return err
		}
		if res.refusal != nil {
			return res.refusal
		}
		return errNotYet
	}
	if n.gossiping() == nil { // the log has come before the answer to the Join, or without one
		return n.enter(s.Cluster(), nil)
	}
	return nil
}

// setReplicas gives a new cluster the number of copies that its founder was told. Later it is changed as a setting.
func (n *Node) setReplicas(ctx context.Context, s *state.State) error {
	if _, set := s.Setting(state.ReplicasSetting); set || n.cfg.Replicas == state.DefaultReplicas {
		return nil
	}
	res, _, err := n.coord.Propose(ctx, state.Entry{Kind: state.Set, Name: state.ReplicasSetting, Value: strconv.Itoa(n.cfg.Replicas)})
	return errors.Join(err, res.Err)
}

// join asks one node after the other to be let in.
func (n *Node) join(ctx context.Context) error {
	req := &api.JoinRequest{
		Id: n.self.id[:], Name: n.cfg.Name, Incarnation: n.self.incarnation, Addr: n.addr, Gossip: n.gossip, Http: n.http, Slots: int64(n.cfg.Slots),
	}
	if !n.self.cluster.IsZero() {
		req.Cluster = n.self.cluster[:]
	}
	var last error
	for _, addr := range n.contacts() {
		resp, err := n.askToJoin(ctx, addr, req)
		if err != nil {
			var refusal *state.Refusal
			if errors.As(err, &refusal) {
				return err
			}
			last = fmt.Errorf("%s: %s", addr, status.Convert(err).Message())
			continue
		}
		return n.welcome(resp)
	}
	if last == nil {
		last = errors.New("no address of another node is known: name one with --join")
	}
	return last
}

func (n *Node) askToJoin(ctx context.Context, addr string, req *api.JoinRequest) (*api.JoinResponse, error) {
	if addr == n.addr {
		return n.admit(ctx, req)
	}
	ctx, cancel := context.WithTimeout(ctx, 3*time.Second)
	defer cancel()
	conn, err := n.pool.Get(addr)
	if err != nil {
		return nil, err
	}
	resp, err := api.NewCoordinatorClient(conn).Join(ctx, req)
	if refusal := refusalIn(err); refusal != nil {
		return nil, refusal
	}
	return resp, err
}

// welcome is what the cluster told a node that it let in.
func (n *Node) welcome(resp *api.JoinResponse) error {
	if err := n.enter(idOf(resp.GetCluster()), peersOf(resp.GetNodes(), n.self.id)); err != nil {
		return err
	}
	n.call(gossipOf(resp.GetNodes()))
	return errNotYet
}

// enter makes the node one of a cluster; it may be already. The peers are written down if there are any: follow does so later.
func (n *Node) enter(cluster state.ID, peers []peer) error {
	n.mu.Lock()
	fresh := n.self.cluster.IsZero()
	n.mu.Unlock()
	if fresh {
		if len(peers) > 0 {
			if err := n.savePeers(peers); err != nil {
				return err
			}
		}
		if err := n.become(func(me *self) { me.cluster = cluster }); err != nil {
			return err
		}
		n.log.Info("joined", zap.String("cluster", cluster.Short()))
	}
	return n.startGossip(cluster)
}

// contacts are the addresses of who may let the node in: itself if it leads, those of the log, those that were
// in it last, those that the user named.
func (n *Node) contacts() []string {
	var list []string
	add := func(addr string) {
		if addr != "" && !slices.Contains(list, addr) {
			list = append(list, addr)
		}
	}
	if n.coord.Leads() {
		return []string{n.addr}
	}
	if _, addr := n.coord.Leader(); addr != n.addr {
		add(addr)
	}
	for other := range n.coord.State().Nodes() {
		if other.ID != n.self.id && other.Status != state.Evicted {
			add(other.Addr)
		}
	}
	for _, m := range n.met.all() {
		add(m.addr)
	}
	for _, p := range n.loadPeers() {
		add(p.Addr)
	}
	for _, addr := range n.cfg.Join {
		if addr != n.addr {
			add(addr)
		}
	}
	return list
}

// follow acts on what the log says: it remembers the members for the next start, and ends the node that has left.
func (n *Node) follow() {
	var epoch uint64
	for {
		s, changed := n.coord.Watch()
		if s.Index() > 0 {
			if err := n.noteLog(); err != nil {
				n.end(err)
				return
			}
		}
		if me, ok := s.Node(n.self.id); ok && me.Status == state.Evicted && me.Incarnation <= n.self.incarnation {
			n.leftForGood(me.Incarnation)
		}
		// A snapshot of long ago must not take the place of what was written down since.
		if list, at := peersIn(s, n.self.id); at != epoch && !s.Cluster().IsZero() && n.coord.CaughtUp() {
			if err := n.savePeers(list); err != nil {
				n.log.Warn("the other nodes' addresses were not written down", zap.Error(err))
			}
			n.forgetConnections(s)
			epoch = at
		}
		n.coord.Poke()
		select {
		case <-changed:
		case <-n.ctx.Done():
			return
		}
	}
}

// noteLog writes down, once, that there is something in the log: without it the node must not start again.
func (n *Node) noteLog() error {
	n.mu.Lock()
	noted := n.self.logged
	n.mu.Unlock()
	if noted {
		return nil
	}
	return n.become(func(me *self) { me.logged = true })
}

// become changes who the node is, in its folder too.
func (n *Node) become(change func(*self)) error {
	n.filesMu.Lock()
	defer n.filesMu.Unlock()
	n.mu.Lock()
	change(&n.self)
	me := n.self
	n.mu.Unlock()
	return me.save(n.cfg.FS)
}

// leftForGood ends the node, which left in some incarnation: in this one as it was told to, or before, and then it should not
// have been started.
func (n *Node) leftForGood(incarnation uint64) {
	if incarnation < n.self.incarnation {
		n.end(fmt.Errorf("the cluster does not take this node: %w", &state.Refusal{Reason: state.ErrEvicted, Name: n.cfg.Name}))
		return
	}
	n.log.Info("has left the cluster")
	n.end(nil)
}

// forgetConnections closes those to nodes that are gone.
func (n *Node) forgetConnections(s *state.State) {
	keep := map[string]bool{}
	for _, addr := range n.cfg.Join {
		keep[addr] = true
	}
	for other := range s.Nodes() {
		if other.Status != state.Evicted {
			keep[other.Addr] = true
		}
	}
	n.pool.Keep(keep)
	n.queries.links.Keep(keep)
}

// contactEvery is how often a node looks whether gossip has lost others that the log counts. serf calls those that have
// failed by itself; this finds those it has given up, and those it never met.
const contactEvery = 5 * time.Second

// keepContact brings gossip and log together again, and finds out about an eviction that the log could not tell.
func (n *Node) keepContact() {
	for {
		select {
		case <-n.ctx.Done():
			return
		case <-time.After(contactEvery/2 + rand.N(contactEvery)):
		}
		var missing []string
		for other := range n.coord.State().Nodes() {
			if other.ID != n.self.id && other.Status != state.Evicted && !n.alive(other.ID, other.Incarnation) {
				missing = append(missing, other.Gossip)
			}
		}
		if len(n.coord.Info().Voters) == 0 || n.gossiping() != nil && n.gossiping().Count() <= 1 {
			for _, p := range n.loadPeers() {
				missing = append(missing, p.Gossip)
			}
		}
		n.call(missing)
		if n.coord.Info().Leader.IsZero() {
			n.meet()
			n.askAfterMyself()
		}
	}
}

// outdated ends a node of which there has been a later start.
func (n *Node) outdated() {
	n.end(fmt.Errorf("another server runs on a copy of this one's data directory, or this is a copy of long ago: %w",
		&state.Refusal{Reason: state.ErrOutdated, Name: n.cfg.Name}))
}

// askAfterMyself has others say whether this node is still one of them: nobody sends it the log any more if
// it was evicted while it was away, or if another has started on a copy of its folder.
func (n *Node) askAfterMyself() {
	ctx, cancel := context.WithTimeout(n.ctx, contactEvery)
	defer cancel()
	for _, addr := range n.contacts() {
		conn, err := n.pool.Get(addr)
		if err != nil || addr == n.addr {
			continue
		}
		resp, err := api.NewCoordinatorClient(conn).Read(ctx, &api.ReadRequest{What: &api.ReadRequest_Nodes{Nodes: &api.Nothing{}}})
		if err != nil {
			continue
		}
		for _, other := range resp.GetNodes() {
			switch {
			case idOf(other.GetId()) != n.self.id:
			case other.GetStatus() == state.Evicted.String():
				n.leftForGood(other.GetIncarnation())
			case other.GetIncarnation() > n.self.incarnation:
				n.outdated()
			}
		}
		return
	}
}

// call makes contact with nodes by gossip. It is no error that some are not there.
func (n *Node) call(addrs []string) {
	m := n.gossiping()
	if m == nil {
		return
	}
	slices.Sort(addrs)
	addrs = slices.DeleteFunc(slices.Compact(addrs), func(a string) bool { return a == "" || a == n.gossip })
	if len(addrs) == 0 {
		return
	}
	rand.Shuffle(len(addrs), func(i, j int) { addrs[i], addrs[j] = addrs[j], addrs[i] })
	if _, err := m.Join(addrs[:min(len(addrs), 3)]); err != nil {
		n.log.Debug("gossip has reached none of those it called", zap.Error(err))
	}
}

// propose gives an entry to the leader, wherever that is.
func (n *Node) propose(ctx context.Context, e state.Entry, forwarded bool) (outcome, error) {
	res, index, err := n.coord.Propose(ctx, e)
	var elsewhere *coordinator.NotLeaderError
	if forwarded || !errors.As(err, &elsewhere) || elsewhere.Addr == "" {
		n.metrics.proposed(err)
		return outcomeOf(res, index), err
	}
	data, err := state.Encode(e)
	if err != nil {
		return outcome{}, err
	}
	conn, err := n.pool.Get(elsewhere.Addr)
	if err != nil {
		return outcome{}, fmt.Errorf("%w: %w", coordinator.ErrUnavailable, err)
	}
	ctx, cancel := context.WithTimeout(ctx, forwardTime)
	defer cancel()
	resp, err := api.NewCoordinatorClient(conn).Propose(ctx, &api.ProposeRequest{Entry: data, Forwarded: true})
	if err != nil {
		return outcome{}, err // a status, with the code that the leader gave
	}
	return outcomeFrom(resp), nil
}
