// Package proxy stands on loopback before a port of a real process, TCP and UDP, and delays, loses or
// holds back what goes through. It does for processes what memnet does in one.
//
// It ends connections at both sides, so what it cannot do is keep a client from
// connecting: while the way to the target is blocked, or the target does not
// answer, a connect succeeds and then nothing comes. UDP reaches the target
// from ports of the proxy.
package proxy

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

const (
	resend    = 200 * time.Millisecond // how long a lost piece of a stream is late; doubles each time
	maxResend = time.Second            // kinder than TCP, so that high losses can be tested
)

// The two directions.
const (
	to = iota
	from
)

// way is what happens to one direction.
type way struct {
	delay   time.Duration
	loss    float64
	blocked bool
}

func (w way) closed() bool { return w.blocked || w.loss >= 1 }

func (w way) lose() bool { return w.loss > 0 && rand.Float64() < w.loss }

// resends is how long a piece of a stream is late because it got lost.
func (w way) resends() time.Duration {
	var late time.Duration
	wait := resend
	for !w.closed() && w.lose() {
		late += wait
		wait = min(2*wait, maxResend)
	}
	return late
}

// Proxy forwards a port. It is safe for concurrent use. It holds at most 256 KB per
// connection and direction and 4,096 datagrams.
type Proxy struct {
	target string
	tcp    *net.TCPListener
	udp    *net.UDPConn
	wg     sync.WaitGroup
	ctx    context.Context // over when the proxy is closed
	cancel context.CancelFunc

	mu       sync.Mutex
	closed   bool
	ways     [2]way
	changed  chan struct{} // closed, and made anew, when ways changes
	sessions map[*session]struct{}
	clients  map[string]*client
	flying   int // datagrams on their way
}

// New listens on a free port of 127.0.0.1, the same for TCP and UDP, and forwards to target, "127.0.0.1:7400",
// where nobody needs to listen yet. Close it.
func New(target string) (*Proxy, error) {
	p := &Proxy{
		target: target, changed: make(chan struct{}),
		sessions: map[*session]struct{}{}, clients: map[string]*client{},
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	// The port that TCP is given may be taken for UDP.
	var err error
	for range 50 {
		if err = p.listen(); err == nil {
			p.wg.Go(p.accept)
			p.wg.Go(p.receive)
			return p, nil
		}
	}
	p.cancel()
	return nil, fmt.Errorf("proxy: no port is free for both TCP and UDP: %w", err)
}

func (p *Proxy) listen() error {
	loopback := net.IPv4(127, 0, 0, 1)
	tcp, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: loopback})
	if err != nil {
		return err
	}
	udp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: loopback, Port: tcp.Addr().(*net.TCPAddr).Port})
	if err != nil {
		return errors.Join(err, tcp.Close())
	}
	p.tcp, p.udp = tcp, udp
	return nil
}

// Addr is where it listens, "127.0.0.1:41234".
func (p *Proxy) Addr() string { return p.tcp.Addr().String() }

// SetDelay has what comes from now on take that much longer in each direction.
func (p *Proxy) SetDelay(toTarget, fromTarget time.Duration) {
	p.change(func() { p.ways[to].delay, p.ways[from].delay = toTarget, fromTarget })
}

// SetLoss loses datagrams with these probabilities. Of a stream a piece of up to 16 KB
// is 200 ms late with it, then 400 ms, and so on. A probability of 1 blocks.
func (p *Proxy) SetLoss(toTarget, fromTarget float64) {
	p.change(func() { p.ways[to].loss, p.ways[from].loss = toTarget, fromTarget })
}

// Block says which directions are blocked: streams are held back, the ends and resets of
// connections too, and datagrams lost.
func (p *Proxy) Block(toTarget, fromTarget bool) {
	p.change(func() { p.ways[to].blocked, p.ways[from].blocked = toTarget, fromTarget })
}

func (p *Proxy) change(fn func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	fn()
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *Proxy) way(dir int) (way, <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ways[dir], p.changed
}

// pass waits until a direction is open and the time has come; false: the proxy was closed.
func (p *Proxy) pass(dir int, at time.Time) bool {
	for {
		w, changed := p.way(dir)
		var due <-chan time.Time
		var timer *time.Timer
		if !w.closed() {
			wait := time.Until(at)
			if wait <= 0 {
				return true
			}
			timer = time.NewTimer(wait)
			due = timer.C
		}
		open := true
		select {
		case <-changed:
		case <-due:
		case <-p.ctx.Done():
			open = false
		}
		if timer != nil {
			timer.Stop()
		}
		if !open {
			return false
		}
	}
}

// Close ends all connections and waits for the proxy's goroutines. It may be called again.
func (p *Proxy) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	p.cancel()
	for s := range p.sessions {
		s.abort()
	}
	for _, c := range p.clients {
		_ = c.conn.Close()
	}
	p.mu.Unlock()
	err := errors.Join(p.tcp.Close(), p.udp.Close())
	p.wg.Wait()
	return err
}
