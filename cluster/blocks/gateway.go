package blocks

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"strings"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/block"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Gateway writes and reads blocks by way of any server, for those who are none. It checks what it reads itself. All methods
// may be called concurrently.
type Gateway struct {
	call  Call
	most  int64
	node  []byte // of whose copies it reads; empty: of any
	sums  sums
	cache *chunks
}

// Call calls one server after the other until one answers; a long call may take as long as it likes.
type Call func(ctx context.Context, long bool, call func(context.Context, grpc.ClientConnInterface) error) error

// NewGateway is a Gateway whose blocks have at most so many bytes, each of which it holds in memory until it is stored, and which keeps
// as much as cacheBytes of what it reads in small pieces.
func NewGateway(call Call, blockBytes, cacheBytes int64) *Gateway {
	return &Gateway{call: call, most: blockBytes, sums: newSums(), cache: newChunks(cacheBytes)}
}

// From is a Gateway that reads the copies of one server only.
func (g *Gateway) From(node state.ID) *Gateway {
	from := NewGateway(g.call, g.most, g.cache.most)
	from.node = node[:]
	return from
}

// lostTries is how many servers may say that there is no copy of a block before that is believed: one that is cut off from the others does not
// know.
const lostTries = 3

// Read fills dst with a block's bytes from off on; see Placed.Read. Where there is no copy that is whole the error is a
// *block.CorruptError.
func (g *Gateway) Read(ctx context.Context, b namespace.Block, off int64, dst []byte, keep bool) error {
	return g.cache.read(b, off, dst, keep, func(from, to int64, sink func(at int64, part []byte) error) error {
		at, lost := from, 0
		var loss *lossError
		err := g.call(ctx, true, func(ctx context.Context, conn grpc.ClientConnInterface) error {
			loss = nil
			read := func(ctx context.Context, req *api.GetRequest, opts ...grpc.CallOption) (grpc.ServerStreamingClient[api.BlockData], error) {
				req.Node = g.node
				return api.NewFilesClient(conn).Read(ctx, req, opts...)
			}
			_, err := g.sums.receive(ctx, read, b, at, to, func(part []byte) error {
				err := sink(at, part)
				at += int64(len(part))
				return err
			})
			if errors.As(err, &loss) {
				if lost++; lost >= lostTries || len(g.node) > 0 {
					return status.Error(codes.DataLoss, loss.text)
				}
			}
			if err != nil && status.Code(err) == codes.Unknown && ctx.Err() == nil {
				return status.Error(codes.Aborted, err.Error()) // another server may do better
			}
			return err
		})
		switch {
		case err == nil || loss == nil || ctx.Err() != nil:
			return err
		case len(g.node) > 0:
			return loss
		}
		return &block.CorruptError{Block: b.ID, Chunk: -1, Reason: strings.TrimPrefix(loss.text, fmt.Sprintf("block %s: ", b.ID))}
	})
}

// PutSmall stores a small block.
func (g *Gateway) PutSmall(ctx context.Context, h Head, data []byte) (namespace.Block, []state.Holder, error) {
	w := g.newBlock(ctx, h)
	if _, err := w.Write(data); err != nil {
		return namespace.Block{}, nil, err
	}
	return w.Finish()
}

// Ensure has enough servers store a block that some had; see Placed.Ensure.
func (g *Gateway) Ensure(ctx context.Context, h Head, b namespace.Block, holders []state.Holder) ([]state.Holder, error) {
	req := &api.EnsureRequest{Head: headMessage(h), Block: Message(b)}
	for _, n := range holders {
		req.Holders = append(req.Holders, &api.PutResponse{Node: n.Node[:], Incarnation: n.Incarnation})
	}
	var resp *api.StageResponse
	err := g.call(ctx, true, func(ctx context.Context, conn grpc.ClientConnInterface) (err error) {
		resp, err = api.NewFilesClient(conn).Ensure(ctx, req)
		return err
	})
	if err != nil {
		return nil, err
	}
	return HoldersOf(resp.GetHolders())
}

// HoldersOf reads off the wire who has a block.
func HoldersOf(list []*api.PutResponse) ([]state.Holder, error) {
	holders := make([]state.Holder, len(list))
	for i, m := range list {
		var err error
		if holders[i], err = holderOf(m.GetNode(), m.GetIncarnation()); err != nil {
			return nil, err
		}
	}
	return holders, nil
}

// NewBlock begins a large block.
func (g *Gateway) NewBlock(ctx context.Context, h Head) (BlockWriter, error) {
	return g.newBlock(ctx, h), nil
}

// BlockWriter writes a block and tells who has it. It is used by one goroutine.
type BlockWriter interface {
	Write(p []byte) (int, error)
	Room() int64
	Finish() (namespace.Block, []state.Holder, error)
	Abort()
}

func (g *Gateway) newBlock(ctx context.Context, h Head) *gatewayWriter {
	w := &gatewayWriter{g: g, head: h, done: make(chan struct{})}
	w.more.L = &w.mu
	ctx, w.quit = context.WithCancel(ctx)
	go w.run(ctx)
	return w
}

// gatewayWriter sends a block to a server while it is written, and keeps it to send it to another should that one fail.
type gatewayWriter struct {
	g    *Gateway
	head Head
	quit context.CancelFunc
	done chan struct{}

	mu    sync.Mutex
	more  sync.Cond
	parts [][]byte
	size  int64
	crc   uint32
	whole bool

	resp *api.StageResponse // once done
	err  error
}

// Room is how many bytes the block still takes.
func (w *gatewayWriter) Room() int64 { return w.g.most - w.size }

// Write adds bytes, at most Room of them.
func (w *gatewayWriter) Write(p []byte) (int, error) {
	if int64(len(p)) > w.Room() {
		return 0, fmt.Errorf("%d bytes more than the block takes", int64(len(p))-w.Room())
	}
	select {
	case <-w.done:
		return 0, w.err
	default:
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for part := range slices.Chunk(p, messageBytes) {
		w.parts = append(w.parts, slices.Clone(part))
	}
	w.size += int64(len(p))
	w.crc = crc32.Update(w.crc, castagnoli, p)
	w.more.Signal()
	return len(p), nil
}

// part gives a part once it is there; nil: there are no more.
func (w *gatewayWriter) part(ctx context.Context, i int) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for {
		switch {
		case ctx.Err() != nil:
			return nil, ctx.Err()
		case i < len(w.parts):
			return w.parts[i], nil
		case w.whole:
			return nil, nil
		}
		w.more.Wait()
	}
}

func (w *gatewayWriter) wake() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.more.Broadcast()
}

func (w *gatewayWriter) run(ctx context.Context) {
	defer close(w.done)
	defer w.quit()
	w.err = w.g.call(ctx, true, func(ctx context.Context, conn grpc.ClientConnInterface) (err error) {
		// Of the context that part looks at: one above it ends first, and who is woken by that would go back to sleep.
		stop := context.AfterFunc(ctx, w.wake)
		defer stop()
		id := block.NewID() // a server that was given up may be storing what came of the first
		stream, err := api.NewFilesClient(conn).Stage(ctx)
		if err != nil {
			return err
		}
		if err := stream.Send(&api.PutRequest{Head: headMessage(w.head), Id: id[:]}); err == nil {
			err = w.send(ctx, stream, id)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			_ = err // the server says why it took no more
		}
		w.resp, err = stream.CloseAndRecv()
		return err
	})
	if w.err != nil && errors.Is(w.err, context.Canceled) {
		w.err = context.Canceled
	}
}

func (w *gatewayWriter) send(ctx context.Context, stream grpc.ClientStreamingClient[api.PutRequest, api.StageResponse], id namespace.BlockID) error {
	for i := 0; ; i++ {
		part, err := w.part(ctx, i)
		if err != nil {
			return err
		}
		if part == nil {
			return stream.Send(&api.PutRequest{End: Message(namespace.Block{ID: id, Length: uint32(w.size), CRC: w.crc})})
		}
		if err := stream.Send(&api.PutRequest{Data: part}); err != nil {
			return err
		}
	}
}

// Finish completes the block and tells who has it.
func (w *gatewayWriter) Finish() (namespace.Block, []state.Holder, error) {
	w.mu.Lock()
	w.whole = true
	w.more.Signal()
	w.mu.Unlock()
	<-w.done
	if w.err != nil {
		return namespace.Block{}, nil, w.err
	}
	b, err := FromMessage(w.resp.GetBlock())
	if err == nil && (int64(b.Length) != w.size || b.CRC != w.crc) {
		err = errors.New("the server stored something else than the block")
	}
	if err != nil {
		return b, nil, err
	}
	holders, err := HoldersOf(w.resp.GetHolders())
	return b, holders, err
}

// Abort gives the block up.
func (w *gatewayWriter) Abort() {
	w.quit()
	<-w.done
}
