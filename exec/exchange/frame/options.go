package frame

import (
	"sync"

	"google.golang.org/grpc"
	"google.golang.org/grpc/experimental"
)

// Sizes of connections that carry frames, in bytes. gRPC's own are made for many
// small messages: with them a frame of 1 MB is sixteen waits for the peer and
// thirty-two calls of the system. Both buffers are there only while bytes are
// on their way.
const (
	streamWindow = 4 << 20 // may be on its way in one stream
	connWindow   = 16 << 20
	writeBuffer  = 1 << 20 // written to the network at once
	readBuffer   = 256 << 10
)

// DialOptions are those of a connection whose streams carry frames.
func DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithInitialWindowSize(streamWindow), grpc.WithInitialConnWindowSize(connWindow),
		grpc.WithWriteBufferSize(writeBuffer), grpc.WithReadBufferSize(readBuffer),
		experimental.WithBufferPool(buffers),
	}
}

// ServerWindows are those of a server with streams that carry frames, but for how long messages may be.
func ServerWindows() []grpc.ServerOption {
	return []grpc.ServerOption{
		grpc.InitialWindowSize(streamWindow), grpc.InitialConnWindowSize(connWindow),
		grpc.WriteBufferSize(writeBuffer), grpc.ReadBufferSize(readBuffer),
		experimental.BufferPool(buffers),
	}
}

// ServerOptions are those of a server that has nothing but streams that carry frames.
func ServerOptions() []grpc.ServerOption {
	return append(ServerWindows(), grpc.MaxRecvMsgSize(MaxBytes), grpc.MaxSendMsgSize(MaxBytes))
}

// CallOptions are those of a stream of frames: the codec, frames as long as they
// may be, and none that gRPC keeps to send it again.
func CallOptions() []grpc.CallOption {
	return []grpc.CallOption{
		grpc.CallContentSubtype(CodecName), grpc.MaxCallRecvMsgSize(MaxBytes), grpc.MaxCallSendMsgSize(MaxBytes), grpc.MaxRetryRPCBufferSize(0),
	}
}

// buffers are the read buffers of HTTP/2 frames. Unlike gRPC's own pool it does
// not clear them, since they are written before they are read.
var buffers = &bufferPool{}

// bufferPool holds buffers of the most that one HTTP/2 frame of gRPC has.
type bufferPool struct{ pool sync.Pool }

const (
	pooled   = 16 << 10
	unpooled = 1 << 10 // what is shorter is not worth a whole one, of which a peer could make us hold many
)

// Get implements mem.BufferPool.
func (p *bufferPool) Get(n int) *[]byte {
	if n > pooled || n < unpooled {
		b := make([]byte, n)
		return &b
	}
	b, ok := p.pool.Get().(*[]byte)
	if !ok {
		x := make([]byte, pooled)
		b = &x
	}
	*b = (*b)[:n]
	return b
}

// Put implements mem.BufferPool.
func (p *bufferPool) Put(b *[]byte) {
	if cap(*b) == pooled {
		p.pool.Put(b)
	}
}
