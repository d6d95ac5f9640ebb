package blocks

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/block"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Service gives this server's blocks to the others; whoever registers it sees to who may call. The methods are described in
// the .proto file.
type Service struct {
	api.UnimplementedBlocksServer
	Placed *Placed
	// Standing tells how many blocks that should be here are not, and by which index of the log they were counted; nil: nobody counts.
	Standing func() (missing int64, index uint64)
	// Free judges, where this server leads, which blocks nobody can want any more.
	Free func(ctx context.Context, ids []namespace.BlockID, index uint64) ([]bool, error)
}

func (s *Service) answer() *api.PutResponse {
	self := s.Placed.self
	return &api.PutResponse{Node: self.Node[:], Incarnation: self.Incarnation}
}

// Put implements api.BlocksServer.
func (s *Service) Put(stream grpc.ClientStreamingServer[api.PutRequest, api.PutResponse]) error {
	if err := s.put(stream); err != nil {
		return StatusOf(err)
	}
	return stream.SendAndClose(s.answer())
}

func (s *Service) put(stream grpc.ClientStreamingServer[api.PutRequest, api.PutResponse]) error {
	first, err := stream.Recv()
	if err != nil {
		return err
	}
	id, err := idOf(first.GetId())
	if err != nil {
		return err
	}
	w, err := s.Placed.local.NewBlock(stream.Context(), HeadOf(first.GetHead()), id)
	if err != nil {
		return err
	}
	end, err := Receive(stream, w)
	if err == nil && end.ID != id {
		err = status.Error(codes.InvalidArgument, "another block ends than began")
	}
	if err != nil {
		return errors.Join(err, w.Abort())
	}
	return w.Finish(end)
}

// Receive writes what comes of a block, and gives what it must be.
func Receive(stream interface {
	Recv() (*api.PutRequest, error)
}, w io.Writer) (namespace.Block, error) {
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return namespace.Block{}, status.Error(codes.InvalidArgument, "the block does not end")
		}
		if err != nil {
			return namespace.Block{}, err
		}
		if m.GetEnd() != nil {
			return FromMessage(m.GetEnd())
		}
		if _, err := w.Write(m.GetData()); err != nil {
			return namespace.Block{}, err
		}
	}
}

func idOf(b []byte) (namespace.BlockID, error) {
	if len(b) != 16 {
		return namespace.BlockID{}, status.Errorf(codes.InvalidArgument, "an id of %d bytes", len(b))
	}
	return namespace.BlockID(b), nil
}

// PutSmall implements api.BlocksServer.
func (s *Service) PutSmall(ctx context.Context, req *api.PutSmallRequest) (*api.PutResponse, error) {
	small := make([]Small, len(req.GetBlocks()))
	for i, m := range req.GetBlocks() {
		b, err := FromMessage(m.GetBlock())
		if err != nil {
			return nil, err
		}
		small[i] = Small{Block: b, Data: m.GetData()}
	}
	if err := s.Placed.local.PutSmall(ctx, HeadOf(req.GetHead()), small); err != nil {
		return nil, StatusOf(err)
	}
	return s.answer(), nil
}

// Get implements api.BlocksServer.
func (s *Service) Get(req *api.GetRequest, stream grpc.ServerStreamingServer[api.BlockData]) error {
	return StatusOf(s.Placed.give(req, stream, func(b namespace.Block, from, to int64, sink func([]byte) error) error {
		if !s.Placed.local.Has(b) {
			return status.Errorf(codes.NotFound, "block %s is not here", b.ID)
		}
		_, err := s.Placed.getLocal(stream.Context(), b, from, to, sink)
		return err
	}, s.Placed.local.Sums))
}

// give answers a GetRequest with what read gives.
func (p *Placed) give(req *api.GetRequest, stream grpc.ServerStreamingServer[api.BlockData],
	read func(b namespace.Block, from, to int64, sink func([]byte) error) error,
	sums func(context.Context, namespace.Block) ([]uint32, error),
) error {
	b, err := FromMessage(req.GetBlock())
	if err != nil {
		return err
	}
	from, to := int64(req.GetFrom()), int64(req.GetTo())
	if from >= to || to > int64(b.Length) || from%block.Chunk != 0 || to%block.Chunk != 0 && to != int64(b.Length) ||
		b.Length <= block.MaxSmall && (from != 0 || to != int64(b.Length)) {
		return status.Errorf(codes.InvalidArgument, "bytes %d to %d of a block of %d", from, to, b.Length)
	}
	if req.GetSums() && b.Length > block.MaxSmall {
		list, err := sums(stream.Context(), b)
		if err != nil {
			return err
		}
		if err := stream.Send(&api.BlockData{Sums: list}); err != nil {
			return err
		}
	}
	return read(b, from, to, func(part []byte) error { return stream.Send(&api.BlockData{Data: part}) })
}

// Give answers a GetRequest with a block from wherever there is a copy that is whole, or from the server that it names. The error is a
// status.
func (p *Placed) Give(req *api.GetRequest, stream grpc.ServerStreamingServer[api.BlockData]) error {
	if len(req.GetNode()) > 0 {
		return p.giveFrom(req, stream)
	}
	return StatusOf(p.give(req, stream, func(b namespace.Block, from, to int64, sink func([]byte) error) error {
		_, err := p.ReadTo(stream.Context(), b, from, to, func(_ int64, part []byte) error { return sink(part) })
		return err
	}, p.Sums))
}

// Fetch implements api.BlocksServer.
func (s *Service) Fetch(ctx context.Context, req *api.FetchRequest) (*api.PutResponse, error) {
	b, err := FromMessage(req.GetBlock())
	if err != nil {
		return nil, err
	}
	var from []state.ID
	for _, f := range req.GetFrom() {
		id, err := idOf(f)
		if err != nil {
			return nil, err
		}
		from = append(from, state.ID(id))
	}
	if err := s.Placed.Fetch(ctx, HeadOf(req.GetHead()), b, from); err != nil {
		return nil, StatusOf(err)
	}
	return s.answer(), nil
}

// Have implements api.BlocksServer.
func (s *Service) Have(ctx context.Context, req *api.HaveRequest) (*api.HaveResponse, error) {
	p := s.Placed
	st := p.log.State()
	if index := max(req.GetEpoch(), req.GetIndex()); index > st.Index() {
		wait, cancel := context.WithTimeout(ctx, admitTime)
		defer cancel()
		var err error
		if st, err = p.log.WaitApplied(wait, index); err != nil {
			return nil, status.Error(codes.Aborted, "this server is behind in the log")
		}
	}
	if req.GetRead() { // the asker may give up its copy for what is said here
		p.local.Confirming(true)
		defer p.local.Confirming(false)
	}
	resp := &api.HaveResponse{Node: p.self.Node[:], Incarnation: p.self.Incarnation, Epoch: st.Epoch()}
	for _, m := range req.GetBlocks() {
		b, err := FromMessage(m)
		if err != nil {
			return nil, err
		}
		has := p.local.Has(b)
		if has && req.GetRead() {
			has = p.local.Verify(ctx, b) == nil
			if err := ctx.Err(); err != nil {
				return nil, StatusOf(err)
			}
		}
		resp.Have = append(resp.Have, has)
	}
	return resp, nil
}

// MayFree implements api.BlocksServer.
func (s *Service) MayFree(ctx context.Context, req *api.MayFreeRequest) (*api.MayFreeResponse, error) {
	ids := make([]namespace.BlockID, len(req.GetIds()))
	for i, raw := range req.GetIds() {
		var err error
		if ids[i], err = idOf(raw); err != nil {
			return nil, err
		}
	}
	may, err := s.Free(ctx, ids, req.GetIndex())
	if err != nil {
		return nil, StatusOf(err)
	}
	return &api.MayFreeResponse{May: may}, nil
}
