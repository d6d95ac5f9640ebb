package frame

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/test/bufconn"
	"google.golang.org/protobuf/types/known/emptypb"

	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/types"
)

// The service of the tests has one method, a stream of frames that the server hands to a function.
const method = "/frames/Flow"

var flow = &grpc.StreamDesc{StreamName: "Flow", ServerStreams: true, ClientStreams: true}

func serve(l net.Listener, handle func(grpc.ServerStream) error) *grpc.Server {
	s := grpc.NewServer(ServerOptions()...)
	s.RegisterService(&grpc.ServiceDesc{ServiceName: "frames", HandlerType: (*any)(nil), Streams: []grpc.StreamDesc{{
		StreamName: "Flow", ServerStreams: true, ClientStreams: true,
		Handler: func(_ any, st grpc.ServerStream) error { return handle(st) },
	}}}, nil)
	go func() { _ = s.Serve(l) }()
	return s
}

func dial(t testing.TB, dialer func(context.Context, string) (net.Conn, error)) *grpc.ClientConn {
	t.Helper()
	conn, err := grpc.NewClient("passthrough:///frames", append(DialOptions(), grpc.WithContextDialer(dialer),
		grpc.WithTransportCredentials(insecure.NewCredentials()))...)
	if err != nil {
		t.Fatal(err)
	}
	return conn
}

// TestStream sends batches to a server that decodes them, encodes them anew and sends them back.
func TestStream(t *testing.T) {
	mem := checked(t)
	ts := []types.Type{types.INT, types.STRING, types.ListOf(types.STRING), types.BOOL}
	l := bufconn.Listen(1 << 20)
	s := serve(l, func(st grpc.ServerStream) error {
		d, err := NewDecoder(mem, ts)
		if err != nil {
			return err
		}
		defer d.Release()
		e, err := NewEncoder(mem, ts)
		if err != nil {
			return err
		}
		defer e.Release()
		for {
			f := New(mem)
			if err := st.RecvMsg(f); err != nil {
				f.Release()
				if errors.Is(err, io.EOF) {
					return nil
				}
				return err
			}
			m, err := d.Decode(f)
			f.Release()
			if err != nil {
				return err
			}
			back, err := e.Encode(m)
			if m.Batch != nil {
				m.Batch.Release()
			}
			if err != nil {
				return err
			}
			err = st.SendMsg(back)
			back.Release()
			if err != nil {
				return err
			}
		}
	})
	conn := dial(t, func(ctx context.Context, _ string) (net.Conn, error) { return l.DialContext(ctx) })
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	st, err := conn.NewStream(ctx, flow, method, CallOptions()...)
	if err != nil {
		t.Fatal(err)
	}
	ends := newLink(t, mem, ts...)
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{0, 1, 10, 500, 5000, 0, 50_000} {
		b := randomBatch(t, r, mem, ts, n)
		f, err := ends.e.Encode(Message{Producer: n, Kind: Batch, Split: b.Split, Batch: b})
		if err != nil {
			t.Fatal(err)
		}
		err = st.SendMsg(f)
		f.Release()
		if err != nil {
			t.Fatal(err)
		}
		m := receive(t, st, mem, ends.d)
		if m.Producer != n {
			t.Errorf("the batch of %d comes back as one of %d", n, m.Producer)
		}
		same(t, m.Batch, b)
		b.Release()
		m.Batch.Release()
	}
	if err := st.SendMsg(&emptypb.Empty{}); err == nil || !strings.Contains(err.Error(), "frame: a *emptypb.Empty cannot be sent where frames are") {
		t.Errorf("err = %v", err)
	}
	cancel()
	_ = conn.Close()
	s.Stop()
	// Frames that were on their way are given back as the transports end.
	for wait := 0; mem.CurrentAlloc() > int(ends.e.told.mass+ends.d.heard.mass) && wait < 100; wait++ {
		time.Sleep(10 * time.Millisecond)
	}
}

func receive(t testing.TB, st grpc.ClientStream, mem memory.Allocator, d *Decoder) Message {
	t.Helper()
	f := New(mem)
	defer f.Release()
	if err := st.RecvMsg(f); err != nil {
		t.Fatal(err)
	}
	m, err := d.Decode(f)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// TestMarshal holds the batch until gRPC has let go of every piece.
func TestMarshal(t *testing.T) {
	mem := checked(t)
	ts := []types.Type{types.INT, types.STRING}
	l := newLink(t, mem, ts...)
	b := randomBatch(t, rand.New(rand.NewPCG(2, 2)), mem, ts, 3000)
	want := b.Retain()
	defer want.Release()
	f, err := l.e.Encode(Message{Kind: Batch, Split: b.Split, Batch: b})
	if err != nil {
		t.Fatal(err)
	}
	b.Release()
	data, err := Codec{}.Marshal(f)
	if err != nil {
		t.Fatal(err)
	}
	f.Release()
	data.Ref()
	g := New(mem)
	if err := (Codec{}).Unmarshal(data, g); err != nil {
		t.Fatal(err)
	}
	data.Free()
	again, err := Codec{}.Marshal(g) // as one that passes on what it receives would
	if err != nil {
		t.Fatal(err)
	}
	again.Free()
	data.Free()
	m, err := l.d.Decode(g)
	g.Release()
	if err != nil {
		t.Fatal(err)
	}
	same(t, m.Batch, want)
	m.Batch.Release()
}

func TestNotFrames(t *testing.T) {
	if _, err := (Codec{}).Marshal(&op.Batch{}); err == nil || err.Error() != "frame: a *op.Batch cannot be sent where frames are" {
		t.Errorf("err = %v", err)
	}
	if err := (Codec{}).Unmarshal(nil, new(int)); err == nil || err.Error() != "frame: a frame cannot be received as *int" {
		t.Errorf("err = %v", err)
	}
	f := New(checked(t))
	defer f.Release()
	if err := (Codec{}).Unmarshal(nil, f); err == nil || err.Error() != "frame: no frame has 0 bytes" {
		t.Errorf("err = %v", err)
	}
}
