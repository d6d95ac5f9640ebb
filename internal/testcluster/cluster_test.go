package testcluster

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

func create(name string) state.Entry {
	return state.Entry{Kind: state.Files, Files: namespace.Entry{Kind: namespace.Create, Name: name}}
}

// commit has the cluster create a file, and gives how long that took.
func commit(t *testing.T, cl *client.Client, name string) time.Duration {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	began := time.Now()
	if o, err := cl.Propose(ctx, create(name)); err != nil || o.Err != nil {
		t.Fatal(name, err, o.Err)
	}
	return time.Since(began)
}

// expect reads that files f0 to f(n-1) are there and no others.
func expect(t *testing.T, cl *client.Client, n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	resp, err := cl.Read(ctx, &api.ReadRequest{What: &api.ReadRequest_Files{Files: "f"}})
	if err != nil || len(resp.GetFiles()) != n {
		t.Fatal(len(resp.GetFiles()), "files, not", n, err)
	}
}

// five is a test on five servers.
func five(t *testing.T, test func(t *testing.T, c *Cluster)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		c := New(t, 5)
		defer c.Close()
		test(t, c)
	})
}

// TestKillTwo: kill -9 of any two of five, the leader among them: the rest commit within seconds; kill -9
// of all: every committed entry is there.
func TestKillTwo(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		cl := c.Client()
		n := 0
		for range 3 {
			leader := c.Leader()
			var other *Server
			for _, s := range c.Servers {
				if s != leader {
					other = s
				}
			}
			leader.Kill()
			other.Kill()
			if took := commit(t, cl, fmt.Sprint("f", n)); took > 10*time.Second {
				t.Errorf("a commit took %v", took)
			}
			n++
			leader.Start()
			other.Start()
			c.Settle()
		}
		for _, s := range c.Servers {
			s.Kill()
		}
		for _, s := range c.Servers {
			s.Start()
		}
		expect(t, cl, n)
		c.Settle()
	})
}

// TestPartition: three go on, two refuse with the reason, and it heals by itself.
func TestPartition(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		two, three := []int{}, []int{} // the leader is among the two: the worse case
		for i, s := range c.Servers {
			if s == c.Leader() {
				two = append(two, i)
			} else {
				three = append(three, i)
			}
		}
		two, three = append(two, three[0]), three[1:]
		c.Net.Partition(c.Hosts(two...), c.Hosts(three...))
		if took := commit(t, c.Client(three...), "f0"); took > 10*time.Second {
			t.Errorf("the majority needed %v", took)
		}
		time.Sleep(10 * time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		defer cancel()
		_, err := c.Client(two...).Propose(ctx, create("lost"))
		if !errors.Is(err, client.ErrUnavailable) {
			t.Errorf("the minority says %v", err)
		}
		t.Log("the minority says:", err)
		local, err := c.Client(two...).Read(t.Context(), &api.ReadRequest{Local: true, What: &api.ReadRequest_Files{Files: ""}})
		if err != nil || len(local.GetFiles()) != 0 {
			t.Errorf("the minority's own copy: %v, %v", local, err)
		}
		time.Sleep(time.Minute)
		c.Net.Heal()
		c.Until("all is well again", time.Minute, func() bool {
			for _, s := range c.Servers {
				ready, _ := s.Node().Ready()
				if !ready || s.Node().Coordinator().State().Files().Len() != 1 {
					return false
				}
			}
			return true
		})
		expect(t, c.Client(), 1)
	})
}

// TestOneWayLoss: a follower that is not heard, or does not hear, costs at most one change of leader.
func TestOneWayLoss(t *testing.T) {
	five(t, func(t *testing.T, c *Cluster) {
		leader := c.Leader()
		var victim *Server
		for _, s := range c.Servers {
			if s != leader {
				victim = s
			}
		}
		term := leader.Node().Coordinator().Info().Term
		for _, s := range c.Servers {
			if s != victim {
				c.Net.Block(s.Host, victim.Host)
			}
		}
		time.Sleep(30 * time.Second)
		c.Net.Heal()
		time.Sleep(30 * time.Second)
		if after := c.Leader().Node().Coordinator().Info().Term; after > term+1 {
			t.Errorf("from term %d to %d", term, after)
		}
		commit(t, c.Client(), "f0")
	})
}

// TestHungDisk: a leader whose disk hangs, or fails, ends itself, and another stands within ten seconds.
func TestHungDisk(t *testing.T) {
	for name, hurt := range map[string]func(*Server){
		"hangs": (*Server).HangDisk,
		"fails": func(s *Server) { s.FailDisk(errors.New("input/output error")) },
	} {
		t.Run(name, func(t *testing.T) {
			five(t, func(t *testing.T, c *Cluster) {
				leader := c.Leader()
				hurt(leader)
				if took := commit(t, c.Client(), "f0"); took > 10*time.Second {
					t.Errorf("a commit took %v", took)
				}
				if leader.Died() == nil {
					t.Error("the leader goes on with a dead disk")
				}
				leader.Start()
				c.Settle()
				expect(t, c.Client(), 1)
			})
		})
	}
}

// TestFifty: fifty servers join, a fifth of them are killed and come back, some leave for good, and each time all settle:
// five vote, and everyone sees everyone.
func TestFifty(t *testing.T) {
	if testing.Short() {
		t.Skip("fifty servers in one process take some seconds")
	}
	synctest.Test(t, func(t *testing.T) {
		c := New(t, 50)
		defer c.Close()
		agree := func(n int) {
			t.Helper()
			took := c.Until(fmt.Sprint("everyone sees ", n), 5*time.Minute, func() bool {
				for _, s := range c.Servers {
					if s.Node() == nil {
						continue
					}
					active := 0
					for m := range s.Node().Coordinator().State().Nodes() {
						if m.Status == state.Active {
							active++
						}
					}
					if active != n {
						return false
					}
				}
				return c.Leader() != nil && len(c.Leader().Node().Coordinator().Info().Voters) == 5
			})
			t.Logf("%d nodes after %v", n, took)
		}
		agree(50)
		// Ten at once, two of the five voters and the leader among them: three would be the majority.
		voters := c.Leader().Node().Coordinator().Info().Voters
		killed := []*Server{c.Leader()}
		for _, voter := range []bool{true, false} {
			most := map[bool]int{true: 2, false: 10}[voter]
			for _, s := range c.Servers {
				if s != killed[0] && voters[s.Node().ID()] == voter && len(killed) < most {
					killed = append(killed, s)
				}
			}
		}
		for _, s := range killed {
			s.Kill()
		}
		agree(40)
		for _, s := range killed {
			s.Start()
		}
		agree(50)
		cl := c.Client(20, 30)
		for _, s := range c.Servers[40:] {
			if o, err := cl.Propose(t.Context(), state.Entry{Kind: state.Leave, Node: s.Node().ID()}); err != nil || o.Err != nil {
				t.Fatal(err, o.Err)
			}
		}
		for _, s := range c.Servers[40:] {
			if err := <-s.Node().Ended(); err != nil {
				t.Error(s.Name, err)
			}
			s.Kill()
		}
		agree(40)
		commit(t, cl, "f0")
	})
}
