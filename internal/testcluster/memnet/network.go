// Package memnet is a network in memory: hosts with streams and packets between
// them, and what goes wrong with these. It blocks on sync.Cond and channels
// alone and keeps time with timers, so that it works in a testing/synctest
// bubble, whose clock then moves past delays and timeouts at once. It has no
// goroutines of its own but those of Gossip.
//
// Faults are directional. A direction that is blocked loses packets and holds
// back streams and dials, as TCP does, until it is open again or the caller's
// deadline is over. What was held back goes on at once: the pauses that TCP would
// add by then are not played. A direction also holds back the acknowledgements
// of the other one, so a stream that is cut one way stops both ways once its
// buffer is full.
//
// Jitter and loss come from one generator per direction, seeded by New. Tests
// are as repeatable as the order in which goroutines happen to send.
package memnet

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// Network is the hosts and the links between them. It is safe for concurrent use;
// its one lock guards everything of its hosts, links, conns and listeners.
type Network struct {
	mu     sync.Mutex
	seed   uint64
	hosts  []*Host // by id
	names  map[string]*Host
	links  map[[2]int]*link
	pipes  map[*pipe]struct{}
	nextID int
	closed bool
	// changed is closed, and made anew, when faults or backlogs change: dials wait for it.
	changed chan struct{}
}

// New is a network without hosts. In a bubble it must be made in the bubble.
func New(seed uint64) *Network {
	return &Network{
		seed:    seed,
		names:   map[string]*Host{},
		links:   map[[2]int]*link{},
		pipes:   map[*pipe]struct{}{},
		changed: make(chan struct{}),
	}
}

// Host gives the host of a name and makes it on first use, with the next address
// from 10.0.0.1 on.
func (n *Network) Host(name string) *Host {
	n.mu.Lock()
	defer n.mu.Unlock()
	if h := n.names[name]; h != nil {
		return h
	}
	h := &Host{net: n, id: len(n.hosts), name: name, port: firstPort}
	h.ip = fmt.Sprintf("10.%d.%d.%d", (h.id+1)>>16&255, (h.id+1)>>8&255, (h.id+1)&255)
	h.now = newProcess(h)
	n.hosts = append(n.hosts, h)
	n.names[name] = h
	return h
}

// Close ends everything on the network; calls that wait fail with net.ErrClosed, and so do later ones.
func (n *Network) Close() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.closed = true
	for _, h := range n.hosts {
		h.now.end()
	}
	for p := range n.pipes {
		p.stop()
	}
	n.stir()
}

// Block holds back what goes from one host to another.
func (n *Network) Block(from, to *Host) { n.change(func() { n.link(from, to).blocked = true }) }

// Unblock undoes Block.
func (n *Network) Unblock(from, to *Host) { n.change(func() { n.link(from, to).blocked = false }) }

// Partition blocks both directions between hosts of different groups. It adds to what is
// blocked already; hosts in no group are left as they are.
func (n *Network) Partition(groups ...[]*Host) {
	n.change(func() {
		for i, group := range groups {
			for j, other := range groups {
				if i == j {
					continue
				}
				for _, from := range group {
					for _, to := range other {
						n.link(from, to).blocked = true
					}
				}
			}
		}
	})
}

// Heal opens all that is blocked. Delays and loss stay.
func (n *Network) Heal() {
	n.change(func() {
		for _, l := range n.links {
			l.blocked = false
		}
	})
}

// SetDelay makes what is sent from now on take d, and up to jitter more. Jitter
// reorders packets, never a stream.
func (n *Network) SetDelay(from, to *Host, d, jitter time.Duration) {
	n.change(func() {
		l := n.link(from, to)
		l.delay, l.jitter = d, jitter
	})
}

// SetLoss loses each packet with probability p. Of a stream each segment of up to
// 16 KB is lost with it and sent again 200 ms later, then 400 ms, and so on. With p
// of 1 the direction is blocked.
func (n *Network) SetLoss(from, to *Host, p float64) {
	n.change(func() { n.link(from, to).loss = p })
}

// change runs fn under the lock and has everything go on that it lets.
func (n *Network) change(fn func()) {
	n.mu.Lock()
	defer n.mu.Unlock()
	fn()
	n.stir()
}

// stir has all that waits look again.
func (n *Network) stir() {
	n.wakeDials()
	// In order, so that the generators are asked in the same order each time.
	pipes := make([]*pipe, 0, len(n.pipes))
	for p := range n.pipes {
		pipes = append(pipes, p)
	}
	slices.SortFunc(pipes, func(a, b *pipe) int { return cmp.Compare(a.id, b.id) })
	for _, p := range pipes {
		p.depart()
		p.acknowledge()
		p.dst.cond.Broadcast()
	}
	for _, h := range n.hosts {
		h.now.wake()
	}
}

func (n *Network) wakeDials() {
	close(n.changed)
	n.changed = make(chan struct{})
}

// link gives one direction between two hosts, made on first use.
func (n *Network) link(from, to *Host) *link {
	key := [2]int{from.id, to.id}
	l := n.links[key]
	if l == nil {
		l = &link{rng: rand.New(rand.NewPCG(n.seed, uint64(from.id)<<32|uint64(to.id)))}
		n.links[key] = l
	}
	return l
}
