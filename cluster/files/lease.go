package files

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/rainsql/rainsql/cluster/blocks"
	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Times of a lease.
const (
	leaseTime  = 30 * time.Minute // for which it is opened and renewed
	leaseRenew = 10 * time.Minute // how often
	leaseTurn  = time.Hour        // how long new blocks are written under the same
	openLease  = 10 * time.Second // how long a writer waits for one
)

// leases are the right of a store to commit blocks: what it has written is nobody's garbage while the lease is open under which it did.
// It takes a lease when it first writes and a new one now and then, and lets go of each that it does not use: so what came to nothing does
// not wait for the end of the store. It is safe for concurrent use.
type leases struct {
	cl     *client.Client
	ctx    context.Context //nolint:containedctx // of the renewals
	cancel context.CancelFunc
	work   sync.WaitGroup

	opening chan struct{} // holds one while a lease is being opened

	mu      sync.Mutex
	current uint64 // under which the next block is written; 0: none
	open    map[uint64]*lease
	renews  bool // renew runs
}

// lease is one of them.
type lease struct {
	index uint64 // of the log, where it was opened
	since time.Time
	used  time.Time // when it was last taken
	users int       // blocks, or groups of them, that may yet be named
}

func newLeases(cl *client.Client) *leases {
	l := &leases{cl: cl, opening: make(chan struct{}, 1), open: map[uint64]*lease{}}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// take gives a lease under which to write, opened if need be. give must follow once what was written is named, or never will be.
func (l *leases) take(ctx context.Context) (blocks.Head, error) {
	if h, ok := l.takeCurrent(); ok {
		return h, nil
	}
	select {
	case l.opening <- struct{}{}:
		defer func() { <-l.opening }()
	case <-ctx.Done():
		return blocks.Head{}, ctx.Err()
	}
	if h, ok := l.takeCurrent(); ok { // another has opened it
		return h, nil
	}
	ctx, cancel := context.WithTimeout(ctx, openLease)
	defer cancel()
	id := rand.Uint64() | 1 // not 0
	index, err := l.propose(ctx, namespace.LeaseOpen, id)
	if err != nil {
		return blocks.Head{}, err
	}
	h := l.begin(id, index)
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.renews {
		l.renews = true
		l.work.Go(l.renew)
	}
	return h, nil
}

// begin notes a lease that was opened, in use from the first moment on: renew closes one that it finds idle.
func (l *leases) begin(id, index uint64) blocks.Head {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	l.current, l.open[id] = id, &lease{index: index, since: now, used: now, users: 1}
	return blocks.Head{Lease: id, Index: index}
}

func (l *leases) takeCurrent() (blocks.Head, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	one, ok := l.open[l.current]
	if !ok || time.Since(one.since) >= leaseTurn {
		return blocks.Head{}, false
	}
	one.used = time.Now()
	one.users++
	return blocks.Head{Lease: l.current, Index: one.index}, true
}

// give is the end of a use.
func (l *leases) give(id uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if one, ok := l.open[id]; ok {
		one.users--
	}
}

// more is a further use of a lease that is in use.
func (l *leases) more(id uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if one, ok := l.open[id]; ok {
		one.users++
	}
}

// ended notes that a lease has ended: the next to write takes another.
func (l *leases) ended(id uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.open, id)
}

func (l *leases) propose(ctx context.Context, kind namespace.Kind, id uint64) (uint64, error) {
	now, err := l.cl.Now(ctx)
	if err != nil {
		return 0, err
	}
	e := namespace.Entry{Kind: kind, Lease: id, Until: now.Add(leaseTime).UnixMicro()}
	o, err := l.cl.Propose(ctx, state.Entry{Kind: state.Files, Files: e})
	if err == nil {
		err = o.Err
	}
	if err != nil {
		return 0, fmt.Errorf("lease: %w", err)
	}
	return o.Index, nil
}

// renew keeps the leases open that are in use, and closes the others.
func (l *leases) renew() {
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-time.After(leaseRenew):
		}
		for _, id := range l.all() {
			kind := namespace.LeaseRenew
			if l.idle(id) {
				kind = namespace.LeaseClose
			}
			_, err := l.propose(l.ctx, kind, id)
			if errors.Is(err, namespace.ErrLeaseEnded) || err == nil && kind == namespace.LeaseClose {
				l.ended(id) // else the next time
			}
		}
	}
}

func (l *leases) all() []uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Sorted(maps.Keys(l.open))
}

// idle tells whether nobody uses a lease; then nobody will.
func (l *leases) idle(id uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	one, ok := l.open[id]
	if !ok || one.users > 0 || id == l.current && time.Since(one.used) < leaseRenew {
		return false
	}
	if l.current == id {
		l.current = 0
	}
	return true
}

// closeTime is how long the end of the leases is waited for: they end by themselves, too.
const closeTime = 3 * time.Second

func (l *leases) close() {
	l.cancel()
	l.work.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	for _, id := range l.all() {
		_, _ = l.propose(ctx, namespace.LeaseClose, id) // see closeTime
	}
}
