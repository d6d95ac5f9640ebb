package netns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/vishvananda/netlink"
	vnetns "github.com/vishvananda/netns"
)

// maxNodes leaves the host its address.
const maxNodes = 253

// Net is a bridge with namespaces, numbered from 0. It is safe for concurrent use.
type Net struct {
	name   string // of the bridge; those of its links begin with it
	prefix string // of the addresses: "10.77.3."
	bridge netlink.Link
	links  []netlink.Link // the host's ends
	spaces []vnetns.NsHandle

	mu     sync.Mutex
	cut    map[int]map[int]bool // to, from
	closed bool
}

// Available says why New cannot work here, if so. It tries once, and remembers.
var Available = sync.OnceValue(func() error {
	n, err := New(2)
	if err != nil {
		return err
	}
	return errors.Join(n.OneWay(0, 1), n.Close())
})

// made counts the Nets of this process.
var made atomic.Uint32

// New makes n namespaces that reach each other and the host. Tests may do so in parallel, in one process and in several.
// Close it.
func New(n int) (*Net, error) {
	if n < 1 || n > maxNodes {
		return nil, fmt.Errorf("netns: %d namespaces; there can be 1 to %d", n, maxNodes)
	}
	nw := &Net{name: fmt.Sprintf("%s%x.%x", namePrefix, os.Getpid(), made.Add(1)), cut: map[int]map[int]bool{}}
	err := nw.makeBridge()
	for i := 0; i < n && err == nil; i++ {
		err = nw.makeNode(i)
	}
	if err == nil {
		err = nw.waitUp()
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("netns: %w", err), nw.Close())
	}
	return nw, nil
}

// makeBridge makes the bridge with an address of a free subnet.
func (nw *Net) makeBridge() error {
	unlock, err := lockHost()
	if err != nil {
		return err
	}
	defer unlock()
	sweep()
	addrs, err := list(func() ([]netlink.Addr, error) { return netlink.AddrList(nil, netlink.FAMILY_V4) })
	if err != nil {
		return fmt.Errorf("listing addresses: %w", err)
	}
	for k := range 256 {
		prefix := fmt.Sprintf("10.77.%d.", (os.Getpid()+k)%256)
		if taken(addrs, prefix) {
			continue
		}
		nw.prefix = prefix
		attrs := netlink.NewLinkAttrs()
		attrs.Name = nw.name
		bridge := &netlink.Bridge{LinkAttrs: attrs}
		if err := netlink.LinkAdd(bridge); err != nil {
			return fmt.Errorf("making bridge %s: %w", nw.name, err)
		}
		nw.bridge = bridge
		return bringUp(netlink.LinkSetUp, netlink.AddrAdd, bridge, nw.HostAddr())
	}
	return errors.New("every subnet of 10.77.0.0/16 is taken")
}

func taken(addrs []netlink.Addr, prefix string) bool {
	for _, a := range addrs {
		if strings.HasPrefix(a.IP.String(), prefix) || a.Contains(net.ParseIP(prefix+"0")) {
			return true
		}
	}
	return false
}

// makeNode makes a namespace and its link to the bridge.
func (nw *Net) makeNode(i int) error {
	space, err := newSpace()
	if err != nil {
		return fmt.Errorf("making a namespace: %w", err)
	}
	nw.spaces = append(nw.spaces, space)
	attrs := netlink.NewLinkAttrs()
	attrs.Name = nw.name + "v" + strconv.FormatInt(int64(i), 16)
	attrs.MasterIndex = nw.bridge.Attrs().Index
	veth := netlink.NewVeth(attrs)
	veth.PeerName, veth.PeerNamespace = "eth0", netlink.NsFd(space)
	if err := netlink.LinkAdd(veth); err != nil {
		return fmt.Errorf("making link %s: %w", attrs.Name, err)
	}
	nw.links = append(nw.links, veth)
	if err := netlink.LinkSetUp(veth); err != nil {
		return fmt.Errorf("link %s: %w", attrs.Name, err)
	}
	inside, err := netlink.NewHandleAt(space)
	if err != nil {
		return fmt.Errorf("entering a namespace: %w", err)
	}
	defer inside.Close()
	for name, addr := range map[string]string{"lo": "", "eth0": nw.Addr(i)} {
		link, err := inside.LinkByName(name)
		if err != nil {
			return fmt.Errorf("link %s of a namespace: %w", name, err)
		}
		if err := bringUp(inside.LinkSetUp, inside.AddrAdd, link, addr); err != nil {
			return err
		}
	}
	return nil
}

// bringUp gives a link an address, unless that is empty, and sets it up.
func bringUp(up func(netlink.Link) error, add func(netlink.Link, *netlink.Addr) error, link netlink.Link, addr string) error {
	name := link.Attrs().Name
	if addr != "" {
		a := &netlink.Addr{IPNet: &net.IPNet{IP: net.ParseIP(addr).To4(), Mask: net.CIDRMask(24, 32)}}
		if err := add(link, a); err != nil {
			return fmt.Errorf("giving %s address %s: %w", name, addr, err)
		}
	}
	if err := up(link); err != nil {
		return fmt.Errorf("setting %s up: %w", name, err)
	}
	return nil
}

// waitUp waits until the links carry packets, which the kernel sees to in its own time, up to a second later.
func (nw *Net) waitUp() error {
	host, err := netlink.NewHandle()
	if err != nil {
		return err
	}
	defer host.Close()
	for _, link := range append([]netlink.Link{nw.bridge}, nw.links...) {
		if err := waitLink(host, link.Attrs().Name); err != nil {
			return err
		}
	}
	for _, space := range nw.spaces {
		inside, err := netlink.NewHandleAt(space)
		if err != nil {
			return err
		}
		err = waitLink(inside, "eth0")
		inside.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

func waitLink(h *netlink.Handle, name string) error {
	for range 1000 {
		link, err := h.LinkByName(name)
		if err != nil {
			return fmt.Errorf("link %s: %w", name, err)
		}
		if link.Attrs().OperState == netlink.OperUp {
			return nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return fmt.Errorf("link %s does not come up", name)
}

// Len is the number of namespaces.
func (nw *Net) Len() int { return len(nw.spaces) }

// Addr is the address of namespace i, "10.77.3.1" for 0.
func (nw *Net) Addr(i int) string { return nw.prefix + strconv.Itoa(i+1) }

// HostAddr is the host's address on the bridge.
func (nw *Net) HostAddr() string { return nw.prefix + "254" }

// Start is cmd.Start inside namespace i. The process should end before Close, which takes its
// network away.
func (nw *Net) Start(i int, cmd *exec.Cmd) error { return nw.Do(i, cmd.Start) }

// DialContext dials from inside namespace i, as the processes there do, to an address of numbers.
func (nw *Net) DialContext(ctx context.Context, i int, network, addr string) (net.Conn, error) {
	var c net.Conn
	err := nw.Do(i, func() (err error) {
		var d net.Dialer
		c, err = d.DialContext(ctx, network, addr)
		return err
	})
	return c, err
}

// Do runs fn with its thread in namespace i. Sockets that it opens stay there; goroutines that it
// starts are not there, and nothing else of this process is.
func (nw *Net) Do(i int, fn func() error) error {
	if i < 0 || i >= len(nw.spaces) {
		return fmt.Errorf("netns: there is no namespace %d", i)
	}
	nw.mu.Lock()
	closed := nw.closed
	nw.mu.Unlock()
	if closed {
		return errClosed
	}
	return enter(nw.spaces[i], fn)
}

var errClosed = fmt.Errorf("netns: %w", net.ErrClosed)

// Close removes the links and the bridge; the namespaces go with the last of their processes. Nothing else may
// be in a call by then. It may be called again.
func (nw *Net) Close() error {
	nw.mu.Lock()
	defer nw.mu.Unlock()
	if nw.closed {
		return nil
	}
	nw.closed = true
	var errs []error
	for _, link := range nw.links {
		errs = append(errs, remove(link))
	}
	if nw.bridge != nil {
		errs = append(errs, remove(nw.bridge))
	}
	for _, space := range nw.spaces {
		errs = append(errs, space.Close())
	}
	return errors.Join(errs...)
}

func remove(link netlink.Link) error {
	if err := netlink.LinkDel(link); err != nil {
		return fmt.Errorf("netns: removing link %s: %w", link.Attrs().Name, err)
	}
	return nil
}

// namePrefix begins the names of our links; the process id in hexadecimal and a dot follow. The longest,
// rs3fffff.ffvfc, is within the 15 bytes that there are.
const namePrefix = "rs"

// sweep removes the bridges and links of processes that are no more.
func sweep() {
	links, err := list(netlink.LinkList)
	if err != nil {
		return
	}
	for _, link := range links {
		rest, ours := strings.CutPrefix(link.Attrs().Name, namePrefix)
		id, _, dotted := strings.Cut(rest, ".")
		pid, err := strconv.ParseInt(id, 16, 32)
		if !ours || !dotted || err != nil || link.Type() != "bridge" && link.Type() != "veth" {
			continue
		}
		if _, err := os.Stat(fmt.Sprintf("/proc/%d", pid)); os.IsNotExist(err) {
			_ = netlink.LinkDel(link) // another may do the same, or the kernel
		}
	}
}

// list asks again while others change what is listed.
func list[T any](ask func() ([]T, error)) (all []T, err error) {
	for range 100 {
		if all, err = ask(); !errors.Is(err, netlink.ErrDumpInterrupted) {
			break
		}
	}
	return all, err
}

// lockHost keeps processes from choosing the same subnet at once. The lock is a name that goes with the process.
func lockHost() (unlock func(), err error) {
	for range 1000 {
		var l net.Listener
		if l, err = net.Listen("unix", "@rainsql-testcluster-netns"); err == nil {
			return func() { _ = l.Close() }, nil
		}
		time.Sleep(10 * time.Millisecond)
	}
	return nil, fmt.Errorf("waiting for another process to choose a subnet: %w", err)
}
