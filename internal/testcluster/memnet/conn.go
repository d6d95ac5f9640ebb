package memnet

import (
	"bytes"
	"io"
	"net"
	"os"
	"sync"
	"syscall"
	"time"
)

// conn is one end of a connection. As those of package net it may be used concurrently: writes
// do not mix, Close ends the calls that wait. The network's lock guards it.
type conn struct {
	proc          *Process
	local, remote *net.TCPAddr
	cond          *sync.Cond // for readers and writers alike
	in, out       *pipe
	closed        bool
	finished      bool // CloseWrite was called
	writing       bool // a flag, since a bubble's clock stands still while a mutex is waited for
	read, write   deadline
}

func newConn(p *Process, local, remote *net.TCPAddr) *conn {
	c := &conn{proc: p, local: local, remote: remote, cond: sync.NewCond(&p.host.net.mu)}
	p.conns[c] = struct{}{}
	return c
}

// Read implements net.Conn.
func (c *conn) Read(b []byte) (int, error) {
	n := c.proc.host.net
	n.mu.Lock()
	defer n.mu.Unlock()
	for {
		switch {
		case c.closed:
			return 0, c.fail("read", net.ErrClosed)
		case c.read.passed:
			return 0, c.fail("read", os.ErrDeadlineExceeded)
		case len(b) == 0:
			return 0, nil
		case c.proc.host.frozen:
		case c.in.buf.Len() > 0:
			return c.in.read(b), nil
		case c.in.broken:
			return 0, c.fail("read", os.NewSyscallError("read", syscall.ECONNRESET))
		case c.in.ended:
			return 0, io.EOF
		}
		c.cond.Wait()
	}
}

// Write implements net.Conn. It returns once all of b is in the buffer.
func (c *conn) Write(b []byte) (int, error) {
	n := c.proc.host.net
	n.mu.Lock()
	defer n.mu.Unlock()
	mine := false
	defer func() {
		if mine {
			c.writing = false
			c.cond.Broadcast()
		}
	}()
	done := 0
	for {
		switch {
		case c.closed:
			return done, c.fail("write", net.ErrClosed)
		case c.write.passed:
			return done, c.fail("write", os.ErrDeadlineExceeded)
		case c.in.broken:
			return done, c.fail("write", os.NewSyscallError("write", syscall.ECONNRESET))
		case c.in.deaf, c.finished:
			return done, c.fail("write", os.NewSyscallError("write", syscall.EPIPE))
		case done == len(b):
			return done, nil
		}
		room := c.out.room()
		if c.proc.host.frozen || c.writing && !mine || room <= 0 {
			c.cond.Wait()
			continue
		}
		mine, c.writing = true, true
		k := min(room, segmentSize, len(b)-done)
		c.out.push(segment{data: bytes.Clone(b[done : done+k])})
		done += k
		if done == len(b) {
			return done, nil
		}
	}
}

// CloseWrite has the other end read io.EOF after what was written; reading goes on.
func (c *conn) CloseWrite() error {
	n := c.proc.host.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if c.closed {
		return c.fail("close", net.ErrClosed)
	}
	if !c.finished {
		c.finished = true
		c.out.push(segment{kind: fin})
		c.cond.Broadcast()
	}
	return nil
}

// Close implements net.Conn. What was written still arrives.
func (c *conn) Close() error {
	n := c.proc.host.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if c.closed {
		return c.fail("close", net.ErrClosed)
	}
	c.end(segment{kind: gone})
	return nil
}

// end closes this end under the lock and tells the other one by last.
func (c *conn) end(last segment) {
	if c.closed {
		return
	}
	c.closed = true
	delete(c.proc.conns, c)
	c.read.stop()
	c.write.stop()
	c.cond.Broadcast()
	if c.in.src.closed {
		c.in.stop()
		c.out.stop()
		return
	}
	c.in.drop()
	c.out.push(last)
}

// LocalAddr implements net.Conn.
func (c *conn) LocalAddr() net.Addr { return c.local }

// RemoteAddr implements net.Conn.
func (c *conn) RemoteAddr() net.Addr { return c.remote }

// SetDeadline implements net.Conn.
func (c *conn) SetDeadline(t time.Time) error { return c.setDeadlines(t, &c.read, &c.write) }

// SetReadDeadline implements net.Conn.
func (c *conn) SetReadDeadline(t time.Time) error { return c.setDeadlines(t, &c.read) }

// SetWriteDeadline implements net.Conn.
func (c *conn) SetWriteDeadline(t time.Time) error { return c.setDeadlines(t, &c.write) }

func (c *conn) setDeadlines(t time.Time, which ...*deadline) error {
	n := c.proc.host.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if c.closed {
		return c.fail("set", net.ErrClosed)
	}
	for _, d := range which {
		d.to(t, c.cond)
	}
	return nil
}

func (c *conn) fail(op string, err error) error {
	return &net.OpError{Op: op, Net: "tcp", Source: c.local, Addr: c.remote, Err: err}
}
