package files

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/blocks"
	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Remote is the file store of a cluster by way of any of its servers, with what a store on one disk has not: servers. All methods may be
// called concurrently.
type Remote struct {
	*sdfs.Store
	cl      *client.Client
	gateway *blocks.Gateway
	backend *Backend
}

// cacheBytes bounds what a client keeps of what it reads in small pieces.
const cacheBytes = 64 << 20

// Connect is a Remote. The client stays the caller's, and must outlive the store.
func Connect(cl *client.Client) *Remote {
	g := blocks.NewGateway(cl.Call, ClientBlock, cacheBytes)
	b := New(cl, g)
	return &Remote{Store: sdfs.New(b, Sizes), cl: cl, gateway: g, backend: b}
}

// From is the store as it is read from one server's copies alone. It must be closed like any store.
func (r *Remote) From(node state.ID) *sdfs.Store {
	return sdfs.New(New(r.cl, r.gateway.From(node)), Sizes)
}

// Locate tells where the blocks of a file are and where they belong.
func (r *Remote) Locate(ctx context.Context, name string) ([]*api.LocateResponse, error) {
	if err := sdfs.CheckName(name); err != nil {
		return nil, err
	}
	var list []*api.LocateResponse
	found := false
	err := r.cl.Call(ctx, true, func(ctx context.Context, conn grpc.ClientConnInterface) error {
		list, found = nil, false
		stream, err := api.NewFilesClient(conn).Locate(ctx, &api.LocateRequest{Name: name})
		return receiveAll(stream, err, func(resp *api.LocateResponse) {
			if resp.GetFile() != nil {
				found = true
			} else {
				list = append(list, resp)
			}
		})
	})
	if err == nil && !found {
		err = notFound(name)
	}
	return list, err
}

// receiveAll gives the messages of an answer to take.
func receiveAll[M any](stream grpc.ServerStreamingClient[M], err error, take func(*M)) error {
	for err == nil {
		var m *M
		if m, err = stream.Recv(); err == nil {
			take(m)
		}
	}
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// Servers tells what the files are and what each server holds.
func (r *Remote) Servers(ctx context.Context) (resp *api.FilesUsageResponse, err error) {
	err = r.cl.Call(ctx, false, func(ctx context.Context, conn grpc.ClientConnInterface) (err error) {
		resp, err = api.NewFilesClient(conn).Usage(ctx, &api.FilesUsageRequest{})
		return err
	})
	return resp, err
}

// Held lists the blocks that a server holds, in the order of their ids.
func (r *Remote) Held(ctx context.Context, node state.ID) (list []*api.HeldBlock, err error) {
	err = r.cl.Call(ctx, true, func(ctx context.Context, conn grpc.ClientConnInterface) error {
		list = nil
		stream, err := api.NewFilesClient(conn).Held(ctx, &api.HeldRequest{Node: node[:]})
		return receiveAll(stream, err, func(resp *api.HeldResponse) { list = append(list, resp.GetBlocks()...) })
	})
	return list, err
}

// Merge puts the small blocks of a file together, on a server, and tells how many blocks it had before and has now.
func (r *Remote) Merge(ctx context.Context, name string) (before, after int64, err error) {
	if err := sdfs.CheckName(name); err != nil {
		return 0, 0, err
	}
	var resp *api.MergeResponse
	err = r.cl.Call(ctx, true, func(ctx context.Context, conn grpc.ClientConnInterface) (err error) {
		resp, err = api.NewFilesClient(conn).Merge(ctx, &api.MergeRequest{Name: name})
		return err
	})
	if err == nil {
		err = client.RefusalOf(resp.GetRefusal())
	}
	return resp.GetBefore(), resp.GetAfter(), err
}

// Check has all servers read all that they hold, and tells what is wrong; with repair it has them get the copies that lack. progress is told
// the bytes that were read and about how many there are. Should the server that was asked fail, another begins anew.
func (r *Remote) Check(ctx context.Context, repair bool, progress func(done, total int64)) (faults []*api.FileFault, report *api.FilesCheckReport, err error) {
	err = r.cl.Call(ctx, true, func(ctx context.Context, conn grpc.ClientConnInterface) error {
		faults, report = nil, nil
		stream, err := api.NewFilesClient(conn).Check(ctx, &api.FilesCheckRequest{Repair: repair})
		return receiveAll(stream, err, func(resp *api.FilesCheckResponse) {
			faults = append(faults, resp.GetFaults()...)
			if report = resp.GetReport(); resp.GetTotal() > 0 && progress != nil {
				progress(resp.GetDone(), resp.GetTotal())
			}
		})
	})
	if err == nil && report == nil {
		err = errors.New("the server did not end its report")
	}
	return faults, report, err
}

// AppendLocal has a server append a file of its own disk to a file of the store, in one step, and gives its size.
func (r *Remote) AppendLocal(ctx context.Context, node state.ID, path, name string) (int64, error) {
	if err := sdfs.CheckName(name); err != nil {
		return 0, err
	}
	size, err := r.backend.appendLocal(ctx, node, path, name)
	return size, r.backend.Explain(err)
}

// appendLocal has the server store the file under the lease of this store, and then names the blocks itself: so whatever is tried twice on
// the way, the file is appended once.
func (b *Backend) appendLocal(ctx context.Context, node state.ID, path, name string) (int64, error) {
	h, err := b.leases.take(ctx)
	if err != nil {
		return 0, err
	}
	defer b.leases.give(h.Lease)
	var parts []*api.StageResponse
	refused := ""
	err = b.cl.Call(ctx, true, func(ctx context.Context, conn grpc.ClientConnInterface) error {
		parts, refused = nil, ""
		req := &api.StageLocalRequest{Head: &api.PutHead{Lease: h.Lease, Index: h.Index}, Node: node[:], Path: path}
		stream, err := api.NewFilesClient(conn).StageLocal(ctx, req)
		return receiveAll(stream, err, func(resp *api.StageLocalResponse) {
			if resp.GetStaged() != nil {
				parts = append(parts, resp.GetStaged())
			}
			refused += resp.GetRefused()
		})
	})
	if err == nil && refused != "" {
		err = errors.New(refused)
	}
	if err != nil {
		return 0, err
	}
	e := namespace.Entry{Kind: namespace.Append, Name: name}
	size := int64(0)
	for _, m := range parts {
		blk, err := b.stageAnswer(m, h)
		if err != nil {
			b.freeAll(e.Blocks)
			return 0, err
		}
		e.Blocks = append(e.Blocks, blk)
		size += int64(blk.Length)
	}
	if len(parts) == 0 { // an empty file makes one, and changes none
		if _, err := b.Stat(ctx, name); !errors.Is(err, sdfs.ErrNotFound) {
			return 0, err
		}
	}
	return size, b.Propose(ctx, e)
}

// stageAnswer notes a block that a server has stored under a lease of this store.
func (b *Backend) stageAnswer(m *api.StageResponse, h blocks.Head) (namespace.Block, error) {
	blk, err := blocks.FromMessage(m.GetBlock())
	if err != nil {
		return blk, err
	}
	holders, err := blocks.HoldersOf(m.GetHolders())
	if err != nil {
		return blk, err
	}
	b.leases.more(h.Lease)
	b.stage(blk, h, holders)
	return blk, nil
}
