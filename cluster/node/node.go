package node

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
	"go.uber.org/zap"
	"google.golang.org/grpc"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/coordinator"
	"github.com/rainsql/rainsql/cluster/identity"
	"github.com/rainsql/rainsql/cluster/members"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/cluster/wire"
	"github.com/rainsql/rainsql/exec/exchange/frame"
)

// Node is a running server. All methods may be called concurrently.
type Node struct {
	cfg     Config
	log     *zap.Logger
	addr    string // where others reach it
	gossip  string
	http    string
	profile members.Profile

	pool    *wire.Pool
	coord   *coordinator.Coordinator
	store   fileStore
	queries queries
	server  *grpc.Server
	web     *http.Server
	metrics metrics

	mu        sync.Mutex
	self      self
	members   *members.Members              // nil until the cluster is known
	transport memberlist.NodeAwareTransport // given to members then
	draining  bool

	met meetings

	ctx     context.Context
	cancel  context.CancelFunc
	work    sync.WaitGroup // the loops of membership
	serving sync.WaitGroup // what ends with its listener
	filesMu sync.Mutex
	stop    stack
	err     error
	done    chan struct{}
	ended   chan error // the node should stop by itself: it has left, or its listener failed
}

// stack is what has to be undone, in the reverse order of how it was done.
type stack []func() error

func (s *stack) push(undo func() error) { *s = append(*s, undo) }

func (s *stack) unwind() error {
	var errs []error
	for i := len(*s) - 1; i >= 0; i-- {
		errs = append(errs, (*s)[i]())
	}
	*s = nil
	return errors.Join(errs...)
}

// Start starts a node. When it returns, the node listens; Ready tells when it is part of a cluster. A
// step that fails undoes the ones before it.
func Start(cfg Config) (*Node, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, &ConfigError{err}
	}
	n := &Node{cfg: cfg, log: cfg.Logger, done: make(chan struct{}), ended: make(chan error, 1)}
	n.ctx, n.cancel = context.WithCancel(context.Background())
	for _, step := range []struct {
		what string
		do   func() error
	}{
		{"taking the data directory", n.startFiles},
		{"listening", n.startListening},
		{"starting the coordinator", n.startCoordinator},
		{"joining the cluster", n.startMembership},
	} {
		if err := step.do(); err != nil {
			n.cancel()
			return nil, fmt.Errorf("%s: %w", step.what, errors.Join(err, n.stop.unwind()))
		}
	}
	n.log.Info("started", zap.String("node", n.self.id.Short()), zap.String("name", cfg.Name), zap.Uint64("incarnation", n.self.incarnation),
		zap.String("addr", n.addr), zap.String("gossip", n.gossip), zap.String("http", n.http), zap.Bool("tls", cfg.Certs != nil), zap.String("version", cfg.Version))
	return n, nil
}

func (n *Node) startFiles() error {
	disk := n.cfg.FS
	if err := disk.Mkdir(""); err != nil {
		return err
	}
	command := strings.Join(append([]string{filepath.Base(os.Args[0])}, os.Args[1:]...), " ")
	lock, err := disk.Lock(lockName, fmt.Sprintf("process %d (%.200s)", os.Getpid(), command))
	if err != nil {
		return err
	}
	n.stop.push(lock.Close)
	if n.cfg.Name == "" {
		host, err := os.Hostname()
		if err != nil {
			return fmt.Errorf("the host has no name (%w): give the node one with --name", err)
		}
		n.cfg.Name, _, _ = strings.Cut(host, ".")
	}
	if n.self, err = awaken(disk, len(n.cfg.Join) == 0); err != nil {
		return err
	}
	if n.profile, err = members.FindProfile(n.cfg.Profile); err != nil {
		return err
	}
	if err := keepReserve(disk, n.cfg.ReserveBytes); err != nil {
		n.log.Warn("there is no room for the disk reserve; a full disk will stop the node", zap.Error(err))
	}
	return nil
}

func (n *Node) startListening() error {
	l, err := n.cfg.Net.Listen(n.cfg.Listen)
	if err != nil {
		return err
	}
	var conf *tls.Config
	dialer := wire.Dialer{Net: n.cfg.Net.Dial}
	if c := n.cfg.Certs; c != nil {
		conf, dialer.TLS = c.ServerTLS(), c.ClientTLS()
	}
	mux := wire.NewMux(l, n.self.id, conf, onlyNodes)
	n.stop.push(mux.Close)
	if n.addr, err = advertised(n.cfg.Advertise, l.Addr().String()); err != nil {
		return err
	}
	n.pool = wire.NewPool(dialer)
	n.stop.push(func() error { n.pool.Close(); return nil })

	var bound string
	if n.transport, bound, err = n.cfg.Net.Gossip(n.cfg.GossipListen); err != nil {
		return fmt.Errorf("gossip: %w", err)
	}
	n.stop.push(n.closeGossip)
	said := n.cfg.GossipAdvertise
	if host, _, err := net.SplitHostPort(n.addr); said == "" && n.cfg.Advertise != "" && err == nil {
		said = host
	}
	if n.gossip, err = advertised(said, bound); err != nil {
		return err
	}
	if n.gossip, err = resolved(n.gossip); err != nil {
		return err
	}
	web, err := n.cfg.Net.Listen(n.cfg.HTTPListen)
	if err != nil {
		return fmt.Errorf("http: %w", err)
	}
	n.http = web.Addr().String()
	n.stop.push(func() error { // the HTTP server closes it, once there is one
		if err := web.Close(); !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	})

	layer := wire.RaftLayer{Listener: mux.Raft(), Dialer: dialer}
	n.server = wire.NewServer(append(frame.ServerWindows(), grpc.InTapHandle(n.authorize), grpc.ChainUnaryInterceptor(n.recoverCall, onlyServers), grpc.ChainStreamInterceptor(n.recoverStream, refuseStrangers))...)
	api.RegisterCoordinatorServer(n.server, &coordinatorService{n: n})
	api.RegisterNodeServer(n.server, &nodeService{n: n})
	n.cfg.Stores = n.withReserve(n.cfg.Stores)
	stores, err := n.cfg.Stores()
	if err != nil {
		return err
	}
	if err := n.self.checkLog(n.cfg.FS, stores); err != nil { // before raft is there to vote
		return errors.Join(err, stores.Close())
	}
	if err := n.openBlocks(); err != nil { // which may take a while, in which a node must not lead that nobody can ask
		return errors.Join(err, stores.Close())
	}
	n.coord, err = coordinator.Open(coordinator.Config{
		ID: n.self.id, Addr: n.addr, Layer: layer, Stores: stores, Timing: n.cfg.Timing,
		Voters: n.cfg.Voters, DownAfter: n.cfg.DownAfter, EvictAfter: n.cfg.EvictAfter,
		Resolve: n.resolve, Met: n.metAt, Alive: n.alive, Reach: n.reach, Refuses: n.refuses, OnFatal: n.cfg.OnFatal, Logger: n.log,
	})
	if err != nil {
		return err
	}
	n.stop.push(n.coord.Close)
	n.startStore(dialer)
	n.startJobs(dialer)
	n.startHTTP(web)
	grpcListener := mux.GRPC()
	n.serving.Go(func() {
		if err := n.server.Serve(grpcListener); err != nil && n.ctx.Err() == nil {
			n.end(fmt.Errorf("serving requests: %w", err))
		}
	})
	n.stop.push(func() error { wire.Stop(n.server, n.cfg.Drain); return nil })
	return nil
}

// resolved is an address whose host is a number: gossip sends it around, and takes no names.
func resolved(addr string) (string, error) {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		return "", err
	}
	ip, err := net.ResolveIPAddr("ip", host)
	if err != nil {
		return "", err
	}
	return net.JoinHostPort(ip.String(), port), nil
}

// withReserve has the log's store give up the reserve when the disk is full.
func (n *Node) withReserve(open func() (coordinator.Stores, error)) func() (coordinator.Stores, error) {
	return func() (coordinator.Stores, error) {
		s, err := open()
		if s.MakeRoom == nil {
			s.MakeRoom = func() bool { return giveReserve(n.cfg.FS) }
		}
		return s, err
	}
}

func (n *Node) startCoordinator() error {
	if len(n.cfg.Join) > 0 && n.self.cluster.IsZero() {
		n.self.founder = false // an earlier start, without --join, came to nothing
	}
	if !n.self.founder || !n.self.cluster.IsZero() {
		return nil
	}
	return n.coord.Bootstrap()
}

func (n *Node) startMembership() error {
	if !n.self.cluster.IsZero() {
		if err := n.startGossip(n.self.cluster); err != nil {
			return err
		}
	}
	n.work.Go(n.introduce)
	n.work.Go(n.follow)
	n.work.Go(n.keepContact)
	if n.cfg.Certs != nil {
		n.work.Go(n.keepCerts)
	}
	n.stop.push(func() error {
		n.cancel()
		n.work.Wait()
		return nil
	})
	return nil
}

// onlyNodes lets servers of the cluster speak raft.
func onlyNodes(conn *tls.Conn) error {
	p, err := identity.PeerOf(conn.ConnectionState())
	if err == nil && p.Role != identity.Node {
		err = fmt.Errorf("%s is no server", p.Name)
	}
	return err
}

// ID is the node's id.
func (n *Node) ID() state.ID { return n.self.id }

// Addr is where others reach the node's services.
func (n *Node) Addr() string { return n.addr }

// Gossip is where others reach its gossip.
func (n *Node) Gossip() string { return n.gossip }

// HTTP is where operators look.
func (n *Node) HTTP() string { return n.http }

// Coordinator is the node's part in the replicated state.
func (n *Node) Coordinator() *coordinator.Coordinator { return n.coord }

// Ended tells, once, that the node should be stopped and why; nil: it has left the cluster, as it was told to.
func (n *Node) Ended() <-chan error { return n.ended }

func (n *Node) end(err error) {
	select {
	case n.ended <- err:
	default:
	}
}

// Ready tells whether the node would do a request now, and if not, why.
func (n *Node) Ready() (bool, string) {
	n.mu.Lock()
	draining := n.draining
	n.mu.Unlock()
	info := n.coord.Info()
	me, known := n.coord.State().Node(n.self.id)
	switch {
	case draining:
		return false, "it is stopping"
	case info.Leader.IsZero():
		return false, "no leader is known"
	case !known || me.Incarnation != n.self.incarnation:
		return false, "it has not joined yet"
	case me.Status != state.Active:
		return false, "it is " + me.Status.String()
	case n.coord.Low():
		return false, "its disk was full, and the reserve is given up: make room, and start it anew"
	case info.LastContact > 10*time.Second:
		return false, fmt.Sprintf("the leader was last heard %v ago", info.LastContact.Round(time.Second))
	}
	return true, ""
}

// WaitReady waits until the node is ready.
func (n *Node) WaitReady(ctx context.Context) error {
	for {
		ready, why := n.Ready()
		if ready {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("the node is not ready: %s: %w", why, ctx.Err())
		case <-n.done:
			return errors.New("the node was stopped")
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Stop drains: no new requests, those under way may end within Drain; leadership goes to another. The node
// stays a member. A second call, or the end of ctx, stops waiting.
func (n *Node) Stop(ctx context.Context) error {
	n.mu.Lock()
	first := !n.draining
	n.draining = true
	n.mu.Unlock()
	if !first {
		n.server.Stop()
		<-n.done
		return n.err
	}
	cut := context.AfterFunc(ctx, n.server.Stop)
	defer cut()
	n.queries.gateway.Stop()
	n.store.close()
	if err := n.coord.Handover(ctx); err != nil {
		n.log.Warn("leadership was not handed over", zap.Error(err))
	}
	if m := n.gossiping(); m != nil {
		if err := m.Leave(); err != nil {
			n.log.Info("the others were not told of the stop", zap.Error(err))
		}
	}
	n.err = n.stop.unwind()
	n.serving.Wait()
	n.log.Info("stopped", zap.Error(n.err))
	close(n.done)
	return n.err
}

// Kill stops at once, as a killed process would: nobody is told, nothing is waited for.
func (n *Node) Kill() {
	n.mu.Lock()
	n.draining = true
	n.mu.Unlock()
	n.cfg.Drain = 0
	n.queries.gateway.Abandon()
	n.server.Stop()
	_ = n.stop.unwind() // nobody is left to hear of it
	n.serving.Wait()
	close(n.done)
}
