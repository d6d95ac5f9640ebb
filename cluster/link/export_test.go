package link

import (
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/test/bufconn"
)

// What tests outside of the package need, which may import what imports it.
var (
	ServerOptions = serverOptions
	NewListener   = newListener
	Node          = node
)

// Connect makes a connection to a server that listens on l.
func Connect(t testing.TB, l *bufconn.Listener) *grpc.ClientConn { return connect(t, l, &wires{}) }
