package upkeep

import (
	"context"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/namespace"
	"github.com/rainsql/rainsql/sdfs/place"
)

// Bounds of a question to another server about what it has: it may have to read all of it from its disk.
const (
	mostAsked      = 1000
	mostAskedBytes = 256 << 20
	askTime        = time.Minute
)

// giveUp drops the copies that belong elsewhere, of those blocks that all their owners have: each has read it from its disk, in this
// epoch. It tells whether some are left.
func (u *Upkeep) giveUp(f *found) bool {
	if f.view.Ring() != f.view.FutureRing() { // who joins may need it still, and who leaves needs to see it elsewhere
		return len(f.surplus) > 0
	}
	owners := func(b namespace.Block) []state.ID { return u.others(f.view.Owners(place.Position(b.ID))) }
	gone := 0
	for part := range slices.Chunk(f.surplus, mostAsked) { // so that little time passes between the answers and what is done upon them
		var drop []namespace.BlockID
		for _, b := range u.confirmed(f, part, owners, f.view.Copies()) {
			drop = append(drop, b.ID)
		}
		if len(drop) == 0 {
			continue
		}
		done, err := u.local.FreeIf(func() bool { return u.cfg.Log.State().SameMembers(f.state) }, drop...)
		if !done {
			return true // the members have changed: who had it then may be about to go
		}
		u.cfg.Logger.Info("gave up blocks that belong elsewhere", zap.Int("blocks", len(drop)), zap.Error(err))
		for _, id := range drop {
			delete(f.held, id)
		}
		gone += len(drop)
	}
	return gone < len(f.surplus)
}

// others are servers but this one.
func (u *Upkeep) others(list [][16]byte) []state.ID {
	var ids []state.ID
	for _, id := range list {
		if state.ID(id) != u.cfg.Self.Node {
			ids = append(ids, id)
		}
	}
	return ids
}

// leave tells the cluster, once this server leaves, that all it has is elsewhere: with those who will own it.
func (u *Upkeep) leave(f *found) bool {
	me, known := f.state.Node(u.cfg.Self.Node)
	if !known || me.Status != state.Leaving || me.Drained {
		return false
	}
	if u.elsewhere.state == nil || !u.elsewhere.state.SameMembers(f.state) {
		u.elsewhere.state, u.elsewhere.has = f.state, map[namespace.BlockID]bool{}
	}
	var list []namespace.Block
	for _, b := range f.held {
		if !u.elsewhere.has[b.ID] {
			list = append(list, b)
		}
	}
	owners := func(b namespace.Block) []state.ID { return u.others(f.view.Future(place.Position(b.ID))) }
	done := u.confirmed(f, list, owners, max(1, min(f.view.Copies(), len(f.view.FutureRing().Nodes()))))
	for _, b := range done {
		u.elsewhere.has[b.ID] = true
	}
	if len(done) < len(list) || !u.cfg.Log.State().SameMembers(f.state) {
		u.cfg.Logger.Info("leaves, and waits until others have its blocks", zap.Int("left", len(list)-len(done)))
		return true
	}
	ctx, cancel := context.WithTimeout(u.ctx, askTime)
	defer cancel()
	if err := u.cfg.Drained(ctx); err != nil {
		u.cfg.Logger.Warn("the cluster was not told that all blocks are elsewhere", zap.Error(err))
		return true
	}
	u.cfg.Logger.Info("leaves, and all its blocks are elsewhere")
	return false
}

// elsewhere is what a server that leaves has seen with those who will own it, while the members are the same.
type elsewhere struct {
	state *state.State
	has   map[namespace.BlockID]bool
}

// confirmed gives those of some blocks that at least so many of their owners have, as they have read from their disks. They are asked to
// read only what enough of them say to have.
func (u *Upkeep) confirmed(f *found, list []namespace.Block, owners func(namespace.Block) []state.ID, least int) []namespace.Block {
	for _, read := range []bool{false, true} {
		have := map[namespace.BlockID]int{}
		asks := map[state.ID][]namespace.Block{}
		for _, b := range list {
			for _, id := range owners(b) {
				asks[id] = append(asks[id], b)
			}
		}
		for id, ask := range asks {
			u.ask(f, id, ask, read, have)
		}
		list = slices.DeleteFunc(slices.Clone(list), func(b namespace.Block) bool { return have[b.ID] < least })
	}
	return list
}

// ask asks a server about blocks, some at a time, and counts in have those that it has.
func (u *Upkeep) ask(f *found, id state.ID, list []namespace.Block, read bool, have map[namespace.BlockID]int) {
	if n, ok := f.state.Node(id); !ok || n.Status == state.Down {
		return
	}
	for len(list) > 0 && u.ctx.Err() == nil {
		n, bytes := 0, int64(0)
		for n < len(list) && n < mostAsked && (n == 0 || !read || bytes+int64(list[n].Length) <= mostAskedBytes) {
			bytes += int64(list[n].Length)
			n++
		}
		if read && u.repair.wait(u.ctx, bytes) != nil { // it costs the other's disk as much
			return
		}
		ctx, cancel := context.WithTimeout(u.ctx, askTime)
		got, err := u.cfg.Placed.Have(ctx, f.view, id, list[:n], read)
		cancel()
		if err != nil {
			u.cfg.Logger.Info("a server did not say which blocks it has", zap.String("server", f.view.Name(id)), zap.Error(err))
			return
		}
		for i, ok := range got {
			if ok {
				have[list[i].ID]++
			}
		}
		list = list[n:]
	}
}

func (u *Upkeep) free(what string, ids []namespace.BlockID) {
	if len(ids) == 0 {
		return
	}
	err := u.local.Free(ids...)
	u.cfg.Logger.Info("gave up "+what, zap.Int("blocks", len(ids)), zap.Error(err))
}
