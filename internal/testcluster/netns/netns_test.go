//go:build linux

package netns

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/vishvananda/netlink"
	"go.uber.org/goleak"
)

// The test runs itself as the processes on the network.
func TestMain(m *testing.M) {
	switch role := os.Getenv("NETNS_CHILD"); role {
	case "echo":
		echo(os.Getenv("NETNS_ADDR"))
	case "ask":
		ask()
	case "leave": // a test that is killed before it closes
		nw, err := New(2)
		fmt.Println(err)
		if err == nil {
			fmt.Println(nw.name)
		}
		select {}
	default:
		goleak.VerifyTestMain(m)
	}
}

// echo answers lines over TCP and datagrams over UDP.
func echo(addr string) {
	l, err := net.Listen("tcp", addr)
	if err != nil {
		fmt.Println(err)
		return
	}
	u, err := net.ListenPacket("udp", addr)
	if err != nil {
		fmt.Println(err)
		return
	}
	go func() {
		buf := make([]byte, 100)
		for {
			k, from, err := u.ReadFrom(buf)
			if err == nil {
				_, _ = u.WriteTo(buf[:k], from)
			}
		}
	}()
	fmt.Println("listening")
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() { _, _ = io.Copy(c, c) }()
	}
}

// ask reads "network address" from standard input and says whether an echo came back.
func ask() {
	for s := bufio.NewScanner(os.Stdin); s.Scan(); {
		network, addr, _ := strings.Cut(s.Text(), " ")
		c, err := net.DialTimeout(network, addr, 300*time.Millisecond)
		if err == nil {
			_, err = ping(c)
			_ = c.Close()
		}
		fmt.Println(err == nil, err)
	}
}

func ping(c net.Conn) (time.Duration, error) {
	begin := time.Now()
	_ = c.SetDeadline(begin.Add(300 * time.Millisecond))
	if _, err := io.WriteString(c, "ping"); err != nil {
		return 0, err
	}
	_, err := io.ReadFull(c, make([]byte, 4))
	return time.Since(begin), err
}

type child struct {
	*exec.Cmd
	in  io.Writer
	out *bufio.Scanner
}

func start(t *testing.T, nw *Net, i int, role string) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "NETNS_CHILD="+role)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if nw != nil {
		cmd.Env = append(cmd.Env, "NETNS_ADDR="+nw.Addr(i)+":7400")
		err = nw.Start(i, cmd)
	} else {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	return &child{cmd, in, bufio.NewScanner(out)}
}

func (c *child) line(t *testing.T) string {
	t.Helper()
	if !c.out.Scan() {
		t.Fatal("the child ended")
	}
	return c.out.Text()
}

// reaches has the child try whether it gets an answer over both TCP and UDP.
func (c *child) reaches(t *testing.T, addr string, want bool) {
	t.Helper()
	for _, network := range []string{"tcp", "udp"} {
		fmt.Fprintln(c.in, network, addr)
		if got := c.line(t); strings.HasPrefix(got, "true") != want {
			t.Errorf("%s to %s: %s; want %v", network, addr, got, want)
		}
	}
}

// links gives the links on the host whose names begin with prefix.
func links(t *testing.T, prefix string) []string {
	t.Helper()
	all, err := list(netlink.LinkList)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, link := range all {
		if name := link.Attrs().Name; strings.HasPrefix(name, prefix) {
			names = append(names, name)
		}
	}
	return names
}

// ours begins the names of the links of this process.
var ours = fmt.Sprintf("%s%x.", namePrefix, os.Getpid())

// none fails if links of this process are left.
func none(t *testing.T) {
	t.Helper()
	if left := links(t, ours); len(left) > 0 {
		t.Error("left:", left)
	}
}

// handles is the namespaces that this process holds open.
func handles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	count := 0
	for _, e := range entries {
		if to, _ := os.Readlink("/proc/self/fd/" + e.Name()); strings.HasPrefix(to, "net:[") {
			count++
		}
	}
	return count
}

func make3(t *testing.T) *Net {
	t.Helper()
	if err := Available(); err != nil {
		t.Skip(err)
	}
	nw, err := New(3)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := nw.Close(); err != nil {
			t.Error(err)
		}
	})
	return nw
}

func TestNet(t *testing.T) {
	held := handles(t)
	t.Run("net", func(t *testing.T) {
		nw := make3(t)
		if got := links(t, ours); len(got) != 4 {
			t.Fatal("links:", got)
		}
		var askers []*child
		for i := range nw.Len() {
			if got := start(t, nw, i, "echo").line(t); got != "listening" {
				t.Fatal(got)
			}
			askers = append(askers, start(t, nw, i, "ask"))
		}
		at := func(i int) string { return nw.Addr(i) + ":7400" }
		all := func(want func(from, to int) bool) {
			t.Helper()
			for from := range askers {
				for to := range askers {
					askers[from].reaches(t, at(to), want(from, to))
				}
			}
		}
		all(func(int, int) bool { return true })

		// The host reaches all, from inside too.
		for i := range nw.Len() {
			c, err := net.DialTimeout("tcp", at(i), time.Second)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := ping(c); err != nil {
				t.Fatal(err)
			}
			_ = c.Close()
		}
		held, err := nw.DialContext(context.Background(), 0, "tcp", at(1))
		if err != nil {
			t.Fatal(err)
		}
		defer held.Close()
		if got := held.LocalAddr().(*net.TCPAddr).IP.String(); got != nw.Addr(0) {
			t.Fatal("dialed from", got)
		}

		if err := nw.Cut([]int{0}, []int{1, 2}); err != nil {
			t.Fatal(err)
		}
		all(func(from, to int) bool { return from == to || from != 0 && to != 0 })
		if _, err := ping(held); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal("a connection through the cut:", err)
		}
		if err := nw.Heal(); err != nil {
			t.Fatal(err)
		}
		all(func(int, int) bool { return true })
		_ = held.SetDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.ReadFull(held, make([]byte, 4)); err != nil {
			t.Fatal("a connection after healing:", err)
		}

		// Packets from 0 arrive at 1, answers do not.
		if err := nw.OneWay(1, 0); err != nil {
			t.Fatal(err)
		}
		if err := nw.OneWay(1, 2); err != nil {
			t.Fatal(err)
		}
		askers[0].reaches(t, at(1), false)
		askers[2].reaches(t, at(1), false)
		askers[0].reaches(t, at(2), true)
		oneWay(t, nw)
		if err := nw.Heal(); err != nil {
			t.Fatal(err)
		}
		all(func(int, int) bool { return true })
		if err := nw.OneWay(0, 3); err == nil {
			t.Error("there is no namespace 3")
		}
	})
	none(t)
	if after := handles(t); after != held {
		t.Errorf("%d namespaces are held open, %d before", after, held)
	}
}

// oneWay sees a datagram from 0 at 1, and none from 1 at 0.
func oneWay(t *testing.T, nw *Net) {
	t.Helper()
	var sockets [2]net.PacketConn
	for i := range sockets {
		err := nw.Do(i, func() (err error) {
			sockets[i], err = net.ListenPacket("udp", nw.Addr(i)+":7500")
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		defer sockets[i].Close()
	}
	for from, to := range []int{1, 0} {
		if _, err := sockets[from].WriteTo([]byte("x"), sockets[to].LocalAddr()); err != nil {
			t.Fatal(err)
		}
		_ = sockets[to].SetReadDeadline(time.Now().Add(300 * time.Millisecond))
		if _, _, err := sockets[to].ReadFrom(make([]byte, 1)); (err == nil) != (from == 0) {
			t.Errorf("from %d to %d: %v", from, to, err)
		}
	}
}

func TestParallel(t *testing.T) {
	if err := Available(); err != nil {
		t.Skip(err)
	}
	t.Run("all", func(t *testing.T) {
		for range 4 {
			t.Run("", func(t *testing.T) {
				t.Parallel()
				nw := make3(t)
				start(t, nw, 1, "echo").line(t)
				start(t, nw, 0, "ask").reaches(t, nw.Addr(1)+":7400", true)
			})
		}
	})
	none(t)
}

// What a killed process left is gone with it, or with the next New.
func TestKilled(t *testing.T) {
	if err := Available(); err != nil {
		t.Skip(err)
	}
	c := start(t, nil, 0, "leave")
	if got := c.line(t); got != "<nil>" {
		t.Fatal(got)
	}
	name := c.line(t)
	if got := links(t, name); len(got) != 3 {
		t.Fatal("links:", got)
	}
	_ = c.Process.Kill()
	_ = c.Wait()
	make3(t)
	for range 100 {
		if len(links(t, name)) == 0 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("left:", links(t, name))
}

func TestRefused(t *testing.T) {
	for _, n := range []int{-1, 0, maxNodes + 1} {
		if nw, err := New(n); err == nil {
			_ = nw.Close()
			t.Error("made", n)
		}
	}
	nw := make3(t)
	if err := nw.Close(); err != nil {
		t.Fatal(err)
	}
	if err := nw.Close(); err != nil {
		t.Fatal("again:", err)
	}
	for _, err := range []error{nw.OneWay(0, 1), nw.Do(0, func() error { return nil })} {
		if !errors.Is(err, net.ErrClosed) {
			t.Error("after Close:", err)
		}
	}
	// A New that fails half way removes what it made.
	half := &Net{name: nw.name, cut: map[int]map[int]bool{}}
	if err := half.makeBridge(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(half.makeNode(0), half.makeNode(0)); err == nil {
		t.Error("two links of one name")
	}
	if err := half.Close(); err != nil {
		t.Error(err)
	}
	none(t)
}
