package link

import (
	"context"
	"errors"
	"io"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/exec/exchange"
	"github.com/rainsql/rainsql/exec/exchange/frame"
)

// Part is the part of a graph whose consumers a link leads to: a task.Running.
type Part interface {
	// Inlet gives, once, the way in of a producer elsewhere to a consumer here; nil: there is none.
	Inlet(edge, producer, consumer int, taken func()) *exchange.Inlet
}

// server is the consumers' end of a link.
type server struct {
	head   Head
	edge   Edge
	inlets map[Pair]*inlet
	open   int // inlets whose producers are not done
	back   *back
}

type inlet struct {
	*exchange.Inlet
	ended bool
}

// Serve is the consumers' end of a link: it hands what comes to the inlets of a part, until all producers are done. pairs are those that the edge
// has from that node to here, and all come by this link. It returns when ctx, which is that of the part, ends, the stream breaks or the peer does not keep to
// the protocol: the last two as an *Error. What it returns is what the handler of the stream must return: until then a goroutine may wait on the stream, which uses neither the part
// nor what was received before.
func Serve(ctx context.Context, stream grpc.ServerStream, h Head, e Edge, part Part, pairs []Pair) error {
	dec, err := frame.NewDecoder(e.Mem, e.Types)
	if err != nil {
		return err
	}
	defer dec.Release()
	s := &server{head: h, edge: e, inlets: map[Pair]*inlet{}, open: len(pairs), back: newBack(pairs)}
	stopped := map[<-chan struct{}][]int{}
	for i, p := range pairs {
		in := part.Inlet(h.Edge, p.Producer, p.Consumer, func() { s.back.taken(i) })
		if in == nil || s.inlets[p] != nil {
			return wrong(h.From, codes.InvalidArgument, "edge %d has no way from %s, or has another link for it", h.Edge, p)
		}
		s.inlets[p] = &inlet{Inlet: in}
		stopped[in.Stopped()] = append(stopped[in.Stopped()], i)
	}
	done := make(chan struct{})
	defer close(done)
	for stop, list := range stopped {
		go func() {
			select {
			case <-stop:
				s.back.enough(list)
			case <-done:
			}
		}()
	}
	go s.back.send(stream, done)
	return s.serve(ctx, dec, receive(stream, done))
}

// arrival is a message, or the end of the stream.
type arrival struct {
	frame.Parcel
	err error
}

// receive hands over what comes, until there is nothing more or done is closed. A stream gives no other way to stop waiting for it than to return from its
// handler: so what the goroutine holds until then is gRPC's memory.
func receive(stream grpc.ServerStream, done chan struct{}) <-chan arrival {
	arrivals := make(chan arrival)
	go func() {
		for {
			var a arrival
			a.err = stream.RecvMsg(&a.Parcel)
			select {
			case arrivals <- a:
			case <-done:
				a.Release()
				return
			}
			if a.err != nil {
				return
			}
		}
	}()
	return arrivals
}

func (s *server) serve(ctx context.Context, dec *frame.Decoder, arrivals <-chan arrival) error {
	frames := frame.NewAssembly(s.edge.Mem)
	defer frames.Release()
	for {
		select {
		case a := <-arrivals:
			if errors.Is(a.err, io.EOF) && frames.Pending() {
				return wrong(s.head.From, codes.DataLoss, "it ends within a frame")
			}
			if a.err != nil {
				return s.over(ctx, a.err)
			}
			f, err := frames.Add(a.Parcel)
			if f != nil {
				err = s.arrived(dec, f)
			} else if err != nil {
				err = wrong(s.head.From, codes.DataLoss, "%w", err)
			}
			if err != nil {
				return err
			}
		case <-ctx.Done():
			return s.over(ctx, nil)
		}
	}
}

// arrived takes a frame over.
func (s *server) arrived(dec *frame.Decoder, f *frame.Frame) error {
	defer f.Release()
	s.edge.Stats.frame(f.Len())
	m, err := dec.Decode(f)
	if err != nil {
		return wrong(s.head.From, codes.DataLoss, "%w", err)
	}
	return s.take(m)
}

// over tells what the end of the part or of the stream means: nothing, once all is there.
func (s *server) over(ctx context.Context, err error) error {
	if s.open == 0 {
		return nil
	}
	if ctx.Err() != nil {
		return ended{context.Cause(ctx)}
	}
	if !errors.Is(err, io.EOF) {
		if status.Code(err) == codes.Canceled { // which is all that gRPC says
			return &Error{Peer: s.head.From, Err: errors.New("its producers' end is gone"), code: codes.Canceled}
		}
		return broken(s.head.From, err)
	}
	return wrong(s.head.From, codes.InvalidArgument, "it ends before %d of its %d producers do", s.open, len(s.inlets))
}

// take hands a message on.
func (s *server) take(m frame.Message) error {
	pair := Pair{m.Producer, m.Consumer}
	in := s.inlets[pair]
	switch {
	case m.Kind != frame.Batch && m.Kind != frame.EndSplit && m.Kind != frame.Close:
		return wrong(s.head.From, codes.InvalidArgument, "%s comes over it", m.Kind)
	case in == nil:
		exchange.Message{Batch: m.Batch}.Release()
		return wrong(s.head.From, codes.InvalidArgument, "%s comes from %s, which edge %d does not have here", m.Kind, pair, s.head.Edge)
	case in.ended:
		exchange.Message{Batch: m.Batch}.Release()
		return wrong(s.head.From, codes.InvalidArgument, "%s comes from %s after its end", m.Kind, pair)
	case m.Kind == frame.Close:
		in.ended = true
		s.open--
		in.End()
		return nil
	}
	if err := in.Put(exchange.Message{Batch: m.Batch, Split: m.Split}); err != nil {
		return wrong(s.head.From, codes.InvalidArgument, "%s: %w", pair, err)
	}
	return nil
}

// ended is the error of a part that has ended.
type ended struct{ error }

func (e ended) Unwrap() error { return e.error }

// GRPCStatus tells the other end that there is nothing wrong with the link.
func (e ended) GRPCStatus() *status.Status { return status.New(codes.Aborted, e.Error()) }
