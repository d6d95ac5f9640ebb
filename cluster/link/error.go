package link

import (
	"errors"
	"fmt"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/rainsql/rainsql/cluster/state"
)

// Error says that a link broke, or that its peer does not keep to the protocol: nothing that the query is to blame for.
//
// Its status code tells more: Aborted, that the peer's part of the attempt ended, of which the peer has told why itself; InvalidArgument and
// DataLoss, that one of the ends is wrong; else that the connection is gone.
type Error struct {
	Peer state.ID
	Err  error
	code codes.Code
}

// Error implements error.
func (e *Error) Error() string {
	return fmt.Sprintf("the link with node %s: %v", e.Peer.Short(), e.Err)
}

// Unwrap returns what happened.
func (e *Error) Unwrap() error { return e.Err }

// GRPCStatus is how the error travels to the other end.
func (e *Error) GRPCStatus() *status.Status { return status.New(e.code, e.Error()) }

// broken is the error of a stream that failed.
func broken(peer state.ID, err error) error {
	code := codes.Unavailable
	if s, ok := status.FromError(err); ok && s.Code() != codes.OK {
		code = s.Code()
		err = errors.New(s.Message())
	}
	return &Error{Peer: peer, Err: err, code: code}
}

// wrong is the error of a peer that does not keep to the protocol.
func wrong(peer state.ID, code codes.Code, format string, args ...any) error {
	return &Error{Peer: peer, Err: fmt.Errorf(format, args...), code: code}
}
