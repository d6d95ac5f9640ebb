package blocks

import (
	"context"
	"errors"
	"fmt"
	"io"

	lru "github.com/hashicorp/golang-lru/v2"
	"google.golang.org/grpc"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/block"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// target is a server on which a block is being written. It is used by one goroutine.
type target interface {
	send(p []byte) error // keeps no reference to p
	finish(b namespace.Block) (state.Holder, error)
	abort()
}

// open begins a block on a server, this one or another.
func (p *Placed) open(ctx context.Context, v *View, id state.ID, h Head, blk namespace.BlockID) (target, error) {
	if id == p.self.Node {
		w, err := p.local.NewBlock(ctx, h, blk)
		return &localTarget{self: p.self, w: w}, err
	}
	conn, err := p.conn(v, id)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	stream, err := conn.Put(ctx)
	if err == nil {
		err = stream.Send(&api.PutRequest{Head: headMessage(h), Id: blk[:]})
	}
	if err != nil {
		cancel()
		return nil, errorOf(err)
	}
	return &remoteTarget{node: id, stream: stream, cancel: cancel}, nil
}

// Conn gives the connection to a server; it stays the pool's.
func (p *Placed) Conn(v *View, id state.ID) (grpc.ClientConnInterface, error) {
	addr := v.Addr(id)
	if addr == "" {
		return nil, fmt.Errorf("server %s has no address", id.Short())
	}
	return p.dial(addr)
}

// conn gives the block store of another server.
func (p *Placed) conn(v *View, id state.ID) (api.BlocksClient, error) {
	conn, err := p.Conn(v, id)
	if err != nil {
		return nil, err
	}
	return api.NewBlocksClient(conn), nil
}

type localTarget struct {
	self state.Holder
	w    *LocalWriter
}

func (t *localTarget) send(p []byte) error {
	_, err := t.w.Write(p)
	return err
}

func (t *localTarget) finish(b namespace.Block) (state.Holder, error) { return t.self, t.w.Finish(b) }

func (t *localTarget) abort() { _ = t.w.Abort() } // what is left goes at the next start

type remoteTarget struct {
	node   state.ID
	stream interface {
		Send(*api.PutRequest) error
		CloseAndRecv() (*api.PutResponse, error)
	}
	cancel context.CancelFunc
}

func (t *remoteTarget) send(p []byte) error { return t.said(t.stream.Send(&api.PutRequest{Data: p})) }

// said finds out what a server said that ended the stream.
func (t *remoteTarget) said(err error) error {
	if errors.Is(err, io.EOF) {
		_, err = t.stream.CloseAndRecv()
	}
	return errorOf(err)
}

func (t *remoteTarget) finish(b namespace.Block) (state.Holder, error) {
	defer t.cancel()
	if err := t.said(t.stream.Send(&api.PutRequest{End: Message(b)})); err != nil {
		return state.Holder{}, err
	}
	resp, err := t.stream.CloseAndRecv()
	if err != nil {
		return state.Holder{}, errorOf(err)
	}
	return answerOf(t.node, resp)
}

// answerOf is what a server said that has a block now, if it is the one that was asked: its address may be another's meanwhile.
func answerOf(asked state.ID, resp *api.PutResponse) (state.Holder, error) {
	h, err := holderOf(resp.GetNode(), resp.GetIncarnation())
	if err == nil && h.Node != asked {
		return state.Holder{}, fmt.Errorf("another server has its address: %s", h.Node.Short())
	}
	return h, err
}

func (t *remoteTarget) abort() { t.cancel() }

// putSmall stores small blocks on a server.
func (p *Placed) putSmall(ctx context.Context, v *View, id state.ID, h Head, small []Small) (state.Holder, error) {
	if id == p.self.Node {
		return p.self, p.local.PutSmall(ctx, h, small)
	}
	conn, err := p.conn(v, id)
	if err != nil {
		return state.Holder{}, err
	}
	req := &api.PutSmallRequest{Head: headMessage(h)}
	for _, s := range small {
		req.Blocks = append(req.Blocks, &api.SmallBlock{Block: Message(s.Block), Data: s.Data})
	}
	resp, err := conn.PutSmall(ctx, req)
	if err != nil {
		return state.Holder{}, errorOf(err)
	}
	return answerOf(id, resp)
}

// fetch has a server get a block from those that have it.
func (p *Placed) fetch(ctx context.Context, v *View, id state.ID, h Head, b namespace.Block, from []state.ID) (state.Holder, error) {
	if id == p.self.Node {
		return p.self, p.Fetch(ctx, h, b, from)
	}
	conn, err := p.conn(v, id)
	if err != nil {
		return state.Holder{}, err
	}
	req := &api.FetchRequest{Head: headMessage(h), Block: Message(b)}
	for _, f := range from {
		req.From = append(req.From, f[:])
	}
	resp, err := conn.Fetch(ctx, req)
	if err != nil {
		return state.Holder{}, errorOf(err)
	}
	return answerOf(id, resp)
}

// get reads the part [from, to) of a block, which begins and ends at chunks, from a server, and gives it to sink piece by
// piece, each of whole chunks and checked. done counts the bytes that sink has taken.
func (p *Placed) get(ctx context.Context, v *View, id state.ID, b namespace.Block, from, to int64, sink func([]byte) error) (done int64, err error) {
	if id == p.self.Node {
		return p.getLocal(ctx, b, from, to, sink)
	}
	conn, err := p.conn(v, id)
	if err != nil {
		return 0, err
	}
	return p.sums.receive(ctx, conn.Get, b, from, to, sink)
}

// sums are the checksums of the chunks of large blocks, which were checked against those of the blocks. They are safe for concurrent
// use.
type sums struct {
	*lru.Cache[namespace.BlockID, []uint32]
}

// mostSums is of how many blocks the checksums of their chunks are remembered: of 4 KB each at most.
const mostSums = 4096

func newSums() sums {
	c, _ := lru.New[namespace.BlockID, []uint32](mostSums) // fails for sizes below 1 only
	return sums{c}
}

// getCall asks a server for a part of a block.
type getCall func(context.Context, *api.GetRequest, ...grpc.CallOption) (grpc.ServerStreamingClient[api.BlockData], error)

// receive asks for a part of a block and gives what comes to sink, checked.
func (c sums) receive(ctx context.Context, call getCall, b namespace.Block, from, to int64, sink func([]byte) error) (done int64, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	list, known := c.Get(b.ID)
	stream, err := call(ctx, &api.GetRequest{Block: Message(b), From: uint32(from), To: uint32(to), Sums: b.Length > block.MaxSmall && !known})
	if err != nil {
		return 0, errorOf(err)
	}
	for from+done < to {
		m, err := stream.Recv()
		if err != nil {
			if errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return done, errorOf(err)
		}
		if s := m.GetSums(); len(s) > 0 {
			if !block.CheckSums(b, s) {
				return done, &lossError{"the checksums of its chunks are not those of the block"}
			}
			list = s
			c.Add(b.ID, s)
		}
		if len(m.GetData()) == 0 {
			continue
		}
		if err := check(b, list, from+done, to, m.GetData()); err != nil {
			return done, &lossError{err.Error()}
		}
		if err := sink(m.GetData()); err != nil {
			return done, &sinkError{err}
		}
		done += int64(len(m.GetData()))
	}
	return done, nil
}

// sinkError is one of who reads, not of whom is read from.
type sinkError struct{ err error }

func (e *sinkError) Error() string { return e.err.Error() }

func (e *sinkError) Unwrap() error { return e.err }

func (p *Placed) getLocal(ctx context.Context, b namespace.Block, from, to int64, sink func([]byte) error) (done int64, err error) {
	buf := make([]byte, min(messageBytes, to-from))
	for from+done < to {
		part := buf[:min(int64(len(buf)), to-from-done)]
		if err := p.local.Read(ctx, b, from+done, part, false); err != nil {
			return done, err
		}
		if err := sink(part); err != nil {
			return done, &sinkError{err}
		}
		done += int64(len(part))
	}
	return done, nil
}

// check tells whether a piece is what stands at an offset of a block: whole chunks that match their sums, or all of a small
// block.
func check(b namespace.Block, sums []uint32, off, to int64, data []byte) error {
	end := off + int64(len(data))
	switch {
	case end > to:
		return fmt.Errorf("it gave %d bytes too many", end-to)
	case b.Length <= block.MaxSmall && (off != 0 || end != int64(b.Length)):
		return errors.New("it gave a part of a small block")
	case b.Length <= block.MaxSmall:
		if checksum(data) != b.CRC {
			return errors.New("what it gave does not match the block's checksum")
		}
		return nil
	case sums == nil:
		return errors.New("it gave no checksums")
	case off%block.Chunk != 0 || end%block.Chunk != 0 && end != int64(b.Length):
		return errors.New("it gave a part of a chunk")
	}
	for i := int64(0); i < int64(len(data)); i += block.Chunk {
		chunk := int((off + i) / block.Chunk)
		if checksum(data[i:min(i+block.Chunk, int64(len(data)))]) != sums[chunk] {
			return fmt.Errorf("what it gave does not match the checksum of chunk %d", chunk)
		}
	}
	return nil
}

// Have asks a server which of some blocks it has; with read, which it has read whole from its disk just now. An error says
// that it does not answer, or goes by a later ring than the view's.
func (p *Placed) Have(ctx context.Context, v *View, id state.ID, list []namespace.Block, read bool) ([]bool, error) {
	conn, err := p.conn(v, id)
	if err != nil {
		return nil, err
	}
	req := &api.HaveRequest{Read: read, Epoch: v.Epoch(), Index: v.state.Index()}
	for _, b := range list {
		req.Blocks = append(req.Blocks, Message(b))
	}
	resp, err := conn.Have(ctx, req)
	switch {
	case err != nil:
		return nil, errorOf(err)
	case len(resp.GetHave()) != len(list) || string(resp.GetNode()) != string(id[:]):
		return nil, errors.New("another server answered, or not about all of them")
	case resp.GetEpoch() != v.Epoch():
		return nil, fmt.Errorf("it goes by epoch %d of the ring, this server by %d", resp.GetEpoch(), v.Epoch())
	}
	return resp.GetHave(), nil
}
