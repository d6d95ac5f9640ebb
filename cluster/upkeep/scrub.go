package upkeep

import (
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

// scrubAll reads all blocks that are here, slowly, and then again: what the disk has changed is found before the last copy is
// needed.
func (u *Upkeep) scrubAll() {
	for {
		began := time.Now()
		bad, bytes := 0, int64(0)
		for _, b := range u.heldNow() {
			if err := u.scrub.wait(u.ctx, int64(b.Length)); err != nil {
				return
			}
			if !u.local.Has(b) {
				continue
			}
			bytes += int64(b.Length)
			if u.local.Verify(u.ctx, b) != nil && u.ctx.Err() == nil {
				bad++
			}
		}
		if bytes > 0 {
			u.cfg.Logger.Info("read all blocks to check them", zap.Int64("bytes", bytes), zap.Int("bad", bad), zap.Duration("took", time.Since(began)))
		}
		rest := u.cfg.ScrubEvery - time.Since(began)
		if bytes == 0 {
			rest = min(rest, time.Minute) // nothing was here yet
		}
		if !u.pause(max(rest, time.Second)) {
			return
		}
	}
}

func (u *Upkeep) heldNow() []namespace.Block {
	u.mu.Lock()
	defer u.mu.Unlock()
	return slices.Collect(maps.Values(u.held))
}
