package link

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"google.golang.org/grpc"

	"github.com/rainsql/rainsql/exec/exchange"
	"github.com/rainsql/rainsql/exec/exchange/frame"
	"github.com/rainsql/rainsql/exec/op"
	"github.com/rainsql/rainsql/expr/types"
	"github.com/rainsql/rainsql/expr/vec"
	"github.com/rainsql/rainsql/planner/dag"
)

// soon waits for a goroutine.
func soon(t *testing.T, what string, done <-chan struct{}) {
	t.Helper()
	select {
	case <-done:
	case <-time.After(20 * time.Second):
		t.Fatal(what + " takes too long")
	}
}

// TestSlow: of four consumers behind one link, one takes nothing. The others get all of theirs, and then it does.
func TestSlow(t *testing.T) {
	const rounds = 200
	w := newWorld(t, dag.Edge{Kind: dag.Rebalance}, 2, 8, 2, types.INT) // producer 0 is in process 0, consumers 1, 3, 5, 7 in process 1
	p, q := w.processes[0], w.processes[1]
	var ways []exchange.Away
	for c := 1; c < 8; c += 2 {
		ways = append(ways, p.away(0, c))
	}
	ctx := t.Context()
	finished := make([]chan struct{}, len(ways))
	for i, way := range ways {
		finished[i] = make(chan struct{})
		go func() {
			defer close(finished[i])
			defer way.Done()
			for n := range rounds {
				if flow, err := way.Send(ctx, exchange.Message{Batch: numbers(w.mem, -1, int64(n)), Split: -1}); flow != op.More || err != nil {
					t.Errorf("flow %v, %v", flow, err)
					return
				}
			}
		}()
	}
	take := func(c, n int) {
		r := q.edge.Receiver(c)
		for k := range n {
			m, err := r.Next(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if v := vec.Values[int64](m.Batch.Cols[0]); len(v) != 1 || v[0] != int64(k) {
				t.Fatalf("consumer %d gets %v, not %d", c, v, k)
			}
			m.Release()
		}
	}
	for i := 1; i < 4; i++ {
		take(2*i+1, rounds)
		soon(t, "a producer whose consumer takes all", finished[i])
	}
	select {
	case <-finished[0]:
		t.Error("a producer whose consumer takes nothing has sent all")
	default:
	}
	if n := p.sent.Frames.Load(); n < 3*rounds || n > 3*rounds+3+int64(p.edge.Credit()) {
		t.Errorf("%d frames were sent", n)
	}
	take(1, rounds)
	soon(t, "the producer", finished[0])
	if err := p.outs[1].Close(); err != nil {
		t.Error(err)
	}
	if p.sent.Waited.Load() == 0 || p.sent.Frames.Load() != 4*rounds+4 || p.sent.Bytes.Load() != q.received.Bytes.Load() {
		t.Errorf("%d frames of %d bytes were sent, %d bytes received, %d ns waited", p.sent.Frames.Load(), p.sent.Bytes.Load(), q.received.Bytes.Load(), p.sent.Waited.Load())
	}
}

// TestEnough: a consumer that walks away ends its producer, which waits for credit, and no other.
func TestEnough(t *testing.T) {
	w := newWorld(t, dag.Edge{Kind: dag.Rebalance}, 2, 4, 2, types.INT)
	p, q := w.processes[0], w.processes[1]
	one, three := p.away(0, 1), p.away(0, 3)
	var waited exchange.Waiting
	ctx := waited.With(t.Context())
	sent := 0
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			flow, err := one.Send(ctx, exchange.Message{Batch: numbers(w.mem, -1, 1), Split: -1})
			if err != nil {
				t.Error(err)
			}
			if flow == op.Enough {
				return
			}
			sent++
		}
	}()
	for w.processes[0].sent.Frames.Load() < int64(p.edge.Credit()) {
		time.Sleep(time.Millisecond)
	}
	time.Sleep(10 * time.Millisecond)
	if one.Stopped() {
		t.Error("it is stopped")
	}
	q.edge.Receiver(1).Stop()
	soon(t, "Enough", stopped)
	if sent != p.edge.Credit() || !one.Stopped() || three.Stopped() || waited.Spent < 5*time.Millisecond {
		t.Errorf("%d sent; stopped: %t, %t; waited %s", sent, one.Stopped(), three.Stopped(), waited.Spent)
	}
	if flow, err := three.Send(ctx, exchange.Message{Split: 5}); flow != op.More || err != nil {
		t.Errorf("flow %v, %v", flow, err)
	}
	one.Done()
	three.Done()
	if err := p.outs[1].Close(); err != nil {
		t.Error(err)
	}
	m, err := q.edge.Receiver(3).Next(ctx)
	if err != nil || m.Batch != nil || m.Split != 5 {
		t.Errorf("%+v, %v", m, err)
	}
}

// TestLarge: a batch of 20 MB comes in several, and a row of 100 MB as one, over a server that takes messages of 2 MB.
func TestLarge(t *testing.T) {
	w := newWorld(t, dag.Edge{Kind: dag.BySplit}, 2, 1, 2, types.INT, types.STRING)
	p, q := w.processes[1], w.processes[0]
	const rows = 1 << 17
	r := rand.New(rand.NewPCG(1, 1))
	f := vec.NewFixed[int64](w.mem, types.INT.Arrow(), rows)
	texts := vec.NewViewBuilder(w.mem, types.STRING.Arrow(), rows)
	var want []int64
	letters := strings.Repeat("rain falls on the sea, ", 20)
	for i := range rows {
		f.Values[i] = int64(r.Uint32())
		want = append(want, f.Values[i])
		texts.Append([]byte(letters[:f.Values[i]%200]))
	}
	huge := strings.Repeat("0123456789", 10<<20)
	send := func(b *op.Batch) error {
		flow, err := p.outs[0].ways[Pair{1, 0}].Send(t.Context(), exchange.Message{Batch: b, Split: b.Split})
		if flow != op.More && err == nil {
			err = errors.New("enough")
		}
		return err
	}
	way := p.away(1, 0)
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer way.Done()
		if err := send(&op.Batch{Cols: []arrow.Array{f.Finish(), texts.Finish()}, Rows: rows, Split: 3}); err != nil {
			t.Error(err)
		}
		one := vec.NewViewBuilder(w.mem, types.STRING.Arrow(), 1)
		one.Append([]byte(huge))
		n := numbers(w.mem, 5, 77)
		if err := send(&op.Batch{Cols: []arrow.Array{n.Cols[0], one.Finish()}, Rows: 1, Split: 5}); err != nil {
			t.Error(err)
		}
	}()
	q.edge.Sender(0).Close()
	rec := q.edge.Receiver(0)
	batches, at := 0, 0
	for {
		m, err := rec.Next(t.Context())
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		if m.Batch == nil {
			continue
		}
		batches++
		got, texts := vec.Values[int64](m.Batch.Cols[0]), vec.Strings(m.Batch.Cols[1])
		if m.Split == 5 {
			if got[0] != 77 || string(texts.At(0)) != huge || at != rows {
				t.Errorf("a row of %d bytes comes after %d others", len(texts.At(0)), at)
			}
			m.Release()
			continue
		}
		for i, v := range got {
			if v != want[at] || string(texts.At(i)) != letters[:v%200] {
				t.Fatalf("row %d is %d, not %d, with %d bytes", at, v, want[at], len(texts.At(i)))
			}
			at++
		}
		m.Release()
	}
	soon(t, "sending", done)
	if err := p.outs[0].Close(); err != nil {
		t.Error(err)
	}
	if batches < 10 || batches > 40 {
		t.Errorf("%d batches", batches)
	}
}

// TestSilent: a part that fails says nothing, least of all that its producers have sent everything, and breaks no link before it is closed.
func TestSilent(t *testing.T) {
	w := newWorld(t, dag.Edge{Kind: dag.Gather}, 4, 1, 2, types.INT)
	p, q := w.processes[1], w.processes[0]
	s := w.senders()
	b := numbers(w.mem, -1, 1, 2, 3)
	if _, err := s[1].Send(t.Context(), b); err != nil {
		t.Fatal(err)
	}
	b.Release()
	p.outs[0].Silence()
	for _, each := range s {
		each.Close()
	}
	r := q.edge.Receiver(0)
	m, err := r.Next(t.Context())
	if err != nil || m.Batch.Rows != 3 {
		t.Fatalf("%+v, %v", m, err)
	}
	m.Release()
	short, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if m, err := r.Next(short); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("after it comes %+v, %v", m, err)
	}
	if _, served := q.errors(0, 0); len(served) > 0 {
		t.Errorf("served %v", served)
	}
	boom := errors.New("a division by zero")
	p.cancel(boom)
	if err := p.outs[0].Close(); !errors.Is(err, boom) {
		t.Errorf("err = %v", err)
	}
	_, served := q.errors(0, 1)
	if e := (*Error)(nil); !errors.As(served[0], &e) || e.Peer != node(1) || e.Error() != "the link with node 00000000: its producers' end is gone" {
		t.Errorf("served %v", served)
	}
	if len(p.told) > 0 {
		t.Errorf("told of its own failure: %v", p.told)
	}
}

// TestCancelled: when the consumers' part ends, all of both ends return, and the producers' end is told that it is not the link that is broken.
func TestCancelled(t *testing.T) {
	w := newWorld(t, dag.Edge{Kind: dag.Broadcast}, 4, 2, 2, types.INT)
	p, q := w.processes[0], w.processes[1]
	boom := errors.New("memory_limit")
	var errs []error
	done := make(chan struct{})
	go func() {
		defer close(done)
		way := p.away(0, 1)
		for {
			_, err := way.Send(t.Context(), exchange.Message{Batch: numbers(w.mem, -1, 1), Split: -1})
			if err != nil {
				errs = append(errs, err)
				return
			}
		}
	}()
	for q.received.Frames.Load() < 4 {
		time.Sleep(time.Millisecond)
	}
	q.cancel(boom)
	soon(t, "a producer that waits", done)
	told, _ := p.errors(1, 0)
	_, served := q.errors(0, 1)
	if !errors.Is(served[0], boom) || errors.As(served[0], new(*Error)) {
		t.Errorf("served %v", served)
	}
	for _, err := range append(told, errs...) {
		if e := (*Error)(nil); !errors.As(err, &e) || e.Peer != node(1) || e.GRPCStatus().Code().String() != "Aborted" || e.Err.Error() != "memory_limit" {
			t.Errorf("err = %v", err)
		}
	}
}

// TestStalled: a peer that reads nothing holds up neither the end of a producer nor that of the part.
func TestStalled(t *testing.T) {
	w := newWorld(t, dag.Edge{Kind: dag.Gather}, 1, 1, 1, types.INT) // for its allocator
	l := newListener()
	s := grpc.NewServer(append(serverOptions(), grpc.UnknownServiceHandler(func(_ any, st grpc.ServerStream) error {
		<-st.Context().Done()
		return nil
	}))...)
	go func() { _ = s.Serve(l) }()
	defer s.Stop()
	conn := connect(t, l, &wires{})
	defer conn.Close()
	boom := errors.New("the attempt has ended")
	ctx, cancel := context.WithCancelCause(t.Context())
	var stats Stats
	o, err := Open(ctx, conn, node(4), Head{From: node(0)}, Edge{Types: w.types, Mem: w.mem, Credit: 100, Stats: &stats}, func(err error) { t.Error(err) })
	if err != nil {
		t.Fatal(err)
	}
	way, other := o.Way(0, 0), o.Way(1, 0)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			if _, err := way.Send(t.Context(), exchange.Message{Batch: numbers(w.mem, -1, make([]int64, 1<<16)...), Split: -1}); err != nil {
				if !errors.Is(err, boom) {
					t.Error(err)
				}
				return
			}
		}
	}()
	for last := int64(-1); last != stats.Frames.Load() || last < 4; time.Sleep(20 * time.Millisecond) {
		last = stats.Frames.Load()
	}
	begin := time.Now()
	other.Done()
	if d := time.Since(begin); d > 50*time.Millisecond {
		t.Errorf("it takes %s to say that a producer is done", d)
	}
	cancel(boom)
	soon(t, "a producer that sends", ended)
	way.Done()
	if err := o.Close(); !errors.Is(err, boom) {
		t.Error(err)
	}
	if d := time.Since(begin); d > 5*time.Second {
		t.Errorf("it takes %s to end", d)
	}
}

// TestAllThere: when all has come it does not matter how the stream ends, or the part.
func TestAllThere(t *testing.T) {
	for _, end := range []string{"part", "stream"} {
		w := newWorld(t, dag.Edge{Kind: dag.Rebalance}, 2, 2, 2, types.INT)
		st := hostile(t, w, Head{Job: 1, Attempt: 2, Edge: theEdge, From: node(0)})
		if err := st.SendMsg(said(t, frame.Message{Kind: frame.Close, Producer: 0, Consumer: 1})); err != nil {
			t.Fatal(err)
		}
		for w.processes[1].received.Frames.Load() < 1 {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(10 * time.Millisecond)
		if end == "part" {
			w.processes[1].cancel(errors.New("the part has ended"))
			if err := drained(st); !errors.Is(err, io.EOF) {
				t.Errorf("the peer gets %v", err)
			}
		} else {
			w.processes[0].wires.cut()
		}
		if _, served := w.processes[1].errors(0, 1); served[0] != nil {
			t.Errorf("served %v", served)
		}
	}
}
