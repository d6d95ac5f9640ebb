package proxy

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// target is a port whose streams and datagrams the test answers itself.
type target struct {
	tcp *net.TCPListener
	udp *net.UDPConn
	*Proxy
}

func start(t *testing.T) *target {
	t.Helper()
	var g target
	for range 50 {
		tcp, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			t.Fatal(err)
		}
		at := tcp.Addr().(*net.TCPAddr)
		udp, err := net.ListenUDP("udp4", &net.UDPAddr{IP: at.IP, Port: at.Port})
		if err != nil {
			tcp.Close()
			continue
		}
		g.tcp, g.udp = tcp, udp
		break
	}
	var err error
	if g.Proxy, err = New(g.tcp.Addr().String()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := g.Close(); err != nil {
			t.Error(err)
		}
		g.tcp.Close()
		g.udp.Close()
		if len(g.sessions) > 0 {
			t.Error("sessions left:", len(g.sessions))
		}
	})
	return &g
}

// connect gives the two ends of a connection through the proxy.
func (g *target) connect(t *testing.T) (near, far *net.TCPConn) {
	t.Helper()
	c, err := net.Dial("tcp", g.Addr())
	if err != nil {
		t.Fatal(err)
	}
	near = c.(*net.TCPConn)
	_ = g.tcp.SetDeadline(time.Now().Add(10 * time.Second))
	if far, err = g.tcp.AcceptTCP(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		near.Close()
		far.Close()
	})
	return near, far
}

func send(t *testing.T, c net.Conn, text string) {
	t.Helper()
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, c net.Conn, text string) {
	t.Helper()
	buf := make([]byte, len(text))
	_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := io.ReadFull(c, buf); err != nil || string(buf) != text {
		t.Fatalf("read %.40q, %v; want %.40q", buf, err, text)
	}
}

// silent fails if something comes.
func silent(t *testing.T, c net.Conn) {
	t.Helper()
	_ = c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if k, err := c.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("read %d bytes, %v; want silence", k, err)
	}
}

func TestStream(t *testing.T) {
	g := start(t)
	near, far := g.connect(t)
	send(t, near, "ping")
	expect(t, far, "ping")
	send(t, far, "pong")
	expect(t, near, "pong")

	// Much, with a slow end, then half a close, and the rest the other way.
	want := make([]byte, 8<<20)
	_, _ = rand.Read(want)
	go func() {
		_, _ = near.Write(want)
		_ = near.CloseWrite()
	}()
	got, err := io.ReadAll(far)
	if err != nil || !bytes.Equal(got, want) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	_, _ = far.Write(want[:1<<20])
	_ = far.Close()
	_ = near.SetReadDeadline(time.Now().Add(10 * time.Second))
	if got, err = io.ReadAll(near); err != nil || !bytes.Equal(got, want[:1<<20]) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
}

func TestDelayOfStreams(t *testing.T) {
	g := start(t)
	near, far := g.connect(t)
	g.SetDelay(60*time.Millisecond, 90*time.Millisecond)
	begin := time.Now()
	send(t, near, "ping")
	expect(t, far, "ping")
	there := time.Since(begin)
	send(t, far, "pong")
	expect(t, near, "pong")
	if whole := time.Since(begin); there < 60*time.Millisecond || whole < 150*time.Millisecond || whole > 2*time.Second {
		t.Fatal(there, whole)
	}
	// Pieces do not wait for each other.
	begin = time.Now()
	for range 20 {
		send(t, near, "x")
		time.Sleep(time.Millisecond)
	}
	expect(t, far, "xxxxxxxxxxxxxxxxxxxx")
	if took := time.Since(begin); took > time.Second {
		t.Fatal("20 pieces took", took)
	}
	g.SetDelay(0, 0)
	g.SetLoss(0.3, 0)
	begin = time.Now()
	_, _ = near.Write(make([]byte, 40*pieceSize))
	expect(t, far, string(make([]byte, 40*pieceSize)))
	if took := time.Since(begin); took < resend {
		t.Fatal("nothing was sent again: it took", took)
	}
}

func TestBlockStreams(t *testing.T) {
	g := start(t)
	near, far := g.connect(t)
	g.Block(true, false)
	send(t, near, "held")
	silent(t, far)
	send(t, far, "through")
	expect(t, near, "through")

	// What is held back is bounded, but for what the kernel holds.
	_ = near.SetWriteDeadline(time.Now().Add(300 * time.Millisecond))
	sent, err := near.Write(make([]byte, 64<<20))
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("all was taken:", sent, err)
	}
	_ = near.Close() // held back as well
	g.Block(false, false)
	expect(t, far, "held")
	_ = far.SetReadDeadline(time.Now().Add(10 * time.Second))
	if rest, err := io.ReadAll(far); len(rest) != sent || err != nil {
		t.Fatalf("%d of %d bytes, %v", len(rest), sent, err)
	}

	// A connection that begins while blocked.
	g.Block(true, true)
	c, err := net.Dial("tcp", g.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	send(t, c, "early")
	_ = g.tcp.SetDeadline(time.Now().Add(100 * time.Millisecond))
	if _, err := g.tcp.Accept(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("the target was reached:", err)
	}
	g.Block(false, false)
	_ = g.tcp.SetDeadline(time.Now().Add(10 * time.Second))
	if far, err = g.tcp.AcceptTCP(); err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	expect(t, far, "early")
}

func TestResets(t *testing.T) {
	g := start(t)
	near, far := g.connect(t)
	g.Block(false, true)
	_ = far.SetLinger(0)
	_ = far.Close()
	silent(t, near)
	g.Block(false, false)
	_ = near.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := near.Read(make([]byte, 1)); !errors.Is(err, syscall.ECONNRESET) {
		t.Fatal("after the target's reset:", err)
	}
	// The other way round, found by writing.
	near, far = g.connect(t)
	_ = near.Close()
	_ = far.SetDeadline(time.Now().Add(10 * time.Second))
	var err error
	for err == nil {
		_, err = far.Write(make([]byte, 1000))
	}
	if errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatal("the target was not told")
	}
	// Nobody listens.
	g.tcp.Close()
	c, err := net.Dial("tcp", g.Addr())
	if err == nil { // or the reset has come already
		defer c.Close()
		_ = c.SetReadDeadline(time.Now().Add(10 * time.Second))
		_, err = c.Read(make([]byte, 1))
	}
	if !errors.Is(err, syscall.ECONNRESET) {
		t.Fatal("without a target:", err)
	}
}

func TestDatagrams(t *testing.T) {
	g := start(t)
	c, err := net.Dial("udp", g.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	buf := make([]byte, 10)
	echo := func() error {
		send(t, c, "ping")
		_ = g.udp.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		k, from, err := g.udp.ReadFrom(buf)
		if err != nil {
			return err
		}
		if _, err := g.udp.WriteTo(buf[:k], from); err != nil {
			t.Fatal(err)
		}
		_ = c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		_, err = c.Read(buf)
		return err
	}
	if err := echo(); err != nil {
		t.Fatal(err)
	}
	g.SetDelay(20*time.Millisecond, 30*time.Millisecond)
	begin := time.Now()
	if err := echo(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(begin); took < 50*time.Millisecond {
		t.Fatal("took", took)
	}
	g.SetDelay(0, 0)
	for _, block := range [][2]bool{{true, false}, {false, true}, {true, true}} {
		g.Block(block[0], block[1])
		if err := echo(); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal("through a block:", block, err)
		}
	}
	g.Block(false, false)
	if err := echo(); err != nil {
		t.Fatal("healed:", err)
	}

	g.SetLoss(0.3, 0)
	const sent = 3000
	got := 0
	for i := range sent {
		send(t, c, "x")
		if i%50 < 49 {
			continue
		}
		for {
			_ = g.udp.SetReadDeadline(time.Now().Add(5 * time.Millisecond))
			if _, _, err := g.udp.ReadFrom(buf); err != nil {
				break
			}
			got++
		}
	}
	if rate := 1 - float64(got)/sent; rate < 0.25 || rate > 0.35 {
		t.Fatal("lost", rate)
	}
}

// Many clients leave no more than the bound of sockets behind.
func TestClients(t *testing.T) {
	g := start(t)
	for i := range maxClients + 20 {
		c, err := net.Dial("udp", g.Addr())
		if err != nil {
			t.Fatal(err)
		}
		send(t, c, "x")
		_ = g.udp.SetReadDeadline(time.Now().Add(5 * time.Second))
		if _, _, err := g.udp.ReadFrom(make([]byte, 1)); err != nil {
			t.Fatal(i, err)
		}
		c.Close()
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.clients) > maxClients {
		t.Fatal("clients:", len(g.clients))
	}
}
