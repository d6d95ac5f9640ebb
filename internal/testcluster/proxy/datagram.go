package proxy

import (
	"net"
	"net/netip"
	"time"
)

const (
	maxDatagram = 65507
	maxFlying   = 4096 // datagrams on their way; what comes then is lost
	maxClients  = 256  // the one that was silent for longest makes room for another
)

// client is one who sends datagrams; conn is what the target sees of it.
type client struct {
	addr netip.AddrPort
	conn *net.UDPConn
	seen time.Time // under the proxy's lock
}

// receive takes the clients' datagrams.
func (p *Proxy) receive() {
	buf := make([]byte, maxDatagram)
	for {
		k, addr, err := p.udp.ReadFromUDPAddrPort(buf)
		if err != nil {
			select {
			case <-p.ctx.Done():
				return
			default:
				continue // what a client's host said of an earlier answer
			}
		}
		c := p.client(addr)
		if c == nil {
			continue
		}
		p.forward(to, buf[:k], func(b []byte) { _, _ = c.conn.Write(b) })
	}
}

// client gives the one of an address and makes it on first use; nil if there is no socket for it.
func (p *Proxy) client(addr netip.AddrPort) *client {
	p.mu.Lock()
	defer p.mu.Unlock()
	key := addr.String()
	if c := p.clients[key]; c != nil {
		c.seen = time.Now()
		return c
	}
	if p.closed {
		return nil
	}
	target, err := net.ResolveUDPAddr("udp", p.target)
	if err != nil {
		return nil
	}
	conn, err := net.DialUDP("udp", nil, target)
	if err != nil {
		return nil
	}
	if len(p.clients) >= maxClients {
		p.evict()
	}
	c := &client{addr: addr, conn: conn, seen: time.Now()}
	p.clients[key] = c
	p.wg.Go(func() { p.answer(c) })
	return c
}

// evict forgets the client that was silent for longest. The lock is held.
func (p *Proxy) evict() {
	var oldest *client
	for _, c := range p.clients {
		if oldest == nil || c.seen.Before(oldest.seen) {
			oldest = c
		}
	}
	delete(p.clients, oldest.addr.String())
	_ = oldest.conn.Close()
}

// answer takes the target's datagrams for a client, until its socket is closed.
func (p *Proxy) answer(c *client) {
	buf := make([]byte, maxDatagram)
	for {
		k, err := c.conn.Read(buf)
		if err != nil {
			p.mu.Lock()
			gone := p.closed || p.clients[c.addr.String()] != c
			p.mu.Unlock()
			if gone {
				return
			}
			continue // the target's port is closed, which may change
		}
		p.forward(from, buf[:k], func(b []byte) { _, _ = p.udp.WriteToUDPAddrPort(b, c.addr) })
	}
}

// forward sends a datagram on in time, or loses it.
func (p *Proxy) forward(dir int, b []byte, send func([]byte)) {
	p.mu.Lock()
	w := p.ways[dir]
	if w.closed() || w.lose() || p.flying >= maxFlying {
		p.mu.Unlock()
		return
	}
	if w.delay <= 0 {
		p.mu.Unlock()
		send(b)
		return
	}
	p.flying++
	p.mu.Unlock()
	b = append([]byte(nil), b...)
	time.AfterFunc(w.delay, func() {
		p.mu.Lock()
		p.flying--
		lost := p.closed || p.ways[dir].closed()
		p.mu.Unlock()
		if !lost {
			send(b)
		}
	})
}
