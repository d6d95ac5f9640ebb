package blocks

import (
	"context"

	"google.golang.org/grpc"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/internal/vfs"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Usage implements api.BlocksServer.
func (s *Service) Usage(context.Context, *api.UsageRequest) (*api.UsageResponse, error) {
	p := s.Placed
	u := p.local.store.Usage()
	resp := &api.UsageResponse{
		Node: p.self.Node[:], Blocks: int64(u.Blocks), DiskBytes: u.DiskBytes, DeadBytes: u.DeadBytes, TrashBytes: u.TrashBytes,
		MemoryBytes: u.MemoryBytes, CacheBytes: u.CacheBytes + p.cache.bytes(), FreeBytes: vfs.Free(p.local.cfg.FS), Bad: p.local.bad.count(),
	}
	if n, ok := p.log.State().Node(p.self.Node); ok {
		resp.Name = n.Name
	}
	if s.Standing != nil {
		resp.Missing, resp.CheckedIndex = s.Standing()
	}
	return resp, nil
}

// listed is how many blocks one message of a listing has.
const listed = 16 << 10

// List implements api.BlocksServer.
func (s *Service) List(_ *api.ListRequest, stream grpc.ServerStreamingServer[api.ListResponse]) error {
	var list []namespace.Block
	send := func() error {
		err := stream.Send(&api.ListResponse{Blocks: namespace.PackBlocks(list)})
		list = list[:0]
		return err
	}
	for id := range s.Placed.local.IDs() {
		length, ok := s.Placed.local.store.Has(id)
		if !ok {
			continue // it has gone meanwhile
		}
		if list = append(list, namespace.Block{ID: id, Length: length}); len(list) == listed {
			if err := send(); err != nil {
				return err
			}
		}
	}
	if len(list) == 0 {
		return nil
	}
	return send()
}
