// Package files is the file store of a cluster: what sdfs.Store stands on where blocks are on many servers and names in the
// coordinator's log (Backend), and what any server does of it for those who are none (Service). docs/sdfs.md has the protocol.
package files

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"google.golang.org/grpc"

	"github.com/rainsql/rainsql/api"
	"github.com/rainsql/rainsql/cluster/blocks"
	"github.com/rainsql/rainsql/cluster/client"
	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Blocks is where a Backend writes and reads blocks: a server's own blocks.Placed, or a blocks.Gateway.
type Blocks interface {
	NewBlock(ctx context.Context, h blocks.Head) (blocks.BlockWriter, error)
	PutSmall(ctx context.Context, h blocks.Head, data []byte) (namespace.Block, []state.Holder, error)
	Read(ctx context.Context, b namespace.Block, off int64, p []byte, keep bool) error
	Ensure(ctx context.Context, h blocks.Head, b namespace.Block, holders []state.Holder) ([]state.Holder, error)
}

// Backend is the file store of a cluster as one client of it sees it. It implements sdfs.Backend.
type Backend struct {
	cl     *client.Client
	blocks Blocks
	leases *leases
	pins   *pins

	mu     sync.Mutex
	staged map[namespace.BlockID]staged
}

// staged is a block that no entry names yet.
type staged struct {
	head    blocks.Head
	holders []state.Holder
}

// ClientBlock is how large the blocks are that one who is no server writes: it holds two of them in memory.
const ClientBlock = 16 << 20

// Sizes are how a cluster's files are cut into blocks by one who is no server.
var Sizes = sdfs.Sizes{Block: ClientBlock, Small: 256 << 10, Merge: 256}

// Open is the file store of a cluster by way of any of its servers. The client stays the caller's, and must outlive the store.
func Open(cl *client.Client) *sdfs.Store { return Connect(cl).Store }

// New is a Backend that changes names by way of a client, which stays the caller's.
func New(cl *client.Client, b Blocks) *Backend {
	return &Backend{cl: cl, blocks: b, leases: newLeases(cl), pins: newPins(cl), staged: map[namespace.BlockID]staged{}}
}

// Ready implements sdfs.Backend. Who writes will see.
func (b *Backend) Ready() error { return nil }

// Explain implements sdfs.Backend.
func (b *Backend) Explain(err error) error {
	switch {
	case errors.Is(err, client.ErrUnknown) && !errors.Is(err, sdfs.ErrUnknown):
		return fmt.Errorf("%w (%w)", err, sdfs.ErrUnknown)
	}
	return err
}

// Stat implements sdfs.Backend.
func (b *Backend) Stat(ctx context.Context, name string) (sdfs.Info, error) {
	resp, err := b.cl.Read(ctx, &api.ReadRequest{What: &api.ReadRequest_File{File: name}})
	if err != nil {
		return sdfs.Info{}, err
	}
	if len(resp.GetFiles()) == 0 {
		return sdfs.Info{}, notFound(name)
	}
	return infoOf(resp.GetFiles()[0]), nil
}

func notFound(name string) error {
	return &namespace.Refusal{Reason: sdfs.ErrNotFound, Name: name}
}

// List implements sdfs.Backend.
func (b *Backend) List(ctx context.Context, prefix string) ([]sdfs.Info, error) {
	resp, err := b.cl.Read(ctx, &api.ReadRequest{What: &api.ReadRequest_Files{Files: prefix}})
	if err != nil {
		return nil, err
	}
	list := make([]sdfs.Info, len(resp.GetFiles()))
	for i, f := range resp.GetFiles() {
		list[i] = infoOf(f)
	}
	return list, nil
}

func infoOf(f *api.File) sdfs.Info {
	return sdfs.Info{
		Name: f.GetName(), ID: f.GetId(), Generation: f.GetGeneration(), Version: f.GetVersion(), Size: f.GetBytes(), Blocks: int(f.GetBlocks()),
		Created: time.UnixMicro(f.GetCreatedMicros()).UTC(), Modified: time.UnixMicro(f.GetModifiedMicros()).UTC(),
	}
}

// Open implements sdfs.Backend.
func (b *Backend) Open(ctx context.Context, name string) (sdfs.Content, error) {
	pin, request := b.pins.begin()
	var m *manifest
	ctx, cancel := context.WithTimeout(ctx, openWait)
	defer cancel()
	err := b.cl.Call(ctx, true, func(ctx context.Context, conn grpc.ClientConnInterface) (err error) {
		m, err = receive(ctx, conn, &api.OpenRequest{Name: name, Pin: request})
		return err
	})
	if err != nil || m.file == nil {
		b.pins.end(pin)
		if err == nil {
			err = notFound(name)
		}
		return sdfs.Content{}, err
	}
	b.pins.settle(pin, m.index)
	return sdfs.Content{File: m.file, Release: func() { b.pins.end(pin) }}, nil
}

// openWait bounds the opening of a file: half of the time for which a new leader keeps what pins, that it does not know yet, may
// protect.
const openWait = PinTime / 2

// NewBlock implements sdfs.Backend.
func (b *Backend) NewBlock(ctx context.Context) (sdfs.BlockWriter, error) {
	h, err := b.leases.take(ctx)
	if err != nil {
		return nil, err
	}
	w, err := b.blocks.NewBlock(ctx, h)
	if err != nil {
		b.leases.give(h.Lease)
		return nil, err
	}
	return &blockWriter{BlockWriter: w, b: b, head: h}, nil
}

type blockWriter struct {
	blocks.BlockWriter
	b    *Backend
	head blocks.Head
}

// Finish implements sdfs.BlockWriter.
func (w *blockWriter) Finish() (namespace.Block, error) {
	blk, holders, err := w.BlockWriter.Finish()
	w.b.written(blk, w.head, holders, err)
	return blk, err
}

// Abort implements sdfs.BlockWriter.
func (w *blockWriter) Abort() error {
	w.BlockWriter.Abort()
	w.b.leases.give(w.head.Lease)
	return nil
}

// Release implements sdfs.BlockWriter.
func (w *blockWriter) Release() error { return w.Abort() }

// written notes a block that was written under a lease, or gives that back.
func (b *Backend) written(blk namespace.Block, h blocks.Head, holders []state.Holder, err error) {
	if err != nil {
		b.leases.give(h.Lease)
		return
	}
	b.stage(blk, h, holders)
}

func (b *Backend) stage(blk namespace.Block, h blocks.Head, holders []state.Holder) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.staged[blk.ID] = staged{head: h, holders: holders}
}

// PutSmall implements sdfs.Backend.
func (b *Backend) PutSmall(ctx context.Context, data []byte) (namespace.Block, error) {
	h, err := b.leases.take(ctx)
	if err != nil {
		return namespace.Block{}, err
	}
	blk, holders, err := b.blocks.PutSmall(ctx, h, data)
	b.written(blk, h, holders, err)
	return blk, err
}

// Settle implements sdfs.Backend: blocks are durable as they are finished.
func (b *Backend) Settle(context.Context) error { return nil }

// Read implements sdfs.Backend.
func (b *Backend) Read(ctx context.Context, blk namespace.Block, off int64, p []byte, keep bool) error {
	return b.blocks.Read(ctx, blk, off, p, keep)
}

// Free implements sdfs.Backend. The servers that have the blocks give them up once the lease has ended.
func (b *Backend) Free(ids []namespace.BlockID) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, id := range ids {
		if s, ok := b.staged[id]; ok {
			delete(b.staged, id)
			b.leases.give(s.head.Lease)
		}
	}
}

// Propose implements sdfs.Backend. If too few of the servers that have a block are active any more, others get it, and the entry
// is proposed again.
func (b *Backend) Propose(ctx context.Context, e namespace.Entry) error {
	return b.ProposeIn(ctx, state.Entry{Kind: state.Files}, e)
}

// ProposeIn is Propose within an entry that does more than to change names.
func (b *Backend) ProposeIn(ctx context.Context, whole state.Entry, e namespace.Entry) error {
	list := blocksOf(e)
	defer b.freeAll(list)
	change, err := b.cl.Begin(ctx)
	if err != nil {
		return err
	}
	defer change.End()
	for try := 0; ; try++ {
		var held state.Held
		if len(list) > 0 {
			var under []uint64
			if under, held, err = b.held(list); err != nil {
				return err
			}
			e.Lease, e.Leases = under[0], under[1:]
		}
		whole.Files, whole.Held = e, held
		o, err := change.Propose(ctx, whole)
		switch {
		case err != nil:
			return err
		case errors.Is(o.Err, namespace.ErrHolders):
			if err := b.ensure(ctx, list, try); err != nil { // a try before that was not answered may be under way still
				return fmt.Errorf("%w: %w: %w", sdfs.ErrUnknown, o.Err, err)
			}
			continue
		}
		return o.Err
	}
}

// Staged is a block that a store has written and no entry names yet.
type Staged struct {
	Block   namespace.Block
	Head    blocks.Head // under which it was written
	Holders []state.Holder
}

// StagedOf tells of blocks that this store has written.
func (b *Backend) StagedOf(list []namespace.Block) ([]Staged, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]Staged, len(list))
	for i, blk := range list {
		s, ok := b.staged[blk.ID]
		if !ok {
			return nil, fmt.Errorf("block %s was not written by this store", blk.ID)
		}
		all[i] = Staged{Block: blk, Head: s.head, Holders: s.holders}
	}
	return all, nil
}

// Adopt has this store name, with Propose, what another has written, whose the lease stays. Free must follow if it does not.
func (b *Backend) Adopt(s Staged) { b.stage(s.Block, s.Head, s.Holders) }

func blocksOf(e namespace.Entry) []namespace.Block {
	var list []namespace.Block
	for _, part := range append([]namespace.Entry{e}, e.List...) {
		list = append(list, part.Blocks...)
	}
	return list
}

func (b *Backend) freeAll(list []namespace.Block) {
	ids := make([]namespace.BlockID, len(list))
	for i, blk := range list {
		ids[i] = blk.ID
	}
	b.Free(ids)
}

// held says who has blocks, and under which leases they were written.
func (b *Backend) held(list []namespace.Block) (under []uint64, held state.Held, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	at := map[state.Holder]int{}
	for _, blk := range list {
		s, ok := b.staged[blk.ID]
		if !ok {
			return nil, held, fmt.Errorf("block %s was not written by this store", blk.ID)
		}
		if !slices.Contains(under, s.head.Lease) {
			under = append(under, s.head.Lease)
		}
		var places []int
		for _, n := range s.holders {
			i, known := at[n]
			if !known {
				i = len(held.Nodes)
				at[n] = i
				held.Nodes = append(held.Nodes, n)
			}
			places = append(places, i)
		}
		held.Blocks = append(held.Blocks, places)
	}
	return under, held, nil
}

// mostTries is how often servers may come and go between the storing of blocks and their being named.
const mostTries = 8

// ensure has enough servers have each block; again and again more slowly.
func (b *Backend) ensure(ctx context.Context, list []namespace.Block, try int) error {
	if try == mostTries {
		return errors.New("servers come and go too fast")
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(10 * time.Millisecond << try):
	}
	for _, blk := range list {
		b.mu.Lock()
		s := b.staged[blk.ID]
		b.mu.Unlock()
		holders, err := b.blocks.Ensure(ctx, s.head, blk, s.holders)
		if err != nil {
			return err
		}
		b.stage(blk, s.head, holders)
	}
	return nil
}

// Append implements sdfs.Backend.
func (b *Backend) Append(ctx context.Context, name string, data []byte) error {
	change, err := b.cl.Begin(ctx)
	if err != nil {
		return err
	}
	defer change.End()
	o, err := change.Send(ctx, func(ctx context.Context, conn grpc.ClientConnInterface, s client.Stamp) (*api.ProposeResponse, error) {
		return api.NewFilesClient(conn).Append(ctx, &api.AppendRequest{Name: name, Data: data, Client: s.Client, Seq: s.Seq, TimeMicros: s.Time})
	})
	if err != nil {
		return err
	}
	return o.Err
}

// Close implements sdfs.Backend: it ends the lease and what is pinned.
func (b *Backend) Close() error {
	b.pins.close()
	b.leases.close()
	return nil
}
