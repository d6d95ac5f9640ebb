// Package link is the ways between tasks of one attempt of a job that run in
// different processes.
//
// A link is one gRPC stream of frames for an attempt, an edge and two
// processes: from that of some producers, which opens it, to that of some
// consumers. It holds the ways of all pairs of a producer and a consumer. A
// producer sends what its consumer has room for, which it is told by credit
// that comes back the same way; so a link never holds what nobody has room for,
// and a consumer that is slow holds up nobody but its own producers. A link
// that breaks, or whose peer does not keep to the protocol, ends with an
// *Error, and with it ends the attempt: nothing is sent again.
package link

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/rainsql/rainsql/cluster/state"
	"github.com/rainsql/rainsql/expr/types"
)

// The service has one method: a link.
const (
	Service = "rainsql.cluster.v1.Links"
	Carry   = "/" + Service + "/Carry"
)

var carry = grpc.StreamDesc{StreamName: "Carry", ServerStreams: true, ClientStreams: true}

// Head says what a link is for. It travels as metadata of the stream.
type Head struct {
	Job, Attempt uint64
	Edge         int
	From         state.ID // the producers' node
}

// Edge is what an end of a link knows of its edge from the plan, and what it works with. Both ends know the same types and credit.
type Edge struct {
	Types  []types.Type
	Credit int              // see exchange.Credit; the consumers' end does not need it
	Mem    memory.Allocator // of frames: best a frame.Pool
	Stats  *Stats           // may be nil
}

// Pair is a producer and a consumer of an edge.
type Pair struct{ Producer, Consumer int }

func (p Pair) String() string { return fmt.Sprintf("task %d to task %d", p.Producer, p.Consumer) }

const (
	keyJob     = "rainsql-job"
	keyAttempt = "rainsql-attempt"
	keyEdge    = "rainsql-edge"
	keyFrom    = "rainsql-from"
)

func (h Head) pairs() []string {
	return []string{
		keyJob, strconv.FormatUint(h.Job, 10), keyAttempt, strconv.FormatUint(h.Attempt, 10),
		keyEdge, strconv.Itoa(h.Edge), keyFrom, h.From.String(),
	}
}

func parseHead(md metadata.MD) (h Head, err error) {
	if h.Job, err = number(md, keyJob, math.MaxUint64); err != nil {
		return h, err
	}
	if h.Attempt, err = number(md, keyAttempt, math.MaxUint64); err != nil {
		return h, err
	}
	edge, err := number(md, keyEdge, math.MaxInt32)
	if err != nil {
		return h, err
	}
	h.Edge = int(edge)
	from, err := value(md, keyFrom)
	if err != nil {
		return h, err
	}
	if h.From, err = state.ParseID(from); err == nil && h.From.IsZero() {
		err = errors.New("no node has the id of zeros")
	}
	return h, err
}

func value(md metadata.MD, key string) (string, error) {
	if v := md.Get(key); len(v) == 1 {
		return v[0], nil
	}
	return "", fmt.Errorf("there must be one %s", key)
}

func number(md metadata.MD, key string, most uint64) (uint64, error) {
	v, err := value(md, key)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(v, 10, 64)
	if err != nil || n > most || strconv.FormatUint(n, 10) != v {
		return 0, fmt.Errorf("%s cannot be %.40q", key, v)
	}
	return n, nil
}

// Register makes a server take links: each is handed to handler, which finds the part that it is for and calls Serve. Who may open
// links is for the server's interceptors to decide, which see the method Carry.
func Register(s grpc.ServiceRegistrar, handler func(Head, grpc.ServerStream) error) {
	desc := carry
	desc.Handler = func(_ any, stream grpc.ServerStream) error {
		md, _ := metadata.FromIncomingContext(stream.Context())
		h, err := parseHead(md)
		if err != nil {
			return status.Errorf(codes.InvalidArgument, "a link: %v", err)
		}
		return handler(h, stream)
	}
	s.RegisterService(&grpc.ServiceDesc{ServiceName: Service, HandlerType: (*any)(nil), Streams: []grpc.StreamDesc{desc}}, nil)
}
