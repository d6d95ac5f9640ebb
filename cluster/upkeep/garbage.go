package upkeep

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

// garbage is what this server has seen of blocks that no entry names. Only the goroutine of the looks uses it.
type garbage struct {
	// leases are those that were open when this server began to look: whatever it found then may have been written under one of
	// them.
	leases map[uint64]bool
	seen   map[namespace.BlockID]uint64 // index at which it was first found that no entry names it any more, or ever will
}

// mostFreed is about how many blocks the leader is asked at once.
const mostFreed = 16 << 10

// collect gives up what no entry names, can name, or is being read: no lease is open under which it was written, and the leader
// says so, too. It tells whether something is left that time may settle.
func (u *Upkeep) collect(f *found) bool {
	g := &u.garbage
	open := map[uint64]bool{}
	for _, id := range f.state.Files().Leases() {
		open[id] = true
	}
	if g.leases == nil {
		g.leases, g.seen = open, map[namespace.BlockID]uint64{}
	}
	maps.DeleteFunc(g.leases, func(id uint64, _ bool) bool { return !open[id] })
	waiting := false
	here := map[namespace.BlockID]uint64{}
	for id := range u.local.IDs() {
		if _, named := f.held[id]; named {
			u.local.Named(id)
			continue
		}
		lease, index, known := u.local.Staged(id)
		if known && (open[lease] || index > f.state.Index()) || !known && len(g.leases) > 0 {
			waiting = true
			continue
		}
		here[id] = f.state.Index()
		if first, ok := g.seen[id]; ok {
			here[id] = first
		}
	}
	g.seen = here
	if len(here) == 0 {
		return waiting
	}
	return !u.askToFree(here) || waiting
}

// askToFree asks the leader about what was found by the same states together, and gives up what it permits. It tells whether that was all.
func (u *Upkeep) askToFree(here map[namespace.BlockID]uint64) bool {
	byIndex := map[uint64][]namespace.BlockID{}
	for id, index := range here {
		byIndex[index] = append(byIndex[index], id)
	}
	all := true
	for _, index := range slices.Sorted(maps.Keys(byIndex)) {
		for ids := range slices.Chunk(byIndex[index], mostFreed) {
			ctx, cancel := context.WithTimeout(u.ctx, askTime)
			may, err := u.cfg.MayFree(ctx, ids, index)
			cancel()
			if err == nil && len(may) != len(ids) {
				err = errors.New("it was not told about all of them")
			}
			if err != nil {
				u.cfg.Logger.Debug("the leader did not say which blocks may go", zap.Error(err))
				return false
			}
			var drop []namespace.BlockID
			for i, ok := range may {
				if ok {
					drop = append(drop, ids[i])
					delete(here, ids[i])
				}
			}
			u.free("blocks that nobody names", drop)
			if all = all && len(drop) == len(ids); len(drop) == 0 {
				return false // somebody reads what is older yet: and then what is newer, too
			}
		}
	}
	return all
}

// tidy gives space back to the disk.
func (u *Upkeep) tidy() {
	if err := u.local.Tidy(u.ctx, time.Now().Add(-u.cfg.TrashTime)); err != nil && u.ctx.Err() == nil {
		u.cfg.Logger.Warn("space was not given back to the disk", zap.Error(err))
	}
}
