package upkeep

import (
	"slices"

	"github.com/rainsql/rainsql/cluster/blocks"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/namespace"
	"github.com/rainsql/rainsql/sdfs/place"
)

// found is how a server stands by some state.
type found struct {
	state   *state.State
	view    *blocks.View
	held    map[namespace.BlockID]namespace.Block // named by an entry, and here
	missing []namespace.Block                     // belong here, and are not
	surplus []namespace.Block                     // are here, and belong elsewhere
	lost    int                                   // of the missing, that no server has
}

// find compares what is here with what should be: what belongs here in the ring as it is or as it will be.
func (u *Upkeep) find(s *state.State) *found {
	f := &found{state: s, view: u.cfg.Placed.ViewOf(s), held: map[namespace.BlockID]namespace.Block{}}
	me := [16]byte(u.cfg.Self.Node)
	moving := f.view.Ring() != f.view.FutureRing()
	for _, file := range s.Files().Files("") {
		for _, b := range file.Blocks.All() {
			pos := place.Position(b.ID)
			mine := slices.Contains(f.view.Owners(pos), me) || moving && slices.Contains(f.view.Future(pos), me)
			switch here := u.local.Has(b); {
			case here:
				f.held[b.ID] = b
				if !mine {
					f.surplus = append(f.surplus, b)
				}
			case mine:
				f.missing = append(f.missing, b)
			}
		}
	}
	return f
}
