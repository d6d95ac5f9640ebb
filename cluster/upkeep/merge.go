package upkeep

import (
	"slices"

	"go.uber.org/zap"

	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/place"
)

// manySmall is from how many blocks on a file is looked at whether some are worth being merged.
const manySmall = 256

// mergeFiles merges the small blocks of the files whose first block belongs here before it does elsewhere: so one server sees to each
// file.
func (u *Upkeep) mergeFiles(s *state.State) {
	if u.cfg.Merge == nil {
		return
	}
	for id := range u.merged {
		if len(u.merged) > 10_000 {
			delete(u.merged, id) // of files that may be gone: the next look finds the others again
		}
	}
	v := u.cfg.Placed.ViewOf(s)
	for name, f := range s.Files().Files("") {
		n := f.Blocks.Len()
		if n < manySmall || f.Blocks.Size()/int64(n) > 256<<10 || u.ctx.Err() != nil {
			continue
		}
		var sees state.ID
		for _, b := range f.Blocks.All() {
			targets := slices.Collect(first(v.Targets(place.Position(b.ID))))
			if len(targets) > 0 {
				sees = targets[0]
			}
			break
		}
		if sees != u.cfg.Self.Node {
			continue
		}
		if n < u.merged[f.ID]+manySmall && u.merged[f.ID] > 0 {
			continue
		}
		u.merged[f.ID] = n
		if err := u.cfg.Merge(u.ctx, name); err != nil && u.ctx.Err() == nil {
			u.cfg.Logger.Info("small blocks were not merged", zap.String("file", name), zap.Error(err))
		}
	}
}

// first is the first of a sequence.
func first[T any](seq func(func(T) bool)) func(func(T) bool) {
	return func(yield func(T) bool) {
		for v := range seq {
			yield(v)
			return
		}
	}
}
