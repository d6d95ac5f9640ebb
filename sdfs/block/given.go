package block

import (
	"context"
	"errors"
	"fmt"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

// ErrOtherContent says that a block of an id is there, whole, and is not the one that was to be stored under it.
var ErrOtherContent = errors.New("the block is there with other content")

// Small is a small block and the id that another gave it.
type Small struct {
	ID   namespace.BlockID
	Data []byte // 1 to MaxSmall bytes
}

// PutAll stores small blocks of given ids; all are durable, and in the memory tier, when it returns, and it gives
// them in the order of small. They take one write and fsync, which they share with what else is under way, or
// some more where they are many megabytes. A block that is there with the same length and checksum is not written
// again, so that trying again does no harm; one with other content is an error that matches ErrOtherContent. The
// data is copied.
//
// On an error, or if ctx ends first, any of them may be there, or come to be there yet. Any number of calls may run
// concurrently, for the same ids, too.
func (s *Store) PutAll(ctx context.Context, small []Small) ([]namespace.Block, error) {
	for _, b := range small {
		if len(b.Data) == 0 || len(b.Data) > MaxSmall {
			return nil, fmt.Errorf("a small block of %d bytes: 1 to %d are allowed", len(b.Data), MaxSmall)
		}
	}
	blocks, err := s.putAll(ctx, small)
	if s.squeeze(err) {
		blocks, err = s.putAll(ctx, small)
	}
	return blocks, err
}

func (s *Store) putAll(ctx context.Context, small []Small) ([]namespace.Block, error) {
	blocks := make([]namespace.Block, len(small))
	puts := make([]*put, 0, len(small))
	for i, b := range small {
		rec, blk := encodeRecord(b.ID, b.Data)
		blocks[i] = blk
		// The writer looks again, but should not be kept waiting by what can be seen here.
		there, err := s.have(blk)
		if err != nil {
			return nil, err
		}
		if !there {
			puts = append(puts, &put{blk: blk, rec: rec, given: true, done: make(chan error, 1)})
		}
	}
	if err := s.submitAll(ctx, puts); err != nil {
		return nil, err
	}
	return blocks, nil
}

// submitAll queues puts and waits for all of them. It gives the first error there is.
func (s *Store) submitAll(ctx context.Context, puts []*put) error {
	if err := s.Err(); err != nil {
		return err
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if len(puts) > 0 && !s.queue.Put(puts...) {
		return errClosed
	}
	var first error
	for _, p := range puts {
		select {
		case err := <-p.done:
			if first == nil {
				first = err
			}
		case <-ctx.Done():
			// Unlike that of Put the blocks must stay: another may have been told meanwhile that they are there.
			return ctx.Err()
		}
	}
	return first
}

// have tells whether a block is there, durable and with the content that is stated: all of it is read. A copy that is not
// whole is taken out of use: what is about to be stored is better.
func (s *Store) have(b namespace.Block) (bool, error) {
	for {
		if _, ok := s.Has(b.ID); !ok {
			return false, nil
		}
		found, at, err := s.describe(b.ID)
		if err == nil && found == b && at.segment == 0 { // only what stands behind it was read
			err = s.Verify(context.Background(), b)
		}
		var corrupt *CorruptError
		switch {
		case errors.As(err, &corrupt):
			taken, err := s.quarantine(b.ID, at, corrupt)
			if taken {
				s.tell(corrupt)
			}
			if err != nil {
				return false, err
			}
		case err != nil:
			return false, err
		case found != b:
			return false, fmt.Errorf("%w: block %s has %d bytes with checksum %08x, not %d with %08x",
				ErrOtherContent, b.ID, found.Length, found.CRC, b.Length, b.CRC)
		default:
			return true, s.syncNames(at)
		}
	}
}

// screen answers the puts of blocks that are there and gives those to be written. Called with writing held.
func (s *Store) screen(batch []*put) []*put {
	write := batch[:0:0]
	for _, p := range batch {
		if p.given {
			if there, err := s.have(p.blk); there || err != nil {
				p.done <- err
				continue
			}
		}
		write = append(write, p)
	}
	return write
}
