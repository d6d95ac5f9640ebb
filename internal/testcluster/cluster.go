// Package testcluster is whole clusters for tests: servers in one process, on a network in memory and in
// the time of a testing/synctest bubble, and what hurts them: killed and frozen servers, cut and lossy
// links, disks that hang or fail. A minute of a cluster takes a fraction of a second.
package testcluster

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/hashicorp/memberlist"
	"github.com/hashicorp/raft"

	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/coordinator"
	"github.com/rainsql/rainsql/cluster/jobs"
	"github.com/rainsql/rainsql/cluster/node"
	"github.com/rainsql/rainsql/cluster/wire"
	"github.com/rainsql/rainsql/engine"
	"github.com/rainsql/rainsql/internal/testcluster/memnet"
	"github.com/rainsql/rainsql/internal/vfs/simdisk"
	"github.com/rainsql/rainsql/planner/dag"
	"github.com/rainsql/rainsql/sdfs"
)

// port is where every server listens; gossip and HTTP are behind it.
const port = 7400

// Cluster is some servers and the network between them. It is for one bubble; Close must follow.
type Cluster struct {
	Net     *memnet.Network
	Servers []*Server

	t       testing.TB
	outside *memnet.Host // where clients are

	mu      sync.Mutex // guards the list of servers while it grows, and what follows
	clients []*client.Client
}

// Server is one machine: its disk outlives its process.
type Server struct {
	Name string
	Host *memnet.Host

	c     *Cluster
	join  []string
	disk  *simdisk.Disk
	alloc *memory.CheckedAllocator // of batches
	sync  atomic.Int64             // how long an fsync of small blocks takes
	list  atomic.Int64             // and a list of the large ones
	scan  atomic.Int64             // and a batch of rows that a query reads
	log   *raft.InmemStore
	snaps *raft.InmemSnapshotStore

	mu   sync.Mutex
	node *node.Node // nil while there is no process
	gate *gate
	died error          // of what the process ended itself
	gone sync.WaitGroup // processes that are being killed: the next waits for their locks
}

// New starts n servers and waits until all are ready and as many vote as should.
func New(t testing.TB, n int) *Cluster {
	t.Helper()
	c := &Cluster{t: t, Net: memnet.New(1)}
	c.outside = c.Net.Host("client")
	for i := range n {
		s := c.Add(fmt.Sprint("n", i+1))
		s.Start()
	}
	c.Settle()
	return c
}

// Add is one more machine, with an empty disk and nothing running.
func (c *Cluster) Add(name string) *Server {
	s := &Server{Name: name, Host: c.Net.Host(name), c: c, disk: simdisk.New(), alloc: memory.NewCheckedAllocator(memory.DefaultAllocator), log: raft.NewInmemStore(), snaps: raft.NewInmemSnapshotStore()}
	if len(c.Servers) > 0 {
		s.join = []string{c.Servers[0].addr()}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.Servers = append(c.Servers, s)
	return s
}

func (s *Server) addr() string { return net.JoinHostPort(s.Host.IP(), strconv.Itoa(port)) }

// Start starts the machine's server.
func (s *Server) Start() {
	s.c.t.Helper()
	if err := s.TryStart(); err != nil {
		s.c.t.Fatal(s.Name, err)
	}
}

// TryStart tells why the server does not start, if so.
func (s *Server) TryStart() error {
	s.gone.Wait()
	g := &gate{open: make(chan struct{})}
	n, err := node.Start(node.Config{
		Dir: "/" + s.Name, Name: s.Name, Listen: s.addr(), Join: s.join, Insecure: true, ReserveBytes: 1 << 12, Drain: time.Second,
		Alloc: s.alloc, Slots: 4, Opener: func(f *sdfs.Store, g *dag.Graph) jobs.Opener {
			return slowOpener{engine.NewOpener(f, g, true), &s.scan}
		},
		FS: slowFS{s.disk, &s.sync, &s.list}, Net: network{s.Host.Process()}, OnFatal: s.fatal,
		Stores: func() (coordinator.Stores, error) {
			return coordinator.Stores{Log: gatedLog{s.log, g}, Stable: gatedStable{s.log, g}, Snapshots: s.snaps, Close: func() error { return nil }}, nil
		},
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.node, s.gate, s.died = n, g, nil
	return nil
}

// fatal is the end of the process by its own hand.
func (s *Server) fatal(err error) {
	s.mu.Lock()
	s.died = err
	s.gone.Add(1) // before anyone can see that it died
	s.mu.Unlock()
	go func() {
		defer s.gone.Done()
		s.Kill()
	}()
}

// Kill ends the server as kill -9 does.
func (s *Server) Kill() {
	s.mu.Lock()
	n, g := s.node, s.gate
	s.node = nil
	if n != nil {
		s.gone.Add(1)
	}
	s.mu.Unlock()
	if n == nil {
		return
	}
	defer s.gone.Done()
	s.Host.Kill()
	g.release()
	n.Kill()
}

// PowerOff ends the server by a loss of power: of what was not synced some is gone, as seed says. The coordinator's log counts as synced.
func (s *Server) PowerOff(seed uint64) {
	s.disk.Stop()
	s.Kill()
	s.gone.Wait()
	s.disk = s.disk.Restart(false, seed|1)
}

// Wipe gives the machine, whose server does not run, an empty disk.
func (s *Server) Wipe() {
	s.gone.Wait()
	s.disk, s.log, s.snaps = simdisk.New(), raft.NewInmemStore(), raft.NewInmemSnapshotStore()
	for _, other := range s.c.Servers {
		if other != s {
			s.join = []string{other.addr()}
		}
	}
}

// Disk is the machine's disk as it is now, but for the coordinator's log.
func (s *Server) Disk() *simdisk.Disk { return s.disk }

// Node is the running server, or nil.
func (s *Server) Node() *node.Node {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.node
}

// Died is why the server ended itself, if it did.
func (s *Server) Died() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.died
}

// HangDisk has every write of the coordinator's log wait until the server is killed.
func (s *Server) HangDisk() { s.gate.hang() }

// FailDisk has every write of the coordinator's log fail.
func (s *Server) FailDisk(err error) { s.gate.fail(err) }

// Hosts are the machines of some servers, by their place.
func (c *Cluster) Hosts(which ...int) []*memnet.Host {
	var list []*memnet.Host
	for _, i := range which {
		list = append(list, c.Servers[i].Host)
	}
	return list
}

// Leader is the server that leads and is ready to, or nil.
func (c *Cluster) Leader() *Server {
	for _, s := range c.Servers {
		if n := s.Node(); n != nil && n.Coordinator().Leads() {
			return s
		}
	}
	return nil
}

// Settle waits until every running server is ready and the votes are where they should be.
func (c *Cluster) Settle() {
	c.t.Helper()
	c.Until("the cluster has settled", 2*time.Minute, func() bool {
		running, voters := 0, 0
		for _, s := range c.Servers {
			n := s.Node()
			if n == nil {
				continue
			}
			running++
			if ready, _ := n.Ready(); !ready {
				return false
			}
			voters = len(n.Coordinator().Info().Voters)
		}
		return c.Leader() != nil && voters == map[bool]int{true: 5, false: map[bool]int{true: 3, false: 1}[running >= 3]}[running >= 5]
	})
}

// Until waits, in the bubble's time, for something that must come.
func (c *Cluster) Until(what string, most time.Duration, ok func() bool) time.Duration {
	c.t.Helper()
	began := time.Now()
	for !ok() {
		if time.Since(began) > most {
			c.t.Fatalf("after %v: not yet: %s", most, what)
		}
		time.Sleep(max(20*time.Millisecond, most/2000)) // hours in a bubble cost what is done in them
	}
	return time.Since(began)
}

// Client is a client that knows the addresses of some servers, by their place; none: of all.
func (c *Cluster) Client(which ...int) *client.Client {
	c.mu.Lock()
	defer c.mu.Unlock()
	cfg := client.Config{Try: 2 * time.Second, Dialer: wire.Dialer{Net: network{c.outside.Process()}.Dial}}
	for i, s := range c.Servers {
		if len(which) == 0 || contains(which, i) {
			cfg.Addrs = append(cfg.Addrs, s.addr())
		}
	}
	cl := client.New(cfg)
	c.clients = append(c.clients, cl)
	return cl
}

// lost is a client on a machine of its own, which may be killed.
type lost struct {
	client *client.Client
	host   *memnet.Host
}

// lostClient is a client of one server, on a machine of its own.
func (c *Cluster) lostClient(server int) lost {
	h := c.Net.Host(fmt.Sprint("client of ", c.Servers[server].Name))
	return lost{host: h, client: client.New(client.Config{
		Addrs: []string{c.Servers[server].addr()}, Try: 2 * time.Second, Wait: 5 * time.Second, Dialer: wire.Dialer{Net: network{h.Process()}.Dial},
	})}
}

func contains(list []int, n int) bool {
	for _, k := range list {
		if k == n {
			return true
		}
	}
	return false
}

// Close ends everything.
func (c *Cluster) Close() {
	for _, cl := range c.clients {
		cl.Close()
	}
	for _, s := range c.Servers {
		s.Kill()
	}
	c.Net.Close()
	for _, s := range c.Servers {
		s.alloc.AssertSize(c.t, 0)
	}
	time.Sleep(time.Minute) // of the bubble: timers of the libraries end whom they wake
}

// network is a process's, as a node wants it: goroutines of one that was killed cannot dial as its successor.
type network struct{ process *memnet.Process }

func (n network) Listen(addr string) (net.Listener, error) {
	p, err := portOf(addr)
	if err != nil {
		return nil, err
	}
	return n.process.Listen(p)
}

func (n network) Dial(ctx context.Context, _, addr string) (net.Conn, error) {
	return n.process.Dial(ctx, addr)
}

func (n network) Gossip(addr string) (memberlist.NodeAwareTransport, string, error) {
	p, err := portOf(addr)
	if err != nil {
		return nil, "", err
	}
	t, err := n.process.Gossip(p)
	return t, addr, err
}

func portOf(addr string) (int, error) {
	_, text, err := net.SplitHostPort(addr)
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(text)
}

// gate lets writes through, or not.
type gate struct {
	mu   sync.Mutex
	hung bool
	err  error
	open chan struct{} // closed when the process is gone
	once sync.Once
}

func (g *gate) hang() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.hung = true
}

func (g *gate) fail(err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.err = err
}

func (g *gate) release() { g.once.Do(func() { close(g.open) }) }

var errGone = errors.New("the process is gone")

func (g *gate) pass() error {
	g.mu.Lock()
	hung, err := g.hung, g.err
	g.mu.Unlock()
	select {
	case <-g.open:
		return errGone
	default:
	}
	if hung {
		<-g.open
		return errGone
	}
	return err
}

// gatedLog is a log whose writes pass a gate.
type gatedLog struct {
	raft.LogStore
	g *gate
}

func (l gatedLog) StoreLog(log *raft.Log) error { return l.StoreLogs([]*raft.Log{log}) }

func (l gatedLog) StoreLogs(logs []*raft.Log) error {
	if err := l.g.pass(); err != nil {
		return err
	}
	return l.LogStore.StoreLogs(logs)
}

// gatedStable is term and vote, likewise.
type gatedStable struct {
	raft.StableStore
	g *gate
}

func (s gatedStable) SetUint64(key []byte, v uint64) error {
	if err := s.g.pass(); err != nil {
		return err
	}
	return s.StableStore.SetUint64(key, v)
}
