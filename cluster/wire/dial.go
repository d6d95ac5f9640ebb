package wire

import (
	"context"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/hashicorp/raft"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
)

// Bounds of messages, in bytes: of an answer, and of a request, which holds an entry of the log at most.
const (
	MaxMessage = 16 << 20
	MaxRequest = 2 << 20
)

// Keepalive of both ends: a server refuses more frequent pings than it was told of.
const (
	pingEvery = 10 * time.Second
	pingWait  = 5 * time.Second
)

// Dialer makes connections. Net is the network, as net.Dialer has it; TLS nil means without.
type Dialer struct {
	Net func(ctx context.Context, network, addr string) (net.Conn, error)
	TLS *tls.Config
}

func (d Dialer) net() func(ctx context.Context, network, addr string) (net.Conn, error) {
	if d.Net != nil {
		return d.Net
	}
	return (&net.Dialer{}).DialContext
}

// GRPC makes a connection for gRPC calls; it is dialled when it is first used. more may add to the
// options. The caller closes it.
func (d Dialer) GRPC(addr string, more ...grpc.DialOption) (*grpc.ClientConn, error) {
	creds := insecure.NewCredentials()
	if d.TLS != nil {
		creds = credentials.NewTLS(d.TLS)
	}
	dial := d.net()
	opts := append([]grpc.DialOption{
		grpc.WithTransportCredentials(creds),
		grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) { return dial(ctx, "tcp", addr) }),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{Time: pingEvery, Timeout: pingWait, PermitWithoutStream: true}),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(MaxMessage), grpc.MaxCallSendMsgSize(MaxRequest)),
		// A node that comes back is to be found soon: not gRPC's two minutes.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second},
			MinConnectTimeout: 3 * time.Second,
		}),
		grpc.WithDisableServiceConfig(),
	}, more...)
	return grpc.NewClient("passthrough:///"+addr, opts...)
}

// Raft connects to the raft of a node, by its id and address. Another node at that address closes the connection.
func (d Dialer) Raft(node [16]byte, addr string, timeout time.Duration) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	conn, err := d.net()(ctx, "tcp", addr)
	if err != nil {
		return nil, err
	}
	if d.TLS != nil {
		secure := tls.Client(conn, d.TLS)
		if err := secure.HandshakeContext(ctx); err != nil {
			return nil, errors.Join(err, conn.Close())
		}
		conn = secure
	}
	if err = conn.SetDeadline(time.Now().Add(timeout)); err == nil {
		if _, err = conn.Write(append([]byte(raftPreface), node[:]...)); err == nil {
			err = conn.SetDeadline(time.Time{})
		}
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	return conn, nil
}

// RaftLayer is what raft's transport listens on and dials by.
type RaftLayer struct {
	net.Listener
	Dialer Dialer
}

// Dial connects to another node's raft. The address is its id in hexadecimal, "@" and host:port.
func (l RaftLayer) Dial(addr raft.ServerAddress, timeout time.Duration) (net.Conn, error) {
	id, at, _ := strings.Cut(string(addr), "@")
	var node [16]byte
	raw, err := hex.DecodeString(id)
	if err != nil || copy(node[:], raw) != len(node) || len(raw) != len(node) {
		return nil, fmt.Errorf("%q is no address of a node's raft", addr)
	}
	return l.Dialer.Raft(node, at, timeout)
}
