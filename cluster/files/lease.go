package files

import (
	"context"
	"errors"
	"fmt"
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
	leaseTurn  = time.Hour        // how long blocks are written under the same
)

// lease is the right of a store to commit blocks: what it has written is nobody's garbage while its lease is open. A new one is taken
// now and then, so that what came to nothing does not wait for the end of the store; the old ones are kept open as
// long as the store may still commit what was written under them.
type lease struct {
	cl     *client.Client
	ctx    context.Context //nolint:containedctx // of the renewals
	cancel context.CancelFunc
	work   sync.WaitGroup

	opening chan struct{} // holds one while a lease is being opened

	mu      sync.Mutex
	current blocks.Head // zero: none
	since   time.Time
	open    []uint64
}

func newLease(cl *client.Client) *lease {
	l := &lease{cl: cl, opening: make(chan struct{}, 1)}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l
}

// head gives the lease under which to write, opened if need be.
func (l *lease) head(ctx context.Context) (blocks.Head, error) {
	if h, ok := l.now(); ok {
		return h, nil
	}
	select {
	case l.opening <- struct{}{}:
		defer func() { <-l.opening }()
	case <-ctx.Done():
		return blocks.Head{}, ctx.Err()
	}
	if h, ok := l.now(); ok { // another has opened it
		return h, nil
	}
	ctx, cancel := context.WithTimeout(ctx, openLease)
	defer cancel()
	id := rand.Uint64() | 1 // not 0
	index, err := l.propose(ctx, namespace.LeaseOpen, id)
	if err != nil {
		return blocks.Head{}, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.since.IsZero() {
		l.work.Go(l.renew)
	}
	l.current, l.since = blocks.Head{Lease: id, Index: index}, time.Now()
	l.open = append(l.open, id)
	return l.current, nil
}

// openLease is how long a writer waits for a lease.
const openLease = 10 * time.Second

// now is the lease under which to write, if there is one.
func (l *lease) now() (blocks.Head, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.current, l.current.Lease != 0 && time.Since(l.since) < leaseTurn
}

// ended notes that a lease has ended: the next to write opens another.
func (l *lease) ended(id uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.current.Lease == id {
		l.current = blocks.Head{}
	}
	l.open = slices.DeleteFunc(l.open, func(o uint64) bool { return o == id })
}

func (l *lease) propose(ctx context.Context, kind namespace.Kind, id uint64) (uint64, error) {
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

// renew keeps the leases open.
func (l *lease) renew() {
	for {
		select {
		case <-l.ctx.Done():
			return
		case <-time.After(leaseRenew):
		}
		l.mu.Lock()
		open := append([]uint64(nil), l.open...)
		l.mu.Unlock()
		for _, id := range open {
			if _, err := l.propose(l.ctx, namespace.LeaseRenew, id); errors.Is(err, namespace.ErrLeaseEnded) {
				l.ended(id) // else the next time
			}
		}
	}
}

// closeTime is how long the end of a lease is waited for: it ends by itself, too.
const closeTime = 3 * time.Second

func (l *lease) close() {
	l.cancel()
	l.work.Wait()
	ctx, cancel := context.WithTimeout(context.Background(), closeTime)
	defer cancel()
	for _, id := range l.open {
		_, _ = l.propose(ctx, namespace.LeaseClose, id) // see closeTime
	}
}
