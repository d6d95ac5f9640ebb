package blocks

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/sdfs/block"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Examine reads all of a block from disk of which only the id is known. A copy that is not what its disk file says of it is taken
// out of use, and the error is a *block.CorruptError. here is false where there is no such block.
func (l *Local) Examine(ctx context.Context, id namespace.BlockID) (b namespace.Block, here bool, err error) {
	b, here, err = l.store.Examine(ctx, id)
	var corrupt *block.CorruptError
	if errors.As(err, &corrupt) {
		l.lost(corrupt)
	}
	return b, here, err
}

// damages are the copies that were found damaged, by whomever: the last ones, and the number of all. It is safe for concurrent use.
type damages struct {
	mu   sync.Mutex
	all  int64
	last []*block.CorruptError
}

// mostDamages is how many are remembered.
const mostDamages = 1000

func (d *damages) add(e *block.CorruptError) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all++
	if d.last = append(d.last, e); len(d.last) > mostDamages {
		d.last = slices.Delete(d.last, 0, 1)
	}
}

func (d *damages) count() int64 {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.all
}

// since gives those after the first n, and the number of all.
func (d *damages) since(n int64) ([]*block.CorruptError, int64) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.last[max(0, int64(len(d.last))-(d.all-n)):]), d.all
}

// tellEvery is how often a check tells how far it has come.
const tellEvery = 500 * time.Millisecond

// Check implements api.BlocksServer.
func (s *Service) Check(req *api.CheckRequest, stream grpc.ServerStreamingServer[api.CheckResponse]) error {
	ctx, l := stream.Context(), s.Placed.local
	usage := l.store.Usage()
	resp := &api.CheckResponse{Total: usage.DiskBytes}
	var whole []namespace.Block
	told := time.Now()
	known := l.bad.count() // others find damage, too, and then this check does not
	if req.Bad != nil {
		known = min(known, req.GetBad())
	}
	tell := func() error {
		var found []*block.CorruptError
		found, known = l.bad.since(known)
		for _, e := range found {
			resp.Faults = append(resp.Faults, &api.Fault{Block: e.Block[:], Path: e.Path, Offset: e.Offset, Reason: e.Reason})
		}
		resp.Whole = namespace.PackBlocks(whole)
		err := stream.Send(resp)
		resp = &api.CheckResponse{Done: resp.GetDone(), Total: max(resp.GetTotal(), resp.GetDone())}
		whole, told = whole[:0], time.Now()
		return err
	}
	if err := tell(); err != nil {
		return err
	}
	for id := range l.store.IDs(req.GetFrom(), req.GetTo()) {
		b, here, err := l.Examine(ctx, id)
		if ctx.Err() != nil {
			return StatusOf(ctx.Err())
		}
		var corrupt *block.CorruptError
		switch {
		case errors.As(err, &corrupt):
		case err != nil: // the disk does not give it
			resp.Faults = append(resp.Faults, &api.Fault{Block: id[:], Reason: err.Error()})
		case here:
			whole = append(whole, b)
			resp.Done += int64(b.Length)
		}
		if len(whole) >= listed || l.bad.count()-known >= mostDamages/2 || len(resp.GetFaults()) >= mostDamages || time.Since(told) >= tellEvery {
			if err := tell(); err != nil {
				return err
			}
		}
	}
	return tell()
}
