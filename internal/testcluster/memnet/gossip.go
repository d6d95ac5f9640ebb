package memnet

import (
	"context"
	"net"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"
)

// Gossip is memberlist's transport over the packets and streams of a host's port. It belongs to
// the process that runs there now: Kill leaves it deaf and mute. Shutdown closes the port and waits
// for its two goroutines; it must be called after Kill too. memberlist itself does not wait
// for probes under way: before a bubble ends it should sleep for AwarenessMaxMultiplier times
// ProbeInterval.
func Gossip(h *Host, port int) (memberlist.NodeAwareTransport, error) {
	return h.Process().Gossip(port)
}

// Gossip is memberlist's transport, as the function Gossip has it.
func (p *Process) Gossip(port int) (memberlist.NodeAwareTransport, error) {
	streams, err := p.Listen(port)
	if err != nil {
		return nil, err
	}
	addr := streams.Addr().(*net.TCPAddr)
	packets, err := p.ListenPacket(addr.Port)
	if err != nil {
		_ = streams.Close()
		return nil, err
	}
	t := &gossip{
		proc: p, addr: addr, streams: streams, packets: packets,
		streamCh: make(chan net.Conn), packetCh: make(chan *memberlist.Packet), done: make(chan struct{}),
	}
	t.wg.Go(t.accept)
	t.wg.Go(t.receive)
	return t, nil
}

type gossip struct {
	proc     *Process
	addr     *net.TCPAddr
	streams  net.Listener
	packets  net.PacketConn
	streamCh chan net.Conn
	packetCh chan *memberlist.Packet
	done     chan struct{}
	once     sync.Once
	wg       sync.WaitGroup
}

func (t *gossip) accept() {
	for {
		c, err := t.streams.Accept()
		if err != nil {
			return
		}
		select {
		case t.streamCh <- c:
		case <-t.done:
			_ = c.Close()
			return
		}
	}
}

func (t *gossip) receive() {
	buf := make([]byte, maxPacket)
	for {
		k, from, err := t.packets.ReadFrom(buf)
		if err != nil {
			return
		}
		if k == 0 {
			continue // memberlist takes none that is empty
		}
		p := &memberlist.Packet{Buf: append([]byte(nil), buf[:k]...), From: from, Timestamp: time.Now()}
		select {
		case t.packetCh <- p:
		case <-t.done:
			return
		}
	}
}

// FinalAdvertiseAddr implements memberlist.Transport. What is configured is not heeded.
func (t *gossip) FinalAdvertiseAddr(string, int) (net.IP, int, error) {
	return t.addr.IP, t.addr.Port, nil
}

// WriteTo implements memberlist.Transport.
func (t *gossip) WriteTo(b []byte, addr string) (time.Time, error) {
	_, err := t.packets.WriteTo(b, textAddr(addr))
	return time.Now(), err
}

// WriteToAddress implements memberlist.NodeAwareTransport.
func (t *gossip) WriteToAddress(b []byte, addr memberlist.Address) (time.Time, error) {
	return t.WriteTo(b, addr.Addr)
}

// DialTimeout implements memberlist.Transport.
func (t *gossip) DialTimeout(addr string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	return t.proc.Dial(ctx, addr)
}

// DialAddressTimeout implements memberlist.NodeAwareTransport.
func (t *gossip) DialAddressTimeout(addr memberlist.Address, timeout time.Duration) (net.Conn, error) {
	return t.DialTimeout(addr.Addr, timeout)
}

// PacketCh implements memberlist.Transport.
func (t *gossip) PacketCh() <-chan *memberlist.Packet { return t.packetCh }

// StreamCh implements memberlist.Transport.
func (t *gossip) StreamCh() <-chan net.Conn { return t.streamCh }

// Shutdown implements memberlist.Transport. It may be called again.
func (t *gossip) Shutdown() error {
	t.once.Do(func() {
		close(t.done)
		_ = t.streams.Close()
		_ = t.packets.Close()
	})
	t.wg.Wait()
	return nil
}
