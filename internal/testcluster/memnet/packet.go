package memnet

import (
	"bytes"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

const (
	maxPacket      = 65507     // what UDP carries
	packetBuffer   = 256 << 10 // bytes that wait to be read; what comes then is lost
	packetOverhead = 64        // what an empty one counts for
)

type packet struct {
	from *net.UDPAddr
	data []byte
}

// packetConn is a UDP socket. It is safe for concurrent use; the network's lock guards it.
type packetConn struct {
	proc        *Process
	addr        *net.UDPAddr
	cond        *sync.Cond
	queue       []packet
	queued      int
	closed      bool
	read, write deadline
}

// ListenPacket takes packets at a port, at a free one for 0. A port in use is syscall.EADDRINUSE.
// Packets that nobody takes are lost without a word.
func (p *Process) ListenPacket(port int) (net.PacketConn, error) {
	n := p.host.net
	n.mu.Lock()
	defer n.mu.Unlock()
	addr := &net.UDPAddr{IP: net.ParseIP(p.host.ip).To4(), Port: port}
	if p.gone() {
		return nil, &net.OpError{Op: "listen", Net: "udp", Addr: addr, Err: net.ErrClosed}
	}
	if port == 0 {
		addr.Port = p.host.freePort(func(port int) bool { return p.packets[port] != nil })
	}
	if p.packets[addr.Port] != nil {
		return nil, &net.OpError{Op: "listen", Net: "udp", Addr: addr, Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}
	}
	c := &packetConn{proc: p, addr: addr, cond: sync.NewCond(&n.mu)}
	p.packets[addr.Port] = c
	return c, nil
}

// ReadFrom implements net.PacketConn. What does not fit into b is lost.
func (c *packetConn) ReadFrom(b []byte) (int, net.Addr, error) {
	n := c.proc.host.net
	n.mu.Lock()
	defer n.mu.Unlock()
	for {
		switch {
		case c.closed:
			return 0, nil, c.fail("read", nil, net.ErrClosed)
		case c.read.passed:
			return 0, nil, c.fail("read", nil, os.ErrDeadlineExceeded)
		case len(c.queue) > 0 && !c.proc.host.frozen:
			p := c.queue[0]
			c.queue[0] = packet{}
			c.queue = c.queue[1:]
			c.queued -= len(p.data) + packetOverhead
			return copy(b, p.data), p.from, nil
		}
		c.cond.Wait()
	}
}

// WriteTo implements net.PacketConn. It waits for nothing but Thaw.
func (c *packetConn) WriteTo(b []byte, addr net.Addr) (int, error) {
	n := c.proc.host.net
	to, port, err := n.resolve(addr.String())
	if err != nil {
		return 0, c.fail("write", addr, err)
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for {
		switch {
		case c.closed:
			return 0, c.fail("write", addr, net.ErrClosed)
		case c.write.passed:
			return 0, c.fail("write", addr, os.ErrDeadlineExceeded)
		case len(b) > maxPacket:
			return 0, c.fail("write", addr, os.NewSyscallError("sendto", syscall.EMSGSIZE))
		case !c.proc.host.frozen:
			c.send(packet{from: c.addr, data: bytes.Clone(b)}, to, port)
			return len(b), nil
		}
		c.cond.Wait()
	}
}

// send puts a packet on its way, or loses it.
func (c *packetConn) send(p packet, to *Host, port int) {
	n := c.proc.host.net
	l := n.link(c.proc.host, to)
	if l.lose() || l.closed() || l.flying >= maxFlying {
		return
	}
	wait := l.transit()
	if wait <= 0 {
		to.receive(p, port)
		return
	}
	l.flying++
	time.AfterFunc(wait, func() {
		n.mu.Lock()
		defer n.mu.Unlock()
		l.flying--
		if !l.closed() {
			to.receive(p, port)
		}
	})
}

// receive gives a packet to who listens, if there is room.
func (h *Host) receive(p packet, port int) {
	c := h.now.packets[port]
	if c == nil || c.queued+len(p.data)+packetOverhead > packetBuffer {
		return
	}
	c.queue = append(c.queue, p)
	c.queued += len(p.data) + packetOverhead
	c.cond.Broadcast()
}

// Close implements net.PacketConn.
func (c *packetConn) Close() error {
	n := c.proc.host.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if c.closed {
		return c.fail("close", nil, net.ErrClosed)
	}
	c.end()
	return nil
}

// end is Close under the lock.
func (c *packetConn) end() {
	c.closed = true
	delete(c.proc.packets, c.addr.Port)
	c.queue, c.queued = nil, 0
	c.read.stop()
	c.write.stop()
	c.cond.Broadcast()
}

// LocalAddr implements net.PacketConn.
func (c *packetConn) LocalAddr() net.Addr { return c.addr }

// SetDeadline implements net.PacketConn.
func (c *packetConn) SetDeadline(t time.Time) error { return c.setDeadlines(t, &c.read, &c.write) }

// SetReadDeadline implements net.PacketConn.
func (c *packetConn) SetReadDeadline(t time.Time) error { return c.setDeadlines(t, &c.read) }

// SetWriteDeadline implements net.PacketConn.
func (c *packetConn) SetWriteDeadline(t time.Time) error { return c.setDeadlines(t, &c.write) }

func (c *packetConn) setDeadlines(t time.Time, which ...*deadline) error {
	n := c.proc.host.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if c.closed {
		return c.fail("set", nil, net.ErrClosed)
	}
	for _, d := range which {
		d.to(t, c.cond)
	}
	return nil
}

func (c *packetConn) fail(op string, to net.Addr, err error) error {
	return &net.OpError{Op: op, Net: "udp", Source: c.addr, Addr: to, Err: err}
}
