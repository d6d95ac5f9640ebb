package process

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Load is clients that never stop: each replaces a file of its own again and again, with a minute's patience, so that each
// change is asked for until it is acknowledged. The generation of the file counts how often that took effect.
type Load struct {
	c      *Cluster
	cancel context.CancelFunc
	work   sync.WaitGroup

	mu      sync.Mutex
	counts  map[string]*count
	last    time.Time     // of an acknowledgement
	longest time.Duration // between two of them
	failed  error
}

// count is what one client knows of its file.
type count struct{ acknowledged, unknown uint64 }

// patience of one change. A cluster that takes longer to have a leader fails its test.
const patience = time.Minute

// Load starts n clients.
func (c *Cluster) Load(n int) *Load {
	ctx, cancel := context.WithCancel(context.Background())
	l := &Load{c: c, cancel: cancel, counts: map[string]*count{}, last: time.Now()}
	c.t.Cleanup(func() { l.cancel(); l.work.Wait() })
	for i := range n {
		name, mine := fmt.Sprint("load/", loads.Add(1)), &count{}
		l.counts[name] = mine
		var order []int
		for k := range c.Servers {
			order = append(order, (i+k)%len(c.Servers))
		}
		cl := c.Client(order...)
		l.work.Go(func() {
			for ctx.Err() == nil {
				l.replace(cl, name, mine)
			}
		})
	}
	return l
}

// loads numbers clients, so that each has a file of its own.
var loads atomic.Int32

func (l *Load) replace(cl *client.Client, name string, mine *count) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	o, err := cl.Propose(ctx, state.Entry{Kind: state.Files, Files: namespace.Entry{Kind: namespace.Replace, Name: name}})
	err = errors.Join(err, o.Err)
	now := time.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil:
		mine.acknowledged++
		l.longest = max(l.longest, now.Sub(l.last))
		l.last = now
	case errors.Is(err, client.ErrUnknown):
		mine.unknown++
		l.failed = err
	case l.failed == nil:
		l.failed = err
	}
}

// Acknowledged is how many changes were, so far.
func (l *Load) Acknowledged() (total uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, n := range l.counts {
		total += n.acknowledged
	}
	return total
}

// Gap is the longest time between two acknowledgements since the last call.
func (l *Load) Gap() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	gap := max(l.longest, time.Since(l.last))
	l.longest = 0
	return gap
}

// Stop ends the clients and tells how many changes were acknowledged. It is an error if a change was refused, not answered
// within a minute, lost, or applied twice, as the cluster or any running server has it.
func (l *Load) Stop() (uint64, error) {
	l.cancel()
	l.work.Wait()
	total, errs := uint64(0), []error{l.failed}
	for name, n := range l.counts {
		total += n.acknowledged
		for _, s := range l.c.Servers {
			if s.Running() {
				errs = append(errs, l.verify(s, name, n))
			}
		}
	}
	return total, errors.Join(errs...)
}

// verify looks at what a server says when it has applied all that was acknowledged.
func (l *Load) verify(s *Server, name string, n *count) error {
	generation, err := s.Generation(name, false)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	if generation < n.acknowledged || generation > n.acknowledged+n.unknown {
		return fmt.Errorf("%s: %s has been replaced %d times; %d times was acknowledged, %d times is not known", s.Name, name, generation, n.acknowledged, n.unknown)
	}
	own := uint64(0)
	for began := time.Now(); own != generation; time.Sleep(10 * time.Millisecond) {
		if own, err = s.Generation(name, true); err == nil && time.Since(began) > patience {
			err = fmt.Errorf("%d changes of %s, not %d, after %v", own, name, generation, patience)
		}
		if err != nil {
			return fmt.Errorf("%s, its own copy: %w", s.Name, err)
		}
	}
	return nil
}
