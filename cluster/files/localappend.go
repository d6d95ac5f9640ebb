package files

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/blocks"
	"github.com/rainsql/rainsql/cluster/identity"
	"github.com/rainsql/rainsql/cluster/state"
)

// StageLocal implements api.FilesServer.
func (s *Service) StageLocal(req *api.StageLocalRequest, stream grpc.ServerStreamingServer[api.StageLocalResponse]) error {
	ctx := stream.Context()
	if err := s.cluster.Allow(ctx, identity.Admin); err != nil {
		return err
	}
	id, err := nodeOf(req.GetNode())
	if err != nil {
		return err
	}
	v := s.placed.View()
	if id != s.placed.Self().Node {
		if req.GetForwarded() {
			return status.Errorf(codes.Aborted, "this is %s, not %s", v.Name(s.placed.Self().Node), v.Name(id))
		}
		if err := s.stageElsewhere(ctx, v, id, req, stream); err != nil {
			return status.Errorf(codes.Aborted, "%s: %s", v.Name(id), status.Convert(err).Message())
		}
		return nil
	}
	err = s.stageFile(ctx, blocks.HeadOf(req.GetHead()), req.GetPath(), func(part *api.StageResponse) error {
		return stream.Send(&api.StageLocalResponse{Staged: part})
	})
	var refused *localError
	if errors.As(err, &refused) {
		return stream.Send(&api.StageLocalResponse{Refused: fmt.Sprintf("%s: %s", v.Name(id), refused.Error())})
	}
	return blocks.StatusOf(err)
}

// stageElsewhere passes a request on to the server that it is about.
func (s *Service) stageElsewhere(ctx context.Context, v *blocks.View, id state.ID, req *api.StageLocalRequest, to grpc.ServerStreamingServer[api.StageLocalResponse]) error {
	conn, err := s.placed.Conn(v, id)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req.Forwarded = true
	stream, err := api.NewFilesClient(conn).StageLocal(ctx, req)
	if err != nil {
		return err
	}
	for {
		resp, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := to.Send(resp); err != nil {
			return err
		}
	}
}

// localError is what is wrong with a file of this server's own disk: another try would find the same.
type localError struct {
	path string
	err  error
}

func (e *localError) Error() string {
	var p *fs.PathError
	if errors.As(e.err, &p) {
		return fmt.Sprintf("%s: %v", e.path, p.Err)
	}
	return fmt.Sprintf("%s: %v", e.path, e.err)
}

// stageFile stores a file of this server's disk, as long as it is when it is opened, and tells of each block.
func (s *Service) stageFile(ctx context.Context, h blocks.Head, path string, tell func(*api.StageResponse) error) error {
	f, size, err := openRegular(path)
	if err != nil {
		return &localError{path, err}
	}
	defer func() { _ = f.Close() }() // only read
	in := io.NewSectionReader(f, 0, size)
	for left := size; left > 0; {
		n := min(left, blocks.MaxBlock)
		st := &stager{s: s, ctx: ctx, head: h}
		if err := fill(ctx, st, in, n); err != nil {
			st.abort()
			if errors.Is(err, io.ErrUnexpectedEOF) {
				err = &localError{path, errors.New("it became shorter while it was read")}
			}
			return err
		}
		b, holders, err := st.finish()
		if err != nil {
			return err
		}
		if err := tell(StageResponse(b, holders)); err != nil {
			return err
		}
		left -= n
	}
	return nil
}

// openRegular opens a file on a disk. A pipe or a device, which could keep a server waiting for ever, is none.
func openRegular(path string) (*os.File, int64, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a pipe's other end is not waited for
	if err != nil {
		return nil, 0, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is not a regular file")
	}
	if err != nil {
		_ = f.Close() // only opened
		return nil, 0, err
	}
	return f, info.Size(), nil
}

// fill writes n bytes of in.
func fill(ctx context.Context, w io.Writer, in io.Reader, n int64) error {
	buf := make([]byte, min(n, 1<<20))
	for n > 0 && ctx.Err() == nil {
		part := buf[:min(n, int64(len(buf)))]
		if _, err := io.ReadFull(in, part); err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		if _, err := w.Write(part); err != nil {
			return err
		}
		n -= int64(len(part))
	}
	return ctx.Err()
}
