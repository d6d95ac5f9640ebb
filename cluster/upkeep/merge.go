package upkeep

import (
	"context"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/place"
)

// manySmall is from how many blocks on a file is looked at whether some are worth being merged.
const manySmall = 256

// Bounds of a merge of one file, and how long one that failed is left alone.
const (
	mergeTime  = time.Hour
	mergeAgain = 10 * time.Minute
)

// merged is what came of the last try to merge a file.
type merged struct {
	blocks int       // that it had
	failed time.Time // zero: it did not
}

// vain tells whether another try would come to nothing, of a file that has so many blocks now.
func (m merged) vain(n int) bool {
	if !m.failed.IsZero() {
		return time.Since(m.failed) < mergeAgain
	}
	return m.blocks <= n && n < m.blocks+manySmall
}

// mergeAll merges, by one state after the other, beside all the rest: it may take long.
func (u *Upkeep) mergeAll() {
	tried := map[uint64]merged{} // by file id
	for {
		select {
		case <-u.ctx.Done():
			return
		case s := <-u.merges:
			u.mergeFiles(s, tried)
		}
	}
}

// mergeFiles merges the small blocks of the files whose first block belongs here before it does elsewhere: so one server sees to each
// file.
func (u *Upkeep) mergeFiles(s *state.State, tried map[uint64]merged) {
	if len(tried) > 10_000 {
		clear(tried) // of files that may be gone; of the others it is found anew that there is nothing to merge
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
		if last, known := tried[f.ID]; known && last.vain(n) {
			continue
		}
		tried[f.ID] = u.merge(name, n)
	}
}

// merge merges the small blocks of a file that has so many blocks.
func (u *Upkeep) merge(name string, n int) merged {
	ctx, cancel := context.WithTimeout(u.ctx, mergeTime)
	defer cancel()
	err := u.cfg.Merge(ctx, name)
	if err == nil {
		return merged{blocks: n}
	}
	if u.ctx.Err() == nil {
		u.cfg.Logger.Info("small blocks were not merged", zap.String("file", name), zap.Error(err))
	}
	return merged{blocks: n, failed: time.Now()}
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
