package blocks

import (
	"context"
	"errors"
	"fmt"

	"github.com/rainsql/rainsql/sdfs/block"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Bounds of the small blocks that wait for the disk. Nobody who is slow may fill a server's memory: neither its own disk, nor one
// that many write to.
const (
	mostQueued  = 64 << 20 // bytes that were sent here; more are refused
	mostWriting = 16 << 20 // of these, those that the store has: no more than it writes at once, and next
)

// errBusy says that this server has not written yet what it was sent before.
var errBusy = errors.New("the disk does not keep up")

// Small is a small block with its bytes.
type Small struct {
	Block namespace.Block
	Data  []byte
}

func sizeOf(small []Small) (n int64) {
	for _, s := range small {
		n += int64(len(s.Data))
	}
	return n
}

// PutSmall stores small blocks; they are durable when it returns. Beyond the 64 MB that may wait for the disk it fails at once. If ctx ends
// first, those are given up that wait for others to be written; any of the rest may be there, or come to be there yet, so that the data must
// not change afterwards.
func (l *Local) PutSmall(ctx context.Context, h Head, small []Small) error {
	size := sizeOf(small)
	if now := l.queued.Add(size); now > mostQueued && now > size {
		l.queued.Add(-size)
		return fmt.Errorf("%w: %d MB of small blocks wait to be written", errBusy, now>>20)
	}
	list, err := l.admitSmall(ctx, h, small)
	weight := min(size, mostWriting)
	if err == nil {
		err = l.writing.Acquire(ctx, weight)
	}
	if err != nil {
		l.queued.Add(-size)
		return err
	}
	ids := make([]namespace.BlockID, len(list))
	for i, s := range list {
		ids[i] = s.ID
	}
	l.stage(h, ids...)
	done := make(chan error, 1)
	go func() { // what the store has is written in any case, and counts until then
		_, err := l.store.PutAll(context.WithoutCancel(ctx), list)
		l.settle(ids...)
		l.writing.Release(weight)
		l.queued.Add(-size)
		done <- explain(err)
	}()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// admitSmall is admit, and gives the blocks as the store takes them if each is what it should be.
func (l *Local) admitSmall(ctx context.Context, h Head, small []Small) ([]block.Small, error) {
	if err := l.admit(ctx, h); err != nil {
		return nil, err
	}
	list := make([]block.Small, len(small))
	for i, s := range small {
		if sum := checksum(s.Data); sum != s.Block.CRC || len(s.Data) != int(s.Block.Length) {
			return nil, fmt.Errorf("block %s came with checksum %08x, and has %08x", s.Block.ID, s.Block.CRC, sum)
		}
		list[i] = block.Small{ID: s.Block.ID, Data: s.Data}
	}
	return list, nil
}
