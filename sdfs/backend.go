package sdfs

import (
	"context"

	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Backend is what a Store stands on: a log that orders the changes of names, and somewhere to put blocks. One disk
// is one (Open); a cluster is another. All methods may be called concurrently.
type Backend interface {
	// Ready tells why nothing can be written now, or nil.
	Ready() error
	// Stat describes a file as of all that was acknowledged before; the error may be an ErrNotFound.
	Stat(ctx context.Context, name string) (Info, error)
	// List describes the files whose names begin with prefix, all of one moment, in the order of their names.
	List(ctx context.Context, prefix string) ([]Info, error)
	// Open gives what a file holds, as of all that was acknowledged before. Its blocks can be read until Release.
	Open(ctx context.Context, name string) (Content, error)

	// NewBlock begins a large block.
	NewBlock(ctx context.Context) (BlockWriter, error)
	// PutSmall stores a block of at most Sizes.Small bytes; it is durable then. data stays the caller's.
	PutSmall(ctx context.Context, data []byte) (namespace.Block, error)
	// Settle makes all large blocks that were finished before durable.
	Settle(ctx context.Context) error
	// Read fills p with a block's bytes from off on, every one of them checked; where they cannot be had the error is
	// a *CorruptError. With keep they are expected to be read again.
	Read(ctx context.Context, b namespace.Block, off int64, p []byte, keep bool) error
	// Free gives up blocks that no manifest names and no entry under way does.
	Free(ids []namespace.BlockID)

	// Propose makes an entry durable and applies it; what it did is seen by whoever asks afterwards. The blocks that
	// it names are the entry's from then on: they are given up if it is refused. The backend sees to time, lease, client
	// and sequence. A refusal is a *namespace.Refusal; an error that matches ErrUnknown leaves open what came of it.
	Propose(ctx context.Context, e namespace.Entry) error
	// Append adds at most Sizes.Small bytes, and at least one, to the end of a file, in one step; see Store.Append.
	Append(ctx context.Context, name string, data []byte) error

	// Explain puts an error of the backend into words that say what to do.
	Explain(err error) error
	// Close is called once, when no other call is under way.
	Close() error
}

// Content is what a file holds.
type Content struct {
	File    *namespace.File
	Release func()
}

// BlockWriter writes one large block. It is used by one goroutine at a time.
type BlockWriter interface {
	// Write adds bytes, at most Room of them. After an error only Abort may follow.
	Write(p []byte) (int, error)
	// Room is how many bytes the block still takes.
	Room() int64
	// Finish completes the block; it is durable after the next Settle.
	Finish() (namespace.Block, error)
	// Abort gives the block up.
	Abort() error
	// Release lets go of the block in a store that is closed, where nothing may be changed any more.
	Release() error
}

// Sizes are how a store cuts files into blocks, in bytes and blocks.
type Sizes struct {
	Block int64 // the most of a block
	Small int   // the most of one that shares a disk file with others
	Merge int   // as many small blocks in a row are worth a merge in the background
}
