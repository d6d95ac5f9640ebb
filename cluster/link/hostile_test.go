package link

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/mem"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/exec/exchange"
	"github.com/rainsql/rainsql/exec/exchange/frame"
	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/planner/dag"
)

// raw is a codec of a peer that sends whatever it likes.
type raw struct{}

func (raw) Name() string { return frame.CodecName }

func (raw) Marshal(v any) (mem.BufferSlice, error) {
	return mem.BufferSlice{mem.SliceBuffer(v.([]byte))}, nil
}

func (raw) Unmarshal(data mem.BufferSlice, v any) error {
	*v.(*[]byte) = data.Materialize()
	return nil
}

// said is the bytes of a frame.
func said(t testing.TB, m frame.Message, ts ...types.Type) []byte {
	t.Helper()
	e, err := frame.NewEncoder(memory.DefaultAllocator, ts)
	if err != nil {
		t.Fatal(err)
	}
	defer e.Release()
	f, err := e.Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Release()
	return bytes.Join(f.Pieces(), nil)
}

func ints(values ...int64) *op.Batch { return numbers(memory.DefaultAllocator, -1, values...) }

// TestHostileProducers: whatever comes, Serve says what is wrong and who is to blame.
func TestHostileProducers(t *testing.T) {
	// Node 0 has producers 0 and 2, this one consumers 1 and 3.
	m := func(kind frame.Kind, producer, consumer int) []byte {
		b := frame.Message{Kind: kind, Producer: producer, Consumer: consumer, Split: 1}
		if kind == frame.Batch {
			b.Batch = ints(1, 2, 3)
		}
		return said(t, b, types.INT)
	}
	random := make([]byte, 5000)
	for i := range random {
		random[i] = byte(rand.Uint32())
	}
	flood := [][]byte{}
	for range 100 {
		flood = append(flood, m(frame.EndSplit, 0, 1))
	}
	announced := said(t, frame.Message{Kind: frame.EndSplit, Split: 100 << 20})
	announced[3] = byte(frame.Enough) + 1
	texts := said(t, frame.Message{Kind: frame.Batch, Batch: &op.Batch{Rows: 3, Cols: []arrow.Array{ints(1, 2, 3).Cols[0], ints(1, 2, 3).Cols[0]}}}, types.INT, types.INT)
	for name, tc := range map[string]struct {
		list [][]byte
		code codes.Code
		want string
	}{
		"random bytes":         {[][]byte{random}, codes.DataLoss, "frame: it begins with"},
		"few bytes":            {[][]byte{random[:20]}, codes.DataLoss, "frame: no frame comes in a message of 20 bytes"},
		"nothing":              {[][]byte{{}}, codes.DataLoss, "frame: no frame comes in a message of 0 bytes"},
		"a longer message":     {[][]byte{make([]byte, frame.MaxMessage+1)}, codes.DataLoss, "frame: no frame comes in a message of 1572865 bytes"},
		"a long message":       {[][]byte{make([]byte, 3<<20)}, codes.ResourceExhausted, "larger than max"},
		"other columns":        {[][]byte{texts}, codes.DataLoss, "frame: a batch of 2 columns where 1 are planned"},
		"too many messages":    {flood, codes.InvalidArgument, "task 0 to task 1: a producer sends more than there is room for"},
		"a pair of others":     {[][]byte{m(frame.Batch, 1, 1)}, codes.InvalidArgument, "a batch comes from task 1 to task 1, which edge 7 does not have here"},
		"a consumer elsewhere": {[][]byte{m(frame.EndSplit, 0, 2)}, codes.InvalidArgument, "the end of a split comes from task 0 to task 2, which edge 7 does not have here"},
		"no such task":         {[][]byte{m(frame.Close, 1<<30, 1<<30)}, codes.InvalidArgument, "the end comes from task 1073741824 to task 1073741824"},
		"ends twice":           {[][]byte{m(frame.Close, 0, 1), m(frame.Close, 0, 1)}, codes.InvalidArgument, "the end comes from task 0 to task 1 after its end"},
		"goes on":              {[][]byte{m(frame.Close, 0, 1), m(frame.Batch, 0, 1)}, codes.InvalidArgument, "a batch comes from task 0 to task 1 after its end"},
		"ends at once":         {nil, codes.InvalidArgument, "it ends before 4 of its 4 producers do"},
		"ends early":           {[][]byte{m(frame.Close, 0, 1), m(frame.Batch, 2, 1), m(frame.Close, 0, 3)}, codes.InvalidArgument, "it ends before 2 of its 4 producers do"},
		"an error":             {[][]byte{m(frame.Error, 0, 1)}, codes.InvalidArgument, "an error comes over it"},
		"credit":               {[][]byte{m(frame.Credit, 0, 1)}, codes.InvalidArgument, "credit comes over it"},
		"half a frame":         {[][]byte{announced, make([]byte, frame.MaxMessage)}, codes.DataLoss, "it ends within a frame"},
		"a short piece":        {[][]byte{announced, make([]byte, 1000)}, codes.DataLoss, "frame: a message of 1000 bytes where 1572864 of a frame are to come"},
		"a frame in a frame":   {[][]byte{announced, announced}, codes.DataLoss, "frame: a message of 32 bytes where 1572864 of a frame are to come"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, dag.Edge{Kind: dag.Rebalance}, 4, 4, 2, types.INT)
			st := hostile(t, w, Head{Job: 1, Attempt: 2, Edge: theEdge, From: node(0)})
			for _, b := range tc.list {
				if err := st.SendMsg(b); err != nil {
					break
				}
			}
			_ = st.CloseSend()
			err := drained(st)
			if status.Code(err) != tc.code || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("the peer gets %v", err)
			}
			_, served := w.processes[1].errors(0, 1)
			if e := (*Error)(nil); !errors.As(served[0], &e) || e.Peer != node(0) || !strings.Contains(e.Error(), tc.want) {
				t.Errorf("err = %v", served[0])
			}
		})
	}
}

// hostile opens a stream to process 1.
func hostile(t *testing.T, w *world, h Head) grpc.ClientStream {
	t.Helper()
	return opened(t, w, h.pairs()...)
}

func opened(t *testing.T, w *world, pairs ...string) grpc.ClientStream {
	t.Helper()
	conn := connect(t, w.processes[1].listener, &w.processes[0].wires)
	w.processes[0].conns[100+len(w.processes[0].conns)] = conn
	ctx := metadata.AppendToOutgoingContext(t.Context(), pairs...)
	st, err := conn.NewStream(ctx, &carry, Carry, grpc.CallContentSubtype(frame.CodecName), grpc.ForceCodecV2(raw{}))
	if err != nil {
		t.Fatal(err)
	}
	return st
}

// drained is how a stream ends.
func drained(st grpc.ClientStream) error {
	for {
		var b []byte
		if err := st.RecvMsg(&b); err != nil {
			return err
		}
	}
}

// TestTwice: a second link for the same ways is refused, and the first goes on.
func TestTwice(t *testing.T) {
	w := newWorld(t, dag.Edge{Kind: dag.Rebalance}, 2, 2, 2, types.INT)
	h := Head{Job: 1, Attempt: 2, Edge: theEdge, From: node(0)}
	first := hostile(t, w, h)
	if err := first.SendMsg(said(t, frame.Message{Kind: frame.EndSplit, Producer: 0, Consumer: 1, Split: 9})); err != nil {
		t.Fatal(err)
	}
	q := w.processes[1]
	if m, err := q.edge.Receiver(1).Next(t.Context()); err != nil || m.Split != 9 {
		t.Fatalf("%+v, %v", m, err)
	}
	if err := drained(hostile(t, w, h)); status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), "edge 7 has no way from task 0 to task 1, or has another link for it") {
		t.Errorf("err = %v", err)
	}
	if err := first.SendMsg(said(t, frame.Message{Kind: frame.Close, Producer: 0, Consumer: 1})); err != nil {
		t.Error(err)
	}
	_ = first.CloseSend()
	if err := drained(first); !errors.Is(err, io.EOF) {
		t.Errorf("the first ends with %v", err)
	}
}

func TestMetadata(t *testing.T) {
	w := newWorld(t, dag.Edge{Kind: dag.Gather}, 2, 2, 2, types.INT)
	good := Head{Job: 1, Attempt: 1<<64 - 1, Edge: theEdge, From: node(0)}
	if h, err := parseHead(metadata.Pairs(good.pairs()...)); err != nil || h != good {
		t.Errorf("%+v, %v", h, err)
	}
	with := func(key string, values ...string) []string {
		md := metadata.Pairs(good.pairs()...)
		md.Delete(key)
		md.Append(key, values...)
		var pairs []string
		for k, list := range md {
			for _, v := range list {
				pairs = append(pairs, k, v)
			}
		}
		return pairs
	}
	for want, pairs := range map[string][]string{
		"there must be one rainsql-job":                    with(keyJob),
		"there must be one rainsql-attempt":                with(keyAttempt, "1", "2"),
		`rainsql-job cannot be "-1"`:                       with(keyJob, "-1"),
		`rainsql-job cannot be "01"`:                       with(keyJob, "01"),
		`rainsql-attempt cannot be "18446744073709551616"`: with(keyAttempt, "18446744073709551616"),
		`rainsql-edge cannot be "2147483648"`:              with(keyEdge, "2147483648"),
		`rainsql-edge cannot be ""`:                        with(keyEdge, ""),
		"there must be one rainsql-from":                   with(keyFrom),
		`"node" is no id of 32 hexadecimal digits`:         with(keyFrom, "node"),
		"no node has the id of zeros":                      with(keyFrom, strings.Repeat("0", 32)),
		"is no id of 32 hexadecimal digits":                with(keyFrom, strings.Repeat("0", 5000)),
	} {
		if err := drained(opened(t, w, pairs...)); status.Code(err) != codes.InvalidArgument || !strings.Contains(err.Error(), want) {
			t.Errorf("err = %v, want %s", err, want)
		}
	}
	if _, served := w.processes[1].errors(0, 0); len(served) > 0 {
		t.Errorf("served %v", served)
	}
}

// TestAuthorised: who decides about links sees the method, before anything is read.
func TestAuthorised(t *testing.T) {
	l := newListener()
	s := grpc.NewServer(append(serverOptions(), grpc.StreamInterceptor(func(_ any, _ grpc.ServerStream, info *grpc.StreamServerInfo, _ grpc.StreamHandler) error {
		return status.Errorf(codes.PermissionDenied, "not %s (%t, %t)", info.FullMethod, info.IsClientStream, info.IsServerStream)
	}))...)
	Register(s, func(Head, grpc.ServerStream) error { return errors.New("it is handled") })
	go func() { _ = s.Serve(l) }()
	defer s.Stop()
	conn := connect(t, l, &wires{})
	defer conn.Close()
	told := make(chan error, 1)
	o, err := Open(t.Context(), conn, node(1), Head{From: node(0)}, Edge{Mem: memory.DefaultAllocator, Credit: 4}, func(err error) { told <- err })
	if err != nil {
		t.Fatal(err)
	}
	if err := <-told; err.Error() != "the link with node 00000000: not /rainsql.cluster.v1.Links/Carry (true, true)" || status.Code(err) != codes.PermissionDenied {
		t.Errorf("err = %v", err)
	}
	if err := o.Close(); status.Code(err) != codes.PermissionDenied {
		t.Errorf("err = %v", err)
	}
}

// TestHostileConsumers: whatever comes back, the producers' end says what is wrong and who is to blame.
func TestHostileConsumers(t *testing.T) {
	back := func(kind frame.Kind, producer, consumer, n int) []byte {
		m := frame.Message{Kind: kind, Producer: producer, Consumer: consumer, Split: n}
		if kind == frame.Batch {
			m.Batch = &op.Batch{Rows: 1000}
		}
		return said(t, m)
	}
	random := make([]byte, 500)
	for i := range random {
		random[i] = byte(rand.Uint32())
	}
	for name, tc := range map[string]struct {
		list [][]byte
		code codes.Code
		want string
	}{
		"random bytes":    {[][]byte{random}, codes.DataLoss, "frame: it begins with"},
		"few bytes":       {[][]byte{random[:3]}, codes.Internal, "frame: no frame has 3 bytes"},
		"many bytes":      {[][]byte{make([]byte, 2000)}, codes.ResourceExhausted, "larger than max"},
		"credit unused":   {[][]byte{back(frame.Credit, 1, 0, 1)}, codes.InvalidArgument, "more credit comes back for task 1 to task 0 than was used"},
		"much credit":     {[][]byte{back(frame.Credit, 0, 0, frame.MaxCredit)}, codes.InvalidArgument, "more credit comes back for task 0 to task 0 than was used"},
		"too much credit": {[][]byte{back(frame.Credit, 0, 0, 1), back(frame.Credit, 0, 0, 1), back(frame.Credit, 0, 0, 1), back(frame.Credit, 0, 0, 1), back(frame.Credit, 0, 0, 1)}, codes.InvalidArgument, "more credit comes back for task 0 to task 0 than was used"},
		"unknown pair":    {[][]byte{back(frame.Credit, 0, 1, 1)}, codes.InvalidArgument, "credit comes back for task 0 to task 1, which it does not have"},
		"enough of none":  {[][]byte{back(frame.Enough, 5, 5, -1)}, codes.InvalidArgument, "enough comes back for task 5 to task 5, which it does not have"},
		"a batch":         {[][]byte{back(frame.Batch, 0, 0, -1)}, codes.InvalidArgument, "a batch comes back over it"},
		"an end":          {[][]byte{back(frame.Close, 0, 0, -1)}, codes.InvalidArgument, "the end comes back over it"},
		"an end at once":  {nil, codes.InvalidArgument, "it was ended before all was sent"},
		"enough twice":    {[][]byte{back(frame.Enough, 0, 0, -1), back(frame.Enough, 0, 0, -1)}, codes.InvalidArgument, "it was ended before all was sent"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, dag.Edge{Kind: dag.Gather}, 1, 1, 1, types.INT) // for its allocator
			sentAll := make(chan struct{})
			l := newListener()
			s := grpc.NewServer(append(serverOptions(), grpc.ForceServerCodecV2(raw{}), grpc.UnknownServiceHandler(func(_ any, st grpc.ServerStream) error {
				<-sentAll
				for _, b := range tc.list {
					if err := st.SendMsg(b); err != nil {
						return err
					}
				}
				return nil
			}))...)
			go func() { _ = s.Serve(l) }()
			defer s.Stop()
			conn := connect(t, l, &wires{})
			defer conn.Close()
			told := make(chan error, 2)
			o, err := Open(t.Context(), conn, node(4), Head{From: node(0)}, Edge{Types: []types.Type{types.INT}, Mem: w.mem, Credit: 4}, func(err error) { told <- err })
			if err != nil {
				t.Fatal(err)
			}
			way, other := o.Way(0, 0), o.Way(1, 0)
			for range 4 {
				if _, err := way.Send(t.Context(), exchange.Message{Batch: numbers(w.mem, -1, 1), Split: -1}); err != nil {
					t.Fatal(err)
				}
			}
			close(sentAll)
			got := <-told
			if e := (*Error)(nil); !errors.As(got, &e) || e.Peer != node(4) || status.Code(got) != tc.code || !strings.Contains(e.Error(), tc.want) {
				t.Errorf("told %v", got)
			}
			for range 5 { // there may be credit for some
				_, err = other.Send(t.Context(), exchange.Message{Split: 1})
			}
			if err != got { //nolint:errorlint // the same
				t.Errorf("sending gives %v", err)
			}
			way.Done()
			other.Done()
			if err := o.Close(); err != got { //nolint:errorlint // the same
				t.Errorf("closing gives %v", err)
			}
			if len(told) > 0 {
				t.Errorf("told again: %v", <-told)
			}
		})
	}
}

// TestBadBatch: a batch that cannot be sent is the query's fault, not the link's.
func TestBadBatch(t *testing.T) {
	w := newWorld(t, dag.Edge{Kind: dag.Gather}, 2, 1, 2, types.INT)
	p := w.processes[1]
	way := p.away(1, 0)
	b := numbers(w.mem, -1, 1)
	c := numbers(w.mem, -1, 1)
	b.Cols = append(b.Cols, c.Cols...)
	flow, err := way.Send(t.Context(), exchange.Message{Batch: b, Split: -1})
	if flow != op.Enough || err == nil || errors.As(err, new(*Error)) || err.Error() != "frame: a batch of 2 columns where 1 are planned" {
		t.Errorf("flow %v, %v", flow, err)
	}
	p.cancel(err)
	way.Done()
	if again := p.outs[0].Close(); again != err { //nolint:errorlint // the same
		t.Errorf("closing gives %v", again)
	}
	if len(p.told) > 0 {
		t.Errorf("told %v", p.told)
	}
}

// TestLeft: a link that is closed with ways that are not done.
func TestLeft(t *testing.T) {
	w := newWorld(t, dag.Edge{Kind: dag.Gather}, 2, 1, 2, types.INT)
	p := w.processes[1]
	p.away(1, 0)
	for range 2 {
		if err := p.outs[0].Close(); !errors.Is(err, errLeft) {
			t.Errorf("err = %v", err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.outs[0].Way(0, 0).Send(ctx, exchange.Message{Split: 1}); err == nil {
		t.Error("something is sent")
	}
	if len(p.told) > 0 {
		t.Error(fmt.Sprint(p.told))
	}
}
