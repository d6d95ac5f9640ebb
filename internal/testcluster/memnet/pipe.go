package memnet

import (
	"bytes"
	"time"
)

// bufferSize bounds the bytes of one direction of a connection that are on their way, not yet read or not
// yet acknowledged; writers wait for room.
const bufferSize = 256 << 10

// What a segment is.
const (
	data  = iota
	fin   // no more bytes come
	gone  // the same, and none are taken: the other end is closed
	reset // the other end is no more
)

type segment struct {
	kind int
	data []byte
	at   time.Time // when it arrives; zero: it has not left
}

// pipe is one direction of a connection. The network's lock guards it.
type pipe struct {
	id        int
	src, dst  *conn
	out, back *link
	queue     []segment // in order: those on their way, then those that have not left
	queued    int       // bytes in queue
	last      time.Time // when the last that left arrives
	timer     *time.Timer
	buf       bytes.Buffer // arrived and not read
	owed      int          // read, which the writer cannot be told now
	ended     bool         // end of file after buf
	broken    bool         // a reset came; an error after buf
	deaf      bool         // the other end of the connection takes no more bytes
	stopped   bool
}

// join makes the pipe from one end of a connection to the other.
func join(src, dst *conn) {
	n := src.proc.host.net
	n.nextID++
	p := &pipe{
		id: n.nextID, src: src, dst: dst,
		out: n.link(src.proc.host, dst.proc.host), back: n.link(dst.proc.host, src.proc.host),
	}
	src.out, dst.in = p, p
	n.pipes[p] = struct{}{}
}

func (p *pipe) room() int { return bufferSize - p.queued - p.buf.Len() - p.owed }

// push sends a segment after those before it.
func (p *pipe) push(s segment) {
	if p.stopped {
		return
	}
	p.queue = append(p.queue, s)
	p.queued += len(s.data)
	p.depart()
}

// depart sends off what has not left, if it can.
func (p *pipe) depart() {
	if p.stopped || p.out.closed() || p.src.proc.host.frozen {
		return
	}
	now := time.Now()
	for i := range p.queue {
		s := &p.queue[i]
		if !s.at.IsZero() {
			continue
		}
		s.at = now.Add(p.out.transit() + p.out.resends(resend))
		if s.at.Before(p.last) {
			s.at = p.last
		}
		p.last = s.at
	}
	p.arrive(now)
}

// arrive takes in what is due and sets the timer for the rest.
func (p *pipe) arrive(now time.Time) {
	for len(p.queue) > 0 && !p.queue[0].at.IsZero() {
		s := p.queue[0]
		if wait := s.at.Sub(now); wait > 0 {
			if p.timer == nil {
				p.timer = time.AfterFunc(wait, p.due)
			} else {
				p.timer.Reset(wait)
			}
			return
		}
		if p.out.closed() {
			// Lost on the way, with all behind it: they are sent again once it is open.
			for i := range p.queue {
				p.queue[i].at = time.Time{}
			}
			p.last = time.Time{}
			return
		}
		p.queue[0].data = nil
		p.queue = p.queue[1:]
		p.queued -= len(s.data)
		p.take(s)
	}
}

func (p *pipe) due() {
	n := p.src.proc.host.net
	n.mu.Lock()
	defer n.mu.Unlock()
	if !p.stopped {
		p.arrive(time.Now())
	}
}

// take has a segment come in at dst.
func (p *pipe) take(s segment) {
	switch s.kind {
	case data:
		if p.dst.closed { // nobody will read it: make room
			p.src.cond.Broadcast()
			return
		}
		p.buf.Write(s.data)
	case fin:
		p.ended = true
	case gone:
		p.ended, p.deaf = true, true
	case reset:
		p.broken = true
	}
	p.dst.cond.Broadcast()
}

// read takes bytes out; the writer learns of the room once it can be told.
func (p *pipe) read(b []byte) int {
	k, _ := p.buf.Read(b)
	p.owed += k
	p.acknowledge()
	return k
}

func (p *pipe) acknowledge() {
	if p.owed > 0 && !p.back.closed() {
		p.owed = 0
		p.src.cond.Broadcast()
	}
}

// drop forgets what came in, since nobody will read it.
func (p *pipe) drop() {
	p.owed += p.buf.Len()
	p.buf = bytes.Buffer{}
	p.acknowledge()
}

// stop ends the pipe, when both ends are closed.
func (p *pipe) stop() {
	p.stopped = true
	p.queue, p.queued = nil, 0
	p.buf = bytes.Buffer{}
	if p.timer != nil {
		p.timer.Stop()
	}
	delete(p.src.proc.host.net.pipes, p)
}
