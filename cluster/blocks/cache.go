package blocks

import (
	"fmt"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/rainsql/rainsql/sdfs/block"
	"github.com/rainsql/rainsql/sdfs/namespace"
)

// chunkKey is a chunk of a block; a small block is one.
type chunkKey struct {
	id    namespace.BlockID
	chunk int
}

// chunks keeps what was read from other servers, bounded in bytes. It is safe for concurrent use.
type chunks struct {
	mu   sync.Mutex
	lru  *simplelru.LRU[chunkKey, []byte]
	size int64
	most int64
}

func newChunks(most int64) *chunks {
	c := &chunks{most: most}
	c.lru, _ = simplelru.NewLRU(1<<30, func(_ chunkKey, data []byte) { c.size -= int64(len(data)) }) // fails for sizes below 1 only
	return c
}

func (c *chunks) get(k chunkKey) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lru.Get(k)
}

// add keeps data, which must not change any more.
func (c *chunks) add(k chunkKey, data []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lru.Remove(k)
	c.lru.Add(k, data)
	c.size += int64(len(data))
	for c.size > c.most && c.lru.Len() > 1 {
		c.lru.RemoveOldest()
	}
}

func (c *chunks) bytes() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.size
}

// readTo gives a part of a block, which begins and ends at chunks, to sink, piece by piece.
type readTo func(from, to int64, sink func(at int64, part []byte) error) error

// read fills dst with a block's bytes from off on: from what is kept, or by way of get.
func (c *chunks) read(b namespace.Block, off int64, dst []byte, keep bool, get readTo) error {
	if off < 0 || off+int64(len(dst)) > int64(b.Length) {
		return fmt.Errorf("bytes %d to %d of a block of %d", off, off+int64(len(dst)), b.Length)
	}
	for len(dst) > 0 {
		n, err := c.readSome(b, off, dst, keep, get)
		if err != nil {
			return err
		}
		dst, off = dst[n:], off+int64(n)
	}
	return nil
}

// readSome reads a run of whole chunks into dst, or a chunk by way of memory.
func (c *chunks) readSome(b namespace.Block, off int64, dst []byte, keep bool, get readTo) (int, error) {
	size := int64(block.Chunk)
	if b.Length <= block.MaxSmall {
		size = int64(b.Length)
	}
	start := off / size * size
	k := chunkKey{b.ID, int(off / size)}
	if data, ok := c.get(k); ok {
		return copy(dst, data[off-start:]), nil
	}
	whole := int64(len(dst)) / size * size
	if off+int64(len(dst)) == int64(b.Length) {
		whole = int64(len(dst))
	}
	if off == start && whole > 0 && !keep {
		return int(whole), get(off, off+whole, func(at int64, part []byte) error {
			copy(dst[at-off:], part)
			return nil
		})
	}
	data := make([]byte, min(size, int64(b.Length)-start))
	err := get(start, start+int64(len(data)), func(at int64, part []byte) error {
		copy(data[at-start:], part)
		return nil
	})
	if err != nil {
		return 0, err
	}
	c.add(k, data)
	return copy(dst, data[off-start:]), nil
}
