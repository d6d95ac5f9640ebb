package scan

import (
	"math/bits"
	"reflect"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/memory"
)

// pool is an allocator that keeps what is freed for the next who asks, since
// the readers of a source want the same few sizes again and again: chunks, and
// columns of a batch. Fresh memory would have to be cleared each time. What it
// returns holds old content. Safe for concurrent use.
type pool struct {
	memory.Allocator

	mu     sync.Mutex
	free   [classes][][]byte
	idle   int // bytes that lie in free
	closed bool
}

const (
	smallest = 1 << 10  // smaller requests are not worth keeping
	largest  = 4 << 20  // larger ones are too rare
	mostIdle = 48 << 20 // bytes kept at most
	classes  = 4 * 13   // four sizes to each power of two between them
)

// class returns the kept size that holds n bytes; ok is false if there is none.
func class(n int) (index, size int, ok bool) {
	if n < smallest || n > largest {
		return 0, n, false
	}
	step := 1 << (bits.Len(uint(n-1)) - 3) // a quarter of the power of two below
	steps := (n + step - 1) / step         // 5 to 8
	return 4*(bits.Len(uint(n-1))-10) + steps - 5, steps * step, true
}

// Allocate returns size bytes.
func (p *pool) Allocate(size int) []byte {
	i, room, ok := class(size)
	if !ok {
		return p.Allocator.Allocate(size)
	}
	p.mu.Lock()
	if n := len(p.free[i]); n > 0 {
		b := p.free[i][n-1]
		p.free[i] = p.free[i][:n-1]
		p.idle -= room
		p.mu.Unlock()
		return b[:size:room]
	}
	p.mu.Unlock()
	return p.Allocator.Allocate(room)[:size:room]
}

// Reallocate returns size bytes that begin with the content of b, and frees b.
func (p *pool) Reallocate(size int, b []byte) []byte {
	if size <= cap(b) && size >= smallest {
		if _, room, ok := class(size); ok && room == cap(b) {
			return b[:size]
		}
	}
	grown := p.Allocate(size)
	copy(grown, b)
	p.Free(b)
	return grown
}

// Free takes b back, which Allocate returned: its capacity is the kept size.
func (p *pool) Free(b []byte) {
	i, room, ok := class(len(b))
	if !ok {
		p.Allocator.Free(b)
		return
	}
	b = b[:room]
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || p.idle+room > mostIdle {
		p.Allocator.Free(b)
		return
	}
	p.free[i] = append(p.free[i], b)
	p.idle += room
}

// buffer returns a buffer of n bytes.
func (p *pool) buffer(n int) *memory.Buffer {
	return memory.NewBufferWithAllocator(p.Allocate(n), p)
}

// close frees what is idle; what is in use is freed as it comes back.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for i, bs := range p.free {
		for _, b := range bs {
			p.Allocator.Free(b)
		}
		p.free[i] = nil
	}
	p.idle, p.closed = 0, true
}

// pools hands out one pool for each allocator that scans of a source bring.
type pools struct {
	mu  sync.Mutex
	all []*pool
}

func (ps *pools) of(alloc memory.Allocator) *pool {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	comparable := reflect.TypeOf(alloc).Comparable()
	for _, p := range ps.all {
		if comparable && p.Allocator == alloc {
			return p
		}
	}
	p := &pool{Allocator: alloc, closed: !comparable}
	if comparable {
		ps.all = append(ps.all, p)
	}
	return p
}

func (ps *pools) close() {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	for _, p := range ps.all {
		p.close()
	}
}
