package memnet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// pair is two hosts a and b and a connection between them.
type pair struct {
	net  *Network
	a, b *Host
	l    net.Listener
	near net.Conn // at a
	far  net.Conn // at b
}

// bubble runs fn with a pair and the clock of a bubble, and fails if a goroutine stays.
func bubble(t *testing.T, fn func(t *testing.T, p *pair)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		defer n.Close()
		p := &pair{net: n, a: n.Host("a"), b: n.Host("b")}
		var err error
		if p.l, err = p.b.Listen(7400); err != nil {
			t.Fatal(err)
		}
		p.near, p.far = p.connect(t)
		fn(t, p)
	})
}

func (p *pair) connect(t *testing.T) (near, far net.Conn) {
	t.Helper()
	near, err := p.a.Dial(t.Context(), "10.0.0.2:7400")
	if err != nil {
		t.Fatal(err)
	}
	if far, err = p.l.Accept(); err != nil {
		t.Fatal(err)
	}
	return near, far
}

func (p *pair) dial(timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	c, err := p.a.Dial(ctx, "10.0.0.2:7400")
	if err == nil {
		_ = c.Close()
	}
	return err
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
	if _, err := io.ReadFull(c, buf); err != nil || string(buf) != text {
		t.Fatalf("read %.40q, %v; want %.40q", buf, err, text)
	}
}

func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("%s gave %v, want %v", what, err, want)
	}
}

func TestAddresses(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		if p.a.IP() != "10.0.0.1" || p.b.IP() != "10.0.0.2" || p.net.Host("a") != p.a {
			t.Fatal("addresses", p.a.IP(), p.b.IP())
		}
		if got := p.near.RemoteAddr().String(); got != "10.0.0.2:7400" {
			t.Fatal("remote address", got)
		}
		if p.near.LocalAddr().String() != p.far.RemoteAddr().String() {
			t.Fatal(p.near.LocalAddr(), p.far.RemoteAddr())
		}
		_, err := p.b.Listen(7400)
		wantErr(t, "a second Listen", err, syscall.EADDRINUSE)
		_, err = p.a.Dial(t.Context(), "10.0.0.2:1")
		wantErr(t, "Dial where nobody listens", err, syscall.ECONNREFUSED)
		_, err = p.a.Dial(t.Context(), "10.0.0.9:1")
		wantErr(t, "Dial of no host", err, syscall.EHOSTUNREACH)
	})
}

func TestOrderUnderLossAndJitter(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		p.net.SetDelay(p.a, p.b, 5*time.Millisecond, 20*time.Millisecond)
		p.net.SetLoss(p.a, p.b, 0.3)
		want := make([]byte, 3<<20)
		for i := range want {
			want[i] = byte(i ^ i>>8 ^ i>>16)
		}
		go func() {
			for rest := want; len(rest) > 0; {
				k := min(len(rest), 1+len(rest)%40000)
				if _, err := p.near.Write(rest[:k]); err != nil {
					t.Error(err)
					return
				}
				rest = rest[k:]
			}
			_ = p.near.Close()
		}()
		start := time.Now()
		got, err := io.ReadAll(p.far)
		if err != nil || !bytes.Equal(got, want) {
			t.Fatalf("%d bytes, %v", len(got), err)
		}
		if took := time.Since(start); took < 2*time.Second {
			t.Fatal("nothing was sent again: it took", took)
		}
	})
}

func TestBackPressure(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		_ = p.near.SetWriteDeadline(time.Now().Add(time.Second))
		sent, err := p.near.Write(make([]byte, 1<<20))
		wantErr(t, "Write without a reader", err, os.ErrDeadlineExceeded)
		if sent != bufferSize {
			t.Fatal("sent", sent)
		}
		// It reads on where room is made.
		_ = p.near.SetWriteDeadline(time.Time{})
		done := make(chan error, 1)
		go func() { _, err := p.near.Write(make([]byte, 1000)); done <- err }()
		synctest.Wait()
		select {
		case <-done:
			t.Fatal("written without room")
		default:
		}
		expect(t, p.far, string(make([]byte, 1000)))
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	})
}

func TestWritesDoNotMix(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		const size = 300 << 10
		for _, b := range []byte{'x', 'y', 'z'} {
			go func() { _, _ = p.near.Write(bytes.Repeat([]byte{b}, size)) }()
		}
		for range 3 {
			buf := make([]byte, size)
			if _, err := io.ReadFull(p.far, buf); err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(buf, bytes.Repeat(buf[:1], size)) {
				t.Fatal("writes mixed")
			}
		}
	})
}

func TestDeadlines(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		start := time.Now()
		_ = p.far.SetReadDeadline(start.Add(3 * time.Second))
		_, err := p.far.Read(make([]byte, 1))
		wantErr(t, "Read", err, os.ErrDeadlineExceeded)
		var timeout net.Error
		if !errors.As(err, &timeout) || !timeout.Timeout() {
			t.Fatal("not a timeout:", err)
		}
		if took := time.Since(start); took != 3*time.Second {
			t.Fatal("took", took)
		}
		send(t, p.near, "late")
		_, err = p.far.Read(make([]byte, 1))
		wantErr(t, "Read after the deadline", err, os.ErrDeadlineExceeded)
		_ = p.far.SetReadDeadline(time.Time{})
		expect(t, p.far, "late")
		// A deadline ends a Read that waits already.
		go func() {
			time.Sleep(time.Second)
			_ = p.far.SetReadDeadline(time.Now())
		}()
		_, err = p.far.Read(make([]byte, 1))
		wantErr(t, "Read with a deadline set meanwhile", err, os.ErrDeadlineExceeded)
	})
}

func TestClose(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		p.net.SetDelay(p.a, p.b, time.Second, 0)
		send(t, p.near, "last words")
		_ = p.near.Close()
		wantErr(t, "the second Close", p.near.Close(), net.ErrClosed)
		expect(t, p.far, "last words")
		_, err := p.far.Read(make([]byte, 1))
		wantErr(t, "Read after the last byte", err, io.EOF)
		_, err = p.far.Write([]byte("x"))
		wantErr(t, "Write to a closed peer", err, syscall.EPIPE)
		_ = p.far.Close()
		_, err = p.far.Read(make([]byte, 1))
		wantErr(t, "Read of a closed conn", err, net.ErrClosed)

		// Half a close.
		near, far := p.connect(t)
		if err := near.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
			t.Fatal(err)
		}
		if rest, err := io.ReadAll(far); len(rest) > 0 || err != nil {
			t.Fatal(rest, err)
		}
		send(t, far, "still")
		expect(t, near, "still")
	})
}

func TestDelay(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		p.net.SetDelay(p.a, p.b, 30*time.Millisecond, 0)
		p.net.SetDelay(p.b, p.a, 12*time.Millisecond, 0)
		start := time.Now()
		near, far := p.connect(t)
		if took := time.Since(start); took != 42*time.Millisecond {
			t.Fatal("dialing took", took)
		}
		start = time.Now()
		send(t, near, "ping")
		expect(t, far, "ping")
		send(t, far, "pong")
		expect(t, near, "pong")
		if took := time.Since(start); took != 42*time.Millisecond {
			t.Fatal("a round trip took", took)
		}
	})
}

func TestBlockOneWay(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		p.net.Block(p.a, p.b)
		send(t, p.near, "one ")
		_ = p.far.SetReadDeadline(time.Now().Add(time.Minute))
		_, err := p.far.Read(make([]byte, 1))
		wantErr(t, "Read through a block", err, os.ErrDeadlineExceeded)
		_ = p.far.SetReadDeadline(time.Time{})

		// The other way works, until there is no room without acknowledgements.
		send(t, p.far, "back")
		expect(t, p.near, "back")
		_ = p.far.SetWriteDeadline(time.Now().Add(time.Second))
		go func() { _, _ = io.Copy(io.Discard, p.near) }()
		sent, err := p.far.Write(make([]byte, 1<<20))
		wantErr(t, "Write that nobody acknowledges", err, os.ErrDeadlineExceeded)
		if sent != bufferSize-4 {
			t.Fatal("sent", sent)
		}
		wantErr(t, "Dial", p.dial(5*time.Second), os.ErrDeadlineExceeded)

		time.AfterFunc(10*time.Second, p.net.Heal)
		send(t, p.near, "two")
		start := time.Now()
		expect(t, p.far, "one two")
		if took := time.Since(start); took != 10*time.Second {
			t.Fatal("healed after", took)
		}
		_ = p.far.SetWriteDeadline(time.Time{})
		if _, err := p.far.Write(make([]byte, 1<<20)); err != nil {
			t.Fatal(err)
		}
		// A dial goes on when healed, too.
		p.net.Block(p.b, p.a)
		time.AfterFunc(3*time.Second, func() { p.net.Unblock(p.b, p.a) })
		if err := p.dial(5 * time.Second); err != nil {
			t.Fatal(err)
		}
	})
}

// What is on its way when the direction is blocked arrives after it is healed.
func TestBlockInFlight(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		p.net.SetDelay(p.a, p.b, time.Second, 0)
		send(t, p.near, "caught")
		p.net.Block(p.a, p.b)
		time.Sleep(5 * time.Second)
		p.net.Unblock(p.a, p.b)
		start := time.Now()
		expect(t, p.far, "caught")
		if took := time.Since(start); took != time.Second {
			t.Fatal("took", took)
		}
	})
}

func TestPartition(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		c := p.net.Host("c")
		l, err := c.Listen(1)
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		p.net.Partition([]*Host{p.a, c}, []*Host{p.b})
		wantErr(t, "Dial across", p.dial(time.Second), os.ErrDeadlineExceeded)
		if _, err := p.a.Dial(t.Context(), "c:1"); err != nil {
			t.Fatal("within a group:", err)
		}
		p.net.Heal()
		if err := p.dial(time.Second); err != nil {
			t.Fatal(err)
		}
	})
}

func TestKill(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		c := p.net.Host("c")
		cut, err := c.Dial(t.Context(), "b:7400")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := p.l.Accept(); err != nil {
			t.Fatal(err)
		}
		p.net.Block(p.b, c)
		packets, err := p.b.ListenPacket(7401)
		if err != nil {
			t.Fatal(err)
		}
		old := p.b.Process()
		send(t, p.far, "drained")
		ended := make(chan error, 3)
		go func() { _, err := p.far.Read(make([]byte, 1)); ended <- err }()
		go func() { _, err := p.l.Accept(); ended <- err }()
		go func() { _, _, err := packets.ReadFrom(make([]byte, 1)); ended <- err }()
		synctest.Wait()

		p.b.Kill()
		for range 3 {
			wantErr(t, "a call at the killed host", <-ended, net.ErrClosed)
		}
		expect(t, p.near, "drained")
		_, err = p.near.Read(make([]byte, 1))
		wantErr(t, "Read from a killed host", err, syscall.ECONNRESET)
		_, err = p.near.Write([]byte("x"))
		wantErr(t, "Write to a killed host", err, syscall.ECONNRESET)
		wantErr(t, "Dial of a killed host", p.dial(time.Second), syscall.ECONNREFUSED)
		_ = cut.SetReadDeadline(time.Now().Add(time.Minute))
		_, err = cut.Read(make([]byte, 1))
		wantErr(t, "Read without a way from the killed host", err, os.ErrDeadlineExceeded)
		_, err = old.Listen(7400)
		wantErr(t, "Listen of the killed process", err, net.ErrClosed)
		_, err = old.Dial(t.Context(), "a:1")
		wantErr(t, "Dial of the killed process", err, net.ErrClosed)

		// It is started again.
		if p.l, err = p.b.Listen(7400); err != nil {
			t.Fatal(err)
		}
		near, far := p.connect(t)
		send(t, near, "again")
		expect(t, far, "again")
	})
}

func TestFreeze(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		pa, _ := p.a.ListenPacket(1)
		pb, _ := p.b.ListenPacket(1)
		p.b.Freeze()
		send(t, p.near, "queued")
		if _, err := pa.WriteTo([]byte("packet"), pb.LocalAddr()); err != nil {
			t.Fatal(err)
		}
		wantErr(t, "Dial of a frozen host", p.dial(time.Second), os.ErrDeadlineExceeded)
		_ = p.near.SetWriteDeadline(time.Now().Add(time.Second))
		_, err := p.near.Write(make([]byte, 1<<20))
		wantErr(t, "Write to a frozen host", err, os.ErrDeadlineExceeded)
		start := time.Now()
		time.AfterFunc(7*time.Second, p.b.Thaw)
		expect(t, p.far, "queued")
		if took := time.Since(start); took != 7*time.Second {
			t.Fatal("thawed after", took)
		}
		buf := make([]byte, 10)
		if k, from, err := pb.ReadFrom(buf); err != nil || string(buf[:k]) != "packet" || from.String() != "10.0.0.1:1" {
			t.Fatal(k, from, err)
		}
		// What the frozen host writes goes out when it is thawed.
		p.b.Freeze()
		time.AfterFunc(time.Second, p.b.Thaw)
		start = time.Now()
		send(t, p.far, "x")
		expect(t, p.near, "x")
		if took := time.Since(start); took != time.Second {
			t.Fatal("thawed after", took)
		}
		// A kill ends it, too.
		p.b.Freeze()
		p.b.Kill()
		wantErr(t, "Dial", p.dial(time.Second), syscall.ECONNREFUSED)
	})
}

func TestBacklog(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		for range maxBacklog {
			if err := p.dial(time.Second); err != nil {
				t.Fatal(err)
			}
		}
		wantErr(t, "Dial with a full backlog", p.dial(time.Second), os.ErrDeadlineExceeded)
		time.AfterFunc(time.Second, func() { _, _ = p.l.Accept() })
		if err := p.dial(5 * time.Second); err != nil {
			t.Fatal(err)
		}
	})
}

func TestPackets(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		pa, _ := p.a.ListenPacket(0)
		pb, err := p.b.ListenPacket(9)
		if err != nil {
			t.Fatal(err)
		}
		const sent = 10000
		for _, loss := range []float64{0, 0.1, 0.3, 1} {
			p.net.SetLoss(p.a, p.b, loss)
			p.net.SetDelay(p.a, p.b, time.Millisecond, time.Millisecond)
			got := 0
			for i := range sent {
				if _, err := pa.WriteTo(fmt.Append(nil, i), pb.LocalAddr()); err != nil {
					t.Fatal(err)
				}
				if i%1000 < 999 {
					continue
				}
				_ = pb.SetReadDeadline(time.Now().Add(time.Second))
				for {
					_, from, err := pb.ReadFrom(make([]byte, 10))
					if err != nil {
						wantErr(t, "ReadFrom", err, os.ErrDeadlineExceeded)
						break
					}
					if from.String() != pa.LocalAddr().String() {
						t.Fatal("from", from)
					}
					got++
				}
			}
			if rate := 1 - float64(got)/sent; rate < loss-0.02 || rate > loss+0.02 {
				t.Fatalf("lost %v, want %v", rate, loss)
			}
		}
		p.net.SetLoss(p.a, p.b, 0)
		// Nobody reads: what does not fit is lost, and the sender does not wait.
		for range 20 {
			if _, err := pa.WriteTo(make([]byte, 50000), pb.LocalAddr()); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(time.Second)
		if queued := pb.(*packetConn).queued; queued > packetBuffer || queued < packetBuffer-51000 {
			t.Fatal("queued", queued)
		}
		_, err = pa.WriteTo(make([]byte, 70000), pb.LocalAddr())
		wantErr(t, "a packet too large", err, syscall.EMSGSIZE)
	})
}

// The same seed loses the same packets.
func TestSeed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		lost := func(seed uint64) string {
			n := New(seed)
			defer n.Close()
			pa, _ := n.Host("a").ListenPacket(1)
			pb, _ := n.Host("b").ListenPacket(1)
			n.SetLoss(n.Host("a"), n.Host("b"), 0.5)
			for i := range byte(100) {
				_, _ = pa.WriteTo([]byte{i}, pb.LocalAddr())
			}
			got := ""
			for _, p := range pb.(*packetConn).queue {
				got += string(p.data)
			}
			return got
		}
		if first, again := lost(1), lost(1); first != again || first == lost(2) {
			t.Fatal("seeds do not tell")
		}
	})
}

func TestNetworkClose(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		p.net.Block(p.a, p.b)
		ended := make(chan error, 3)
		go func() { ended <- p.dial(time.Hour) }()
		go func() { _, err := p.far.Read(make([]byte, 1)); ended <- err }()
		go func() { _, err := p.near.Write(make([]byte, 1<<20)); ended <- err }()
		synctest.Wait()
		p.net.Close()
		for range 3 {
			wantErr(t, "a call on a closed network", <-ended, net.ErrClosed)
		}
		if left := len(p.net.pipes); left > 0 {
			t.Fatal("pipes left:", left)
		}
		_, err := p.a.Listen(0)
		wantErr(t, "Listen on a closed network", err, net.ErrClosed)
	})
}

// Conns whose ends are both closed are forgotten.
func TestForgets(t *testing.T) {
	bubble(t, func(t *testing.T, p *pair) {
		for i := range 10 {
			near, far := p.connect(t)
			send(t, near, "x")
			if i%2 == 0 {
				near, far = far, near
			}
			_ = near.Close()
			_ = far.Close()
		}
		if left := len(p.net.pipes); left != 2 {
			t.Fatal("pipes left:", left)
		}
	})
}
