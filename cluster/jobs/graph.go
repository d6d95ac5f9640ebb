package jobs

import (
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/planner/dag"
)

// GraphPiece is how much of a graph one message has, in bytes: they may be larger than messages are.
const GraphPiece = 1 << 20

// SendGraph sends the wire form of a graph piece by piece.
func SendGraph(data []byte, send func(piece []byte) error) error {
	for len(data) > 0 {
		n := min(len(data), GraphPiece)
		if err := send(data[:n]); err != nil {
			return err
		}
		data = data[n:]
	}
	return nil
}

// receiveGraph reads a graph of which it is known how long it will be.
func receiveGraph(size int64, next func() ([]byte, error)) (*dag.Graph, []byte, error) {
	if size <= 0 || size > dag.MaxWireBytes {
		return nil, nil, status.Errorf(codes.InvalidArgument, "a graph of %d bytes: it has 1 to %d", size, dag.MaxWireBytes)
	}
	var data []byte // grows as it comes: a size is only a word
	for int64(len(data)) < size {
		piece, err := next()
		if err != nil {
			return nil, nil, err
		}
		if len(piece) == 0 || int64(len(data)+len(piece)) > size {
			return nil, nil, status.Error(codes.InvalidArgument, "a graph that is not as long as it was said to be")
		}
		data = append(data, piece...)
	}
	g, err := dag.Decode(data)
	if err == nil {
		err = g.Check()
	}
	if err != nil {
		return nil, nil, status.Error(codes.InvalidArgument, fmt.Sprintf("not a graph: %v", err))
	}
	return g, data, nil
}
