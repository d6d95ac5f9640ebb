package files

import (
	"context"
	"maps"
	"sync"
	"time"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Leader reads a state that has all that was acknowledged before, where this server leads; else the error says who does.
type Leader interface {
	State() *state.State
	Read(ctx context.Context) (*state.State, error)
	// Term is that in which this server leads; 0: it does not.
	Term() uint64
}

// Horizon is up to which index blocks may be removed from the disks that were given up: beyond it somebody may still be
// reading them. It is kept by the leader, in memory: a new leader permits nothing for as long as a pin lasts, in which all
// readers tell it. It is safe for concurrent use.
type Horizon struct {
	leader Leader

	mu    sync.Mutex
	term  uint64
	since time.Time // of the term, as far as is known here
	swept time.Time // when pins were last looked through for those that are over
	pins  map[uint64]pinned
}

// pinned is a session's pin.
type pinned struct {
	index uint64
	count uint64 // of the session's requests, the latest
	ended bool   // it holds nothing: it is only remembered
	until time.Time
}

// NewHorizon is a horizon for when this server leads.
func NewHorizon(l Leader) *Horizon { return &Horizon{leader: l, pins: map[uint64]pinned{}} }

// Pin notes a reader's pin and gives an index as of now. The pin is noted first: what is read afterwards is no older.
func (h *Horizon) Pin(ctx context.Context, req *api.PinRequest) (uint64, error) {
	h.note(req)
	s, err := h.leader.Read(ctx)
	if err != nil {
		return 0, err
	}
	return s.Index(), nil
}

func (h *Horizon) note(req *api.PinRequest) {
	now := h.leader.State().Index()
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.reigns() || req.GetEnd() && req.GetCount() == 0 { // who has never begun asks for the index alone
		return
	}
	p, known := h.pins[req.GetSession()]
	switch {
	case known && req.GetCount() <= p.count:
		return // it was overtaken, by one that knew of what this one tells
	case req.GetIndex() != 0:
		p.index = req.GetIndex() // may be later than before: what was open is not any more
	case !known || p.ended || time.Now().After(p.until):
		p.index = now
	}
	p.count, p.ended = req.GetCount(), req.GetEnd()
	p.until = time.Now().Add(PinTime)
	h.pins[req.GetSession()] = p
	if time.Since(h.swept) >= PinTime {
		h.sweep()
	}
}

// sweep forgets the pins that are over. Those that have ended are remembered for as long as others are kept: what was sent before the end may
// come after it, and must not be noted as if it were new. Called with the lock held.
func (h *Horizon) sweep() {
	h.swept = time.Now()
	maps.DeleteFunc(h.pins, func(_ uint64, p pinned) bool { return h.swept.After(p.until) })
}

// MayFree tells, where this server leads, which blocks nobody can want any more that by the state at an index no entry names: none
// does by the latest state, and nobody reads what was there before. That no lease is open under which they were written is
// for the asker to see to: a lease that has ended stays so.
func (h *Horizon) MayFree(ctx context.Context, ids []namespace.BlockID, index uint64) ([]bool, error) {
	// The pins first: were this server stopped between the two, they would be over, and it might not lead any more.
	low := h.lowest(h.leader.State().Index())
	s, err := h.leader.Read(ctx)
	if err != nil {
		return nil, err
	}
	may := make([]bool, len(ids))
	if index > low {
		return may, ctx.Err()
	}
	at := make(map[namespace.BlockID]int, len(ids))
	for i, id := range ids {
		at[id], may[i] = i, true
	}
	for _, f := range s.Files().Files("") {
		for _, b := range f.Blocks.All() {
			if i, asked := at[b.ID]; asked {
				may[i] = false
			}
		}
	}
	return may, nil
}

// reigns tells whether this server leads, and begins anew in a new term. Called with the lock held.
func (h *Horizon) reigns() bool {
	term := h.leader.Term()
	if term != h.term {
		h.term, h.since = term, time.Now()
		clear(h.pins)
	}
	return term != 0
}

// lowest is the index up to which what was given up may be removed; 0: nothing may.
func (h *Horizon) lowest(now uint64) uint64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.reigns() || time.Since(h.since) < PinTime {
		return 0
	}
	h.sweep()
	low := now
	for _, p := range h.pins {
		if !p.ended {
			low = min(low, p.index)
		}
	}
	return low
}
