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
		var first error
		for _, b := range u.heldNow() {
			if err := u.scrub.wait(u.ctx, int64(b.Length)); err != nil {
				return
			}
			if !u.local.Has(b) {
				continue
			}
			bytes += int64(b.Length)
			err := u.local.Verify(u.ctx, b) // takes a copy that is not whole out of use, and has another got
			if err != nil && u.ctx.Err() == nil {
				bad++
				if first == nil {
					first = err
				}
			}
		}
		if bytes > 0 {
			if bad > 0 {
				u.cfg.Logger.Warn("copies of blocks are not whole", zap.Int("blocks", bad), zap.NamedError("first", first))
			}
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
