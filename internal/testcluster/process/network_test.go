package process

import (
	"testing"
	"time"
)

// TestSlowNetwork: with 25 ms more in each direction and a tenth of all datagrams lost nobody is held dead, nobody else
// leads, and changes go on; nor does a second of silence between all change that for long.
func TestSlowNetwork(t *testing.T) {
	if raceEnabled {
		t.Skip("servers are processes of their own, which the race detector does not see")
	}
	t.Parallel()
	c := New(t, program(t), Options{Servers: 5, Proxies: true})
	lasts := max(5*time.Second, *chaos)
	term := c.term()
	load := c.Load(4)
	for _, s := range c.Servers {
		for _, p := range s.Proxies {
			p.SetDelay(25*time.Millisecond, 25*time.Millisecond)
			p.SetLoss(0.1, 0.1)
		}
	}
	load.Gap()
	for began := time.Now(); time.Since(began) < lasts; time.Sleep(200 * time.Millisecond) {
		for _, s := range c.Servers {
			for _, n := range s.Nodes() {
				if n.GetStatus() != "active" {
					t.Fatalf("%s is %s", n.GetName(), n.GetStatus())
				}
			}
		}
	}
	within(t, "longest time without a commit", load.Gap(), 10*time.Second)
	t.Logf("%d changes of term", c.term()-term)
	for _, s := range c.Servers {
		for _, p := range s.Proxies {
			p.Block(true, true)
		}
	}
	time.Sleep(time.Second)
	for _, s := range c.Servers {
		for _, p := range s.Proxies {
			p.Block(false, false)
			p.SetDelay(0, 0)
			p.SetLoss(0, 0)
		}
	}
	within(t, "a second of silence, commits after", resumes(c, load), 10*time.Second)
	c.Settle()
	stop(t, load)
}
