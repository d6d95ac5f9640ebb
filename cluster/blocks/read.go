package blocks

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/sdfs/block"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Read fills dst with a block's bytes from off on, from this server's disk or from others': one after the other, until there
// is a copy that is whole. No byte is given out that does not match the checksum that the namespace has. With keep,
// what comes from others stays in memory.
func (p *Placed) Read(ctx context.Context, b namespace.Block, off int64, dst []byte, keep bool) error {
	if p.local.Has(b) && p.local.Read(ctx, b, off, dst, keep) == nil {
		return nil
	}
	return p.cache.read(b, off, dst, keep, func(from, to int64, sink func(at int64, part []byte) error) error {
		_, err := p.ReadTo(ctx, b, from, to, sink)
		return err
	})
}

// ReadTo gives the part [from, to) of a block, which begins and ends at chunks, to sink, piece by piece and in order, each
// checked. The pieces are sink's only during the call. It tells which servers it asked in vain.
func (p *Placed) ReadTo(ctx context.Context, b namespace.Block, from, to int64, sink func(at int64, part []byte) error) ([]state.ID, error) {
	v := p.View()
	return p.readFrom(ctx, v, b, idsOf(v.Readers(position(b), p.self.Node)), from, to, sink)
}

func idsOf(list [][16]byte) []state.ID {
	ids := make([]state.ID, len(list))
	for i, id := range list {
		ids[i] = id
	}
	return ids
}

// readFrom asks some servers, and then, as a last resort, all others.
func (p *Placed) readFrom(ctx context.Context, v *View, b namespace.Block, ask []state.ID, from, to int64, sink func(at int64, part []byte) error) (failed []state.ID, err error) {
	var said []string
	asked := map[state.ID]bool{}
	away := false // somebody who may have a copy has not answered
	at, patience, slow := from, p.slow, false
	try := func(id state.ID) (bool, error) {
		if asked[id] || at >= to {
			return at >= to, nil
		}
		asked[id] = true
		_, err := p.getPatiently(ctx, v, id, b, at, to, patience, func(part []byte) error {
			err := sink(at, part)
			at += int64(len(part))
			return err
		})
		slow = slow || errors.Is(err, errSlow)
		var mine *sinkError
		if errors.As(err, &mine) {
			return false, mine.err
		}
		if ctx.Err() != nil {
			return false, ctx.Err()
		}
		if err == nil {
			return true, nil
		}
		away = away || !isLoss(err)
		failed = append(failed, id)
		said = append(said, fmt.Sprintf("%s: %v", v.Name(id), err))
		return false, nil
	}
	// When all fail the ring may have changed, or a copy be on its way: once more, with who is there then, and with more patience
	// for whoever kept us waiting, who may have the last one.
	for range 2 {
		list := slices.Clone(ask)
		for n := range v.state.Nodes() {
			if n.Status != state.Evicted {
				list = append(list, n.ID)
			}
		}
		for _, id := range list {
			done, err := try(id)
			if done || err != nil {
				if owned(v, b, p.self.Node) && asked[p.self.Node] {
					p.want(b)
				}
				return failed, err
			}
		}
		again := p.View()
		if again == v && !slow && away {
			break // those that do not answer will not do so in a moment; but a block may have moved past us from one that was asked late
		}
		v, patience, away = again, 5*p.slow, false
		clear(asked)
	}
	p.logger.Warn("a block cannot be read", zap.Stringer("block", b.ID), zap.Strings("said", said))
	kind := ErrNoCopy
	if away {
		kind = ErrAway
	}
	return failed, fmt.Errorf("block %s: %w: %s", b.ID, kind, strings.Join(said, "; "))
}

// errSlow is a server's that says nothing for too long.
var errSlow = errors.New("it has not answered")

// getPatiently is get, unless a server says nothing for too long.
func (p *Placed) getPatiently(ctx context.Context, v *View, id state.ID, b namespace.Block, from, to int64, patience time.Duration, sink func([]byte) error) (int64, error) {
	slow := fmt.Errorf("%w for %v", errSlow, patience)
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	alarm := time.AfterFunc(patience, func() { cancel(slow) })
	defer alarm.Stop()
	n, err := p.get(ctx, v, id, b, from, to, func(part []byte) error {
		alarm.Stop() // the time that sink takes is not the server's
		err := sink(part)
		alarm.Reset(patience)
		return err
	})
	if err != nil && errors.Is(context.Cause(ctx), slow) {
		err = slow
	}
	return n, err
}

// Owners are the servers on which a block belongs, by this server's log.
func (p *Placed) Owners(b namespace.Block) []state.ID { return idsOf(p.View().Owners(position(b))) }

// owned tells whether a block belongs on a server.
func owned(v *View, b namespace.Block, id state.ID) bool {
	return slices.Contains(v.Owners(position(b)), [16]byte(id))
}

// Sums gives the checksums of a large block's chunks, which make up that of the block.
func (p *Placed) Sums(ctx context.Context, b namespace.Block) ([]uint32, error) {
	if sums, ok := p.sums.Get(b.ID); ok {
		return sums, nil
	}
	if p.local.Has(b) {
		if sums, err := p.local.Sums(ctx, b); err == nil {
			p.sums.Add(b.ID, sums)
			return sums, nil
		}
	}
	_, err := p.ReadTo(ctx, b, 0, min(block.Chunk, int64(b.Length)), func(int64, []byte) error { return nil })
	if err != nil {
		return nil, err
	}
	sums, ok := p.sums.Get(b.ID)
	if !ok { // it was read from this server, which had it by then
		return p.local.Sums(ctx, b)
	}
	return sums, nil
}

// Fetch gets a block from servers that should have it to this one's disk. With nobody named it asks those who may have it.
// One that is here already is read: if it is whole that is no error, unless it is not what b says: whoever asks may be wrong, and it
// stays. One that is not whole is taken out of use first, and one of which the disk does not tell is an error.
func (p *Placed) Fetch(ctx context.Context, h Head, b namespace.Block, from []state.ID) error {
	if p.local.Has(b) {
		got, here, err := p.local.Examine(ctx, b.ID) // its name may not have been durable yet
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err == nil && here && got == b:
			return nil
		case err == nil && here:
			return fmt.Errorf("block %s is here, with checksum %08x and not %08x", b.ID, got.CRC, b.CRC)
		case err != nil && !isLoss(err): // it is in use still, and nobody knows whether it is whole
			return fmt.Errorf("block %s is here, and cannot be examined: %w", b.ID, err)
		}
	}
	v := p.View()
	if len(from) == 0 {
		from = idsOf(v.Readers(position(b), p.self.Node))
	}
	from = slices.DeleteFunc(slices.Clone(from), func(id state.ID) bool { return id == p.self.Node })
	if b.Length <= block.MaxSmall {
		data := make([]byte, 0, b.Length)
		_, err := p.readFrom(ctx, v, b, from, 0, int64(b.Length), func(_ int64, part []byte) error {
			data = append(data, part...)
			return nil
		})
		if err != nil {
			return err
		}
		return p.local.PutSmall(ctx, h, []Small{{Block: b, Data: data}})
	}
	w, err := p.local.NewBlock(ctx, h, b.ID)
	if err != nil {
		return err
	}
	_, err = p.readFrom(ctx, v, b, from, 0, int64(b.Length), func(_ int64, part []byte) error {
		_, err := w.Write(part)
		return err
	})
	if err != nil {
		return errors.Join(err, w.Abort())
	}
	return w.Finish(b)
}
