package process

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

// observers is how many servers look at each other.
const observers = 10

// BenchmarkDetection tells, for each profile of gossip, with the machine idle and with all cores burning, how long it takes
// until the first server holds another dead that was killed or stopped, and until the log says so; and how many are held
// dead that were stopped for two seconds, or that nothing was done to. It is a matter of minutes: make detection.
func BenchmarkDetection(b *testing.B) {
	for _, profile := range []string{"lan", "local"} {
		for _, load := range []string{"idle", "busy"} {
			b.Run(profile+"/"+load, func(b *testing.B) {
				c := New(b, program(b), Options{Servers: observers, Args: []string{"--profile", profile, "--down-after", "5s"}})
				if load == "busy" {
					burn(b)
				}
				time.Sleep(5 * time.Second)
				w := c.watch()
				b.Run("kill", func(b *testing.B) { measure(b, c.in(b), w, (*Server).Kill, (*Server).Start) })
				b.Run("stop", func(b *testing.B) { measure(b, c.in(b), w, (*Server).Freeze, (*Server).Thaw) })
				b.Run("pause", func(b *testing.B) { pause(b, c.in(b), w) })
				w.stop()
				c.in(b)
			})
		}
	}
}

// burn keeps all cores busy until the benchmark ends.
func burn(b *testing.B) {
	for range runtime.NumCPU() {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), burning+"=1")
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait() // it was killed
		})
	}
}

// watcher asks all servers whom they hold dead.
type watcher struct {
	done chan struct{}
	work sync.WaitGroup

	mu      sync.Mutex
	victim  string // of which it is right to say so
	suspect time.Time
	down    time.Time
	wrong   map[string]bool // others, once each
}

func (c *Cluster) watch() *watcher {
	w := &watcher{done: make(chan struct{}), wrong: map[string]bool{}}
	for i, s := range c.Servers {
		cl := c.Client(i)
		w.work.Go(func() {
			for {
				select {
				case <-w.done:
					return
				case <-time.After(50 * time.Millisecond):
				}
				if !s.Running() {
					continue
				}
				ctx, cancel := soon()
				st, err := cl.Status(ctx)
				cancel()
				if err == nil {
					var names []string
					for _, dead := range st.GetSuspects() {
						names = append(names, dead.GetName())
					}
					w.note(s.Name, names, nil)
				}
				var down []string
				for _, n := range nodes(cl) {
					if n.GetStatus() == "down" {
						down = append(down, n.GetName())
					}
				}
				w.note(s.Name, nil, down)
			}
		})
	}
	return w
}

func (w *watcher) stop() {
	close(w.done)
	w.work.Wait()
}

// note takes down what one server says. What the victim itself says of others after its stop is not wrong of it.
func (w *watcher) note(says string, suspects, down []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	if says == w.victim {
		return
	}
	for _, name := range suspects {
		switch {
		case name != w.victim:
			w.wrong[fmt.Sprint(name, " at ", now.Unix()/5)] = true
		case w.suspect.IsZero():
			w.suspect = now
		}
	}
	if slices.Contains(down, w.victim) && w.down.IsZero() {
		w.down = now
	}
}

// hurt says whose death is to be seen.
func (w *watcher) hurt(victim string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.victim, w.suspect, w.down = victim, time.Time{}, time.Time{}
}

func (w *watcher) seen() (suspect, down time.Time, wrong int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.suspect, w.down, len(w.wrong)
}

// measure hurts a follower b.N times.
func measure(b *testing.B, c *Cluster, w *watcher, hurt, mend func(*Server)) {
	var first, logged []time.Duration
	_, _, before := w.seen()
	for i := range b.N {
		victim := c.Others(c.Leader())[i%(observers-1)]
		w.hurt(victim.Name)
		began := time.Now()
		hurt(victim)
		c.Until("the death is in the log", 5*time.Minute, func() string {
			if _, down, _ := w.seen(); down.IsZero() {
				return victim.Name
			}
			return ""
		})
		suspect, down, _ := w.seen()
		first, logged = append(first, suspect.Sub(began)), append(logged, down.Sub(began))
		mend(victim)
		c.Settle()
		w.hurt("")
	}
	_, _, wrong := w.seen()
	report(b, "first", first)
	report(b, "log", logged)
	b.ReportMetric(float64(wrong-before), "false")
}

// pause stops a follower for two seconds, b.N times, and waits whether somebody holds it dead.
func pause(b *testing.B, c *Cluster, w *watcher) {
	held, logged := 0, 0
	_, _, before := w.seen()
	for i := range b.N {
		victim := c.Others(c.Leader())[i%(observers-1)]
		w.hurt(victim.Name)
		victim.Freeze()
		time.Sleep(2 * time.Second)
		victim.Thaw()
		time.Sleep(12 * time.Second)
		suspect, down, _ := w.seen()
		if !suspect.IsZero() {
			held++
		}
		if !down.IsZero() {
			logged++
		}
		c.Settle()
		w.hurt("")
	}
	_, _, wrong := w.seen()
	b.ReportMetric(float64(held)/float64(b.N), "suspected/op")
	b.ReportMetric(float64(logged)/float64(b.N), "down/op")
	b.ReportMetric(float64(wrong-before), "false")
	b.ReportMetric(0, "ns/op")
}

// report gives the median and the worst of some times, and no time per operation, which would mean nothing.
func report(b *testing.B, what string, times []time.Duration) {
	slices.Sort(times)
	b.ReportMetric(times[len(times)/2].Seconds(), "s-"+what+"-median")
	b.ReportMetric(times[len(times)-1].Seconds(), "s-"+what+"-worst")
	b.ReportMetric(0, "ns/op")
}
