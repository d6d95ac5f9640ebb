package blocks

import (
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// staged is how a block came.
type staged struct {
	lease uint64 // 0: an entry named it
	index uint64 // of the log, where lease or entry are
	under int    // puts of it that are under way
}

// stage notes how blocks come, before they are there: so there is never one here of which that is not known, and which could be taken for
// garbage. settle must follow, once for each.
func (l *Local) stage(h Head, ids ...namespace.BlockID) {
	s := staged{lease: h.Lease, index: max(h.Index, l.cfg.Log.State().Index())}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		s.under = l.staged[id].under + 1
		l.staged[id] = s
	}
}

// settle is the end of puts, after which they store nothing any more. What is known of blocks that are not here is forgotten, unless another
// put of them is under way. Of those that are here it stays, even if this put has failed: an earlier one has not.
func (l *Local) settle(ids ...namespace.BlockID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		s := l.staged[id]
		s.under--
		l.staged[id] = s
		l.forgetIfAbsent(id, s)
	}
}

// forgetIfAbsent forgets how a block came that is not here, and is not about to be. With the lock held nobody can begin to put it between the look
// and what is done upon it. Called with the lock held.
func (l *Local) forgetIfAbsent(id namespace.BlockID, s staged) {
	if s.under > 0 {
		return
	}
	if _, here := l.store.Has(id); !here {
		delete(l.staged, id)
	}
}

// forget forgets how blocks came that are about to be given up, and gives those that may be: not what is being put once more.
func (l *Local) forget(ids ...namespace.BlockID) []namespace.BlockID {
	l.mu.Lock()
	defer l.mu.Unlock()
	may := make([]namespace.BlockID, 0, len(ids))
	for _, id := range ids {
		if l.staged[id].under == 0 {
			delete(l.staged, id)
			may = append(may, id)
		}
	}
	return may
}

// Staged tells how a block came: under which lease, 0 if an entry named it, and at what index of the log that was so. It is not
// known of blocks that came before this server was started.
func (l *Local) Staged(id namespace.BlockID) (lease, index uint64, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, known := l.staged[id]
	return s.lease, s.index, known
}

// Named says that an entry names a block.
func (l *Local) Named(id namespace.BlockID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if s, ok := l.staged[id]; ok {
		s.lease = 0
		l.staged[id] = s
	}
}
