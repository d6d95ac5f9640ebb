package process

import (
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/internal/testcluster/history"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// TestFaults hurts five servers on a network with certificates, in each way that they must stand.
func TestFaults(t *testing.T) {
	if raceEnabled {
		t.Skip("servers are processes of their own, which the race detector does not see")
	}
	t.Parallel()
	c := New(t, program(t), Options{Servers: 5, Namespaces: true, Disks: true})
	for _, fault := range []struct {
		name string
		do   func(t *testing.T, c *Cluster)
	}{
		{"KillTwo", killTwo},
		{"KillAll", killAll},
		{"Partition", partition},
		{"OneWayLoss", oneWayLoss},
		{"FrozenLeader", frozenLeader},
		{"HungDisk", hungDisk},
		{"FailingDisk", failingDisk},
		{"History", randomFaults},
	} {
		if !t.Run(fault.name, func(t *testing.T) { again(t, func(t *testing.T) { fault.do(t, c.in(t)) }) }) {
			return // what follows would meet a cluster that is hurt already
		}
	}
}

// in is the cluster in a part of the test.
func (c *Cluster) in(t testing.TB) *Cluster {
	c.t = t
	for _, s := range c.Servers {
		s.ask = nil // the client ended with the part
	}
	return c
}

// stop ends a load and checks what came of it.
func stop(t *testing.T, l *Load) {
	t.Helper()
	n, err := l.Stop()
	t.Logf("%d changes", n)
	if err != nil {
		t.Error(err)
	}
}

// victims are the leader and another.
func victims(c *Cluster) (leader, other *Server) {
	leader = c.Leader()
	others := c.Others(leader)
	return leader, others[rand.IntN(len(others))]
}

// resumes waits until changes are acknowledged again and gives how long there were none.
func resumes(c *Cluster, l *Load) time.Duration {
	c.t.Helper()
	before := l.Acknowledged()
	c.Until("changes are acknowledged again", patience, func() string {
		if l.Acknowledged() < before+20 {
			return "none is"
		}
		return ""
	})
	return l.Gap()
}

// killTwo: any two at once, the leader among them.
func killTwo(t *testing.T, c *Cluster) {
	load := c.Load(4)
	leader, other := victims(c)
	load.Gap()
	leader.Kill()
	other.Kill()
	within(t, "two killed, commits after", resumes(c, load), 10*time.Second)
	leader.Start()
	other.Start()
	c.Settle()
	stop(t, load)
}

// killAll: all at once; what was acknowledged is there.
func killAll(t *testing.T, c *Cluster) {
	load := c.Load(4)
	resumes(c, load)
	var kills sync.WaitGroup
	for _, s := range c.Servers {
		kills.Go(s.Kill)
	}
	kills.Wait()
	for _, s := range c.Servers {
		s.Start()
	}
	within(t, "all killed and started, commits after", resumes(c, load), 20*time.Second)
	c.Settle()
	stop(t, load)
}

// partition: the leader and one more are cut off from the others.
func partition(t *testing.T, c *Cluster) {
	lasts := 5 * time.Second
	if *chaos > 0 {
		lasts = time.Minute
	}
	load := c.Load(4)
	leader, other := victims(c)
	minority, majority := []int{leader.Place(), other.Place()}, []int{}
	for _, s := range c.Others(leader, other) {
		majority = append(majority, s.Place())
	}
	term := c.term()
	load.Gap()
	if err := c.Net.Cut(minority, majority); err != nil {
		t.Fatal(err)
	}
	within(t, "3|2, the majority commits after", resumes(c, load), 10*time.Second)
	c.Until("the minority knows of no leader", patience, func() string {
		for _, s := range []*Server{leader, other} {
			if st, err := s.Status(); err != nil || st.GetLeader() != (state.ID{}).String() {
				return s.Name + " knows " + st.GetLeader()
			}
		}
		return ""
	})
	ctx, cancel := context.WithTimeout(t.Context(), lasts)
	defer cancel()
	_, err := c.Client(minority...).Propose(ctx, state.Entry{Kind: state.Files, Files: namespace.Entry{Kind: namespace.Create, Name: "minority"}})
	if !errors.Is(err, client.ErrUnavailable) {
		t.Errorf("the minority says %v", err)
	}
	t.Log("the minority says:", err)
	<-ctx.Done()
	began := time.Now()
	if err := c.Net.Heal(); err != nil {
		t.Fatal(err)
	}
	c.Settle()
	within(t, "healed after", time.Since(began), time.Minute)
	t.Logf("%d changes of term", c.term()-term)
	stop(t, load)
	if g, err := leader.Generation("minority", false); g != 0 || err != nil {
		t.Error("what the minority refused is there", err)
	}
}

// term is the highest term that a server knows.
func (c *Cluster) term() uint64 {
	var term uint64
	for _, s := range c.Servers {
		if st, err := s.Status(); err == nil {
			term = max(term, st.GetTerm())
		}
	}
	return term
}

// oneWayLoss: a follower hears nobody, then nobody hears it, then it does not hear the leader.
func oneWayLoss(t *testing.T, c *Cluster) {
	load := c.Load(4)
	for name, blocked := range map[string]func(from, to, leader, victim *Server) bool{
		"is deaf":                  func(_, to, _, victim *Server) bool { return to == victim },
		"is mute":                  func(from, _, _, victim *Server) bool { return from == victim },
		"does not hear the leader": func(from, to, leader, victim *Server) bool { return from == leader && to == victim },
	} {
		leader, victim := victims(c)
		term := c.term()
		load.Gap()
		for _, from := range c.Servers {
			for _, to := range c.Servers {
				if from != to && blocked(from, to, leader, victim) {
					if err := c.Net.OneWay(from.Place(), to.Place()); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		time.Sleep(3 * time.Second)
		if *chaos > 0 {
			time.Sleep(27 * time.Second)
		}
		if err := c.Net.Heal(); err != nil {
			t.Fatal(err)
		}
		c.Settle()
		within(t, "a follower "+name+", longest time without a commit", load.Gap(), 10*time.Second)
		if now := c.term(); now > term+1 {
			t.Errorf("a follower %s: from term %d to %d", name, term, now)
		}
	}
	stop(t, load)
}

// frozenLeader: a leader is stopped, another comes, and the first wakes with changes and reads for it to do.
func frozenLeader(t *testing.T, c *Cluster) {
	load := c.Load(4)
	old := c.Leader()
	replace := func(cl *client.Client, name string) error {
		ctx, cancel := context.WithTimeout(t.Context(), patience)
		defer cancel()
		o, err := cl.Propose(ctx, state.Entry{Kind: state.Files, Files: namespace.Entry{Kind: namespace.Replace, Name: name}})
		return errors.Join(err, o.Err)
	}
	var others []int
	for _, s := range c.Others(old) {
		others = append(others, s.Place())
	}
	fresh := c.Client(others...)
	if err := replace(fresh, "frozen/read"); err != nil {
		t.Fatal(err)
	}
	before, err := old.Generation("frozen/read", false)
	if err != nil {
		t.Fatal(err)
	}
	// Connected before, so that all of it lies before the leader's eyes as it wakes.
	const askers = 8
	var asking [askers]*client.Client
	for i := range asking {
		asking[i] = c.Client(old.Place())
		if _, err := asking[i].Status(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	written, err := old.Generation("frozen/write", false)
	if err != nil {
		t.Fatal(err)
	}
	load.Gap()
	old.Freeze()
	defer old.Thaw()
	within(t, "leader stopped, commits after", resumes(c, load), 10*time.Second)
	if err := replace(fresh, "frozen/read"); err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	var mu sync.Mutex
	answered, changed, unknown := 0, uint64(0), uint64(0)
	for i, cl := range asking {
		work.Go(func() {
			if i%2 == 0 {
				g, err := generation(cl, "frozen/read", false)
				mu.Lock()
				defer mu.Unlock()
				answered++
				if err != nil || g != before+1 {
					t.Errorf("the leader that woke reads generation %d, %v; it was %d before it was stopped and %d while it was", g, err, before, before+1)
				}
				return
			}
			err := replace(cl, "frozen/write")
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err == nil:
				changed++
			case errors.Is(err, client.ErrUnknown):
				unknown++
			default:
				t.Error(err)
			}
		})
	}
	time.Sleep(500 * time.Millisecond) // until they have sent it
	old.Thaw()
	work.Wait()
	c.Settle()
	stop(t, load)
	if !old.Running() {
		t.Error("it ended itself:", old.Said())
	}
	g, err := old.Generation("frozen/write", false)
	if err != nil || g < written+changed || g > written+changed+unknown {
		t.Errorf("generation %d of what was changed %d times, or %d times more, from %d on: %v", g, changed, unknown, written, err)
	}
	t.Logf("on waking it answered %d reads and %d changes, %d of unknown outcome", answered, changed, unknown)
}

// hungDisk: nothing that the leader writes is ever written.
func hungDisk(t *testing.T, c *Cluster) {
	hurtDisk(t, c, func(s *Server) { s.Disk.Hang(true) }, func(s *Server) { s.Disk.Hang(false) }, "the disk hangs")
}

// failingDisk: all that the leader writes fails.
func failingDisk(t *testing.T, c *Cluster) {
	hurtDisk(t, c, func(s *Server) { s.Disk.Fail(syscall.EIO) }, func(s *Server) { s.Disk.Fail(0) }, "input/output error")
}

func hurtDisk(t *testing.T, c *Cluster, hurt, mend func(*Server), says string) {
	load := c.Load(4)
	leader := c.Leader()
	load.Gap()
	said := len(leader.Said())
	hurt(leader)
	defer mend(leader)
	within(t, "the leader's disk is gone, commits after", resumes(c, load), 10*time.Second)
	if err := leader.Wait(30 * time.Second); err == nil {
		t.Error("the leader goes on, or ended as if all were well")
	}
	if text := leader.Said()[said:]; !strings.Contains(text, says) {
		t.Errorf("its last words: %q", text)
	}
	mend(leader)
	leader.Start()
	c.Settle()
	stop(t, load)
}

// randomFaults: clients create, replace, remove and look at a few files, each through two servers, while these are
// hurt at random. What the clients saw must fit one order of events.
func randomFaults(t *testing.T, c *Cluster) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var h history.History
	var work sync.WaitGroup
	for id := range 5 {
		cl := c.Client(id, (id+1)%5)
		work.Go(func() { h.Work(ctx, cl, id, seed) })
	}
	rnd := rand.New(rand.NewPCG(seed, 1))
	rounds := 4
	if *chaos > 0 {
		rounds = 20
	}
	for range rounds {
		i, k := rnd.IntN(5), rnd.IntN(4)
		a, b := c.Servers[i], c.Servers[(i+1+k)%5]
		switch rnd.IntN(6) {
		case 0:
			a.Kill()
			b.Kill()
		case 1:
			var rest []int
			for _, s := range c.Others(a, b) {
				rest = append(rest, s.Place())
			}
			c.must(c.Net.Cut([]int{a.Place(), b.Place()}, rest), "")
		case 2:
			for _, s := range c.Others(a) {
				c.must(c.Net.OneWay(s.Place(), a.Place()), "")
			}
		case 3:
			a.Freeze()
		case 4:
			a.Disk.Hang(true)
		case 5:
			if l := c.Leader(); l != nil {
				l.Kill()
			}
			b.Freeze()
		}
		time.Sleep(time.Duration(1000+rnd.IntN(5000)) * time.Millisecond)
		mend(c)
		time.Sleep(time.Duration(500+rnd.IntN(3000)) * time.Millisecond)
	}
	cancel()
	work.Wait()
	all, unknown := h.Count()
	t.Logf("%d operations, %d of unknown outcome", all, unknown)
	if all < 20*rounds {
		t.Errorf("only %d operations", all)
	}
	if err := h.Check(); err != nil {
		t.Error(err)
	}
	mend(c) // a server whose disk hung may have ended only now
	c.Settle()
}

// mend undoes all that was done to the servers.
func mend(c *Cluster) {
	c.must(c.Net.Heal(), "")
	for _, s := range c.Servers {
		s.Disk.Hang(false)
		s.Thaw()
		if !s.Running() {
			s.Start()
		}
	}
}
