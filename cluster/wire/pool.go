package wire

import (
	"net"
	"sync"

	"google.golang.org/grpc"
)

// Pool keeps the gRPC connections to each node. It is safe for concurrent use.
type Pool struct {
	d    Dialer
	opts []grpc.DialOption

	mu     sync.Mutex
	conns  map[string]*Conn
	closed bool
}

// NewPool is an empty pool.
func NewPool(d Dialer, opts ...grpc.DialOption) *Pool {
	return &Pool{d: d, opts: opts, conns: map[string]*Conn{}}
}

// Get gives what calls go by to an address. It stays the pool's.
func (p *Pool) Get(addr string) (*Conn, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		return nil, net.ErrClosed
	}
	if c, ok := p.conns[addr]; ok {
		return c, nil
	}
	c, err := newConn(p.d, addr, p.opts)
	if err != nil {
		return nil, err
	}
	p.conns[addr] = c
	return c, nil
}

// Keep closes the connections to all but the addresses named.
func (p *Pool) Keep(addrs map[string]bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for addr, c := range p.conns {
		if !addrs[addr] {
			c.close()
			delete(p.conns, addr)
		}
	}
}

// Close closes all connections; no more are made.
func (p *Pool) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.Keep(nil)
}
