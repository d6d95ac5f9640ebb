package memnet

import (
	"context"
	"net"
)

// firstPort is where ports begin that nobody asked for.
const firstPort = 32768

// Host is a machine. It is safe for concurrent use.
type Host struct {
	net    *Network
	id     int
	name   string
	ip     string
	port   int // the next one to give
	frozen bool
	now    *Process
}

// Name is what Network.Host was given.
func (h *Host) Name() string { return h.name }

// IP is the host's address.
func (h *Host) IP() string { return h.ip }

// Process is what runs on the host until the next Kill. Code that is to die by Kill
// should hold it instead of the host, so that its goroutines, which live on, can
// open nothing in the name of what is started later.
func (h *Host) Process() *Process {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	return h.now
}

// Listen is Process.Listen of what runs now.
func (h *Host) Listen(port int) (net.Listener, error) { return h.Process().Listen(port) }

// ListenPacket is Process.ListenPacket of what runs now.
func (h *Host) ListenPacket(port int) (net.PacketConn, error) { return h.Process().ListenPacket(port) }

// Dial is Process.Dial of what runs now.
func (h *Host) Dial(ctx context.Context, addr string) (net.Conn, error) {
	return h.Process().Dial(ctx, addr)
}

// Kill ends all processes of the host, frozen or not. Their listeners, conns and
// packet conns close. The other ends read what was sent and then a reset, as
// soon as one can get to them. The host can be used again at once.
func (h *Host) Kill() {
	h.net.mu.Lock()
	defer h.net.mu.Unlock()
	h.frozen = false
	h.now.end()
	h.now = newProcess(h)
	h.net.stir()
}

// Freeze has the host's network stand still, which is what SIGSTOP of its processes
// looks like from outside: nothing is read or sent, dials to it and from it wait, what comes in
// queues up to the bounds of the buffers. The code on it runs on: its calls wait,
// but deadlines and contexts still end them.
func (h *Host) Freeze() { h.net.change(func() { h.frozen = true }) }

// Thaw undoes Freeze.
func (h *Host) Thaw() { h.net.change(func() { h.frozen = false }) }

// freePort gives a port from firstPort on that is not in use.
func (h *Host) freePort(used func(port int) bool) int {
	for {
		port := h.port
		h.port++
		if h.port > 65535 {
			h.port = firstPort
		}
		if !used(port) {
			return port
		}
	}
}
