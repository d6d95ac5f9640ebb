package files

import (
	"context"
	"errors"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/blocks"
	"github.com/rainsql/rainsql/cluster/identity"
	"github.com/rainsql/rainsql/sdfs"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Merge implements api.FilesServer. This server reads and writes the blocks, so that they do not travel to the client and back.
func (s *Service) Merge(ctx context.Context, req *api.MergeRequest) (*api.MergeResponse, error) {
	if err := s.cluster.Allow(ctx, identity.Write); err != nil {
		return nil, err
	}
	before, err := s.own.Stat(ctx, req.GetName())
	if err == nil {
		err = s.own.Merge(ctx, req.GetName())
	}
	var after sdfs.Info
	if err == nil {
		after, err = s.own.Stat(ctx, req.GetName())
	}
	var refused *namespace.Refusal
	switch {
	case errors.As(err, &refused):
		return &api.MergeResponse{Refusal: &api.Refusal{Reason: refused.Reason.Error(), Name: refused.Name, Detail: refused.Detail}}, nil
	case errors.Is(err, sdfs.ErrClosed):
		return nil, status.Error(codes.Aborted, "the server is stopping")
	case err != nil:
		if st := blocks.StatusOf(err); status.Code(st) != codes.Internal {
			return nil, st
		}
		return nil, status.Error(codes.Aborted, err.Error()) // merging again does no harm
	}
	return &api.MergeResponse{Before: int64(before.Blocks), After: int64(after.Blocks)}, nil
}
