package files

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/blocks"
	"github.com/rainsql/rainsql/cluster/identity"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/namespace"
	"github.com/rainsql/rainsql/sdfs/place"
)

// heldPerMessage is how many blocks one message has.
const heldPerMessage = 1000

// Held implements api.FilesServer.
func (s *Service) Held(req *api.HeldRequest, stream grpc.ServerStreamingServer[api.HeldResponse]) error {
	ctx := stream.Context()
	if err := s.cluster.Allow(ctx, identity.Read); err != nil {
		return err
	}
	id, err := nodeOf(req.GetNode())
	if err != nil {
		return err
	}
	list, err := s.list(ctx, id)
	if err != nil {
		return status.Errorf(codes.Aborted, "%s: %s", s.placed.View().Name(id), status.Convert(err).Message())
	}
	st, err := s.latest(ctx) // after that: what is named by then and was there is found
	if err != nil {
		return err
	}
	v := s.placed.ViewOf(st)
	files := nameBlocks(st.Files(), list)
	resp := &api.HeldResponse{}
	for i, b := range list {
		resp.Blocks = append(resp.Blocks, &api.HeldBlock{
			Block: blocks.Message(b), File: files[i].name, Offset: files[i].off, Owner: slices.Contains(v.Owners(place.Position(b.ID)), [16]byte(id)),
		})
		if len(resp.Blocks) == heldPerMessage {
			if err := stream.Send(resp); err != nil {
				return err
			}
			resp = &api.HeldResponse{}
		}
	}
	return stream.Send(resp)
}

func nodeOf(b []byte) (state.ID, error) {
	if len(b) != len(state.ID{}) {
		return state.ID{}, status.Errorf(codes.InvalidArgument, "a server's id of %d bytes", len(b))
	}
	return state.ID(b), nil
}

// list asks a server for all blocks that it has, in the order of their ids.
func (s *Service) list(ctx context.Context, id state.ID) ([]namespace.Block, error) {
	store, err := s.store(s.placed.View(), id)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	stream, err := store.List(ctx, &api.ListRequest{})
	if err != nil {
		return nil, err
	}
	var list []namespace.Block
	for {
		resp, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		part, err := namespace.UnpackBlocks(resp.GetBlocks())
		if err != nil {
			return nil, err
		}
		list = append(list, part...)
	}
}

// piece is where in a file a block is.
type piece struct {
	name string // empty: no file names it
	off  int64
}

// nameBlocks finds the files of blocks, which are in the order of their ids.
func nameBlocks(files *namespace.State, list []namespace.Block) []piece {
	found := make([]piece, len(list))
	for name, f := range files.Files("") {
		for off, b := range f.Blocks.All() {
			if i, ok := slices.BinarySearchFunc(list, b.ID, compareBlock); ok {
				found[i] = piece{name, off}
			}
		}
	}
	return found
}

func compareBlock(b namespace.Block, id namespace.BlockID) int { return bytes.Compare(b.ID[:], id[:]) }
