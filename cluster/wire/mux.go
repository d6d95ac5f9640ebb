// Package wire is how servers and clients of a cluster reach each other: one port that speaks
// gRPC and raft, with TLS or without, and the connections to other nodes.
package wire

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// raftPreface is what a connection of raft begins with; the 16 bytes of the id of the node that is meant follow. One of gRPC
// begins with HTTP/2's "PRI ".
const raftPreface = "RAFT"

// greetTime bounds how long a new connection may take to say what it is.
const greetTime = 10 * time.Second

// Mux serves two protocols on one listener. Connections are told apart by their first bytes,
// behind the TLS handshake where there is one.
type Mux struct {
	l     net.Listener
	self  [16]byte
	tls   *tls.Config // nil: without
	allow func(*tls.Conn) error

	grpc, raft *branch

	ctx    context.Context
	cancel context.CancelFunc
	work   sync.WaitGroup
}

// NewMux serves l until Close. self is the id of this node: raft of another at this address is not answered in its
// place. With a TLS configuration every connection is greeted by it; allow then judges which may be raft's, by what their
// handshake proved.
func NewMux(l net.Listener, self [16]byte, conf *tls.Config, allow func(*tls.Conn) error) *Mux {
	m := &Mux{l: l, self: self, tls: conf, allow: allow}
	m.ctx, m.cancel = context.WithCancel(context.Background())
	m.grpc, m.raft = m.branch(), m.branch()
	m.work.Go(m.accept)
	return m
}

// GRPC and Raft are the listeners of the two protocols. Closing one refuses its connections from then on.
func (m *Mux) GRPC() net.Listener { return m.grpc }

// Raft is described at GRPC.
func (m *Mux) Raft() net.Listener { return m.raft }

// Close stops listening and waits for connections that have not said what they are.
func (m *Mux) Close() error {
	m.cancel()
	err := m.l.Close()
	m.work.Wait()
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

func (m *Mux) accept() {
	for {
		conn, err := m.l.Accept()
		if m.ctx.Err() != nil {
			if err == nil {
				_ = conn.Close()
			}
			return
		}
		if err != nil { // such as too many open files: it may pass
			select {
			case <-m.ctx.Done():
				return
			case <-time.After(50 * time.Millisecond):
			}
			continue
		}
		m.work.Go(func() { m.greet(conn) })
	}
}

func (m *Mux) greet(conn net.Conn) {
	stop := context.AfterFunc(m.ctx, func() { _ = conn.Close() })
	b, greeted := m.classify(conn)
	if b == nil || !stop() || !b.give(greeted) {
		_ = conn.Close()
	}
}

// classify finds out for whom a connection is; nil if for nobody.
func (m *Mux) classify(conn net.Conn) (*branch, net.Conn) {
	if conn.SetDeadline(time.Now().Add(greetTime)) != nil {
		return nil, nil
	}
	var secure *tls.Conn
	if m.tls != nil {
		secure = tls.Server(conn, m.tls)
		if secure.HandshakeContext(m.ctx) != nil {
			return nil, nil
		}
		conn = secure
	}
	r := bufio.NewReaderSize(conn, 32)
	first, err := r.Peek(len(raftPreface))
	if err != nil {
		return nil, nil
	}
	to := m.grpc // what is neither is for gRPC to refuse
	if string(first) == raftPreface {
		if secure != nil && m.allow != nil && m.allow(secure) != nil || !m.meant(r) {
			return nil, nil
		}
		to = m.raft
	}
	if conn.SetDeadline(time.Time{}) != nil {
		return nil, nil
	}
	return to, &peeked{Conn: conn, secure: secure, r: r}
}

// meant reads a preface of raft, and tells whether it is for this node.
func (m *Mux) meant(r *bufio.Reader) bool {
	var preface [len(raftPreface) + 16]byte
	_, err := io.ReadFull(r, preface[:])
	return err == nil && [16]byte(preface[len(raftPreface):]) == m.self
}

// peeked is a connection of which some bytes were read ahead.
type peeked struct {
	net.Conn
	secure *tls.Conn // or nil
	r      *bufio.Reader
}

func (p *peeked) Read(b []byte) (int, error) {
	if p.r == nil {
		return p.Conn.Read(b)
	}
	n, err := p.r.Read(b)
	if p.r.Buffered() == 0 {
		p.r = nil // past what was read ahead there is no use for so small a buffer
	}
	return n, err
}

// branch is the listener of one protocol.
type branch struct {
	m      *Mux
	conns  chan net.Conn
	once   sync.Once
	closed chan struct{}
}

func (m *Mux) branch() *branch {
	return &branch{m: m, conns: make(chan net.Conn), closed: make(chan struct{})}
}

func (b *branch) give(conn net.Conn) bool {
	select {
	case b.conns <- conn:
		return true
	case <-b.closed:
	case <-b.m.ctx.Done():
	}
	return false
}

func (b *branch) Accept() (net.Conn, error) {
	select {
	case conn := <-b.conns:
		return conn, nil
	case <-b.closed:
	case <-b.m.ctx.Done():
	}
	return nil, net.ErrClosed
}

func (b *branch) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

func (b *branch) Addr() net.Addr { return b.m.l.Addr() }
