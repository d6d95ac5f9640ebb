package memnet

import (
	"net"
	"sync"
)

// maxBacklog is how many connections wait to be accepted; further dials wait.
const maxBacklog = 128

type listener struct {
	proc    *Process
	addr    *net.TCPAddr
	cond    *sync.Cond
	backlog []*conn
	closed  bool
}

func newListener(p *Process, addr *net.TCPAddr) *listener {
	return &listener{proc: p, addr: addr, cond: sync.NewCond(&p.host.net.mu)}
}

// connect makes the two ends of a connection, queues one and gives the other. The lock is held.
func (l *listener) connect(from *Process) *conn {
	near := newConn(from, from.tcp(from.host.freePort(func(port int) bool { return from.listeners[port] != nil })), l.addr)
	far := newConn(l.proc, l.addr, near.local)
	join(near, far)
	join(far, near)
	l.backlog = append(l.backlog, far)
	l.cond.Broadcast()
	return near
}

// Accept implements net.Listener.
func (l *listener) Accept() (net.Conn, error) {
	n := l.proc.host.net
	n.mu.Lock()
	defer n.mu.Unlock()
	for {
		if l.closed {
			return nil, &net.OpError{Op: "accept", Net: "tcp", Source: nil, Addr: l.addr, Err: net.ErrClosed}
		}
		if len(l.backlog) > 0 && !l.proc.host.frozen {
			c := l.backlog[0]
			l.backlog = l.backlog[1:]
			n.wakeDials()
			return c, nil
		}
		l.cond.Wait()
	}
}

// Close implements net.Listener. Connections that nobody accepted are reset.
func (l *listener) Close() error {
	n := l.proc.host.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if l.closed {
		return &net.OpError{Op: "close", Net: "tcp", Addr: l.addr, Err: net.ErrClosed}
	}
	l.end()
	return nil
}

// end is Close under the lock.
func (l *listener) end() {
	l.closed = true
	delete(l.proc.listeners, l.addr.Port)
	for _, c := range l.backlog {
		c.end(segment{kind: reset})
	}
	l.backlog = nil
	l.cond.Broadcast()
	l.proc.host.net.wakeDials()
}

// Addr implements net.Listener.
func (l *listener) Addr() net.Addr { return l.addr }
