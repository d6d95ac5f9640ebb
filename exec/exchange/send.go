package exchange

import (
	"context"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/vec"
)

// single sends everything to one receiver.
type single struct {
	to     outlet
	mem    memory.Allocator
	splits bool // the receiver wants to know where splits end
	closed bool
}

func (s *single) Send(ctx context.Context, b *op.Batch) (op.Flow, error) {
	if s.to.isStopped() {
		return op.Enough, nil
	}
	c, err := b.Compact(s.mem)
	if err != nil {
		return op.Enough, err
	}
	return s.to.send(ctx, Message{Batch: c, Split: b.Split})
}

func (s *single) EndSplit(ctx context.Context, split int) error {
	if !s.splits {
		return nil
	}
	_, err := s.to.send(ctx, Message{Split: split})
	return err
}

func (s *single) Close() {
	if !s.closed {
		s.closed = true
		s.to.done()
	}
}

// many is what the senders to several receivers share.
type many struct {
	to     []outlet
	closed bool
}

// EndSplit implements Sender: behind these exchanges rows have no order.
func (*many) EndSplit(context.Context, int) error { return nil }

// Close implements Sender.
func (m *many) Close() {
	if !m.closed {
		m.closed = true
		for _, p := range m.to {
			p.done()
		}
	}
}

// flow is Enough once no receiver wants more.
func (m *many) flow() op.Flow {
	for _, p := range m.to {
		if !p.isStopped() {
			return op.More
		}
	}
	return op.Enough
}

// hashed sends each row to the receiver that its key's pinned hash chooses. The
// upper bits choose, as the tables behind use the lower ones.
type hashed struct {
	many
	mem    memory.Allocator
	keys   []int
	hashes []uint64
	parts  [][]int32
}

func (h *hashed) Send(ctx context.Context, b *op.Batch) (op.Flow, error) {
	if h.flow() == op.Enough {
		return op.Enough, nil
	}
	if cap(h.hashes) < b.Rows {
		h.hashes = make([]uint64, b.Rows)
	}
	hashes := h.hashes[:b.Rows]
	for i, k := range h.keys {
		vec.Hash(b.Cols[k], hashes, i > 0)
	}
	if h.parts == nil {
		h.parts = make([][]int32, len(h.to))
	}
	for i := range h.parts {
		h.parts[i] = h.parts[i][:0]
	}
	put := func(row int32) {
		p, _ := bits.Mul64(hashes[row], uint64(len(h.to)))
		h.parts[p] = append(h.parts[p], row)
	}
	if b.Sel == nil {
		for i := range b.Rows {
			put(int32(i))
		}
	} else {
		for _, r := range b.Sel {
			put(r)
		}
	}
	for i, rows := range h.parts {
		if len(rows) == 0 || h.to[i].isStopped() {
			continue
		}
		part, err := b.Take(h.mem, rows)
		if err != nil {
			return op.Enough, err
		}
		part.Split, part.Origin, part.OriginRows = -1, nil, nil // OriginRows would alias parts
		if _, err := h.to[i].send(ctx, Message{Batch: part, Split: -1}); err != nil {
			return op.Enough, err
		}
	}
	return h.flow(), nil
}

// broadcast sends everything to everyone.
type broadcast struct {
	many
	mem memory.Allocator
}

func (s *broadcast) Send(ctx context.Context, b *op.Batch) (op.Flow, error) {
	c, err := b.Compact(s.mem)
	if err != nil {
		return op.Enough, err
	}
	defer c.Release()
	for _, p := range s.to {
		if _, err := p.send(ctx, Message{Batch: c.Retain(), Split: -1}); err != nil {
			return op.Enough, err
		}
	}
	return s.flow(), nil
}

// rebalance sends batches to the receivers in turn.
type rebalance struct {
	many
	mem  memory.Allocator
	next int
}

func (s *rebalance) Send(ctx context.Context, b *op.Batch) (op.Flow, error) {
	c, err := b.Compact(s.mem)
	if err != nil {
		return op.Enough, err
	}
	c.Split = -1
	for range s.to {
		s.next = (s.next + 1) % len(s.to)
		if !s.to[s.next].isStopped() {
			if _, err := s.to[s.next].send(ctx, Message{Batch: c, Split: -1}); err != nil {
				return op.Enough, err
			}
			return op.More, nil
		}
	}
	c.Release()
	return op.Enough, nil
}
