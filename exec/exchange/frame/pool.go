package frame

import (
	"math/bits"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/memory"
)

// Pool is an allocator that keeps what is freed for the next frame: memory that
// is in the processor's caches, and that nothing has to clear or collect. What
// it hands out is not cleared. It may be used concurrently.
//
// It suits what lives about as long as a frame is on its way, and comes again:
// the memory of received frames, and what an Encoder needs.
type Pool struct {
	under memory.Allocator
	keep  int

	mu     sync.Mutex
	free   map[int][][]byte // by size
	kept   int              // bytes in free
	closed bool
}

const (
	minPooled = 16 << 10 // shorter ones are not worth it
	maxPooled = 8 << 20
)

// NewPool returns a pool over an allocator that keeps at most so many bytes. The caller closes it.
func NewPool(under memory.Allocator, keep int) *Pool {
	return &Pool{under: under, keep: keep, free: map[int][][]byte{}}
}

// Close gives back what is kept. Memory that is still in use goes back to the
// allocator below as it is freed.
func (p *Pool) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, blocks := range p.free {
		for _, b := range blocks {
			p.under.Free(b)
		}
	}
	p.free, p.kept = nil, 0
}

// classOf rounds a size up, by a fourth at most.
func classOf(n int) int {
	step := 1 << (bits.Len(uint(n-1)) - 3)
	return (n + step - 1) &^ (step - 1)
}

// Allocate implements memory.Allocator.
func (p *Pool) Allocate(n int) []byte {
	if n < minPooled || n > maxPooled {
		return p.under.Allocate(n)
	}
	class := classOf(n)
	p.mu.Lock()
	if blocks := p.free[class]; len(blocks) > 0 {
		b := blocks[len(blocks)-1]
		blocks[len(blocks)-1] = nil
		p.free[class] = blocks[:len(blocks)-1]
		p.kept -= class
		p.mu.Unlock()
		return b[:n]
	}
	p.mu.Unlock()
	return p.under.Allocate(class)[:n:class]
}

// Reallocate implements memory.Allocator.
func (p *Pool) Reallocate(n int, b []byte) []byte {
	if n <= cap(b) && n >= minPooled && classOf(n) == cap(b) {
		return b[:n]
	}
	c := p.Allocate(n)
	copy(c, b)
	p.Free(b)
	return c
}

// Free implements memory.Allocator.
func (p *Pool) Free(b []byte) {
	n := cap(b)
	if n < minPooled || n > maxPooled || classOf(n) != n {
		p.under.Free(b)
		return
	}
	p.mu.Lock()
	if p.closed || p.kept+n > p.keep {
		p.mu.Unlock()
		p.under.Free(b[:n])
		return
	}
	p.free[n] = append(p.free[n], b[:n])
	p.kept += n
	p.mu.Unlock()
}
