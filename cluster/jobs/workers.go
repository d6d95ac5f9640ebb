package jobs

import (
	"context"

	"google.golang.org/grpc"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/connect"
)

// WorkersService is a worker as other servers ask it. The methods are described in the .proto file.
type WorkersService struct {
	api.UnimplementedWorkersServer
	Worker *Worker
}

// Run implements api.WorkersServer.
func (s *WorkersService) Run(stream grpc.BidiStreamingServer[api.PartRequest, api.PartResponse]) error {
	return s.Worker.Run(stream, nil)
}

// scan finds the splitter that a request is about. leave must follow if there is no error.
func (s *WorkersService) scan(ctx context.Context, name *api.ScanName) (*splitter, func(), error) {
	p, err := s.Worker.find(ctx, name.GetJob(), name.GetAttempt())
	if err != nil {
		return nil, nil, err
	}
	sp, err := p.splitter(ctx, name)
	if err != nil {
		p.leave()
		return nil, nil, err
	}
	return sp, p.leave, nil
}

// Take implements api.WorkersServer.
func (s *WorkersService) Take(ctx context.Context, req *api.TakeRequest) (*api.TakeResponse, error) {
	sp, leave, err := s.scan(ctx, req.GetScan())
	if err != nil {
		return nil, err
	}
	defer leave()
	for _, at := range req.GetEnded() {
		sp.End(int(at))
	}
	node, err := idOf(req.GetNode())
	if err != nil {
		return nil, err
	}
	got, err := sp.run(node, int(min(req.GetMost(), mostAtOnce)))
	return &api.TakeResponse{Splits: ints[int64](got.Splits), Count: ints[int64](got.Count)}, err
}

// Count implements api.WorkersServer.
func (s *WorkersService) Count(ctx context.Context, req *api.CountRequest) (*api.CountResponse, error) {
	sp, leave, err := s.scan(ctx, req.GetScan())
	if err != nil {
		return nil, err
	}
	defer leave()
	for _, t := range req.GetTallies() {
		if t.GetWithdrawn() {
			sp.Withdraw(int(t.GetSplit()))
			continue
		}
		sp.Publish(int(t.GetSplit()), connect.Tally{Quotes: t.GetQuotes(), Lines: t.GetLines()})
	}
	if req.Before == nil {
		return &api.CountResponse{}, nil
	}
	return sp.counted(ctx, req.GetBefore())
}

// Left implements api.WorkersServer.
func (s *WorkersService) Left(ctx context.Context, req *api.LeftRequest) (*api.LeftResponse, error) {
	sp, leave, err := s.scan(ctx, req.GetScan())
	if err != nil {
		return nil, err
	}
	defer leave()
	left, err := sp.Left(ctx, int(min(req.GetBefore(), int64(sp.count))))
	return &api.LeftResponse{Splits: ints[int64](left)}, err
}
