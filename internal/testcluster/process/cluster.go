// Package process is clusters of real servers for tests: the program itself, as processes that can be killed,
// frozen, cut off (each in a network namespace), delayed (each behind proxies), and whose disks can hang or fail. It
// takes real time; package testcluster has the same in scripted time.
package process

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/identity"
	"github.com/rainsql/rainsql/cluster/wire"
	"github.com/rainsql/rainsql/internal/testcluster/hungfs"
	"github.com/rainsql/rainsql/internal/testcluster/netns"
	"github.com/rainsql/rainsql/internal/testcluster/proxy"
)

// Options say what a cluster is like. Without any, servers listen on addresses of loopback, without certificates.
type Options struct {
	Servers int
	Args    []string // further ones of each server
	// Namespaces puts each server into a network namespace, with certificates.
	Namespaces bool
	// Proxies puts each server behind proxies, through which the others reach it.
	Proxies bool
	// Disks puts each data directory on a file system that can hang or fail.
	Disks bool
	// DiskBytes puts each data directory on a disk of that size; 0: on that of the test.
	DiskBytes int64
}

// Cluster is some servers. What concerns one Server is for one goroutine at a time.
type Cluster struct {
	Servers []*Server
	Net     *netns.Net // nil without namespaces

	t      testing.TB
	bin    string
	opts   Options
	added  int // servers so far
	dir    string
	client *identity.Bundle // nil without certificates
}

// New starts servers of the program bin and waits until they have settled. They end with the test, which shows the
// end of their logs if it failed. Where the machine cannot do what opts ask for, the test is skipped.
func New(t testing.TB, bin string, opts Options) *Cluster {
	t.Helper()
	c := &Cluster{t: t, bin: bin, opts: opts, dir: t.TempDir()}
	if opts.Namespaces {
		c.must(netns.Available(), "skip")
		var err error
		c.Net, err = netns.New(opts.Servers)
		c.must(err, "")
		t.Cleanup(func() { c.must(c.Net.Close(), "") })
		c.makeCerts()
	}
	if opts.Disks {
		c.must(hungfs.Available(), "skip")
	}
	for i := range opts.Servers {
		c.add(i)
	}
	t.Cleanup(c.close)
	for _, s := range c.Servers {
		s.Start()
	}
	c.Settle()
	return c
}

// must ends the test for an error, or skips it.
func (c *Cluster) must(err error, what string) {
	c.t.Helper()
	switch {
	case err == nil:
	case what == "skip":
		c.t.Skip(err)
	default:
		c.t.Fatal(what, err)
	}
}

func (c *Cluster) makeCerts() {
	c.t.Helper()
	ca, folder := filepath.Join(c.dir, "ca"), filepath.Join(c.dir, "client")
	c.must(identity.CreateCA(ca), "")
	c.must(identity.IssueClient(ca, folder, "test", identity.Admin), "")
	var err error
	c.client, err = identity.Load(folder, time.Now())
	c.must(err, "")
}

// block is a part of loopback that no other cluster of this machine has, most likely.
var block = fmt.Sprintf("127.%d.%d.", 1+rand.IntN(254), rand.IntN(255))

// made counts the servers on loopback.
var made atomic.Int32

// add is one more machine.
func (c *Cluster) add(i int) {
	c.t.Helper()
	s := &Server{Name: fmt.Sprint("n", i+1), c: c, place: i}
	s.Dir = filepath.Join(c.dir, s.Name)
	if c.opts.Disks {
		var err error
		s.Disk, err = hungfs.Mount(filepath.Join(c.dir, "disk-"+s.Name), s.Dir)
		c.must(err, "")
		c.t.Cleanup(func() { c.must(s.Disk.Unmount(), "") })
	}
	if c.opts.DiskBytes > 0 {
		remove, err := smallDisk(s.Dir, c.opts.DiskBytes)
		c.must(err, "skip")
		c.t.Cleanup(func() { c.must(remove(), "") })
	}
	host := ""
	if c.Net != nil {
		host = c.Net.Addr(i)
		c.must(identity.IssueNode(filepath.Join(c.dir, "ca"), filepath.Join(c.dir, "certs-"+s.Name), s.Name, nil), "")
	} else {
		host = block + fmt.Sprint(made.Add(1))
	}
	s.addr, s.gossip = host+":7400", host+":7401"
	s.args = []string{"server", "--data", s.Dir, "--name", s.Name, "--listen", s.addr, "--quiet", "--drain", "2s", "--down-after", "2s"}
	if c.Net != nil {
		s.args = append(s.args, "--certs", filepath.Join(c.dir, "certs-"+s.Name))
	}
	if c.opts.Proxies {
		s.args = append(s.args, "--advertise", s.proxied(&s.addr), "--gossip-advertise", s.proxied(&s.gossip))
	}
	if len(c.Servers) > 0 {
		s.args = append(s.args, "--join", c.Servers[0].addr)
	}
	s.args = append(s.args, c.opts.Args...)
	c.Servers = append(c.Servers, s)
	c.added++
}

// proxied puts a proxy before an address, and gives that.
func (s *Server) proxied(addr *string) string {
	p, err := proxy.New(*addr)
	s.c.must(err, "")
	s.c.t.Cleanup(func() { s.c.must(p.Close(), "") })
	s.Proxies = append(s.Proxies, p)
	*addr = p.Addr()
	return *addr
}

func (c *Cluster) close() {
	for _, s := range c.Servers {
		s.Kill()
		if c.t.Failed() {
			c.t.Logf("%s said:\n%sand the end of its log is\n%s", s.Name, s.Said(), tail(filepath.Join(s.Dir, "logs", "rainsql.log")))
		}
	}
}

// tail is the end of a file.
func tail(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return err.Error()
	}
	return string(text[max(0, len(text)-6000):])
}

// Client is a client of some servers, by their place; none: of all. It ends with the test.
func (c *Cluster) Client(which ...int) *client.Client {
	cfg := client.Config{Try: 2 * time.Second}
	if c.client != nil {
		cfg.Dialer = wire.Dialer{TLS: c.client.ClientTLS()}
	}
	if len(which) == 0 {
		for i := range c.Servers {
			which = append(which, i)
		}
	}
	for _, i := range which {
		cfg.Addrs = append(cfg.Addrs, c.Servers[i].addr)
	}
	cl := client.New(cfg)
	c.t.Cleanup(cl.Close)
	return cl
}

// Leader is the server that most servers, itself among them, know to lead, or nil.
func (c *Cluster) Leader() *Server {
	votes, themselves, members := map[string]int{}, map[string]*Server{}, 0
	for _, s := range c.Servers {
		if !s.left {
			members++
		}
		if st, err := s.Status(); err == nil {
			votes[st.GetLeader()]++
			if idText(st) == st.GetLeader() {
				themselves[st.GetLeader()] = s
			}
		}
	}
	for id, s := range themselves {
		if 2*votes[id] > members {
			return s
		}
	}
	return nil
}

func idText(st *api.StatusResponse) string { return fmt.Sprintf("%x", st.GetId()) }

// Others are all servers but some.
func (c *Cluster) Others(but ...*Server) []*Server {
	var list []*Server
	for _, s := range c.Servers {
		if !contains(but, s) {
			list = append(list, s)
		}
	}
	return list
}

func contains(list []*Server, s *Server) bool {
	for _, other := range list {
		if other == s {
			return true
		}
	}
	return false
}

// Settle waits until all running servers are ready and of one opinion, and as many vote as should.
func (c *Cluster) Settle() {
	c.t.Helper()
	c.Until("the cluster has settled", 2*time.Minute, func() string {
		running, leaders := 0, map[string]bool{}
		for _, s := range c.Servers {
			if !s.Running() {
				if s.meant {
					c.t.Fatalf("%s has ended by itself: %s", s.Name, s.Said())
				}
				continue
			}
			running++
			st, err := s.Status()
			if err != nil {
				return fmt.Sprint(s.Name, ": ", err)
			}
			if !st.GetReady() || len(st.GetSuspects()) > 0 {
				return fmt.Sprint(s.Name, ": ", st.GetWhyNotReady(), st.GetSuspects())
			}
			leaders[st.GetLeader()] = true
		}
		leader := c.Leader()
		if len(leaders) != 1 || leader == nil {
			return fmt.Sprint("they know these leaders: ", slices.Collect(maps.Keys(leaders)))
		}
		voters, active := 0, 0
		for _, n := range leader.Nodes() {
			if n.GetStatus() == "active" {
				active++
			}
			if n.GetVoter() {
				voters++
			}
		}
		if active != running || voters < min(running, 5) && running != 2 && running != 4 {
			return fmt.Sprintf("%d run, %d are active, %d vote", running, active, voters)
		}
		return ""
	})
}

// Until waits for something that must come, and gives how long that took. ok tells what is missing.
func (c *Cluster) Until(what string, most time.Duration, ok func() string) time.Duration {
	c.t.Helper()
	began := time.Now()
	for {
		why := ok()
		if why == "" {
			return time.Since(began)
		}
		if time.Since(began) > most {
			c.t.Fatalf("after %v: not yet: %s: %s", most, what, why)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// soon bounds a question to one server.
func soon() (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.Background(), 2*time.Second)
}
