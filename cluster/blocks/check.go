package blocks

import (
	"context"
	"errors"
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

// tellEvery is how often a check tells how far it has come.
const tellEvery = 500 * time.Millisecond

// Check implements api.BlocksServer.
func (s *Service) Check(req *api.CheckRequest, stream grpc.ServerStreamingServer[api.CheckResponse]) error {
	ctx, l := stream.Context(), s.Placed.local
	usage := l.store.Usage()
	resp := &api.CheckResponse{Total: usage.DiskBytes}
	var whole []namespace.Block
	told := time.Now()
	tell := func() error {
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
		switch {
		case err != nil:
			resp.Faults = append(resp.Faults, faultOf(id, err))
		case here:
			whole = append(whole, b)
			resp.Done += int64(b.Length)
		}
		if len(whole) >= listed || len(resp.GetFaults()) >= 1000 || time.Since(told) >= tellEvery {
			if err := tell(); err != nil {
				return err
			}
		}
	}
	return tell()
}

// faultOf is what the wire has for a copy that is not whole, or that the disk does not give.
func faultOf(id namespace.BlockID, err error) *api.Fault {
	f := &api.Fault{Block: id[:], Reason: err.Error()}
	var corrupt *block.CorruptError
	if errors.As(err, &corrupt) {
		f.Path, f.Offset, f.Reason = corrupt.Path, corrupt.Offset, corrupt.Reason
	}
	return f
}
