package proxy

import (
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

const (
	pieceSize   = 16 << 10
	bufferSize  = 256 << 10 // of one direction of a connection
	overhead    = 256       // what a piece counts for beyond its bytes
	maxSessions = 4096
)

// session is a connection through the proxy.
type session struct {
	near, far *net.TCPConn // far is nil until the target answered
	ended     bool         // both under the proxy's lock
}

// end closes both sides; what was let out still arrives. The proxy's lock is held.
func (s *session) end() {
	s.ended = true
	for _, c := range []*net.TCPConn{s.near, s.far} {
		if c != nil {
			_ = c.Close()
		}
	}
}

// abort resets both sides. The proxy's lock is held.
func (s *session) abort() {
	for _, c := range []*net.TCPConn{s.near, s.far} {
		if c != nil {
			_ = c.SetLinger(0)
		}
	}
	s.end()
}

func (p *Proxy) accept() {
	for {
		near, err := p.tcp.AcceptTCP()
		if err != nil {
			select {
			case <-p.ctx.Done():
				return
			case <-time.After(10 * time.Millisecond): // no descriptors, for instance
				continue
			}
		}
		s := &session{near: near}
		p.mu.Lock()
		if p.closed || len(p.sessions) >= maxSessions {
			s.abort()
		} else {
			p.sessions[s] = struct{}{}
			p.wg.Go(func() { p.serve(s) })
		}
		p.mu.Unlock()
	}
}

// serve connects to the target and forwards both ways until both have ended.
func (p *Proxy) serve(s *session) {
	defer func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		delete(p.sessions, s)
		s.end()
	}()
	if far := p.dial(); far != nil {
		p.mu.Lock()
		s.far = far
		if s.ended {
			s.abort()
		}
		p.mu.Unlock()
	}
	if s.far == nil {
		_ = s.near.SetLinger(0)
		return
	}
	out := newPump(p, to, s.near, s.far)
	in := newPump(p, from, s.far, s.near)
	out.back, in.back = in, out
	var reads, writes sync.WaitGroup
	reads.Go(out.read)
	reads.Go(in.read)
	writes.Go(out.write)
	writes.Go(in.write)
	writes.Wait()
	// Whoever still reads would do so for nobody.
	p.mu.Lock()
	s.end()
	p.mu.Unlock()
	out.stop()
	in.stop()
	reads.Wait()
}

// dial connects to the target once both directions are open; nil if that fails.
func (p *Proxy) dial() *net.TCPConn {
	w, _ := p.way(to)
	if !p.pass(to, time.Now().Add(w.delay)) {
		return nil
	}
	var d net.Dialer
	c, err := d.DialContext(p.ctx, "tcp", p.target)
	if w, _ = p.way(from); !p.pass(from, time.Now().Add(w.delay)) || err != nil {
		if err == nil {
			_ = c.Close()
		}
		return nil
	}
	return c.(*net.TCPConn)
}

// What a piece is.
const (
	data  = iota
	fin   // the sender sends no more
	reset // the connection broke at the sender's side
)

type piece struct {
	kind int
	data []byte
	at   time.Time
}

func (p piece) cost() int { return len(p.data) + overhead }

// pump is one direction of a connection: read takes pieces in, write lets them out in order.
type pump struct {
	proxy    *Proxy
	dir      int
	src, dst *net.TCPConn
	back     *pump

	mu      sync.Mutex
	cond    *sync.Cond
	queue   []piece
	queued  int
	last    time.Time // when the last piece is let out
	stopped bool      // nothing is taken in or let out any more
}

func newPump(p *Proxy, dir int, src, dst *net.TCPConn) *pump {
	u := &pump{proxy: p, dir: dir, src: src, dst: dst}
	u.cond = sync.NewCond(&u.mu)
	return u
}

func (u *pump) read() {
	buf := make([]byte, pieceSize)
	for {
		k, err := u.src.Read(buf)
		if k > 0 && !u.push(piece{data: append([]byte(nil), buf[:k]...)}) {
			return
		}
		switch {
		case errors.Is(err, io.EOF):
			u.push(piece{kind: fin})
			return
		case err != nil:
			u.push(piece{kind: reset})
			return
		}
	}
}

// push queues a piece, waiting for room unless it is an end.
func (u *pump) push(p piece) bool {
	w, _ := u.proxy.way(u.dir)
	u.mu.Lock()
	defer u.mu.Unlock()
	for p.kind == data && u.queued+p.cost() > bufferSize && !u.stopped {
		u.cond.Wait()
	}
	if u.stopped {
		return false
	}
	p.at = time.Now().Add(w.delay + w.resends())
	if p.at.Before(u.last) {
		p.at = u.last
	}
	u.last = p.at
	u.queue = append(u.queue, p)
	u.queued += p.cost()
	u.cond.Broadcast()
	return true
}

// next gives the first piece, which counts until done.
func (u *pump) next() (piece, bool) {
	u.mu.Lock()
	defer u.mu.Unlock()
	for len(u.queue) == 0 && !u.stopped {
		u.cond.Wait()
	}
	if u.stopped {
		return piece{}, false
	}
	return u.queue[0], true
}

func (u *pump) done(p piece) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.stopped {
		return
	}
	u.queue[0] = piece{}
	u.queue = u.queue[1:]
	u.queued -= p.cost()
	u.cond.Broadcast()
}

func (u *pump) stop() {
	u.mu.Lock()
	defer u.mu.Unlock()
	u.stopped = true
	u.queue, u.queued = nil, 0
	u.cond.Broadcast()
}

// write lets pieces out until the direction has ended.
func (u *pump) write() {
	defer u.stop()
	for {
		p, ok := u.next()
		if !ok || !u.proxy.pass(u.dir, p.at) {
			return
		}
		switch p.kind {
		case fin:
			_ = u.dst.CloseWrite()
			return
		case reset:
			_ = u.dst.SetLinger(0)
			_ = u.dst.Close()
			u.back.stop() // there is nobody for what comes from there
			return
		}
		if _, err := u.dst.Write(p.data); err != nil {
			// The sender learns of it as from anything else that comes from there.
			u.back.push(piece{kind: reset})
			return
		}
		u.done(p)
	}
}
