package memnet

import (
	"context"
	"errors"
	"net"
	"os"
	"strconv"
	"syscall"
	"time"
)

// Process is what a host runs between two kills. It is safe for concurrent use.
// After Kill its methods fail with net.ErrClosed.
type Process struct {
	host      *Host
	dead      bool
	listeners map[int]*listener
	packets   map[int]*packetConn
	conns     map[*conn]struct{}
}

func newProcess(h *Host) *Process {
	return &Process{host: h, listeners: map[int]*listener{}, packets: map[int]*packetConn{}, conns: map[*conn]struct{}{}}
}

// IP is the host's address.
func (p *Process) IP() string { return p.host.ip }

// Host is where it runs.
func (p *Process) Host() *Host { return p.host }

func (p *Process) gone() bool { return p.dead || p.host.net.closed }

// end closes all that the process holds open. The lock is held.
func (p *Process) end() {
	p.dead = true
	for _, l := range p.listeners {
		l.end()
	}
	for _, c := range p.packets {
		c.end()
	}
	for c := range p.conns {
		c.end(segment{kind: reset})
	}
}

// wake has the calls look again that wait at listeners and packet conns.
func (p *Process) wake() {
	for _, l := range p.listeners {
		l.cond.Broadcast()
	}
	for _, c := range p.packets {
		c.cond.Broadcast()
	}
}

// Listen takes connections at a port, at a free one for 0. A port in use is syscall.EADDRINUSE.
func (p *Process) Listen(port int) (net.Listener, error) {
	n := p.host.net
	n.mu.Lock()
	defer n.mu.Unlock()
	addr := p.tcp(port)
	if p.gone() {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: addr, Err: net.ErrClosed}
	}
	if port == 0 {
		port = p.host.freePort(func(port int) bool { return p.listeners[port] != nil })
		addr = p.tcp(port)
	}
	if p.listeners[port] != nil {
		return nil, &net.OpError{Op: "listen", Net: "tcp", Addr: addr, Err: os.NewSyscallError("bind", syscall.EADDRINUSE)}
	}
	l := newListener(p, addr)
	p.listeners[port] = l
	return l, nil
}

// Dial connects to "10.0.0.2:7400", or to the host's name in place of its address. Where nobody
// listens it is refused (syscall.ECONNREFUSED); where there is no host, it is
// syscall.EHOSTUNREACH; while it cannot get there and back, it waits for ctx.
func (p *Process) Dial(ctx context.Context, addr string) (net.Conn, error) {
	c, err := p.dial(ctx, addr)
	if err != nil {
		if errors.Is(err, context.DeadlineExceeded) {
			err = os.ErrDeadlineExceeded // as the dialer of package net has it: a timeout
		}
		return nil, &net.OpError{Op: "dial", Net: "tcp", Source: p.tcp(0), Addr: textAddr(addr), Err: err}
	}
	return c, nil
}

func (p *Process) dial(ctx context.Context, addr string) (*conn, error) {
	n := p.host.net
	to, port, err := n.resolve(addr)
	if err != nil {
		return nil, err
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	there, back := n.link(p.host, to), n.link(to, p.host)
	// ready is when the handshake will be done; zero while it cannot begin.
	var ready time.Time
	for {
		switch {
		case p.gone():
			return nil, net.ErrClosed
		case ctx.Err() != nil:
			return nil, ctx.Err()
		}
		var wait time.Duration
		now := time.Now()
		switch open := !there.closed() && !back.closed() && !p.host.frozen && !to.frozen; {
		case !open:
			ready = time.Time{}
		case ready.IsZero():
			ready = now.Add(there.transit() + back.transit() + there.resends(redial) + back.resends(redial))
			fallthrough
		default:
			if wait = ready.Sub(now); wait > 0 {
				break
			}
			l := to.now.listeners[port]
			if l == nil {
				return nil, os.NewSyscallError("connect", syscall.ECONNREFUSED)
			}
			if len(l.backlog) < maxBacklog {
				return l.connect(p), nil
			}
		}
		if err := n.waitDial(ctx, wait); err != nil {
			return nil, err
		}
	}
}

// waitDial waits, without the lock, for ctx, a change or, unless 0, a time to go by.
func (n *Network) waitDial(ctx context.Context, wait time.Duration) error {
	changed := n.changed
	n.mu.Unlock()
	defer n.mu.Lock()
	var due <-chan time.Time
	if wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-changed:
	case <-due:
	}
	return nil
}

// resolve finds the host and the port of an address.
func (n *Network) resolve(addr string) (*Host, int, error) {
	host, service, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, 0, err
	}
	port, err := strconv.ParseUint(service, 10, 16)
	if err != nil {
		return nil, 0, &net.AddrError{Err: "the port is not a number", Addr: addr}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, h := range n.hosts {
		if h.ip == host || h.name == host {
			return h, int(port), nil
		}
	}
	return nil, 0, os.NewSyscallError("connect", syscall.EHOSTUNREACH)
}

func (p *Process) tcp(port int) *net.TCPAddr {
	return &net.TCPAddr{IP: net.ParseIP(p.host.ip).To4(), Port: port}
}

// textAddr is an address that was given, for messages.
type textAddr string

func (textAddr) Network() string  { return "tcp" }
func (a textAddr) String() string { return string(a) }
