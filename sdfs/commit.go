package sdfs

import (
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

// propose makes an entry durable and applies it. The staged blocks are the entry's from now on: they
// are freed if it is refused. If ctx ends first, what becomes of the entry is not known.
func (s *Store) propose(ctx context.Context, e namespace.Entry) (namespace.Result, error) {
	p := &proposal{entry: e, done: make(chan answer, 1), frees: makesRoom(e)}
	for _, part := range append([]namespace.Entry{e}, e.List...) {
		for _, b := range part.Blocks {
			p.staged = append(p.staged, b.ID)
		}
	}
	if p.weight() > wal.MaxPayload || len(e.List) > namespace.MaxList {
		s.drop(p.staged)
		return namespace.Result{}, fmt.Errorf("a change of %d files with %d blocks at once is too large (at most %d files)",
			max(1, len(e.List)), len(p.staged), namespace.MaxList)
	}
	if !s.queue.Put(p) {
		return namespace.Result{}, fmt.Errorf("the file store is %w", ErrClosed)
	}
	select {
	case a := <-p.done:
		if a.err == nil {
			a.err = a.res.Err
		}
		return a.res, a.err
	case <-ctx.Done():
		return namespace.Result{}, fmt.Errorf("%w: %w", ErrUnknown, ctx.Err())
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
func (s *Store) commitGroups() {
	for {
		batch := s.queue.Take(mostGroup, (*proposal).weight)
		if batch == nil {
			return
		}
		s.commitGroup(batch)
	}
}

func (s *Store) commitGroup(batch []*proposal) {
	if s.isLow() && !s.keepReserve() {
		s.tidySpace()
		if !s.keepReserve() {
			batch = s.refuseAllBut(batch, ErrNoSpace)
		}
	}
	err := s.commit(batch)
	if s.noRoom(err) {
		s.squeeze()
		err = s.commit(batch)
	}
	if s.noRoom(err) {
		batch = s.refuseAllBut(batch, s.explain(err))
		if err = nil; len(batch) > 0 { // they make room
			err = s.withReserve(func() error { return s.commit(batch) })
		}
	}
	if err != nil {
		if failed := s.failure(); failed != nil {
			s.cfg.OnEvent(Event{What: "read-only", Err: failed})
		}
		for _, p := range batch {
			p.done <- answer{err: s.explain(err)} // its blocks stay: the entry may be found on reopening
		}
	}
}

// noRoom tells that nothing was committed for want of space. An fsync that fails for it is another matter: then
// the group may be found on reopening, and must not be refused.
func (s *Store) noRoom(err error) bool {
	return errors.Is(err, syscall.ENOSPC) && s.log.Err() == nil
}

// refuseAllBut answers those that need room, and gives the others.
func (s *Store) refuseAllBut(batch []*proposal, err error) []*proposal {
	var rest []*proposal
	for _, p := range batch {
		if p.frees {
			rest = append(rest, p)
			continue
		}
		s.drop(p.staged)
		p.done <- answer{err: err}
	}
	return rest
}

// drop gives up blocks that no manifest names.
func (s *Store) drop(ids []namespace.BlockID) {
	if len(ids) == 0 {
		return
	}
	if err := s.blocks.Free(ids...); err != nil {
		s.cfg.OnEvent(Event{What: "free", Err: err})
	}
	s.poke()
}

// commit makes a group durable, applies it and answers, unless it fails.
func (s *Store) commit(batch []*proposal) error {
	if len(batch) == 0 {
		return nil
	}
	s.mu.Lock()
	now := max(s.now(), s.state.Time()) // log time stands still while the clock is behind it
	s.mu.Unlock()
	entries := s.lease.entries(batch, now)
	own := len(entries)
	for _, p := range batch {
		p.entry.Lease = 0
		if len(p.staged) > 0 {
			p.entry.Lease = s.lease.id
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
	first := s.log.Last() + 1
	if err := s.log.Append(payloads...); err != nil {
		return err
	}
	s.lease.settle(entries[:own])

	s.mu.Lock()
	state := s.state
	answers := make([]answer, len(entries))
	for i, e := range entries {
		index := first + uint64(i)
		state, answers[i].res = namespace.Apply(state, index, e)
		for _, f := range answers[i].res.Freed {
			s.freed = append(s.freed, freed{index: index, Freed: f})
		}
		if answers[i].res.Err == nil {
			s.noteLong(state, e)
		}
	}
	s.state = state
	work := len(s.freed)+len(s.mergeable) > 0 || s.logIsLong()
	s.mu.Unlock()

	for i, p := range batch {
		a := answers[own+i]
		if a.res.Err != nil {
			s.drop(p.staged)
		}
		p.done <- a
	}
	if work {
		s.poke()
	}
	return nil
}

// noteLong notes the files to which an entry has appended one more MergeBlocks blocks: it is worth
// looking there for a run to merge. Called with the lock held.
func (s *Store) noteLong(state *namespace.State, e namespace.Entry) {
	n := s.cfg.MergeBlocks
	parts := e.List
	if e.Kind != namespace.Commit {
		parts = []namespace.Entry{e}
	}
	for _, part := range parts {
		if part.Kind != namespace.Append || n < 0 {
			continue
		}
		if f, ok := state.Get(part.Name); ok && f.Blocks.Len()/n > (f.Blocks.Len()-len(part.Blocks))/n {
			s.mergeable[part.Name] = struct{}{}
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
func (s *Store) endLease() {
	s.mu.Lock()
	leases := s.state.Leases()
	s.mu.Unlock()
	if s.failure() != nil {
		return
	}
	for _, id := range leases {
		p := &proposal{entry: namespace.Entry{Kind: namespace.LeaseClose, Lease: id}, done: make(chan answer, 1)}
		_ = s.queue.Put(p) // if it comes to nothing, the next opening closes it
	}
}
