package sdfs

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"syscall"

	"github.com/rainsql/rainsql/sdfs/namespace"
	"github.com/rainsql/rainsql/sdfs/wal"
)

// proposal is an entry on its way through the log.
type proposal struct {
	entry  namespace.Entry
	staged []namespace.BlockID // given up if the entry comes to nothing
	frees  bool                // it makes room on a full disk
	done   chan answer         // has room for the answer
}

type answer struct {
	res namespace.Result
	err error
}

// Propose implements Backend. If ctx ends first, what becomes of the entry is not known.
func (l *local) Propose(ctx context.Context, e namespace.Entry) error {
	if l.failure() != nil {
		return l.Explain(l.failure())
	}
	if e.Kind == namespace.Remove || e.Kind == namespace.Rename { // what can be seen now to be refused needs no entry
		if _, ok := l.snapshot().Get(e.Name); !ok {
			return notFound(e.Name)
		}
	}
	p := &proposal{entry: e, done: make(chan answer, 1), frees: makesRoom(e)}
	for _, part := range append([]namespace.Entry{e}, e.List...) {
		for _, b := range part.Blocks {
			p.staged = append(p.staged, b.ID)
		}
	}
	if p.weight() > wal.MaxPayload || len(e.List) > namespace.MaxList {
		l.Free(p.staged)
		return fmt.Errorf("a change of %d files with %d blocks at once is too large (at most %d files)",
			max(1, len(e.List)), len(p.staged), namespace.MaxList)
	}
	if !l.queue.Put(p) {
		return fmt.Errorf("the file store is %w", ErrClosed)
	}
	select {
	case a := <-p.done:
		return cmp.Or(a.err, a.res.Err)
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", ErrUnknown, ctx.Err())
	}
}

// makesRoom tells whether an entry only takes away.
func makesRoom(e namespace.Entry) bool {
	if e.Kind != namespace.Commit {
		return e.Kind == namespace.Remove
	}
	for _, part := range e.List {
		if part.Kind != namespace.Remove {
			return false
		}
	}
	return true
}

// mostGroup bounds the bytes of entries that one fsync covers.
const mostGroup = 8 << 20

// weight is at least the bytes that the entry takes in the log.
func (p *proposal) weight() int {
	sum := 100 + len(p.entry.Name) + len(p.entry.To) + 24*len(p.staged)
	for _, part := range p.entry.List {
		sum += 100 + len(part.Name)
	}
	return sum
}

// commitGroups is the committer: it makes what is proposed durable, group by group, and alone
// moves the state on.
func (l *local) commitGroups() {
	for {
		batch := l.queue.Take(mostGroup, (*proposal).weight)
		if batch == nil {
			return
		}
		l.commitGroup(batch)
	}
}

func (l *local) commitGroup(batch []*proposal) {
	if l.isLow() && !l.keepReserve() {
		l.tidySpace()
		if !l.keepReserve() {
			batch = l.refuseAllBut(batch, ErrNoSpace)
		}
	}
	err := l.commit(batch)
	if l.noRoom(err) {
		l.squeeze()
		err = l.commit(batch)
	}
	if l.noRoom(err) {
		batch = l.refuseAllBut(batch, l.Explain(err))
		if err = nil; len(batch) > 0 { // they make room
			err = l.withReserve(func() error { return l.commit(batch) })
		}
	}
	if err != nil {
		if failed := l.failure(); failed != nil {
			l.cfg.OnEvent(Event{What: "read-only", Err: failed})
		}
		for _, p := range batch {
			p.done <- answer{err: l.Explain(err)} // its blocks stay: the entry may be found on reopening
		}
	}
}

// noRoom tells that nothing was committed for want of space. An fsync that fails for it is another matter: then
// the group may be found on reopening, and must not be refused.
func (l *local) noRoom(err error) bool {
	return errors.Is(err, syscall.ENOSPC) && l.log.Err() == nil
}

// refuseAllBut answers those that need room, and gives the others.
func (l *local) refuseAllBut(batch []*proposal, err error) []*proposal {
	var rest []*proposal
	for _, p := range batch {
		if p.frees {
			rest = append(rest, p)
			continue
		}
		l.Free(p.staged)
		p.done <- answer{err: err}
	}
	return rest
}

// commit makes a group durable, applies it and answers, unless it fails.
func (l *local) commit(batch []*proposal) error {
	if len(batch) == 0 {
		return nil
	}
	l.mu.Lock()
	now := max(l.now(), l.state.Time()) // log time stands still while the clock is behind it
	l.mu.Unlock()
	entries := l.lease.entries(batch, now)
	own := len(entries)
	for _, p := range batch {
		p.entry.Lease = 0
		if len(p.staged) > 0 {
			p.entry.Lease = l.lease.id
		}
		entries = append(entries, p.entry)
	}
	payloads := make([][]byte, len(entries))
	for i := range entries {
		entries[i].Time = now
		var err error
		if payloads[i], err = namespace.Encode(entries[i]); err != nil {
			return err
		}
	}
	first := l.log.Last() + 1
	if err := l.log.Append(payloads...); err != nil {
		return err
	}
	l.lease.settle(entries[:own])

	l.mu.Lock()
	state := l.state
	answers := make([]answer, len(entries))
	for i, e := range entries {
		index := first + uint64(i)
		state, answers[i].res = namespace.Apply(state, index, e)
		for _, f := range answers[i].res.Freed {
			l.freed = append(l.freed, freed{index: index, Freed: f})
		}
		if answers[i].res.Err == nil {
			l.noteLong(state, e)
		}
	}
	l.state = state
	work := len(l.freed)+len(l.mergeable) > 0 || l.logIsLong()
	l.mu.Unlock()

	for i, p := range batch {
		a := answers[own+i]
		if a.res.Err != nil {
			l.Free(p.staged)
		}
		p.done <- a
	}
	if work {
		l.poke()
	}
	return nil
}

// noteLong notes the files to which an entry has added one more MergeBlocks blocks, or which it has made of as many pieces: it is
// worth looking there for a run to merge. Called with the lock held.
func (l *local) noteLong(state *namespace.State, e namespace.Entry) {
	n := l.cfg.MergeBlocks
	parts := e.List
	if e.Kind != namespace.Commit {
		parts = []namespace.Entry{e}
	}
	for _, part := range parts {
		adds := part.Kind == namespace.Append || part.Kind == namespace.Create || part.Kind == namespace.Replace
		if !adds || n < 0 {
			continue
		}
		if f, ok := state.Get(part.Name); ok && f.Blocks.Len()/n > (f.Blocks.Len()-len(part.Blocks))/n {
			l.mergeable[part.Name] = struct{}{}
		}
	}
}

// lease is the session's right to commit blocks. Only the committer uses it.
type lease struct {
	id  uint64
	end int64    // log time, µs; 0: not open
	old []uint64 // of earlier processes, to be closed
}

// leaseTime is for how long, in µs, a lease is opened or renewed; it is renewed at half of it.
const leaseTime = 30 * 60 * 1e6

// entries gives what must go before a group so that its blocks have a lease.
func (l *lease) entries(batch []*proposal, now int64) []namespace.Entry {
	needed := false
	for _, p := range batch {
		needed = needed || len(p.staged) > 0
	}
	if !needed || now < l.end-leaseTime/2 {
		return nil
	}
	var list []namespace.Entry
	for _, id := range l.old {
		list = append(list, namespace.Entry{Kind: namespace.LeaseClose, Lease: id})
	}
	kind := namespace.LeaseRenew
	if now >= l.end {
		l.id = rand.Uint64() | 1 // not 0
		kind = namespace.LeaseOpen
	}
	return append(list, namespace.Entry{Kind: kind, Lease: l.id, Until: now + leaseTime})
}

// settle notes that such entries were applied.
func (l *lease) settle(entries []namespace.Entry) {
	if n := len(entries); n > 0 {
		l.end = entries[n-1].Until
		l.old = nil
	}
}

// endLease closes the session's lease, if it has one that can still be closed.
func (l *local) endLease() {
	l.mu.Lock()
	leases := l.state.Leases()
	l.mu.Unlock()
	if l.failure() != nil {
		return
	}
	for _, id := range leases {
		p := &proposal{entry: namespace.Entry{Kind: namespace.LeaseClose, Lease: id}, done: make(chan answer, 1)}
		_ = l.queue.Put(p) // if it comes to nothing, the next opening closes it
	}
}
