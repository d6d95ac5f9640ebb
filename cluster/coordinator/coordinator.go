package coordinator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/raft"
	"golang.org/x/sync/semaphore"

	"github.com/rainsql/rainsql/cluster/logging"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/group"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Coordinator is this node's part in the replicated state machine. All methods may be called
// concurrently.
type Coordinator struct {
	cfg       Config
	raft      *raft.Raft
	transport *confirming
	machine   *machine
	dog       *watchdog
	skew      atomic.Int64 // µs to add to the clock, while this node leads
	low       atomic.Bool  // the reserve was given up for the log
	open      atomic.Bool  // raft is there
	began     uint64       // index of the last entry in the log as it was opened
	flying    *semaphore.Weighted

	readyTerm atomic.Uint64 // the term in which this node leads and has applied all of the terms before; 0: none
	reads     *group.Queue[chan error]
	poked     chan struct{}
	refused   refusals

	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup
	gone   chan struct{} // closed when raft has ended
}

// Open starts this node's part on what its stores hold. It follows whoever leads; in a cluster
// of its own it does nothing before Bootstrap. The stores are the coordinator's from now on.
func Open(cfg Config) (*Coordinator, error) {
	cfg.Timing = cfg.Timing.withDefaults()
	c := &Coordinator{cfg: cfg, reads: group.NewQueue[chan error](), poked: make(chan struct{}, 1), flying: semaphore.NewWeighted(maxFlying), gone: make(chan struct{})}
	c.ctx, c.cancel = context.WithCancel(context.Background())
	c.dog = newWatchdog(cfg.Timing.Write, c.makeRoom, cfg.OnFatal)
	c.machine = newMachine(c.dog, &c.open)
	logger := logging.Hclog(cfg.Logger)
	c.transport = &confirming{NetworkTransport: raft.NewNetworkTransportWithConfig(&raft.NetworkTransportConfig{
		Stream: cfg.Layer, Logger: logger, Timeout: cfg.Timing.RPC, MaxPool: 3,
		MaxRPCsInFlight:       1, // pipelining can deadlock replication
		ServerAddressProvider: c,
	})}
	rc := cfg.raft()
	rc.Logger = logger
	var err error
	c.raft, err = raft.NewRaft(rc, c.machine, watchedLog{cfg.Stores.Log, c.dog}, watchedStable{cfg.Stores.Stable, c.dog}, cfg.Stores.Snapshots, c.transport)
	if err != nil {
		c.dog.letGo()
		return nil, errors.Join(fmt.Errorf("starting the coordinator: %w", err), c.transport.Close(), cfg.Stores.Close())
	}
	c.began = c.raft.LastIndex()
	c.open.Store(true)
	c.work.Go(c.lead)
	c.work.Go(c.verifyReads)
	if cfg.Refuses != nil {
		c.work.Go(c.watchHeartbeats)
	}
	return c, nil
}

// Bootstrap makes a cluster of this node alone. It is called once in the life of a cluster.
func (c *Coordinator) Bootstrap() error {
	err := c.await(c.raft.BootstrapCluster(raft.Configuration{Servers: []raft.Server{
		{Suffrage: raft.Voter, ID: serverID(c.cfg.ID), Address: raftAddress(c.cfg.ID, c.cfg.Addr)},
	}}))
	if errors.Is(err, raft.ErrCantBootstrap) {
		return nil // it was, before a crash
	}
	return err
}

// State is this node's copy, which may be behind.
func (c *Coordinator) State() *state.State { return c.machine.now() }

// Watch gives this node's copy, and what is closed as soon as there is a newer one.
func (c *Coordinator) Watch() (*state.State, <-chan struct{}) { return c.machine.watch() }

// WaitApplied waits until this node has applied an entry, and gives its copy then.
func (c *Coordinator) WaitApplied(ctx context.Context, index uint64) (*state.State, error) {
	for {
		s, changed := c.machine.watch()
		if s.Index() >= index {
			return s, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-c.ctx.Done():
			return nil, c.closed()
		}
	}
}

func (c *Coordinator) closed() error { return fmt.Errorf("%w: the node is stopping", ErrUnavailable) }

// Propose makes an entry durable and applies it. Only the leader does; elsewhere the error is a
// *NotLeaderError. An entry that was refused is no error: the result says so. The index is that
// at which it was applied.
func (c *Coordinator) Propose(ctx context.Context, e state.Entry) (state.Result, uint64, error) {
	term := c.readyTerm.Load()
	if term == 0 {
		return state.Result{}, 0, c.notLeader()
	}
	if err := c.admissible(&e); err != nil {
		return state.Result{}, 0, err
	}
	data, err := encode(e)
	if err != nil {
		return state.Result{}, 0, err
	}
	if err := c.flying.Acquire(ctx, int64(len(data))); err != nil {
		return state.Result{}, 0, fmt.Errorf("%w: too much is under way: %w", ErrUnavailable, err)
	}
	defer c.flying.Release(int64(len(data)))
	return c.apply(ctx, data)
}

// maxFlying bounds the entries, in bytes, that are proposed and not yet applied: a batch of raft's must reach a slow disk within the time
// that a write may take.
const maxFlying = 8 << 20

// encode gives the bytes of an entry, if every node can read them: one that cannot be read would end them all.
func encode(e state.Entry) ([]byte, error) {
	data, err := state.Encode(e)
	if err == nil && len(data) > state.MaxEntry {
		err = fmt.Errorf("%w: it has %d bytes, and %d are the most", state.ErrEntry, len(data), state.MaxEntry)
	}
	if err == nil {
		_, err = state.Decode(data)
	}
	return data, err
}

// admissible gives an entry that will not be repeated its time, and judges the time of others.
func (c *Coordinator) admissible(e *state.Entry) error {
	if c.low.Load() && !makesRoom(*e) {
		return ErrNoSpace
	}
	now := max(time.Now().UnixMicro()+c.skew.Load(), c.machine.now().Time())
	if e.Kind != state.Batch {
		return timely(e, now)
	}
	for i := range e.Batch {
		if err := timely(&e.Batch[i], now); err != nil {
			return err
		}
	}
	return nil
}

func timely(e *state.Entry, now int64) error {
	at, client := &e.Time, e.Client
	if e.Kind == state.Files {
		at, client = &e.Files.Time, e.Files.Client
	}
	if client == 0 {
		*at = now
	}
	if *at > now+ClockSlack {
		return fmt.Errorf("%w (%v)", ErrClock, (time.Duration(*at-now) * time.Microsecond).Round(time.Second))
	}
	return nil
}

// makesRoom tells whether an entry takes away, or concerns the nodes, which a full disk must not stop.
func makesRoom(e state.Entry) bool {
	if e.Kind == state.Batch {
		return !slices.ContainsFunc(e.Batch, func(part state.Entry) bool { return !makesRoom(part) })
	}
	if e.Kind != state.Files {
		return !slices.Contains([]state.Kind{state.Set, state.TokenAdd, state.JobSubmit, state.JobCommit}, e.Kind)
	}
	parts := e.Files.List
	if e.Files.Kind != namespace.Commit {
		parts = []namespace.Entry{e.Files}
	}
	for _, p := range parts {
		if p.Kind != namespace.Remove {
			return false
		}
	}
	return true
}

func (c *Coordinator) makeRoom() bool {
	given := c.cfg.Stores.MakeRoom != nil && c.cfg.Stores.MakeRoom()
	if given {
		c.low.Store(true)
		c.cfg.Logger.Error("the disk is full: the reserve was given up for the coordinator's log; remove files, or make room on the disk, and start the node anew")
	}
	return given
}

func (c *Coordinator) apply(ctx context.Context, data []byte) (state.Result, uint64, error) {
	if err := ctx.Err(); err != nil {
		return state.Result{}, 0, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	patience := c.cfg.Timing.RPC
	if end, ok := ctx.Deadline(); ok {
		patience = min(patience, time.Until(end))
	}
	f := c.raft.Apply(data, max(patience, time.Millisecond))
	select {
	case err := <-c.answer(f):
		if err != nil {
			return state.Result{}, 0, c.judge(err)
		}
	case <-ctx.Done():
		return state.Result{}, 0, fmt.Errorf("%w: %w", ErrUnknown, ctx.Err())
	case <-c.gone:
		return state.Result{}, 0, fmt.Errorf("%w: the node is ending", ErrUnknown)
	}
	a, ok := f.Response().(applied)
	if !ok {
		return state.Result{}, 0, fmt.Errorf("%w: the node is ending", ErrUnknown)
	}
	return a.res, a.index, nil
}

// answer waits for a future of raft in the background: some are never answered once raft has ended.
func (c *Coordinator) answer(f raft.Future) <-chan error {
	done := make(chan error, 1)
	go func() { done <- f.Error() }()
	return done
}

// await waits for a future of raft, and no longer than there is raft.
func (c *Coordinator) await(f raft.Future) error {
	select {
	case err := <-c.answer(f):
		return err
	case <-c.gone:
		return raft.ErrRaftShutdown
	}
}

// judge tells what a failure of raft means for the request.
func (c *Coordinator) judge(err error) error {
	switch {
	case errors.Is(err, raft.ErrNotLeader):
		return c.notLeader()
	case errors.Is(err, raft.ErrEnqueueTimeout), errors.Is(err, raft.ErrLeadershipTransferInProgress):
		return fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	return fmt.Errorf("%w: %w", ErrUnknown, err)
}

// Leader is who leads, as far as this node knows; a zero id: nobody.
func (c *Coordinator) Leader() (state.ID, string) {
	addr, server := c.raft.LeaderWithID()
	id, err := state.ParseID(string(server))
	if err != nil {
		return state.ID{}, ""
	}
	if now := c.cfg.Met(id); now != "" {
		return id, now
	}
	if now := c.cfg.Resolve(id); now != "" {
		return id, now
	}
	return id, plainAddress(addr)
}

// Low tells whether the disk was full, so that only what makes room is taken while this node leads.
func (c *Coordinator) Low() bool { return c.low.Load() }

// Leads tells whether this node leads, and is ready to.
func (c *Coordinator) Leads() bool { return c.readyTerm.Load() != 0 }

// Term is that in which this node leads, and is ready to; 0: it does not.
func (c *Coordinator) Term() uint64 { return c.readyTerm.Load() }

// notLeader says who leads, or why nobody does.
func (c *Coordinator) notLeader() error {
	id, addr := c.Leader()
	if id == c.cfg.ID { // leading, but not ready yet
		return &NotLeaderError{Why: " that is ready yet"}
	}
	if !id.IsZero() {
		return &NotLeaderError{Leader: id, Addr: addr}
	}
	voters, alive := 0, 0
	for _, s := range c.servers() {
		if s.Suffrage != raft.Voter {
			continue
		}
		voters++
		node, err := state.ParseID(string(s.ID))
		if err != nil {
			continue
		}
		if n, ok := c.State().Node(node); node == c.cfg.ID || ok && c.cfg.Alive(node, n.Incarnation) {
			alive++
		}
	}
	why := ""
	if voters > 0 {
		why = fmt.Sprintf("; %d of %d voters must agree on one, and gossip here holds %d of them alive", voters/2+1, voters, alive)
	}
	return &NotLeaderError{Why: why}
}

// Read gives a state that has all that was acknowledged anywhere before Read was called. Only the leader
// can; elsewhere the error is a *NotLeaderError.
func (c *Coordinator) Read(ctx context.Context) (*state.State, error) {
	done := make(chan error, 1)
	if c.readyTerm.Load() == 0 {
		return nil, c.notLeader()
	}
	if !c.reads.Put(done) {
		return nil, c.closed()
	}
	select {
	case err := <-done:
		if err != nil {
			return nil, err
		}
		return c.machine.now(), nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// verifyReads has a majority confirm that this node leads, once for all reads that wait. What was acknowledged
// in this term was applied here before; what was in earlier ones, before the term was ready.
func (c *Coordinator) verifyReads() {
	const most = 1 << 16
	for {
		batch := c.reads.Take(most, func(chan error) int { return 1 })
		if batch == nil {
			return
		}
		err := c.verify()
		for _, done := range batch {
			done <- err
		}
	}
}

// verifyTries is how often a majority is asked to confirm the leader until all that answer were asked late enough. Twice
// does, but for calls that fail.
const verifyTries = 5

func (c *Coordinator) verify() error {
	term := c.readyTerm.Load()
	if term == 0 || c.ctx.Err() != nil {
		return c.notLeader()
	}
	began := time.Now()
	for range verifyTries {
		if err := c.await(c.raft.VerifyLeader()); err != nil {
			return fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		if c.raft.CurrentTerm() != term { // led, lost it, leads again
			return c.notLeader()
		}
		if c.transport.since(serverID(c.cfg.ID), term, began, c.servers()) {
			return nil
		}
	}
	return fmt.Errorf("%w: a majority has not confirmed in time that this node leads", ErrUnavailable)
}

// Info is how the coordinator stands.
type Info struct {
	State                            string // leader, follower, candidate or shutdown
	Leader                           state.ID
	Term, LastIndex, Commit, Applied uint64
	LastContact                      time.Duration // since the leader was last heard; 0 for the leader
	Voters                           map[state.ID]bool
}

// Info tells how the coordinator stands.
func (c *Coordinator) Info() Info {
	info := Info{
		Term: c.raft.CurrentTerm(), LastIndex: c.raft.LastIndex(), Commit: c.raft.CommitIndex(), Applied: c.machine.now().Index(),
		Voters: map[state.ID]bool{},
	}
	info.Leader, _ = c.Leader()
	role := c.raft.State()
	info.State = map[raft.RaftState]string{raft.Leader: "leader", raft.Follower: "follower", raft.Candidate: "candidate", raft.Shutdown: "shutdown"}[role]
	if role != raft.Leader {
		info.LastContact = time.Since(c.raft.LastContact())
	}
	for _, s := range c.servers() {
		if id, err := state.ParseID(string(s.ID)); err == nil && s.Suffrage == raft.Voter {
			info.Voters[id] = true
		}
	}
	return info
}

// Handover gives leadership to another voter, if this node leads and there is one.
func (c *Coordinator) Handover(ctx context.Context) error {
	if c.raft.State() != raft.Leader || len(c.Info().Voters) < 2 {
		return nil
	}
	select {
	case err := <-c.answer(c.raft.LeadershipTransfer()):
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Snapshot writes the state now, so that older entries of the log may go.
func (c *Coordinator) Snapshot() error {
	err := c.await(c.raft.Snapshot())
	if errors.Is(err, raft.ErrNothingNewToSnapshot) {
		return nil
	}
	return err
}

// Close ends this node's part. What was proposed and not answered is left open.
func (c *Coordinator) Close() error {
	c.cancel()
	c.readyTerm.Store(0)
	c.reads.Close()
	// While raft runs it answers those who wait for it. Where its disk hangs it does not.
	idle := make(chan struct{})
	go func() { c.work.Wait(); close(idle) }()
	select {
	case <-idle:
	case <-c.dog.dead:
	case <-time.After(2 * c.cfg.Timing.Heartbeat):
	}
	ended := c.raft.Shutdown()
	// What could not be written must not be acknowledged: nobody is to hear the answers.
	err := c.transport.Close()
	c.dog.letGo()
	err = errors.Join(ended.Error(), err)
	close(c.gone)
	<-idle
	return errors.Join(err, c.cfg.Stores.Close())
}
