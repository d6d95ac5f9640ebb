package blocks

import (
	"context"
	"errors"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/block"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// giveFrom answers a GetRequest with the copy of the server that it names, and with no other.
func (p *Placed) giveFrom(req *api.GetRequest, stream grpc.ServerStreamingServer[api.BlockData]) error {
	id, err := idOf(req.GetNode())
	if err != nil {
		return err
	}
	s := &source{p: p, v: p.View(), node: state.ID(id)}
	return s.status(p.give(req, stream, func(b namespace.Block, from, to int64, sink func([]byte) error) error {
		return s.read(stream.Context(), b, from, to, sink)
	}, s.sums))
}

// source is one server from which blocks are read.
type source struct {
	p    *Placed
	v    *View
	node state.ID
}

func (s *source) read(ctx context.Context, b namespace.Block, from, to int64, sink func([]byte) error) error {
	if s.node == s.p.self.Node && !s.p.local.Has(b) {
		return status.Errorf(codes.NotFound, "block %s is not here", b.ID)
	}
	_, err := s.p.getPatiently(ctx, s.v, s.node, b, from, to, 5*s.p.slow, sink)
	return err
}

// sums gives the checksums of a large block's chunks: they prove themselves by that of the block, wherever they come from.
func (s *source) sums(ctx context.Context, b namespace.Block) ([]uint32, error) {
	if sums, ok := s.p.sums.Get(b.ID); ok {
		return sums, nil
	}
	if s.node == s.p.self.Node {
		if !s.p.local.Has(b) {
			return nil, status.Errorf(codes.NotFound, "block %s is not here", b.ID)
		}
		return s.p.local.Sums(ctx, b)
	}
	if err := s.read(ctx, b, 0, min(block.Chunk, int64(b.Length)), func([]byte) error { return nil }); err != nil {
		return nil, err
	}
	sums, ok := s.p.sums.Get(b.ID)
	if !ok {
		return nil, errors.New("it gave no checksums")
	}
	return sums, nil
}

// status says whose an error is.
func (s *source) status(err error) error {
	if err == nil {
		return nil
	}
	var loss *lossError
	if errors.As(err, &loss) {
		err = status.Error(codes.NotFound, loss.text)
	}
	st := status.Convert(StatusOf(err))
	return status.Errorf(st.Code(), "%s: %s", s.v.Name(s.node), st.Message())
}
