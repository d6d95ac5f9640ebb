package link

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"

	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/exec/exchange"
	"github.com/rainsql/rainsql/exec/exchange/frame"
)

// Out is the producers' end of a link.
type Out struct {
	peer  state.ID
	edge  Edge
	fail  func(error)
	outer context.Context //nolint:containedctx // of the part
	ctx   context.Context //nolint:containedctx // of the link, within outer
	end   context.CancelCauseFunc

	opened chan struct{} // closed once there is a stream
	stream grpc.ClientStream
	err    error // of run: why the stream has ended; nil: all was sent and received
	broke  bool  // the stream ended by itself, or by the peer's doing

	sending chan struct{} // holds something while a frame is made and sent, so that they are sent as they are made
	enc     *frame.Encoder
	flight  frame.Flight

	mu      sync.Mutex
	ways    map[Pair]*way
	left    int    // ways that are not done
	done    []Pair // of which the peer is to be told so
	telling bool   // somebody does
	ended   bool   // the peer has been told of all, or is about to be
	silent  bool

	work  sync.WaitGroup
	close sync.Once
}

// Open makes a link to a node over conn, and does not wait for it. Close must follow. ctx is that of the attempt here: its end breaks the link off, which the
// peer cannot tell from a connection that broke. A part that fails calls Silence first. fail is told, once at most, when the link breaks, and must
// not wait; Send gives the same *Error.
func Open(ctx context.Context, conn grpc.ClientConnInterface, to state.ID, h Head, e Edge, fail func(error)) (*Out, error) {
	enc, err := frame.NewEncoder(e.Mem, e.Types)
	if err != nil {
		return nil, err
	}
	o := &Out{
		peer: to, edge: e, fail: fail, outer: ctx, enc: enc, sending: make(chan struct{}, 1),
		opened: make(chan struct{}), ways: map[Pair]*way{},
	}
	o.ctx, o.end = context.WithCancelCause(ctx)
	stream, cancel := context.WithCancel(metadata.AppendToOutgoingContext(context.WithoutCancel(ctx), h.pairs()...))
	o.work.Go(func() { o.run(stream, conn) })
	o.work.Go(func() { o.cancel(cancel) })
	return o, nil
}

// cancel ends the stream when the link ends, but not while a frame is handed to gRPC, which would forget to give it back (where loopyWriter gets data for a
// stream that is gone). A peer that takes nothing cannot hold that up for long.
func (o *Out) cancel(cancel func()) {
	<-o.ctx.Done()
	defer cancel()
	t := time.NewTimer(patience)
	defer t.Stop()
	select {
	case o.sending <- struct{}{}: // and nothing is sent any more
	case <-t.C:
	}
}

// Way gives the way of a producer here to a consumer there. All ways must be given before any of them is done.
func (o *Out) Way(producer, consumer int) exchange.Away {
	w := &way{out: o, pair: Pair{producer, consumer}, credit: make(chan struct{}, o.edge.Credit), enough: make(chan struct{})}
	for range o.edge.Credit {
		w.credit <- struct{}{}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.ways[w.pair] = w
	o.left++
	return w
}

// run opens the stream, and hears what comes back until it ends.
func (o *Out) run(ctx context.Context, conn grpc.ClientConnInterface) {
	err := o.hear(ctx, conn)
	o.broke = ctx.Err() == nil
	if o.err = o.reason(err); o.err != nil {
		o.end(o.err)
	} else {
		o.end(errEnded)
	}
	if e := (*Error)(nil); errors.As(o.err, &e) && o.fail != nil && o.outer.Err() == nil {
		o.fail(o.err)
	}
}

var (
	errEnded = errors.New("the link has ended")
	errLeft  = errors.New("the link was closed before its producers had sent everything")
)

// reason is why the stream has ended, which says so with err.
func (o *Out) reason(err error) error {
	if o.ctx.Err() != nil { // somebody here ended it, or the part
		return context.Cause(o.ctx)
	}
	if !errors.Is(err, io.EOF) {
		if e := (*Error)(nil); errors.As(err, &e) {
			return err
		}
		return broken(o.peer, err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if !o.ended {
		return wrong(o.peer, codes.InvalidArgument, "it was ended before all was sent")
	}
	return nil
}

// maxBack is more bytes than what comes back has.
const maxBack = 1 << 10

func (o *Out) hear(ctx context.Context, conn grpc.ClientConnInterface) error {
	opts := append(frame.CallOptions(), grpc.MaxCallRecvMsgSize(maxBack))
	st, err := conn.NewStream(ctx, &carry, Carry, opts...)
	if err != nil {
		return err
	}
	o.stream = st
	close(o.opened)
	dec, err := frame.NewDecoder(o.edge.Mem, nil)
	if err != nil {
		return err
	}
	defer dec.Release()
	f := frame.New(o.edge.Mem)
	defer f.Release()
	for {
		if err := st.RecvMsg(f); err != nil {
			return err
		}
		m, err := dec.Decode(f)
		if err != nil {
			return wrong(o.peer, codes.DataLoss, "%w", err)
		}
		if err := o.heard(m); err != nil {
			return err
		}
	}
}

func (o *Out) heard(m frame.Message) error {
	pair := Pair{m.Producer, m.Consumer}
	o.mu.Lock()
	w := o.ways[pair]
	o.mu.Unlock()
	switch {
	case m.Kind != frame.Credit && m.Kind != frame.Enough:
		exchange.Message{Batch: m.Batch}.Release()
		return wrong(o.peer, codes.InvalidArgument, "%s comes back over it", m.Kind)
	case w == nil:
		return wrong(o.peer, codes.InvalidArgument, "%s comes back for %s, which it does not have", m.Kind, pair)
	case m.Kind == frame.Enough:
		w.once.Do(func() { close(w.enough) })
		return nil
	}
	for range m.Split {
		select {
		case w.credit <- struct{}{}:
		default:
			return wrong(o.peer, codes.InvalidArgument, "more credit comes back for %s than was used", pair)
		}
	}
	return nil
}

// send makes a frame and sends it. An error that is not of the link is one of the batch.
func (o *Out) send(m frame.Message) error {
	select {
	case o.sending <- struct{}{}:
	case <-o.ctx.Done():
		return context.Cause(o.ctx)
	}
	defer func() { <-o.sending }()
	if o.ctx.Err() != nil { // nothing may be handed to gRPC any more, see cancel
		return context.Cause(o.ctx)
	}
	f, err := o.enc.Encode(m)
	if err != nil {
		return err
	}
	o.flight.Add(f)
	size := f.Len()
	err = frame.Send(o.stream, f)
	f.Release()
	if err == nil {
		o.edge.Stats.frame(size)
		return nil
	}
	if !errors.Is(err, io.EOF) {
		o.end(broken(o.peer, err))
	}
	<-o.ctx.Done() // as the end of the stream is noticed
	return context.Cause(o.ctx)
}

// isDone counts a way out, and has the peer told so.
func (o *Out) isDone(pair Pair) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.left--
	o.done = append(o.done, pair)
	if !o.telling {
		o.telling = true
		o.work.Go(o.tell)
	}
}

// Silence is for a part that has failed, before any of its tasks lets go of its ways: the peer is not told that they are done, as nothing would tell those
// whose producers have sent everything from those whose producers failed. The link stays, so that why the part failed is known before its
// links break.
func (o *Out) Silence() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.silent = true
}

// tell tells the peer of ways that are done, in a goroutine of its own: sending may wait for the network.
func (o *Out) tell() {
	select {
	case <-o.opened:
	case <-o.ctx.Done():
	}
	for {
		o.mu.Lock()
		pairs := o.done
		o.done = nil
		if o.silent {
			pairs = nil
		}
		o.telling = len(pairs) > 0
		o.ended = o.telling && o.left == 0
		last := o.ended
		o.mu.Unlock()
		if len(pairs) == 0 {
			return
		}
		for _, p := range pairs {
			if o.ctx.Err() != nil || o.send(frame.Message{Kind: frame.Close, Producer: p.Producer, Consumer: p.Consumer}) != nil {
				return
			}
		}
		if last {
			if err := o.stream.CloseSend(); err != nil {
				o.end(broken(o.peer, err))
			}
			return
		}
	}
}

// Patience with gRPC when a stream has ended: until frames that were on their way are written, or given back.
const (
	patience       = 200 * time.Millisecond
	patienceBroken = 100 * time.Millisecond
)

// Close waits until the peer has received all that was sent, unless ctx ends before; a link some of whose ways are not done, or that is silent, is broken off.
// The error is that of the link, or why it was broken off. Nobody may use a way any more. It is idempotent.
func (o *Out) Close() error {
	o.close.Do(func() {
		o.mu.Lock()
		left := o.left > 0 || o.silent || len(o.ways) == 0
		o.mu.Unlock()
		if left {
			o.end(errLeft)
		}
		o.work.Wait()
		o.land()
		o.enc.Release()
	})
	return o.err
}

// land waits for the frames that gRPC still has. It forgets to give back those of a stream that the peer ended, or of a connection that is gone: nobody reads
// them any more. What it still has of a stream that was ended here waits for the system to take more bytes: where that lasts, it is left to the garbage
// collector, since if its memory were used for something else the peer could come to see that.
func (o *Out) land() {
	if !o.broke {
		o.flight.Wait(patience)
	} else if !o.flight.Wait(patienceBroken) {
		o.flight.Drop()
	}
}
