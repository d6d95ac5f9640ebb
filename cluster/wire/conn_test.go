package wire

import (
	"context"
	"net"
	"testing"
	"testing/synctest"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
)

// TestConn: as many connections as the streams take, and no more once they have ended.
func TestConn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		listener := bufconn.Listen(1 << 16)
		server := grpc.NewServer(grpc.MaxConcurrentStreams(2*streamsEach), grpc.UnknownServiceHandler(func(_ any, s grpc.ServerStream) error {
			<-s.Context().Done()
			return s.Context().Err()
		}))
		go func() { _ = server.Serve(listener) }()
		defer server.Stop()
		pool := NewPool(Dialer{Net: func(ctx context.Context, _, _ string) (net.Conn, error) { return listener.DialContext(ctx) }},
			grpc.WithTransportCredentials(insecure.NewCredentials()))
		defer pool.Close()
		conn, err := pool.Get("node")
		if err != nil {
			t.Fatal(err)
		}
		have := func(conns, streams int) {
			t.Helper()
			synctest.Wait()
			conn.mu.Lock()
			defer conn.mu.Unlock()
			got := 0
			for _, c := range conn.data {
				got += c.streams
			}
			if len(conn.data) != conns || got != streams {
				t.Errorf("%d connections with %d streams, not %d with %d", len(conn.data), got, conns, streams)
			}
		}
		for range 3 {
			ctx, cancel := context.WithCancel(t.Context())
			for range 3*streamsEach - 1 {
				if _, err := conn.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, "/any/stream"); err != nil {
					t.Fatal(err)
				}
			}
			have(3, 3*streamsEach-1)
			cancel()
			have(1, 0)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if _, err := conn.NewStream(ctx, &grpc.StreamDesc{ServerStreams: true}, "/any/stream"); err == nil {
			t.Error("a stream of a context that has ended")
		}
		have(1, 0)
	})
}
