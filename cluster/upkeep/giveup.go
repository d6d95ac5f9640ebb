package upkeep

import (
	"context"
	"time"

	"go.uber.org/zap"

	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/namespace"
	"github.com/rainsql/rainsql/sdfs/place"
)

// Bounds of a question to another server about what it has: it reads all of it from its disk.
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
	var drop []namespace.BlockID
	for _, b := range u.confirmed(f, f.surplus, func(b namespace.Block) [][16]byte { return f.view.Owners(place.Position(b.ID)) }, f.view.Copies()) {
		drop = append(drop, b.ID)
		delete(f.held, b.ID)
	}
	u.free("blocks that belong elsewhere", drop)
	return len(drop) < len(f.surplus)
}

// leave tells the cluster, once this server leaves, that all it has is elsewhere: with those who will own it.
func (u *Upkeep) leave(f *found) bool {
	me, known := f.state.Node(u.cfg.Self.Node)
	if !known || me.Status != state.Leaving || me.Drained {
		return false
	}
	var list []namespace.Block
	for _, b := range f.held {
		list = append(list, b)
	}
	active := 0
	for n := range f.state.Nodes() {
		if n.Status == state.Active {
			active++
		}
	}
	done := u.confirmed(f, list, func(b namespace.Block) [][16]byte { return f.view.Future(place.Position(b.ID)) }, min(f.view.Copies(), active))
	if len(done) < len(list) {
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

// confirmed gives those of some blocks that at least so many of their owners have, as they have read from their disks.
func (u *Upkeep) confirmed(f *found, list []namespace.Block, owners func(namespace.Block) [][16]byte, least int) []namespace.Block {
	have := map[namespace.BlockID]int{}
	asks := map[state.ID][]namespace.Block{}
	for _, b := range list {
		for _, id := range owners(b) {
			if state.ID(id) != u.cfg.Self.Node {
				asks[id] = append(asks[id], b)
			}
		}
	}
	for id, ask := range asks {
		for len(ask) > 0 && u.ctx.Err() == nil {
			n, bytes := 0, int64(0)
			for n < len(ask) && n < mostAsked && (n == 0 || bytes+int64(ask[n].Length) <= mostAskedBytes) {
				bytes += int64(ask[n].Length)
				n++
			}
			ctx, cancel := context.WithTimeout(u.ctx, askTime)
			got, err := u.cfg.Placed.Have(ctx, f.view, id, ask[:n], true)
			cancel()
			if err != nil {
				u.cfg.Logger.Info("a server did not say which blocks it has", zap.String("server", f.view.Name(id)), zap.Error(err))
				break
			}
			for i, ok := range got {
				if ok {
					have[ask[i].ID]++
				}
			}
			ask = ask[n:]
		}
	}
	var done []namespace.Block
	for _, b := range list {
		if have[b.ID] >= least {
			done = append(done, b)
		}
	}
	return done
}

func (u *Upkeep) free(what string, ids []namespace.BlockID) {
	if len(ids) == 0 {
		return
	}
	err := u.local.Free(ids...)
	u.cfg.Logger.Info("gave up "+what, zap.Int("blocks", len(ids)), zap.Error(err))
}
