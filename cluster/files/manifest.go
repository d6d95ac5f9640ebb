package files

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// manifest is what a file holds, as of an index.
type manifest struct {
	index uint64
	file  *namespace.File // nil: there is no such file
}

// blocksPerMessage is how many blocks one message of a manifest has: 24 bytes each.
const blocksPerMessage = 16 << 10

// receive opens a file on a server.
func receive(ctx context.Context, conn grpc.ClientConnInterface, req *api.OpenRequest) (*manifest, error) {
	stream, err := api.NewFilesClient(conn).Open(ctx, req)
	if err != nil {
		return nil, err
	}
	var m manifest
	var list []namespace.Block
	for {
		resp, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		if f := resp.GetFile(); f != nil {
			m.index = resp.GetIndex()
			m.file = &namespace.File{
				ID: f.GetId(), Generation: f.GetGeneration(), Version: f.GetVersion(), Created: f.GetCreatedMicros(), Modified: f.GetModifiedMicros(),
			}
		}
		part, err := namespace.UnpackBlocks(resp.GetBlocks())
		if err != nil {
			return nil, err
		}
		list = append(list, part...)
	}
	if m.file != nil {
		m.file.Blocks = namespace.Blocks{}.Append(list...)
	}
	return &m, nil
}

// send gives a file to a client.
func send(stream grpc.ServerStreamingServer[api.OpenResponse], index uint64, name string, f *namespace.File) error {
	first := &api.OpenResponse{Index: index, File: Message(name, f)}
	list := make([]namespace.Block, 0, min(blocksPerMessage, f.Blocks.Len()))
	for _, b := range f.Blocks.All() {
		list = append(list, b)
		if len(list) == blocksPerMessage {
			first.Blocks = namespace.PackBlocks(list)
			if err := stream.Send(first); err != nil {
				return err
			}
			first, list = &api.OpenResponse{}, list[:0]
		}
	}
	first.Blocks = namespace.PackBlocks(list)
	return stream.Send(first)
}

// Message is what the wire has for a file.
func Message(name string, f *namespace.File) *api.File {
	return &api.File{
		Name: name, Id: f.ID, Generation: f.Generation, Version: f.Version, Bytes: f.Blocks.Size(), Blocks: int64(f.Blocks.Len()),
		CreatedMicros: f.Created, ModifiedMicros: f.Modified,
	}
}
