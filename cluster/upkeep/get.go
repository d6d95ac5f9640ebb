package upkeep

import (
	"context"
	"errors"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/rainsql/rainsql/cluster/blocks"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// getters is how many blocks are got at once.
const getters = 4

// get gets the blocks that are missing, as fast as it may, until the members are others, which makes others more urgent, or somebody
// pokes after a time. It gives how many are left.
func (u *Upkeep) get(f *found, heed time.Time) int {
	if len(f.missing) == 0 {
		return 0
	}
	began := time.Now()
	var mu sync.Mutex
	var bytes int64
	got, next, full := 0, 0, false
	var first error
	var work sync.WaitGroup
	for range min(getters, len(f.missing)) {
		work.Go(func() {
			for {
				mu.Lock()
				if next == len(f.missing) || full || u.overtaken(f.state, heed) {
					mu.Unlock()
					return
				}
				b := f.missing[next]
				next++
				mu.Unlock()
				err := u.getOne(b)
				if err == nil {
					u.got.Add(int64(b.Length))
				}
				mu.Lock()
				if first == nil {
					first = err
				}
				switch {
				case err == nil:
					f.held[b.ID] = b
					got++
					bytes += int64(b.Length)
				case errors.Is(err, blocks.ErrFull):
					full = true
				case errors.Is(err, blocks.ErrNoCopy):
					f.lost++
				}
				mu.Unlock()
			}
		})
	}
	work.Wait()
	if first != nil && u.ctx.Err() == nil {
		u.cfg.Logger.Warn("blocks that belong here were not got", zap.Int("blocks", len(f.missing)-got), zap.NamedError("first", first))
	}
	u.cfg.Logger.Info("got blocks that belong here", zap.Int("blocks", got), zap.Int64("bytes", bytes), zap.Int("left", len(f.missing)-got),
		zap.Duration("took", time.Since(began)))
	return len(f.missing) - got
}

// overtaken tells whether something else is more urgent than what was found by a state.
func (u *Upkeep) overtaken(s *state.State, heed time.Time) bool {
	return u.ctx.Err() != nil || !u.cfg.Log.State().SameMembers(s) || len(u.wake) > 0 && time.Now().After(heed)
}

// getTime bounds the getting of one block: 64 MB at 1 MB a second.
const getTime = 64 * time.Second

func (u *Upkeep) getOne(b namespace.Block) error {
	ctx, cancel := context.WithTimeout(u.ctx, getTime)
	defer cancel()
	if err := u.repair.wait(ctx, int64(b.Length)); err != nil {
		return err
	}
	return u.cfg.Placed.Fetch(ctx, blocks.Head{}, b, nil)
}
