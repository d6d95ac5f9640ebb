package testcluster

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/raft"

	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/internal/vfs/simdisk"
)

// wipe gives the machine an empty disk.
func (s *Server) wipe() {
	s.disk, s.log, s.snaps = simdisk.New(), raft.NewInmemStore(), raft.NewInmemSnapshotStore()
}

// followers are all but the leader, the first server last: it is the one that has no --join.
func followers(c *Cluster) []*Server {
	var list []*Server
	for _, s := range c.Servers[1:] {
		if s != c.Leader() {
			list = append(list, s)
		}
	}
	if c.Servers[0] != c.Leader() {
		list = append(list, c.Servers[0])
	}
	return list
}

// three is a test on three servers.
func three(t *testing.T, test func(t *testing.T, c *Cluster)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := New(t, 3)
		defer c.Close()
		test(t, c)
	})
}

// TestWipedVoterHasNoVote: of three servers one is away while a change is acknowledged by the two others; then one of these
// loses its disk, and comes back empty at its address. It and the one that was away are no majority.
func TestWipedVoterHasNoVote(t *testing.T) {
	three(t, func(t *testing.T, c *Cluster) {
		leader, wiped, away := c.Leader(), followers(c)[0], followers(c)[1]
		away.Kill()
		commit(t, c.Client(), "f0")
		wiped.Kill()
		leader.Kill() // its disk stays whole
		wiped.wipe()
		wiped.join = []string{away.addr()}
		wiped.Start()
		away.Start()
		time.Sleep(time.Minute)
		if l := c.Leader(); l != nil {
			t.Errorf("%s leads, without the change", l.Name)
		}
		leader.Start()
		expect(t, c.Client(), 1)
	})
}

// TestLostLog: a server that has lost its log, and nothing else, does not start: it would vote as if it had never acknowledged
// what was in it.
func TestLostLog(t *testing.T) {
	three(t, func(t *testing.T, c *Cluster) {
		time.Sleep(20 * time.Second) // until what concerns the nodes is done, which a snapshot must not meet
		commit(t, c.Client(), "f0")
		time.Sleep(time.Second)
		s := followers(c)[0]
		if err := s.Node().Coordinator().Snapshot(); err != nil {
			t.Fatal(err)
		}
		s.Kill()
		log, snaps := s.log, s.snaps
		s.log = raft.NewInmemStore()
		for _, kept := range []*raft.InmemSnapshotStore{snaps, raft.NewInmemSnapshotStore()} {
			s.snaps = kept
			if err := s.TryStart(); err == nil || !strings.Contains(err.Error(), "is missing or empty") {
				t.Errorf("without its log: %v", err)
			}
		}
		s.log, s.snaps = log, snaps
		s.Start()
		c.Settle()
		expect(t, c.Client(), 1)
	})
}

// TestWipedDiskIsANewNode: a server that comes back with an empty disk, at its address and under its name, takes its own place
// when the old one is evicted.
func TestWipedDiskIsANewNode(t *testing.T) {
	three(t, func(t *testing.T, c *Cluster) {
		commit(t, c.Client(), "f0")
		s := followers(c)[0]
		old := s.Node().ID()
		s.Kill()
		time.Sleep(20 * time.Second)
		s.wipe()
		s.Start()
		took := c.Until("it votes, and nobody misses the old one", 20*time.Minute, func() bool {
			l := c.Leader()
			if l == nil {
				return false
			}
			voters := l.Node().Coordinator().Info().Voters
			return len(voters) == 3 && voters[s.Node().ID()] && !voters[old]
		})
		t.Logf("after %v", took)
		commit(t, c.Client(), "f1")
	})
}

// TestMoved: every server gets another address, one after the other, and then all start anew from snapshots that know only
// the old ones.
func TestMoved(t *testing.T) {
	three(t, func(t *testing.T, c *Cluster) {
		time.Sleep(20 * time.Second)
		commit(t, c.Client(), "f0")
		time.Sleep(time.Second) // until all have it
		for _, s := range c.Servers {
			if err := s.Node().Coordinator().Snapshot(); err != nil {
				t.Fatal(err)
			}
		}
		for _, s := range c.Servers {
			s.Kill()
			s.Host = c.Net.Host(s.Name + "-moved")
			s.Start()
			c.Settle()
			time.Sleep(20 * time.Second)
		}
		for _, s := range c.Servers {
			s.Kill()
		}
		for _, s := range c.Servers {
			s.Start()
		}
		expect(t, c.Client(), 1)
		c.Settle()
	})
}

// TestAllMoved: all servers are started at other addresses at once, which nobody can read off a log that nobody can read. Each but the first
// is told where the first is now, as --join does.
func TestAllMoved(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		commit(t, c.Client(), "f0")
		for _, s := range c.Servers {
			s.Kill()
		}
		for _, s := range c.Servers {
			s.Host = c.Net.Host(s.Name + "-moved")
		}
		for _, s := range c.Servers {
			if s != c.Servers[0] {
				s.join = []string{c.Servers[0].addr()}
			}
			s.Start()
		}
		expect(t, c.Client(), 1)
		c.Settle()
		at := map[string]string{}
		for _, s := range c.Servers {
			at[s.Name] = s.addr()
		}
		for n := range c.Leader().Node().Coordinator().State().Nodes() {
			if n.Addr != at[n.Name] || n.Status != state.Active {
				t.Errorf("%s is %s at %s, and should be active at %s", n.Name, n.Status, n.Addr, at[n.Name])
			}
		}
	})
}

// TestPowerCut: two of five are down when the power fails for an hour, and start some seconds after the others. Nobody had
// them in sight for that hour, so nobody gives their places away.
func TestPowerCut(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		commit(t, c.Client(), "f0")
		for _, s := range c.Servers[3:] {
			s.Kill()
		}
		time.Sleep(20 * time.Second)
		for _, s := range c.Servers[:3] {
			s.Kill()
		}
		time.Sleep(time.Hour)
		for _, s := range c.Servers[:3] {
			s.Start()
		}
		time.Sleep(6 * time.Second)
		for _, s := range c.Servers[3:] {
			s.Start()
		}
		c.Settle()
		for n := range c.Leader().Node().Coordinator().State().Nodes() {
			if n.Status != state.Active {
				t.Errorf("%s is %s", n.Name, n.Status)
			}
		}
		expect(t, c.Client(), 1)
	})
}
