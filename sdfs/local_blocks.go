package sdfs

import (
	"context"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

// NewBlock implements Backend.
func (l *local) NewBlock(context.Context) (BlockWriter, error) {
	w, err := l.blocks.NewFile()
	if err != nil {
		return nil, err
	}
	return w, nil
}

// PutSmall implements Backend.
func (l *local) PutSmall(ctx context.Context, data []byte) (namespace.Block, error) {
	return l.blocks.Put(ctx, data)
}

// Settle implements Backend.
func (l *local) Settle(context.Context) error { return l.blocks.SyncFolder() }

// Read implements Backend.
func (l *local) Read(_ context.Context, b namespace.Block, off int64, p []byte, keep bool) error {
	return l.blocks.Read(b, off, p, keep)
}

// Free implements Backend.
func (l *local) Free(ids []namespace.BlockID) {
	if len(ids) == 0 {
		return
	}
	if err := l.blocks.Free(ids...); err != nil {
		l.cfg.OnEvent(Event{What: "free", Err: err})
	}
	l.poke()
}

// Append implements Backend.
func (l *local) Append(ctx context.Context, name string, data []byte) error {
	blk, err := l.blocks.Put(ctx, data)
	if err != nil {
		return err
	}
	return l.Propose(ctx, namespace.Entry{Kind: namespace.Append, Name: name, Blocks: []namespace.Block{blk}})
}
