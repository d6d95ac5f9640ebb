// Package sdfs is rainsql's own file store. A file is a name and an ordered list of
// immutable blocks; every change of names is one entry of a log, atomic and durable
// before it is answered. This is the embedded half: one process, one disk. The
// protocol, with what is durable when, is in docs/sdfs.md.
package sdfs

import (
	"time"

	"github.com/rainsql/rainsql/internal/vfs"
	"github.com/rainsql/rainsql/sdfs/block"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// Config says where a store is and what it may use. Dir or FS is needed; of everything
// else the zero value means the default.
type Config struct {
	// Dir is the folder of the store; it is made if need be. FS stands in for it in tests.
	Dir string
	FS  vfs.FS

	// CacheBytes bounds the memory for what is read from disk in small pieces. Default 64 MB.
	CacheBytes int64
	// MemoryBytes bounds the memory for small blocks written lately, which are read from there. Default 64 MB.
	MemoryBytes int64
	// BlockBytes is the most bytes of a block. Default and maximum 64 MB; rounded up to 64 KB.
	BlockBytes int64
	// SmallBytes is the most bytes of a block that shares a disk file with others. Default and maximum 256 KB.
	SmallBytes int
	// SegmentBytes is the size at which such a disk file is full. Default 64 MB.
	SegmentBytes int64
	// LogBytes is how long the log may get before a snapshot replaces it. Default 16 MB.
	LogBytes int64
	// ReserveBytes is the disk space kept back so that files can be removed on a full disk. Default 4 MB.
	ReserveBytes int64
	// MergeBlocks is the number of small blocks in a row that are merged in the background. Default
	// 256; negative: never.
	MergeBlocks int

	// Now is the clock. Default time.Now.
	Now func() time.Time
	// OnEvent is told what happens in the background; it is called from several goroutines, must not wait,
	// and must not use the store. Default: no one is told.
	OnEvent func(Event)
}

// Event is something that no caller gets to hear otherwise.
type Event struct {
	What string // such as "merge", "snapshot", "read-only", "damage"
	Err  error  // what went wrong, or nil
}

func (c Config) withDefaults() Config {
	const mb = 1 << 20
	orElse := func(n *int64, def int64) {
		if *n <= 0 {
			*n = def
		}
	}
	orElse(&c.CacheBytes, 64*mb)
	orElse(&c.MemoryBytes, 64*mb)
	orElse(&c.BlockBytes, namespace.MaxBlock)
	orElse(&c.SegmentBytes, 64*mb)
	orElse(&c.LogBytes, 16*mb)
	orElse(&c.ReserveBytes, 4*mb)
	c.BlockBytes = min((c.BlockBytes+block.Chunk-1)/block.Chunk*block.Chunk, namespace.MaxBlock)
	if c.SmallBytes <= 0 {
		c.SmallBytes = block.MaxSmall
	}
	c.SmallBytes = min(c.SmallBytes, block.MaxSmall, int(c.BlockBytes))
	if c.MergeBlocks == 0 {
		c.MergeBlocks = 256
	}
	if c.FS == nil {
		c.FS = vfs.OS(c.Dir)
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.OnEvent == nil {
		c.OnEvent = func(Event) {}
	}
	return c
}
