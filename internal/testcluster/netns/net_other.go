//go:build !linux

package netns

import (
	"context"
	"errors"
	"net"
	"os/exec"
)

var errOS = errors.New("netns: there are network namespaces on Linux only")

// Net is a bridge with namespaces; there is none on this system.
type Net struct{}

// Available says why New cannot work here.
func Available() error { return errOS }

// New fails.
func New(int) (*Net, error) { return nil, errOS }

// Len is the number of namespaces.
func (nw *Net) Len() int { return 0 }

// Addr is the address of namespace i.
func (nw *Net) Addr(int) string { return "" }

// HostAddr is the host's address on the bridge.
func (nw *Net) HostAddr() string { return "" }

// Start starts a process inside namespace i.
func (nw *Net) Start(int, *exec.Cmd) error { return errOS }

// DialContext dials from inside namespace i.
func (nw *Net) DialContext(context.Context, int, string, string) (net.Conn, error) { return nil, errOS }

// Do runs fn with its thread in namespace i.
func (nw *Net) Do(int, func() error) error { return errOS }

// Cut drops what goes between groups.
func (nw *Net) Cut(...[]int) error { return errOS }

// OneWay drops what goes from one namespace to another.
func (nw *Net) OneWay(int, int) error { return errOS }

// Heal lets everything through.
func (nw *Net) Heal() error { return errOS }

// Close removes everything.
func (nw *Net) Close() error { return nil }
