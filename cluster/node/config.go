// Package node is one server of a cluster: it puts identity, gossip, coordinator and services together,
// starts them in order and stops them in the reverse one. docs/cluster.md has the whole.
package node

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"path/filepath"
	"runtime"
	"strconv"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/hashicorp/go-sockaddr"
	"github.com/hashicorp/memberlist"
	"go.uber.org/zap"

	"github.com/rainsql/rainsql/cluster/coordinator"
	"github.com/rainsql/rainsql/cluster/identity"
	"github.com/rainsql/rainsql/cluster/jobs"
	"github.com/rainsql/rainsql/cluster/members"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/internal/vfs"
	"github.com/rainsql/rainsql/planner/dag"
	"github.com/rainsql/rainsql/sdfs"
)

// Config says what a node is and where. Dir is needed; of everything else the zero value means the default.
type Config struct {
	// Dir is the data directory, held by one process at a time.
	Dir string
	// Name is what people call the node, unique in the cluster. Default the host's name.
	Name string

	// Listen, GossipListen and HTTPListen are host:port; port 0 is one that is free. Default
	// 127.0.0.1:7400, and the ports behind it on the same host.
	Listen, GossipListen, HTTPListen string
	// Advertise and GossipAdvertise are what others are told, host or host:port. Default what is listened
	// on; where that is every address, a private one of this machine.
	Advertise, GossipAdvertise string
	// Join are addresses of other nodes. A new node without any begins a cluster of its own, one with
	// some never does.
	Join []string

	// Certs encrypt and authenticate everything; nil: neither.
	Certs *identity.Bundle
	// Insecure allows listening beyond loopback without Certs.
	Insecure bool

	// Voters is the most nodes that vote: 1, 3 or 5. Default 5.
	Voters int
	// Profile is that of gossip. Default lan.
	Profile string
	// DownAfter is for how long gossip must hold a node dead until the log says that it is down. Default 5 s.
	DownAfter time.Duration
	// EvictAfter is for how long a node must be down until its data is given to others. Default 10 min; negative: never.
	EvictAfter time.Duration
	// Drain is how long a stopping node waits for requests under way. Default 30 s.
	Drain time.Duration
	// ReserveBytes is the disk space kept back for the coordinator's log on a full disk. Default 64 MB.
	ReserveBytes int64
	// SpareBytes is how much room the disk must have for new blocks of files. Default 256 MB.
	SpareBytes int64
	// RepairBytes bounds the bytes a second that the node gets of the blocks that it lacks. Default 128 MB.
	RepairBytes int64
	// Replicas is how many copies of each block a cluster that this node founds keeps. Default 3.
	Replicas int
	// Slots is how many tasks of each stage of queries the node runs at once. Default four times its cores: a task waits much of its time.
	Slots int
	// QueryMemory bounds the bytes that the tasks of one query hold here, if the query does not say. Default: without limit.
	QueryMemory int64
	// Opener opens what queries read and write, on a file store. Without it the node runs none.
	Opener func(*sdfs.Store, *dag.Graph) jobs.Opener
	// Timing is that of the coordinator.
	Timing coordinator.Timing

	// Version is the program's.
	Version string
	// Logger takes the node's log. Default: nowhere.
	Logger *zap.Logger
	// OnFatal is told of what makes it impossible to go on. It should end the process: what is under way
	// must not be waited for. Default: a panic.
	OnFatal func(error)

	// Seams for tests: the disk, the network, where raft's log lies, and whence the memory of batches comes.
	Alloc  memory.Allocator
	FS     vfs.FS
	Net    Network
	Stores func() (coordinator.Stores, error)
}

// Network is what a node listens and dials on. Addresses are host:port.
type Network interface {
	Listen(addr string) (net.Listener, error)
	Dial(ctx context.Context, network, addr string) (net.Conn, error)
	// Gossip gives a transport, and the address that it listens on.
	Gossip(addr string) (memberlist.NodeAwareTransport, string, error)
}

// osNetwork is the real one.
type osNetwork struct {
	dialer net.Dialer
	logger *zap.Logger
}

func (osNetwork) Listen(addr string) (net.Listener, error) { return net.Listen("tcp", addr) }

func (n osNetwork) Dial(ctx context.Context, network, addr string) (net.Conn, error) {
	return n.dialer.DialContext(ctx, network, addr)
}

func (n osNetwork) Gossip(addr string) (memberlist.NodeAwareTransport, string, error) {
	t, err := members.Listen(addr, n.logger)
	if err != nil {
		return nil, "", err
	}
	host, _, _ := net.SplitHostPort(addr)
	return t, net.JoinHostPort(host, strconv.Itoa(t.GetAutoBindPort())), nil
}

// ConfigError is what is wrong with a Config, before anything was done.
type ConfigError struct{ err error }

func (e *ConfigError) Error() string { return e.err.Error() }

// Unwrap gives the reason.
func (e *ConfigError) Unwrap() error { return e.err }

func (c Config) withDefaults() (Config, error) {
	text := func(s *string, def string) {
		if *s == "" {
			*s = def
		}
	}
	span := func(d *time.Duration, def time.Duration) {
		if *d == 0 {
			*d = def
		}
	}
	text(&c.Listen, "127.0.0.1:7400")
	text(&c.Profile, "lan")
	host, port, err := splitPort(c.Listen)
	if err != nil {
		return c, err
	}
	for i, addr := range []*string{&c.GossipListen, &c.HTTPListen} {
		next := 0
		if port != 0 {
			next = port + 1 + i
		}
		if *addr == "" && next > 65535 {
			return c, fmt.Errorf("%s: the ports of gossip and HTTP are the two behind it, and there are none: name them, too", c.Listen)
		}
		text(addr, net.JoinHostPort(host, strconv.Itoa(next)))
		if _, _, err := splitPort(*addr); err != nil {
			return c, err
		}
	}
	span(&c.DownAfter, 5*time.Second)
	span(&c.EvictAfter, 10*time.Minute)
	span(&c.Drain, 30*time.Second)
	if c.DownAfter < 0 || c.Drain < 0 {
		return c, fmt.Errorf("--down-after %v, --drain %v: a time is not negative", c.DownAfter, c.Drain)
	}
	c.EvictAfter = max(c.EvictAfter, 0)
	if _, err := members.FindProfile(c.Profile); err != nil {
		return c, err
	}
	if c.Voters == 0 {
		c.Voters = 5
	}
	if c.Voters != 1 && c.Voters != 3 && c.Voters != 5 {
		return c, fmt.Errorf("%d voters: 1, 3 or 5 may vote (an even number stands no more losses than the odd one below it)", c.Voters)
	}
	if c.Replicas == 0 {
		c.Replicas = state.DefaultReplicas
	}
	if c.Replicas < 1 || c.Replicas > state.MaxReplicas {
		return c, fmt.Errorf("%d replicas: 1 to %d copies can be kept of a block", c.Replicas, state.MaxReplicas)
	}
	if c.Name != "" {
		if err := state.CheckName(c.Name); err != nil {
			return c, fmt.Errorf("the node's name: %w", err)
		}
	}
	if c.Slots == 0 {
		c.Slots = 4 * runtime.GOMAXPROCS(0)
	}
	if c.Slots < 0 {
		return c, fmt.Errorf("--slots %d: at least one task is run at once", c.Slots)
	}
	if c.Opener == nil {
		c.Slots = 0
	}
	if c.ReserveBytes == 0 {
		c.ReserveBytes = 64 << 20
	}
	if c.Logger == nil {
		c.Logger = zap.NewNop()
	}
	if c.OnFatal == nil {
		c.OnFatal = func(err error) { panic(err) }
	}
	if c.Alloc == nil {
		c.Alloc = memory.DefaultAllocator
	}
	if c.FS == nil {
		c.FS = vfs.OS(c.Dir)
	}
	if c.Net == nil {
		c.Net = osNetwork{logger: c.Logger}
	}
	if c.Stores == nil {
		c.Stores = func() (coordinator.Stores, error) {
			return coordinator.OpenStores(filepath.Join(c.Dir, "raft"), c.Logger)
		}
	}
	return c, c.checkExposure()
}

// checkExposure refuses to be reached from other machines by anyone who likes.
func (c Config) checkExposure() error {
	if c.Certs != nil || c.Insecure {
		return nil
	}
	for _, addr := range []string{c.Listen, c.GossipListen, c.HTTPListen} {
		host, _, _ := splitPort(addr)
		if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
			return fmt.Errorf("listening on %s without certificates would let anyone in: make some with 'rainsql cert' and name their folder with --certs, or say --insecure where the network is trusted", addr)
		}
	}
	return nil
}

// splitPort takes host:port apart; an empty host is every address.
func splitPort(addr string) (string, int, error) {
	host, text, err := net.SplitHostPort(addr)
	if err != nil {
		return "", 0, fmt.Errorf("%q is no address: write HOST:PORT", addr)
	}
	port, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return "", 0, fmt.Errorf("%q: the port is a number up to 65535", addr)
	}
	return host, int(port), nil
}

// advertised is what others are told of a listener: what was said, or where it listens.
func advertised(said, bound string) (string, error) {
	host, port, err := net.SplitHostPort(bound)
	if err != nil {
		return "", err
	}
	if said != "" {
		if h, p, err := net.SplitHostPort(said); err == nil {
			return net.JoinHostPort(h, p), nil
		}
		return net.JoinHostPort(said, port), nil
	}
	if ip, _ := netip.ParseAddr(host); host != "" && ip != netip.IPv4Unspecified() && ip != netip.IPv6Unspecified() {
		return bound, nil
	}
	private, err := sockaddr.GetPrivateIP()
	if err != nil || private == "" {
		return "", fmt.Errorf("listening on %s, it is not clear where others reach it: say so with --advertise", bound)
	}
	return net.JoinHostPort(private, port), nil
}
