package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/blocks"
	"github.com/rainsql/rainsql/cluster/identity"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Cluster is what a server gives its file store.
type Cluster interface {
	blocks.Log
	// Propose has the leader apply an entry, wherever it is, and tells what came of it, or a status from which the client knows whether
	// it may have been applied.
	Propose(ctx context.Context, e state.Entry) (*api.ProposeResponse, error)
	// Pin has the leader note a pin, and gives an index at which all is applied that was acknowledged before.
	Pin(ctx context.Context, req *api.PinRequest) (*api.PinResponse, error)
	// Allow judges whether the caller of a service may do what needs a role.
	Allow(ctx context.Context, need identity.Role) error
}

// Service is the file store as a server gives it to clients. The methods are described in the .proto file.
type Service struct {
	api.UnimplementedFilesServer
	cluster  Cluster
	placed   *blocks.Placed
	own      *sdfs.Store
	appender *appender
}

// NewService is the service of a server. Its own file store merges files for clients, and the backend of that gives the lease under which
// appends are written. Close must follow.
func NewService(c Cluster, p *blocks.Placed, backend *Backend, own *sdfs.Store) *Service {
	return &Service{cluster: c, placed: p, own: own, appender: newAppender(c, p, backend.leases)}
}

// Close ends what appends are under way.
func (s *Service) Close() { s.appender.close() }

// Stage implements api.FilesServer.
func (s *Service) Stage(stream grpc.ClientStreamingServer[api.PutRequest, api.StageResponse]) error {
	if err := s.cluster.Allow(stream.Context(), identity.Write); err != nil {
		return err
	}
	b, holders, err := s.stage(stream)
	if err != nil {
		return blocks.StatusOf(err)
	}
	return stream.SendAndClose(StageResponse(b, holders))
}

// StageResponse is a block and who has it, as the wire has it.
func StageResponse(b namespace.Block, holders []state.Holder) *api.StageResponse {
	resp := &api.StageResponse{Block: blocks.Message(b)}
	for _, n := range holders {
		resp.Holders = append(resp.Holders, &api.PutResponse{Node: n.Node[:], Incarnation: n.Incarnation})
	}
	return resp
}

// stage stores a block that a client sends: a small one once all of it is there.
func (s *Service) stage(stream grpc.ClientStreamingServer[api.PutRequest, api.StageResponse]) (namespace.Block, []state.Holder, error) {
	first, err := stream.Recv()
	if err != nil {
		return namespace.Block{}, nil, err
	}
	st := &stager{s: s, ctx: stream.Context(), head: blocks.HeadOf(first.GetHead())}
	want, err := blocks.Receive(stream, st)
	if err != nil {
		st.abort()
		return want, nil, err
	}
	b, holders, err := st.finish()
	if err == nil && (b.Length != want.Length || b.CRC != want.CRC) {
		err = status.Errorf(codes.InvalidArgument, "the block came with %d bytes and checksum %08x, not with %d and %08x", b.Length, b.CRC, want.Length, want.CRC)
	}
	return b, holders, err
}

// stager writes a block of which it does not know yet whether it is small.
type stager struct {
	s     *Service
	ctx   context.Context //nolint:containedctx // of the call
	head  blocks.Head
	small []byte
	w     *blocks.Writer
}

func (t *stager) Write(p []byte) (int, error) {
	if t.w == nil && len(t.small)+len(p) <= Sizes.Small {
		t.small = append(t.small, p...)
		return len(p), nil
	}
	if t.w == nil {
		var err error
		if t.w, err = t.s.placed.NewBlock(t.ctx, t.head); err != nil {
			return 0, err
		}
		if _, err := t.w.Write(t.small); err != nil {
			return 0, err
		}
	}
	return t.w.Write(p)
}

func (t *stager) abort() {
	if t.w != nil {
		t.w.Abort()
	}
}

func (t *stager) finish() (namespace.Block, []state.Holder, error) {
	if t.w != nil {
		return t.w.Finish()
	}
	if len(t.small) == 0 {
		return namespace.Block{}, nil, status.Error(codes.InvalidArgument, "an empty block")
	}
	list, holders, err := t.s.placed.PutSmall(t.ctx, t.head, [][]byte{t.small})
	if err != nil {
		return namespace.Block{}, nil, err
	}
	return list[0], holders, nil
}

// Ensure implements api.FilesServer.
func (s *Service) Ensure(ctx context.Context, req *api.EnsureRequest) (*api.StageResponse, error) {
	if err := s.cluster.Allow(ctx, identity.Write); err != nil {
		return nil, err
	}
	b, err := blocks.FromMessage(req.GetBlock())
	if err != nil {
		return nil, err
	}
	holders, err := blocks.HoldersOf(req.GetHolders())
	if err != nil {
		return nil, status.Error(codes.InvalidArgument, err.Error())
	}
	if holders, err = s.placed.Ensure(ctx, blocks.HeadOf(req.GetHead()), b, holders); err != nil {
		return nil, blocks.StatusOf(err)
	}
	return StageResponse(b, holders), nil
}

// Append implements api.FilesServer.
func (s *Service) Append(ctx context.Context, req *api.AppendRequest) (*api.ProposeResponse, error) {
	if err := s.cluster.Allow(ctx, identity.Write); err != nil {
		return nil, err
	}
	if n := len(req.GetData()); n == 0 || n > Sizes.Small {
		return nil, status.Errorf(codes.InvalidArgument, "an append of %d bytes: 1 to %d are allowed", n, Sizes.Small)
	}
	return s.appender.append(ctx, req)
}

// Open implements api.FilesServer.
func (s *Service) Open(req *api.OpenRequest, stream grpc.ServerStreamingServer[api.OpenResponse]) error {
	ctx := stream.Context()
	if err := s.cluster.Allow(ctx, identity.Read); err != nil {
		return err
	}
	pin, err := s.cluster.Pin(ctx, req.GetPin())
	if err != nil {
		return err
	}
	st, err := s.waitApplied(ctx, pin.GetIndex())
	if err != nil {
		return err
	}
	f, ok := st.Files().Get(req.GetName())
	if !ok {
		return nil
	}
	return send(stream, pin.GetIndex(), req.GetName(), f)
}

// openTime is how long a server that is behind in the log keeps a reader waiting.
const openTime = 2 * time.Second

// Pin implements api.FilesServer.
func (s *Service) Pin(ctx context.Context, req *api.PinRequest) (*api.PinResponse, error) {
	if err := s.cluster.Allow(ctx, identity.Read); err != nil {
		return nil, err
	}
	return s.cluster.Pin(ctx, req)
}

// Read implements api.FilesServer.
func (s *Service) Read(req *api.GetRequest, stream grpc.ServerStreamingServer[api.BlockData]) error {
	if err := s.cluster.Allow(stream.Context(), identity.Read); err != nil {
		return err
	}
	err := s.placed.Give(req, stream)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return err
}

// OnServer writes and reads blocks from a server itself.
func OnServer(p *blocks.Placed) Blocks { return onServer{p} }

type onServer struct{ *blocks.Placed }

func (o onServer) NewBlock(ctx context.Context, h blocks.Head) (blocks.BlockWriter, error) {
	w, err := o.Placed.NewBlock(ctx, h)
	if err != nil {
		return nil, err
	}
	return w, nil
}

func (o onServer) PutSmall(ctx context.Context, h blocks.Head, data []byte) (namespace.Block, []state.Holder, error) {
	list, holders, err := o.Placed.PutSmall(ctx, h, [][]byte{data})
	if err != nil {
		return namespace.Block{}, nil, fmt.Errorf("storing %d bytes: %w", len(data), err)
	}
	return list[0], holders, nil
}
