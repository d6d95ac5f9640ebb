package wire

import (
	"context"
	"fmt"
	"net"
	"slices"
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/stats"

	"github.com/rainsql/rainsql/api"
)

// streamsEach is how many streams share a connection: fewer than a server takes of one (NewServer), so that no call waits for another
// to end.
const streamsEach = 100

// Conn is the way to a node: one connection for calls that are asked and answered, and others, as many as it takes, for streams and calls
// with bytes. So what controls is not held up by bytes on their way, and a stream that nobody reads holds up no other call. It is safe for concurrent use.
type Conn struct {
	d    Dialer
	addr string
	opts []grpc.DialOption

	control *grpc.ClientConn

	mu     sync.Mutex
	data   []*dataConn // the first stays while there is a Conn, the others while there are streams on them
	closed bool
}

// dataConn is a connection for streams.
type dataConn struct {
	*grpc.ClientConn
	streams int // on it, and just about to be
}

func newConn(d Dialer, addr string, opts []grpc.DialOption) (*Conn, error) {
	c := &Conn{d: d, addr: addr, opts: opts}
	var err error
	c.control, err = c.connect()
	return c, err
}

func (c *Conn) connect(more ...grpc.DialOption) (*grpc.ClientConn, error) {
	conn, err := c.d.GRPC(c.addr, slices.Concat(c.opts, more)...)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", c.addr, err)
	}
	return conn, nil
}

// Invoke makes a call that is asked and answered.
func (c *Conn) Invoke(ctx context.Context, method string, args, reply any, opts ...grpc.CallOption) error {
	if !heavy[method] {
		return c.control.Invoke(ctx, method, args, reply, opts...)
	}
	conn, err := c.take()
	if err != nil {
		return err
	}
	defer c.give(conn)
	return conn.Invoke(ctx, method, args, reply, opts...)
}

// heavy are the calls that have bytes with them, or wait for bytes to be written: they go with the streams.
var heavy = map[string]bool{
	api.Blocks_PutSmall_FullMethodName: true, api.Blocks_Fetch_FullMethodName: true, api.Blocks_Have_FullMethodName: true,
	api.Files_Ensure_FullMethodName: true, api.Files_Append_FullMethodName: true, api.Files_Merge_FullMethodName: true,
}

// NewStream begins a stream.
func (c *Conn) NewStream(ctx context.Context, desc *grpc.StreamDesc, method string, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	conn, err := c.take()
	if err != nil {
		return nil, err
	}
	defer c.give(conn) // by now gRPC has counted the stream itself
	return conn.NewStream(ctx, desc, method, opts...)
}

// take counts a stream on the first connection that has room for it.
func (c *Conn) take() (*dataConn, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil, net.ErrClosed
	}
	for _, conn := range c.data {
		if conn.streams < streamsEach {
			conn.streams++
			return conn, nil
		}
	}
	conn := &dataConn{streams: 1}
	var err error
	if conn.ClientConn, err = c.connect(grpc.WithStatsHandler(&counter{c, conn})); err != nil {
		return nil, err
	}
	c.data = append(c.data, conn)
	return conn, nil
}

// give uncounts a stream.
func (c *Conn) give(conn *dataConn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	conn.streams--
	if i := slices.Index(c.data, conn); conn.streams == 0 && i > 0 {
		c.data = slices.Delete(c.data, i, i+1)
		go func() { _ = conn.Close() }() // not from within gRPC's own goroutine; it says only that it was closed before
	}
}

func (c *Conn) close() {
	c.mu.Lock()
	c.closed = true
	list := c.data
	c.data = nil
	c.mu.Unlock()
	_ = c.control.Close() // they say only that they were closed before
	for _, conn := range list {
		_ = conn.Close()
	}
}

// counter counts the streams of a connection: each ends for gRPC, whatever its user does with it.
type counter struct {
	c    *Conn
	conn *dataConn
}

func (*counter) TagRPC(ctx context.Context, _ *stats.RPCTagInfo) context.Context   { return ctx }
func (*counter) TagConn(ctx context.Context, _ *stats.ConnTagInfo) context.Context { return ctx }
func (*counter) HandleConn(context.Context, stats.ConnStats)                       {}

func (k *counter) HandleRPC(_ context.Context, event stats.RPCStats) {
	switch event.(type) {
	case *stats.Begin:
		k.c.mu.Lock()
		defer k.c.mu.Unlock()
		k.conn.streams++
	case *stats.End:
		k.c.give(k.conn)
	}
}
