package block

import (
	"math"
	"sync"

	"github.com/hashicorp/golang-lru/v2/simplelru"
)

// bytesLRU keeps what was used last, as much as its bound in bytes allows. It is safe for
// concurrent use. What it holds is never changed.
type bytesLRU[K comparable] struct {
	mu    sync.Mutex
	most  int64
	bytes int64
	lru   *simplelru.LRU[K, []byte]
}

func newBytesLRU[K comparable](most int64) *bytesLRU[K] {
	c := &bytesLRU[K]{most: most}
	c.lru, _ = simplelru.NewLRU(math.MaxInt, func(_ K, v []byte) { c.bytes -= int64(cap(v)) }) // fails for sizes below 1 only
	return c
}

func (c *bytesLRU[K]) get(k K) ([]byte, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lru.Get(k)
}

func (c *bytesLRU[K]) add(k K, v []byte) {
	if int64(cap(v)) > c.most {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lru.Remove(k)
	c.lru.Add(k, v)
	c.bytes += int64(cap(v))
	for c.bytes > c.most {
		c.lru.RemoveOldest()
	}
}

func (c *bytesLRU[K]) remove(k K) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.lru.Remove(k)
}

func (c *bytesLRU[K]) size() int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.bytes
}
