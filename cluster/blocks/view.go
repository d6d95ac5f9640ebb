// Package blocks keeps the blocks of a cluster's file store: each server has a block store on its own disk (Local), gives it to
// the others (Service), and writes and reads blocks wherever they belong (Placed). It knows no files. docs/sdfs.md has the
// protocol.
package blocks

import (
	"context"
	"sync"

	"google.golang.org/grpc"

	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/namespace"
	"github.com/rainsql/rainsql/sdfs/place"
)

// Log is this server's copy of the replicated state.
type Log interface {
	State() *state.State
	WaitApplied(ctx context.Context, index uint64) (*state.State, error)
}

// Dial gives the connection to an address; it stays the giver's.
type Dial func(addr string) (grpc.ClientConnInterface, error)

// View is where blocks belong by some state.
type View struct {
	*place.Map
	state *state.State
}

// Needed is how many active servers must have a block before an entry may name it.
func (v *View) Needed() int { return v.state.Needed() }

// Addr is where a server is, "" where it is not known.
func (v *View) Addr(id state.ID) string {
	n, ok := v.state.Node(id)
	if !ok || n.Status == state.Evicted {
		return ""
	}
	return n.Addr
}

// Name is what people call a server.
func (v *View) Name(id state.ID) string {
	if n, ok := v.state.Node(id); ok {
		return n.Name
	}
	return id.Short()
}

// position is where a block belongs on the ring.
func position(b namespace.Block) uint64 { return place.Position(b.ID) }

// counts tells whether a server is active in some start.
func (v *View) counts(h state.Holder) bool {
	n, ok := v.state.Node(h.Node)
	return ok && n.Status == state.Active && n.Incarnation == h.Incarnation
}

// Views makes views of states, and keeps the last. It is safe for concurrent use.
type Views struct {
	mu   sync.Mutex
	last *View
}

// Of is the view of a state.
func (v *Views) Of(s *state.State) *View {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.last != nil && v.last.state.SameMembers(s) {
		return v.last
	}
	members := Members(s)
	view := &View{state: s}
	if old := v.last; old != nil && old.Copies() == s.Replicas() {
		view.Map = old.Next(s.Epoch(), members)
	} else {
		view.Map = place.New(s.Epoch(), members, s.Replicas())
	}
	v.last = view
	return view
}

// Members are the servers as placement sees them.
func Members(s *state.State) []place.Member {
	var list []place.Member
	for n := range s.Nodes() {
		list = append(list, place.Member{
			ID: n.ID, Incarnation: n.Incarnation, Status: place.Status(n.Status), Ring: n.Ring, Leaves: n.Leaves,
		})
	}
	return list
}
