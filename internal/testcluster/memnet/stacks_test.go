package memnet

import (
	"context"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hashicorp/memberlist"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

// Three nodes of memberlist find each other, and miss one that is killed.
func TestGossip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		defer n.Close()
		lists := map[string]*memberlist.Memberlist{}
		for _, name := range []string{"a", "b", "c"} {
			transport, err := Gossip(n.Host(name), 7946)
			if err != nil {
				t.Fatal(err)
			}
			config := memberlist.DefaultLANConfig()
			config.Name, config.Transport, config.LogOutput = name, transport, io.Discard
			if lists[name], err = memberlist.Create(config); err != nil {
				t.Fatal(err)
			}
			if _, err := lists[name].Join([]string{"10.0.0.1:7946"}); err != nil {
				t.Fatal(err)
			}
		}
		members := func(name string, want int) func() bool {
			return func() bool { return lists[name].NumMembers() == want }
		}
		for name := range lists {
			if took := until(t, time.Minute, members(name, 3)); took > 10*time.Second {
				t.Fatal("joined after", took)
			}
		}
		n.Host("c").Kill()
		took := until(t, time.Minute, members("a", 2)) + until(t, time.Minute, members("b", 2))
		t.Log("a killed node was missed after", took)
		for _, m := range lists {
			if err := m.Shutdown(); err != nil {
				t.Fatal(err)
			}
		}
		// memberlist does not wait for probes under way, and a bubble's clock stops with its first goroutine.
		time.Sleep(10 * time.Second)
	})
}

// until waits for ok and says how long.
func until(t *testing.T, limit time.Duration, ok func() bool) time.Duration {
	t.Helper()
	start := time.Now()
	for !ok() {
		if time.Since(start) > limit {
			t.Fatal("it did not happen in", limit)
		}
		time.Sleep(100 * time.Millisecond)
	}
	return time.Since(start)
}

// gRPC works in a bubble: a call, a stream, one that meets its deadline in a block, and one
// after a kill and a restart.
func TestGRPC(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := New(1)
		defer n.Close()
		a, b := n.Host("a"), n.Host("b")
		serve := func() (stop func()) {
			l, err := b.Listen(7400)
			if err != nil {
				t.Fatal(err)
			}
			server := grpc.NewServer()
			grpc_health_v1.RegisterHealthServer(server, health.NewServer())
			done := make(chan struct{})
			go func() {
				defer close(done)
				_ = server.Serve(l)
			}()
			return func() {
				server.Stop()
				<-done
			}
		}
		stop := serve()
		conn, err := grpc.NewClient("passthrough:///10.0.0.2:7400",
			grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithContextDialer(func(ctx context.Context, addr string) (net.Conn, error) { return a.Dial(ctx, addr) }))
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		client := grpc_health_v1.NewHealthClient(conn)
		check := func(timeout time.Duration, opts ...grpc.CallOption) error {
			ctx, cancel := context.WithTimeout(t.Context(), timeout)
			defer cancel()
			answer, err := client.Check(ctx, &grpc_health_v1.HealthCheckRequest{}, opts...)
			if err == nil && answer.GetStatus() != grpc_health_v1.HealthCheckResponse_SERVING {
				t.Fatal("status", answer.GetStatus())
			}
			return err
		}
		if err := check(time.Second); err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		watch, err := client.Watch(ctx, &grpc_health_v1.HealthCheckRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := watch.Recv(); err != nil {
			t.Fatal(err)
		}
		n.Block(b, a)
		if err := check(5 * time.Second); status.Code(err) != codes.DeadlineExceeded {
			t.Fatal("in a block:", err)
		}
		n.Heal()
		if err := check(time.Second); err != nil {
			t.Fatal(err)
		}
		b.Kill()
		if _, err := watch.Recv(); status.Code(err) != codes.Unavailable {
			t.Fatal("after a kill:", err)
		}
		cancel()
		stop()
		stop = serve()
		if err := check(time.Minute, grpc.WaitForReady(true)); err != nil {
			t.Fatal("after a restart:", err)
		}
		stop()
	})
}
